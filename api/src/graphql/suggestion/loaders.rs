//! Suggestions, votes and discussions, fetched for a whole list at once.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use domain::suggestion as suggestions;
use entity::{
    ids::SuggestionId,
    suggestion::{Column, Model},
};

use super::SuggestionComment;
use crate::graphql::{
    connection::MOST_ROWS,
    rows::{LoadError, Rows, by_id},
};

/// Whether the viewer voted for a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MyVote(pub(super) SuggestionId);

/// The discussion of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CommentsOn(pub(super) SuggestionId);

by_id!(SuggestionId => Model, visible |rows| suggestions::visible(&rows.viewer), Column::Id);

impl Loader<MyVote> for Rows {
    type Value = ();
    type Error = LoadError;

    async fn load(&self, keys: &[MyVote]) -> Result<HashMap<MyVote, ()>, LoadError> {
        let Some(user_id) = self.viewer.user_id() else {
            return Ok(HashMap::new());
        };
        let ids: Vec<SuggestionId> = keys.iter().map(|key| key.0).collect();
        let voted = suggestions::voted_by(self.store.reader(), &ids, user_id).await?;
        Ok(voted.into_iter().map(|id| (MyVote(id), ())).collect())
    }
}

impl Loader<CommentsOn> for Rows {
    type Value = Vec<SuggestionComment>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[CommentsOn],
    ) -> Result<HashMap<CommentsOn, Vec<SuggestionComment>>, LoadError> {
        let ids: Vec<SuggestionId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<CommentsOn, Vec<SuggestionComment>> = HashMap::new();
        for row in suggestions::comments_of(self.store.reader(), &ids, MOST_ROWS).await? {
            let key = CommentsOn(row.suggestion_id);
            found.entry(key).or_default().push(SuggestionComment(row));
        }
        Ok(found)
    }
}

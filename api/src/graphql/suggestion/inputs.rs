//! What is sent about suggestions, and the words for it.

use async_graphql::{Enum, InputObject, MaybeUndefined};
use domain::suggestion::{Filter, Order, Standing};
use entity::{
    ids::SuggestionId,
    suggestion::{
        SuggestionKind as Kind, SuggestionPriority as Priority, SuggestionState as State,
    },
};

use crate::graphql::id::Id;

/// What is put forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum SuggestionKind {
    /// Something doesn't work.
    Fault,
    /// Something could be better.
    Improvement,
}

/// Where a suggestion stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum SuggestionState {
    /// It was put forward.
    Filed,
    /// The Super User Group discusses it.
    UnderDiscussion,
    /// It will be done.
    Planned,
    /// It is done.
    Done,
    /// It won't be done.
    Declined,
}

/// How much a suggestion matters to the Super User Group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Priority")]
pub enum SuggestionPriority {
    /// When there is time.
    Low,
    /// In its turn.
    Medium,
    /// Before others.
    High,
}

/// What a list of suggestions is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "Order")]
pub enum SuggestionOrder {
    /// The latest filed first.
    #[default]
    Newest,
    /// Those with most votes first.
    MostVotes,
}

/// What a list of suggestions is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct SuggestionFilter {
    /// What they are.
    pub(super) kind: Option<SuggestionKind>,
    /// Where they stand.
    pub(super) state: Option<SuggestionState>,
    /// How much they matter.
    pub(super) priority: Option<SuggestionPriority>,
    /// Whether the viewer filed them.
    pub(super) is_mine: Option<bool>,
}

impl From<SuggestionFilter> for Filter {
    fn from(given: SuggestionFilter) -> Self {
        Self {
            kind: given.kind.map(Into::into),
            state: given.state.map(Into::into),
            priority: given.priority.map(Into::into),
            is_mine: given.is_mine,
        }
    }
}

/// A suggestion to be filed.
#[derive(Debug, InputObject)]
pub struct FileSuggestionInput {
    /// What it is.
    pub(super) kind: SuggestionKind,
    /// What it is about, in a line.
    pub(super) title: String,
    /// What is wrong, or what would be better.
    pub(super) body: String,
}

/// A vote.
#[derive(Debug, InputObject)]
pub struct VoteSuggestionInput {
    /// The suggestion.
    pub(super) suggestion_id: Id<SuggestionId>,
    /// Whether the viewer is for it; false takes their vote back.
    #[graphql(default = true)]
    pub(super) supports: bool,
}

/// Something to be said of a suggestion.
#[derive(Debug, InputObject)]
pub struct DiscussSuggestionInput {
    /// The suggestion.
    pub(super) suggestion_id: Id<SuggestionId>,
    /// What is to be said.
    pub(super) body: String,
}

/// A change of a suggestion. What is not given stays as it is.
#[derive(Debug, InputObject)]
pub struct UpdateSuggestionInput {
    /// The suggestion.
    pub(super) id: Id<SuggestionId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// What it is.
    pub(super) kind: Option<SuggestionKind>,
    /// What it is about, in a line.
    pub(super) title: Option<String>,
    /// What is wrong, or what would be better.
    pub(super) body: Option<String>,
    /// Where it stands; the Super User Group decides.
    pub(super) state: Option<SuggestionState>,
    /// How much it matters; the Super User Group decides.
    pub(super) priority: MaybeUndefined<SuggestionPriority>,
    /// What came of it; needed for what is done or declined.
    pub(super) outcome: MaybeUndefined<String>,
}

impl UpdateSuggestionInput {
    /// Changes the suggestion by what was given.
    pub(super) fn apply(self, standing: &mut Standing) {
        if let Some(kind) = self.kind {
            standing.kind = kind.into();
        }
        if let Some(title) = self.title {
            standing.title = title;
        }
        if let Some(body) = self.body {
            standing.body = body;
        }
        if let Some(state) = self.state {
            standing.state = state.into();
        }
        self.priority
            .map_value(Into::into)
            .update_to(&mut standing.priority);
        self.outcome.update_to(&mut standing.outcome);
    }
}

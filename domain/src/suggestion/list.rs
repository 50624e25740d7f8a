//! Lists of suggestions. All staff have the same.

use entity::{
    ids::SuggestionId,
    suggestion::{self, SuggestionKind, SuggestionPriority, SuggestionState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order as Direction, PaginatorTrait,
    QueryFilter, Select,
};

use crate::{
    error::Result,
    organisation::nothing,
    page::{Page, Slice},
    viewer::Viewer,
};

/// What a list of suggestions is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The latest filed first.
    #[default]
    Newest,
    /// Those with most votes first.
    MostVotes,
}

/// The suggestions that exist for `viewer`, to be narrowed: staff share them.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<suggestion::Entity> {
    let all = suggestion::Entity::find();
    if viewer.is_staff() {
        all
    } else {
        all.filter(nothing())
    }
}

/// What a list of suggestions is narrowed by. Everything that is given must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What they are.
    pub kind: Option<SuggestionKind>,
    /// Where they stand.
    pub state: Option<SuggestionState>,
    /// How much they matter.
    pub priority: Option<SuggestionPriority>,
    /// Whether the viewer filed them.
    pub is_mine: Option<bool>,
}

impl Filter {
    fn condition(self, viewer: &Viewer) -> Condition {
        let mut all = Condition::all();
        if let Some(kind) = self.kind {
            all = all.add(suggestion::Column::Kind.eq(kind));
        }
        if let Some(state) = self.state {
            all = all.add(suggestion::Column::State.eq(state));
        }
        if let Some(priority) = self.priority {
            all = all.add(suggestion::Column::Priority.eq(priority));
        }
        if let (Some(is_mine), Some(user_id)) = (self.is_mine, viewer.user_id()) {
            all = all.add(if is_mine {
                suggestion::Column::FiledBy.eq(user_id)
            } else {
                suggestion::Column::FiledBy.ne(user_id)
            });
        }
        all
    }
}

/// One page of the suggestions that exist for `viewer` and meet the filter, the latest filed first.
pub async fn list_newest(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: Filter,
    page: &Page<SuggestionId>,
) -> Result<Slice<suggestion::Model>> {
    let query = visible(viewer).filter(filter.condition(viewer));
    let key = [suggestion::Column::Id.into_expr()];
    page.read(db, query, key, Direction::Desc).await
}

/// The same, those with most votes first.
pub async fn list_by_votes(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: Filter,
    page: &Page<(i32, SuggestionId)>,
) -> Result<Slice<suggestion::Model>> {
    let query = visible(viewer).filter(filter.condition(viewer));
    let key = [
        suggestion::Column::Votes.into_expr(),
        suggestion::Column::Id.into_expr(),
    ];
    page.read(db, query, key, Direction::Desc).await
}

/// How many suggestions exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: Filter) -> Result<u64> {
    let query = visible(viewer).filter(filter.condition(viewer));
    Ok(query.count(db).await?)
}

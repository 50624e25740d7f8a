//! Somebody's vote for a suggestion.

use sea_orm::entity::prelude::*;

use crate::ids::{SuggestionId, UserId};
use crate::personal_data::personal_data;

/// A row of `suggestion_vote`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suggestion_vote")]
pub struct Model {
    /// The suggestion.
    #[sea_orm(primary_key, auto_increment = false)]
    pub suggestion_id: SuggestionId,
    /// Who voted for it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// When.
    pub voted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "suggestion_vote": "Who is for a suggestion.";
    erasure: Keep("votes stay counted; the account is a pseudonym then");
    retention: Until::Erasure.because("everybody has one vote");
    Subject(Account) => user_id;
    Nothing => suggestion_id, voted_at;
}

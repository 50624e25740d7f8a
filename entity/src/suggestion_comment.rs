//! What somebody says of a suggestion.

use sea_orm::entity::prelude::*;

use crate::ids::{SuggestionCommentId, SuggestionId, UserId};
use crate::personal_data::personal_data;

/// A row of `suggestion_comment`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suggestion_comment")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuggestionCommentId,
    /// The suggestion.
    pub suggestion_id: SuggestionId,
    /// Who says it.
    pub author_id: UserId,
    /// What they say.
    pub body: String,
    /// When they said it.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "suggestion_comment": "What somebody said of a suggestion.";
    erasure: Keep("others answered it; its author is a pseudonym then");
    retention: Until::Always.because("it belongs to the suggestion");
    Hand => author_id;
    Words => body;
    Nothing => id, suggestion_id, created_at;
}

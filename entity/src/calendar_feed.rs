//! The secret address of somebody's own calendar (policy 2.4). One for each person; a new one ends the one before.

use sea_orm::entity::prelude::*;

use crate::{ids::UserId, personal_data::personal_data};

/// A row of `calendar_feed`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feed")]
pub struct Model {
    /// Whose calendar it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The hash of what its address ends in: 256 bits that nobody can guess.
    #[sea_orm(unique)]
    pub token_hash: String,
    /// When the address was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "calendar_feed": "That somebody has an address for their own calendar.";
    erasure: Delete;
    retention: Until::Erasure.because("people make and end it themselves");
    Subject(Account) => user_id;
    Secret(Stays) => token_hash;
    Nothing => created_at;
}

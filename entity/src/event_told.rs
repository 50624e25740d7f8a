//! That somebody was told of an event that is coming, so that no second digest names it (policy 1).

use sea_orm::entity::prelude::*;

use crate::ids::{EventId, UserId};
use crate::personal_data::personal_data;

/// A row of `event_told`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_told")]
pub struct Model {
    /// Who was told.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Of which event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// When.
    pub told_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event_told": "Which events somebody was told of in the weekly digest of what is coming.";
    erasure: Delete;
    retention: RowFor(400, "told_at").because("an event that is put off for up to a year is not named again");
    Subject(Account) => user_id;
    Nothing => event_id, told_at;
}

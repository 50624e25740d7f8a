//! The receipt for an announcement: somebody has read it.

use sea_orm::entity::prelude::*;

use crate::ids::{AnnouncementId, UserId};
use crate::personal_data::personal_data;

/// A row of `announcement_read`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "announcement_read")]
pub struct Model {
    /// The announcement.
    #[sea_orm(primary_key, auto_increment = false)]
    pub announcement_id: AnnouncementId,
    /// Who read it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// When they said so.
    pub read_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "announcement_read": "Who has read an announcement, and when.";
    erasure: Delete;
    retention: Until::Erasure.because("it proves that a change of the policy was known");
    Subject(Account) => user_id;
    Nothing => announcement_id, read_at;
}

//! An announcement to staff: the system or the policy changes (policy 3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{AnnouncementId, UserId};
use crate::personal_data::personal_data;

/// What an announcement is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnnouncementKind {
    /// The system changes.
    SystemUpdate,
    /// The policy changes.
    PolicyChange,
}

/// A row of `announcement`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "announcement")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AnnouncementId,
    /// What it is about.
    pub kind: AnnouncementKind,
    /// What it says, in a line.
    pub title: String,
    /// What it says.
    pub body: String,
    /// Who published it.
    pub published_by: UserId,
    /// When.
    pub published_at: DateTimeUtc,
    /// When those who have not read it are reminded; none when nobody is.
    pub remind_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "announcement": "What staff were told, and who published it.";
    erasure: Keep("what was announced stays announced");
    retention: Until::Always.because("changes of the policy must be traceable (policy 3)");
    Hand => published_by;
    Words => title, body;
    Nothing => id, kind, published_at, remind_at;
}

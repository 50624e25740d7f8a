//! A signed-in session: the family of its refresh tokens.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{SessionId, UserId};
use crate::personal_data::personal_data;

/// Why a session ended.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionEnd {
    /// Its owner signed out.
    SignedOut,
    /// A refresh token was used twice: somebody has a copy.
    RefreshReused,
    /// The account was suspended, or an administrator ended it.
    Revoked,
}

/// A row of `session`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When the person signed in.
    pub created_at: DateTimeUtc,
    /// When it ends at the latest.
    pub expires_at: DateTimeUtc,
    /// When it was ended.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it was ended.
    pub end_reason: Option<SessionEnd>,
    /// When its tokens were last exchanged; none while the first are in use.
    pub last_used_at: Option<DateTimeUtc>,
    /// The kind of program and machine it was begun with, such as `Firefox on Windows`.
    pub device: Option<String>,
    /// The network it was begun from: the address without its last part.
    pub network: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "session": "When somebody signed in and out, from which network and with which kind of program.";
    erasure: Delete;
    retention: RowFor(90, "expires_at").because("somebody may ask who used their account");
    Subject(Account) => user_id;
    Value(Null) => device, network;
    Nothing => id, created_at, expires_at, ended_at, end_reason, last_used_at;
}

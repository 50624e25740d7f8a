//! A refresh token, known by its hash alone.

use sea_orm::entity::prelude::*;

use crate::ids::SessionId;
use crate::personal_data::personal_data;

/// A row of `refresh_token`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// The family it belongs to.
    pub session_id: SessionId,
    /// When it was issued.
    pub issued_at: DateTimeUtc,
    /// When it can no longer be used.
    pub expires_at: DateTimeUtc,
    /// When it was exchanged for its successor.
    pub used_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "refresh_token": "When somebody stayed signed in.";
    erasure: Delete;
    retention: RowFor(30, "expires_at").because("a token that is used again must be known for a copy");
    Subject(Session) => session_id;
    Secret(Stays) => token_hash;
    Nothing => issued_at, expires_at, used_at;
}

//! A refresh token, known by its hash alone.

use sea_orm::entity::prelude::*;

use crate::ids::SessionId;

/// A row of `refresh_token`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
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

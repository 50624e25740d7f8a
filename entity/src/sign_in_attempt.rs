//! A failed sign-in, kept only as long as the limit looks back.

use sea_orm::entity::prelude::*;

/// A row of `sign_in_attempt`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_attempt")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What is limited: SHA-256 of the account name or of the network address, in hexadecimal.
    pub subject: String,
    /// When it happened.
    pub attempted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

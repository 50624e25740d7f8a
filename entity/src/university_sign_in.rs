//! A sign-in with the university that was begun and not ended.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `university_sign_in`. What is secret about it is in the browser's cookie alone.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "university_sign_in")]
pub struct Model {
    /// SHA-256 of `state`, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: String,
    /// SHA-256 of the cookie of the browser it was begun in, in hexadecimal.
    pub browser_hash: String,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// When it can no longer be ended.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "university_sign_in": nobody;
    state_hash, browser_hash, created_at, expires_at
}

//! A sign-in with the university that has come back, so that it doesn't a second time.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `university_sign_in`. What was begun is in the browser's cookie alone.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "university_sign_in")]
pub struct Model {
    /// SHA-256 of `state`, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: String,
    /// When nobody could end it any more in any case.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "university_sign_in": nobody;
    state_hash, expires_at
}

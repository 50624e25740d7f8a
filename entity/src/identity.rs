//! Who an account is at the university's provider.

use sea_orm::entity::prelude::*;

use crate::{ids::UserId, personal_data::personal_data};

/// A row of `identity`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    /// The provider: `iss` of `OpenID` Connect.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issuer: String,
    /// The person there, for ever the same: `sub` of `OpenID` Connect.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// The account.
    pub user_id: UserId,
    /// When the person first came.
    pub created_at: DateTimeUtc,
    /// When the person last came.
    pub last_used_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "identity": "Who somebody is at the university's provider.";
    erasure: Delete;
    retention: Until::Erasure.because("people sign in by it as long as they keep their account");
    Subject(Account) => user_id;
    Value(Stays) => subject;
    Nothing => issuer, created_at, last_used_at;
}

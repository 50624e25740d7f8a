//! A token that works once, known by its hash alone: what the links in letters hold.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{ids::UserId, personal_data::personal_data};

/// What it is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TokenPurpose {
    /// Proves that the address of the account is its owner's.
    VerifyEmail,
    /// The same for the address that is to follow it.
    ChangeEmail,
    /// Chooses a new password.
    ResetPassword,
    /// Chooses the first password of an account that was made for somebody.
    Invitation,
    /// Carries a sign-in with the university from our page to the frontend.
    SignIn,
}

/// A row of `one_time_token`. It goes when it is used.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_token")]
pub struct Model {
    /// SHA-256 of the token, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// What it is for.
    pub purpose: TokenPurpose,
    /// For which account.
    pub user_id: UserId,
    /// The address that is to be proved.
    pub email: Option<String>,
    /// What only whoever began knows the secret to: BASE64URL(SHA-256(secret)), as in RFC 7636.
    pub challenge: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it stops working.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "one_time_token": "Links and codes on their way to somebody, by their hashes.";
    erasure: Delete;
    retention: OwnRule("until it is used, or within an hour after it expires").because("a link must be known to work");
    Subject(Account) => user_id;
    Secret(Stays) => token_hash;
    Value(Null) => email;
    Nothing => purpose, challenge, created_at, expires_at;
}

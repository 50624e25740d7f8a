//! Something an account signs in with.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{CredentialId, UserId},
    personal_data::personal_data,
};

/// What kind of proof it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CredentialKind {
    /// A password, of which an account has one at most.
    Password,
    /// A key pair whose private half never leaves its owner's device (`WebAuthn`).
    Passkey,
}

/// A row of `credential`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CredentialId,
    /// Whose it is.
    pub user_id: UserId,
    /// What kind it is.
    pub kind: CredentialKind,
    /// The argon2id hash of a password, in PHC form.
    pub password_hash: Option<String>,
    /// What the owner's device knows a passkey by (`WebAuthn`'s credential id).
    pub external_id: Option<Vec<u8>>,
    /// The public key of a passkey, in COSE form.
    pub public_key: Option<Vec<u8>>,
    /// How often a passkey had signed when it was last seen: a lower number tells of a copy.
    pub sign_counter: Option<i64>,
    /// How the device that has a passkey can be reached, such as `usb,nfc`.
    pub transports: Option<String>,
    /// Whether a passkey is kept on more than one device.
    pub is_backed_up: Option<bool>,
    /// What its owner calls it.
    pub label: Option<String>,
    /// When it was made or, of a password, last chosen anew.
    pub created_at: DateTimeUtc,
    /// When somebody last signed in with it.
    pub last_used_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "credential": "What somebody signs in with: the hash of a password, or the public key of a passkey.";
    erasure: Delete;
    retention: Until::Erasure.because("people sign in with it as long as they keep their account");
    Subject(Account) => user_id;
    Secret(Null) => password_hash, external_id, public_key;
    Value(Null) => label;
    Nothing => id, kind, sign_counter, transports, is_backed_up, created_at, last_used_at;
}

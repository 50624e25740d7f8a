//! A key that access tokens are signed with (EdDSA).

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `signing_key`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// The `kid` that tokens name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The Ed25519 private key, PKCS #8 in DER.
    pub private_key: Vec<u8>,
    /// The Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it stopped signing; it still verifies until its last token has expired.
    pub retired_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "signing_key": nobody;
    id, private_key, public_key, created_at, retired_at
}

//! A failed sign-in, kept only as long as the limit looks back.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `sign_in_attempt`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
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

personal_data! {
    "sign_in_attempt": "Failed sign-ins and links asked for, by a hash of the account or of the network address.";
    erasure: Keep("it is gone within two hours");
    retention: OwnRule("an hour, then at the next full one").because("guessing passwords and sending links is limited");
    Secret(Stays) => subject;
    Nothing => id, attempted_at;
}

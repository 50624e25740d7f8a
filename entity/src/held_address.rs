//! An address at which mail is held back after bounces; kept as a hash, so that it outlives the contacts that have it.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `held_address`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "held_address")]
pub struct Model {
    /// Keyed hash of the address in lower case, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address_hash: String,
    /// Since when.
    pub since: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "held_address": "That mail to an address came back several times, as a keyed hash of the address.";
    erasure: Keep("mail to the address still comes back; the hash leads to nobody without the address");
    retention: Until::Always.because("an operator who knows that mail arrives again ends it");
    Subject(AddressHash) => address_hash;
    Nothing => since;
}

//! An address that gets no bulk mail; kept as a hash, so that it outlives the contact.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::SuppressionId;
use crate::personal_data::personal_data;

/// Why an address gets no bulk mail.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SuppressionReason {
    /// Its owner unsubscribed.
    Unsubscribed,
    /// Mail to it came back for good.
    Bounced,
    /// Its owner reported mail as unwanted.
    Complained,
    /// Its owner asked for erasure.
    Erased,
}

/// A row of `suppression`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "suppression")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuppressionId,
    /// Keyed hash of the address in lower case, in hexadecimal; unique.
    pub address_hash: String,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "suppression": "That an address gets no bulk mail, as a keyed hash of the address.";
    erasure: Keep("who asked for no mail must get none; the hash leads to nobody without the address");
    retention: Until::Always.because("the wish to get no mail has no end (policy 2.5)");
    Subject(AddressHash) => address_hash;
    Nothing => id, reason, created_at;
}

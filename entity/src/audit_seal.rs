//! The seal of a line of the audit log: a link in a chain of hashes, by which tampering shows (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::AuditEntryId;
use crate::personal_data::personal_data;

/// A row of `audit_seal`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seal")]
pub struct Model {
    /// Its place in the chain, from 1 without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The line.
    pub entry_id: AuditEntryId,
    /// What the hash of the details is salted with; none once they were erased.
    pub salt: Option<Vec<u8>>,
    /// The salted hash of what the line tells before and after.
    pub details_hash: String,
    /// The hash of the seal before it.
    pub previous: String,
    /// The hash of all of this and of the line.
    pub hash: String,
    /// When it was sealed.
    pub sealed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "audit_seal": nobody;
    seq, entry_id, salt, details_hash, previous, hash, sealed_at
}

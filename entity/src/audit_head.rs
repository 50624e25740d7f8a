//! Where the chain of the audit log ended on a day, kept so that an end that is cut off is missed (policy 3).

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `audit_head`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_head")]
pub struct Model {
    /// The place in the chain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// The hash of the seal there.
    pub hash: String,
    /// When it was the last one.
    pub kept_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "audit_head": nobody;
    seq, hash, kept_at
}

//! The number of the last line of the audit log. Lines are counted when their change commits, so that none that was given up
//! leaves a gap.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// The one row of `audit_number`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_number")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The number that was given last.
    pub last: i64,
    /// Numbers up to this one are from before lines were counted, and may have gaps.
    pub counted_from: i64,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "audit_number": nobody;
    id, last, counted_from
}

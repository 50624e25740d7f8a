//! The number of the last line of the audit log, where lines are numbered by counting: on `SQLite`, whose one writer makes
//! nobody wait for it. On `PostgreSQL` a sequence gives the numbers, and there is no row.

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
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "audit_number": nobody;
    id, last
}

//! What was learnt about telling which records are the same.

use sea_orm::entity::prelude::*;

use crate::personal_data::personal_data;

/// A row of `duplicate_model`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "duplicate_model")]
pub struct Model {
    /// Of which kind the records are.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The weights.
    pub learnt: Json,
    /// When they were learnt.
    pub learnt_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "duplicate_model": nobody;
    kind, learnt, learnt_at
}

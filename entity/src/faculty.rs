//! A faculty of the university.

use sea_orm::entity::prelude::*;

use crate::ids::FacultyId;
use crate::personal_data::personal_data;

/// A row of `faculty`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "faculty")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FacultyId,
    /// Its name, unique in the university.
    pub name: String,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "faculty": nobody;
    id, name, created_at
}

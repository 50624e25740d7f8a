//! A school within a faculty.

use sea_orm::entity::prelude::*;

use crate::ids::{FacultyId, SchoolId};
use crate::personal_data::personal_data;

/// A row of `school`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "school")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SchoolId,
    /// The faculty it belongs to.
    pub faculty_id: FacultyId,
    /// Its name, unique in its faculty.
    pub name: String,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// Its faculty.
    #[sea_orm(belongs_to, from = "faculty_id", to = "id")]
    pub faculty: BelongsTo<super::faculty::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "school": nobody;
    id, faculty_id, name, created_at
}

//! A training course and the permissions that it opens (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::TrainingCourseId;
use crate::list::TextList;
use crate::personal_data::personal_data;

/// A row of `training_course`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "training_course")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrainingCourseId,
    /// Its title; unique.
    pub title: String,
    /// The permissions it opens, by name.
    pub permissions: TextList,
    /// For how many days attending it counts.
    pub validity_days: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "training_course": nobody;
    id, title, permissions, validity_days, created_at
}

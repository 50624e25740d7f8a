//! An event of the kind TRAINING at which a course is taught (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{EventId, TrainingCourseId};
use crate::personal_data::personal_data;

/// A row of `training_session`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "training_session")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// The course that is taught there.
    pub training_course_id: TrainingCourseId,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "training_session": nobody;
    event_id, training_course_id
}

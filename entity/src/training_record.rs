//! A course that a member of staff attended, and until when that counts (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{EventId, TrainingCourseId, TrainingRecordId, UserId};
use crate::personal_data::personal_data;

/// A row of `training_record`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "training_record")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TrainingRecordId,
    /// Who attended.
    pub user_id: UserId,
    /// The course.
    pub training_course_id: TrainingCourseId,
    /// The session; none for training from before there were sessions in the system.
    pub event_id: Option<EventId>,
    /// When.
    pub attended_at: DateTimeUtc,
    /// Until when it counts.
    pub valid_until: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "training_record": "Which training a member of staff attended, and when.";
    erasure: Delete;
    retention: Until::Erasure.because("access rests on it, and refreshers follow from it");
    Nothing => id, training_course_id, event_id, attended_at, valid_until;
    Subject(Account) => user_id;
}

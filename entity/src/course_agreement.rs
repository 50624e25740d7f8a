//! An agreement that a training course names: without it what the course opens stays closed (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{AgreementId, TrainingCourseId};
use crate::personal_data::personal_data;

/// A row of `course_agreement`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "course_agreement")]
pub struct Model {
    /// The course.
    #[sea_orm(primary_key, auto_increment = false)]
    pub training_course_id: TrainingCourseId,
    /// The agreement.
    #[sea_orm(primary_key, auto_increment = false)]
    pub agreement_id: AgreementId,
    /// When the course came to name it; none when it did from its beginning. Those who had attended before have some days
    /// of grace from then on.
    pub named_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "course_agreement": nobody;
    training_course_id, agreement_id, named_at
}

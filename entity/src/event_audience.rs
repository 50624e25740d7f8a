//! A group of students that an event is open to; an event without any is open to all.

use sea_orm::entity::prelude::*;

use crate::ids::{EventAudienceId, EventId, FacultyId, ProgrammeId};
use crate::personal_data::personal_data;
use crate::programme::StudyLevel;

/// A row of `event_audience`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_audience")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventAudienceId,
    /// The event.
    pub event_id: EventId,
    /// Students of this faculty.
    pub faculty_id: Option<FacultyId>,
    /// Students on this programme.
    pub programme_id: Option<ProgrammeId>,
    /// Students at this level.
    pub level: Option<StudyLevel>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event_audience": nobody;
    id, event_id, faculty_id, programme_id, level
}

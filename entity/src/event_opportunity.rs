//! A kind of opportunity that is offered at an event (policy 2.4).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::EventId;
use crate::personal_data::personal_data;

/// What students can get to at an event.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OpportunityKind {
    /// A job for graduates.
    GraduateJob,
    /// A work placement.
    Placement,
    /// An internship.
    Internship,
    /// A part-time job beside the studies.
    PartTimeJob,
    /// Volunteering.
    Volunteering,
    /// Further study.
    FurtherStudy,
}

/// A row of `event_opportunity`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_opportunity")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// What is offered there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: OpportunityKind,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event_opportunity": nobody;
    event_id, kind
}

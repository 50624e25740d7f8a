//! A degree programme within a school.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{ProgrammeId, SchoolId};
use crate::personal_data::personal_data;

/// The level of study of a degree programme.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StudyLevel {
    /// A foundation year.
    Foundation,
    /// A first degree.
    Undergraduate,
    /// A taught master's degree.
    TaughtPostgraduate,
    /// A research degree.
    Research,
}

/// A row of `programme`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "programme")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProgrammeId,
    /// The school that teaches it.
    pub school_id: SchoolId,
    /// Its name, with the award: `BSc Computer Science`.
    pub name: String,
    /// Its level of study.
    pub level: StudyLevel,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// Its school.
    #[sea_orm(belongs_to, from = "school_id", to = "id")]
    pub school: BelongsTo<super::school::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "programme": nobody;
    id, school_id, name, level, created_at
}

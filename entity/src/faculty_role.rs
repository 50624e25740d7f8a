//! Who stands for a faculty in what concerns the system: one person for each role (policy 3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{FacultyId, UserId};
use crate::personal_data::personal_data;

/// What somebody does for their faculty.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FacultyRoleKind {
    /// Represents it in the Super User Group.
    Representative,
    /// Passes on updates, policy changes, faults and improvements.
    Disseminator,
}

/// A row of `faculty_role`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "faculty_role")]
pub struct Model {
    /// The faculty.
    #[sea_orm(primary_key, auto_increment = false)]
    pub faculty_id: FacultyId,
    /// The role; a faculty has one person in it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: FacultyRoleKind,
    /// Who has it; a person has it for one faculty.
    pub user_id: UserId,
    /// Since when.
    pub since: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "faculty_role": "Who represents a faculty in the Super User Group, and who disseminates in it.";
    erasure: Delete;
    retention: Until::Erasure.because("as long as they stand for the faculty");
    Subject(Account) => user_id;
    Nothing => faculty_id, role, since;
}

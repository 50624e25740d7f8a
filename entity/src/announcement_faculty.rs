//! A faculty that an announcement is for. One without any is for all staff.

use sea_orm::entity::prelude::*;

use crate::ids::{AnnouncementId, FacultyId};
use crate::personal_data::personal_data;

/// A row of `announcement_faculty`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "announcement_faculty")]
pub struct Model {
    /// The announcement.
    #[sea_orm(primary_key, auto_increment = false)]
    pub announcement_id: AnnouncementId,
    /// The faculty.
    #[sea_orm(primary_key, auto_increment = false)]
    pub faculty_id: FacultyId,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "announcement_faculty": nobody;
    announcement_id, faculty_id
}

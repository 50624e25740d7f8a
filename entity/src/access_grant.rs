//! A permission given to a member of staff, for the campus or for one faculty (policy 3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{FacultyId, GrantId, TrainingCourseId, UserId};
use crate::personal_data::personal_data;

/// What a grant allows (policy 2.5 and 3).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Permission {
    /// Record engagements with employers: notes.
    RecordEngagement,
    /// Create and edit organisations, contacts and tags.
    EditOrganisation,
    /// Delete and merge organisations.
    DeleteOrganisation,
    /// Claim key accounts.
    ClaimKeyAccount,
    /// Organise events.
    ManageEvent,
    /// Approve and decline vacancies.
    ModerateVacancy,
    /// Send bulk e-mail to employer contacts.
    SendBulkEmail,
    /// Read reports.
    ReadReport,
    /// Export contacts.
    ExportContacts,
    /// Manage work placements.
    ManagePlacement,
    /// Give and take grants.
    GrantAccess,
}

/// Whether a grant was taken back.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GrantState {
    /// It was given; whether it counts follows from the training and the agreements that it rests on.
    Active,
    /// It was taken back.
    Revoked,
}

/// A row of `access_grant`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_grant")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GrantId,
    /// Who holds it.
    pub user_id: UserId,
    /// What it allows.
    pub permission: Permission,
    /// The faculty it is limited to; none means the whole campus.
    pub faculty_id: Option<FacultyId>,
    /// The training it rests on.
    pub training_course_id: Option<TrainingCourseId>,
    /// Whether it was taken back.
    pub state: GrantState,
    /// Who gave it; none for the first administrator and for demo data.
    pub granted_by: Option<UserId>,
    /// When it was given.
    pub granted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "access_grant": "What a member of staff may do, and who gave it to them.";
    erasure: Delete;
    retention: Until::Erasure.because("rights must be known as long as the account is");
    Subject(Account) => user_id;
    Hand => granted_by;
    Nothing => id, permission, faculty_id, training_course_id, state, granted_at;
}

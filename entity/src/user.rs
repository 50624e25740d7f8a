//! An account: somebody who can sign in.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{ContactId, FacultyId, ProgrammeId, UserId};
use crate::personal_data::personal_data;

/// What kind of person an account is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserKind {
    /// A student.
    Student,
    /// A graduate.
    Graduate,
    /// A contact who signs in for an organisation.
    Employer,
    /// A member of staff; grants make an operator of them.
    Staff,
}

/// Whether an account may be used.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserState {
    /// It may sign in.
    Active,
    /// It may not.
    Suspended,
}

/// A row of `user_account`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// The address it signs in with, in lower case; unique.
    pub email: String,
    /// The name as shown.
    pub name: String,
    /// What kind of person it is.
    pub kind: UserKind,
    /// Whether the account is in the Super User Group (policy 3).
    pub is_super_user: bool,
    /// Whether the account administers the system (Careers Centre).
    pub is_administrator: bool,
    /// Whether it may sign in.
    pub state: UserState,
    /// The faculty of a student or of a member of staff.
    pub faculty_id: Option<FacultyId>,
    /// The programme a student is on.
    pub programme_id: Option<ProgrammeId>,
    /// The year of the programme a student is in, from 1.
    pub year_of_study: Option<i32>,
    /// The contact that an employer is; it names the organisation.
    pub contact_id: Option<ContactId>,
    /// When the address was proved to be theirs.
    pub email_verified_at: Option<DateTimeUtc>,
    /// Raised to end every session and token at once.
    pub session_version: i32,
    /// When booking was blocked after missed events (policy 2.4).
    pub booking_blocked_at: Option<DateTimeUtc>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "user_account": "Somebody who signs in: name, e-mail address, what they study or where they work.";
    erasure: Keep("it is the pseudonym that bookings and the audit log refer to");
    retention: Until::LapsesFor(3 * 365, "updated_at", ("state", "SUSPENDED"))
        .because("people keep their account as long as they use it: unused for two years it is closed, and a closed one is asked for within three");
    Subject(Account) => id;
    Subject(Contact) => contact_id;
    Value(NoAddress) => email;
    Value(Word) => name;
    Nothing => kind, is_super_user, is_administrator, state, faculty_id, programme_id, year_of_study, email_verified_at,
        session_version, booking_blocked_at, created_at, updated_at;
}

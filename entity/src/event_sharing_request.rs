//! A request to open an event to the students of another faculty (policy 2.4).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, EventSharingRequestId, FacultyId, UserId};
use crate::personal_data::personal_data;

/// Where a request stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SharingState {
    /// It waits for an operator of the faculty.
    Requested,
    /// The faculty's students are in the audience.
    Agreed,
    /// The faculty said no.
    Declined,
    /// Nobody answered in time.
    Expired,
}

/// A row of `event_sharing_request`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_sharing_request")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventSharingRequestId,
    /// The event.
    pub event_id: EventId,
    /// The faculty whose students it is to be opened to.
    pub faculty_id: FacultyId,
    /// Where it stands.
    pub state: SharingState,
    /// What is said to that faculty's operators.
    pub message: String,
    /// Who asks.
    pub requested_by: UserId,
    /// When.
    pub requested_at: DateTimeUtc,
    /// Until when it can be answered.
    pub expires_at: DateTimeUtc,
    /// Who answered.
    pub answered_by: Option<UserId>,
    /// When.
    pub answered_at: Option<DateTimeUtc>,
    /// What they said.
    pub answer: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event_sharing_request": "Who asked to open an event to another faculty, who answered, and what they wrote.";
    erasure: Keep("which faculty agreed to what must be known; the accounts are pseudonyms then");
    retention: Until::Always.because("it goes with the event, whose reports compare years (policy 2.4)");
    Hand => requested_by, answered_by;
    Words => message, answer;
    Nothing => id, event_id, faculty_id, state, requested_at, expires_at, answered_at;
}

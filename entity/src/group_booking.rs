//! Places at an event for a whole class (policy 2.4).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, GroupBookingId, UserId};
use crate::personal_data::personal_data;

/// Where the places of a class stand.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GroupBookingState {
    /// The class has them.
    Booked,
    /// They were given back.
    Cancelled,
}

/// A row of `group_booking`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "group_booking")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GroupBookingId,
    /// The event.
    pub event_id: EventId,
    /// Which class it is.
    pub class_name: String,
    /// How many places it has, at least 1.
    pub places: i32,
    /// Where they stand.
    pub state: GroupBookingState,
    /// The operator who booked them.
    pub booked_by: UserId,
    /// When.
    pub booked_at: DateTimeUtc,
    /// Why they were given back.
    pub reason: Option<String>,
    /// When.
    pub cancelled_at: Option<DateTimeUtc>,
    /// How many of them came; none while nobody has said.
    pub attended: Option<i32>,
    /// Who came, as far as somebody wrote it down.
    pub attended_names: Option<String>,
    /// When that was last said.
    pub marked_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "group_booking": "Which operator booked places for a class.";
    erasure: Keep("the places of an event add up; the account is a pseudonym then");
    retention: Until::Always.because("reports compare years (policy 2.4)");
    Hand => booked_by;
    Words => class_name, reason, attended_names;
    Nothing => id, event_id, places, state, booked_at, cancelled_at, attended, marked_at;
}

//! An event on the campus calendar (policy 2.4).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{EventId, EventSeriesId, FacultyId, UserId, VenueId};
use crate::list::MinuteList;
use crate::personal_data::personal_data;

/// The kind of an event.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventKind {
    /// A careers fair.
    CareersFair,
    /// A presentation by an employer.
    EmployerPresentation,
    /// A workshop.
    Workshop,
    /// A skills session.
    SkillsSession,
    /// Interviews on campus.
    Interviews,
    /// Training for staff (policy 3).
    Training,
    /// Anything else.
    Other,
}

/// Where an event stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventState {
    /// Only its organisers see it.
    Draft,
    /// It is on the calendar.
    Published,
    /// It does not take place.
    Cancelled,
    /// It is over and its register is closed.
    Past,
}

/// How a free place finds its next person.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitingListMode {
    /// The first in the queue has the place, and a mail says so.
    Automatic,
    /// The first in the queue is offered the place and must accept in time.
    Offer,
}

/// A row of `event`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// The series it is one of.
    pub series_id: Option<EventSeriesId>,
    /// Its title.
    pub title: String,
    /// What happens there.
    pub description: String,
    /// What kind of event it is.
    pub kind: EventKind,
    /// The operator who organises it.
    pub organiser_id: UserId,
    /// The faculty that organises it; none means the Careers Centre.
    pub faculty_id: Option<FacultyId>,
    /// The venue on the list at which it takes place; none for a place outside it.
    pub venue_id: Option<VenueId>,
    /// Where it takes place: in the words of its organiser, or as that venue is called.
    pub venue: Option<String>,
    /// The address of an online event, for those with a place.
    pub online_link: Option<String>,
    /// When it starts.
    pub starts_at: DateTimeUtc,
    /// When it ends.
    pub ends_at: DateTimeUtc,
    /// How many places it has, at least 1.
    pub capacity: i32,
    /// How many are taken: booked, offered, attended and missed ones. Never above the capacity.
    pub places_taken: i32,
    /// The last position given on its waiting list; positions are never given twice.
    pub last_queue_position: i64,
    /// Where it stands.
    pub state: EventState,
    /// How a free place finds its next person.
    pub waiting_list_mode: WaitingListMode,
    /// How many hours an offer stands.
    pub offer_hours: i32,
    /// How many minutes before the start promotion by itself ends.
    pub promotion_cut_off_minutes: i32,
    /// When booking opens; none means on publication.
    pub booking_opens_at: Option<DateTimeUtc>,
    /// When booking closes; none means at the start.
    pub booking_closes_at: Option<DateTimeUtc>,
    /// How many minutes after its end the register closes by itself.
    pub register_closes_after_minutes: i32,
    /// How many minutes before the start people are reminded, the earliest first.
    pub reminder_minutes: MinuteList,
    /// When the register was closed.
    pub register_closed_at: Option<DateTimeUtc>,
    /// How often what a calendar shows of it has changed: 1 on publication, 0 while it never was on the calendar.
    pub calendar_sequence: i32,
    /// When that last changed.
    pub calendar_changed_at: DateTimeUtc,
    /// The version at which those who mean to come were last told of another time or place; 0 while they never were.
    pub told_version: i32,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event": "Who organises an event.";
    erasure: Keep("the calendar and its reports stay; the account is a pseudonym then");
    retention: Until::Always.because("reports compare years (policy 2.4)");
    Hand => organiser_id;
    Words => title, description, venue, online_link;
    Nothing => id, series_id, kind, faculty_id, venue_id, starts_at, ends_at, capacity, places_taken, last_queue_position, state,
        waiting_list_mode, offer_hours, promotion_cut_off_minutes, booking_opens_at, booking_closes_at,
        register_closes_after_minutes, reminder_minutes, register_closed_at, calendar_sequence, calendar_changed_at, told_version, version, created_at, updated_at;
}

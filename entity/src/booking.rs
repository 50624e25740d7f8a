//! A booking of one person for one event (policy 2.4).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{BookingId, EventId, UserId};
use crate::personal_data::personal_data;

/// Where a booking stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BookingState {
    /// The person has a place.
    Booked,
    /// The person is on the waiting list.
    Waiting,
    /// A place is held for the person until they answer.
    Offered,
    /// The offer was not answered in time.
    OfferExpired,
    /// It was cancelled, or the offer declined.
    Cancelled,
    /// It was cancelled too late for somebody else to come.
    LateCancelled,
    /// The person came.
    Attended,
    /// The person did not come.
    NoShow,
    /// The person did not come, and had a reason.
    Excused,
}

/// A row of `booking`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "booking")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingId,
    /// The event.
    pub event_id: EventId,
    /// The person.
    pub user_id: UserId,
    /// Where it stands.
    pub state: BookingState,
    /// Its number on the waiting list: lower is earlier. Kept after promotion.
    pub queue_position: Option<i64>,
    /// The code that the ticket shows at the door; unique.
    pub ticket_code: String,
    /// When it was made.
    pub booked_at: DateTimeUtc,
    /// When it left the waiting list.
    pub promoted_at: Option<DateTimeUtc>,
    /// Until when an offer stands.
    pub offer_expires_at: Option<DateTimeUtc>,
    /// When the person came.
    pub checked_in_at: Option<DateTimeUtc>,
    /// When the person was contacted for not coming.
    pub no_show_contacted_at: Option<DateTimeUtc>,
    /// Why it was cancelled or excused, and by whom.
    pub state_reason: Option<String>,
    /// How often its state has changed, for the person's calendar; goes on over their earlier bookings for the event.
    pub calendar_sequence: i32,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// The event.
    #[sea_orm(belongs_to, from = "event_id", to = "id")]
    pub event: BelongsTo<super::event::Entity>,
    /// The person.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "booking": "Who booked an event, waited for it, came or did not.";
    erasure: Keep("attendance is counted by event and programme, under a pseudonym");
    retention: Until::Erasure.because("people see their own bookings; reports compare years");
    Subject(Account) => user_id;
    Value(Unique) => ticket_code;
    Words => state_reason;
    Nothing => id, event_id, state, queue_position, booked_at, promoted_at, offer_expires_at, checked_in_at,
        no_show_contacted_at, calendar_sequence, updated_at;
}

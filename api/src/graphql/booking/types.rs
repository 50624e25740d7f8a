//! The types of bookings.

use async_graphql::{Context, Enum, Object, Result};
use chrono::{DateTime, Utc};
use domain::booking::ticket;
use entity::{
    booking::{BookingState as State, Model},
    ids::BookingId,
};

use super::loaders::PositionOf;
use crate::graphql::{
    event::{self, Event},
    id::Id,
    person::{self, Person},
    rows::rows,
};

/// A booking of one person for one event.
#[derive(Clone, Debug)]
pub struct Booking(Model);

impl From<Model> for Booking {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// A booking of one person for one event (policy 2.4). Everybody sees their own, and those for events they manage.
#[Object]
impl Booking {
    /// Its id.
    pub async fn id(&self) -> Id<BookingId> {
        Id(self.0.id)
    }

    /// Where it stands.
    async fn state(&self) -> BookingState {
        self.0.state.into()
    }

    /// The event.
    async fn event(&self, ctx: &Context<'_>) -> Option<Result<Event>> {
        event::event(ctx, self.0.event_id).await.transpose()
    }

    /// Whose booking it is.
    async fn person(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.user_id).await.transpose()
    }

    /// The position on the waiting list, from 1; null for who doesn't wait.
    async fn waiting_position(&self, ctx: &Context<'_>) -> Option<Result<i64>> {
        if self.0.state != State::Waiting {
            return None;
        }
        position(ctx, self.0.id).await.transpose()
    }

    /// The code that the ticket shows at the door; null for who has no place.
    async fn ticket_code(&self) -> Option<String> {
        matches!(self.0.state, State::Booked | State::Attended)
            .then(|| ticket::shown(&self.0.ticket_code))
    }

    /// When it was made.
    async fn booked_at(&self) -> DateTime<Utc> {
        self.0.booked_at
    }

    /// When it left the waiting list.
    async fn promoted_at(&self) -> Option<DateTime<Utc>> {
        self.0.promoted_at
    }

    /// Until when an offer stands.
    async fn offer_expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.offer_expires_at
    }

    /// When the person came.
    async fn checked_in_at(&self) -> Option<DateTime<Utc>> {
        self.0.checked_in_at
    }

    /// When the person was contacted for not coming.
    async fn no_show_contacted_at(&self) -> Option<DateTime<Utc>> {
        self.0.no_show_contacted_at
    }

    /// Why it was cancelled or excused, where somebody gave a reason.
    async fn state_reason(&self) -> Option<&str> {
        self.0.state_reason.as_deref()
    }
}

async fn position(ctx: &Context<'_>, id: BookingId) -> Result<Option<i64>> {
    Ok(rows(ctx)?.load_one(PositionOf(id)).await?)
}

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
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

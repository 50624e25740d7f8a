//! An event as it stands in somebody's calendar.

use std::cmp::max;

use chrono::{DateTime, Utc};
use entity::{
    booking::{self, BookingState},
    event::{self, EventKind, EventState},
    ids::EventId,
};

use serde::{Deserialize, Serialize};

use crate::{event::Whereabouts, mail::in_university_time};

/// The longest description, in characters: the page of the event has the rest.
const LONGEST_DESCRIPTION: usize = 2_000;

/// How sure it is that it takes place, or that its person is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It takes place; they have a place, where it is about one.
    Confirmed,
    /// They wait for a place, or one is held for them.
    Tentative,
    /// It does not take place, or they have no place any more.
    Cancelled,
}

/// An event as it stands in a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The event; its identity in every calendar is made of this.
    pub event_id: EventId,
    /// Its title.
    pub title: String,
    /// What happens there, and how its person stands.
    pub description: String,
    /// What kind of event it is.
    pub kind: EventKind,
    /// Its room, or its web address for those who may know it.
    pub place: Option<String>,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// How sure it is.
    pub status: Status,
    /// Whether its person is busy meanwhile.
    pub is_busy: bool,
    /// Grows with every change of what is shown.
    pub sequence: i32,
    /// When that last changed.
    pub changed_at: DateTime<Utc>,
    /// When the event was made.
    pub created_at: DateTime<Utc>,
}

impl Entry {
    /// The event as it is for everybody: without its web address, and without anybody's booking.
    #[must_use]
    pub fn public(event: &event::Model) -> Self {
        Self {
            event_id: event.id,
            title: event.title.clone(),
            description: shortened(&event.description),
            kind: event.kind,
            place: event.venue.clone(),
            starts_at: event.starts_at,
            ends_at: event.ends_at,
            status: if event.state == EventState::Cancelled {
                Status::Cancelled
            } else {
                Status::Confirmed
            },
            is_busy: false,
            sequence: event.calendar_sequence,
            changed_at: event.calendar_changed_at,
            created_at: event.created_at,
        }
    }

    /// The event as it is for somebody with this booking. Whoever has a place is shown the web address; a booking that has
    /// ended is cancelled, whatever the event goes on as.
    #[must_use]
    pub fn booked(event: &event::Model, booking: &booking::Model) -> Self {
        use BookingState::{
            Attended, Booked, Cancelled, Excused, LateCancelled, NoShow, OfferExpired, Offered,
            Waiting,
        };
        let mut entry = Self::public(event);
        entry.sequence += booking.calendar_sequence;
        entry.changed_at = max(event.calendar_changed_at, booking.updated_at);
        let standing = match booking.state {
            Booked | Attended => {
                // policy 2.4: the web address is for those with a place alone.
                entry.place = Whereabouts::of(event).all();
                entry.is_busy = true;
                None
            }
            NoShow | Excused => None,
            Waiting => {
                entry.lower(Status::Tentative);
                Some("You are on the waiting list.".to_owned())
            }
            Offered => {
                entry.lower(Status::Tentative);
                let until = booking.offer_expires_at.unwrap_or(event.starts_at);
                Some(format!(
                    "A place is held for you until {}.",
                    in_university_time(until)
                ))
            }
            Cancelled | LateCancelled | OfferExpired => {
                entry.lower(Status::Cancelled);
                None
            }
        };
        if let Some(standing) = standing {
            entry.description = format!("{standing}\n\n{}", entry.description);
        }
        entry
    }

    /// What is cancelled stays so.
    fn lower(&mut self, status: Status) {
        if self.status == Status::Confirmed {
            self.status = status;
        }
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST_DESCRIPTION) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

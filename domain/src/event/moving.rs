//! Moving an event to another time or place, and telling everybody who has a place or waits for one (policy 2.4).
//!
//! What is tied to the times of an event: its register closes at another time and people are reminded at others, which are
//! jobs of their own, and those for the old times find nothing to do; promotion ends at another time, which is looked at whenever a place is given; and
//! offers that stand longer than they might now are shortened. A move to a later time shortens none, and what somebody
//! was promised stands.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    ids::{BookingId, EventId, GroupBookingId},
    user,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};

use super::{LockedEvent, promotion_ends_at, register_due_at, schedule_reminders};
use crate::{
    booking::{in_state, letters},
    error::Result,
    group_booking,
    job::{self, Job, Queue},
    register,
    store::Tx,
    waiting_list,
};

/// How many people one job tells.
const CHUNK: usize = 100;

/// Who is told: whoever means to come.
const CONCERNED: [BookingState; 3] = [
    BookingState::Booked,
    BookingState::Waiting,
    BookingState::Offered,
];

/// When and where an event takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whereabouts {
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// Its room.
    pub venue: Option<String>,
    /// Its web address.
    pub online_link: Option<String>,
}

impl Whereabouts {
    /// Those of an event.
    #[must_use]
    pub fn of(event: &event::Model) -> Self {
        Self {
            starts_at: event.starts_at,
            ends_at: event.ends_at,
            venue: event.venue.clone(),
            online_link: event.online_link.clone(),
        }
    }

    /// The room and the web address; none while neither is known.
    pub(crate) fn all(&self) -> Option<String> {
        match (&self.venue, &self.online_link) {
            (Some(venue), Some(link)) => Some(format!("{venue}; {link}")),
            (venue, link) => venue.clone().or_else(|| link.clone()),
        }
    }

    /// Where it takes place, in a few words. The web address is told to those who have a place alone (policy 2.4).
    pub(crate) fn place(&self, has_place: bool) -> String {
        let told = if has_place {
            self.all()
        } else {
            let online = || self.online_link.as_ref().map(|_| "online".to_owned());
            self.venue.clone().or_else(online)
        };
        told.unwrap_or_else(|| "to be announced".to_owned())
    }

    /// Whether somebody is told another time or place than by `other`.
    fn differs(&self, other: &Self, has_place: bool) -> bool {
        self.starts_at != other.starts_at
            || self.ends_at != other.ends_at
            || self.place(has_place) != other.place(has_place)
    }
}

/// Tells some of those who mean to come that the event was moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TellOfMove {
    /// The event.
    pub event_id: EventId,
    /// The version of the event that the change made: one letter for a person and a change.
    pub version: i32,
    /// When and where it was to be, as far as they know.
    pub was: Whereabouts,
    /// The bookings whose people are told.
    pub booking_ids: Vec<BookingId>,
    /// The classes with places, whose operators are told. A job from before they were has none.
    #[serde(default)]
    pub group_ids: Vec<GroupBookingId>,
}

impl Job for TellOfMove {
    const KIND: &'static str = "event.tell_of_move";
    const QUEUE: Queue = Queue::Events;
}

/// Does what follows when a published event is changed: `before` is what it was.
pub(super) async fn follow(
    tx: &mut Tx,
    event: &mut LockedEvent,
    before: &event::Model,
) -> Result<()> {
    if event.state != EventState::Published {
        return Ok(());
    }
    if register_due_at(event) != register_due_at(before) {
        register::schedule_closing(tx, event).await?;
    }
    if event.starts_at != before.starts_at || event.reminder_minutes != before.reminder_minutes {
        schedule_reminders(tx, event).await?;
    }
    if promotion_ends_at(event) < promotion_ends_at(before) || event.starts_at < before.starts_at {
        waiting_list::shorten_offers(tx, event).await?;
    }
    if event.capacity > before.capacity || promotion_ends_at(event) > promotion_ends_at(before) {
        waiting_list::places_freed(tx, event).await?;
    }
    let (was, is) = (Whereabouts::of(before), Whereabouts::of(event));
    if was != is && event.ends_at > tx.now() {
        tell(tx, event, &was).await?;
    }
    Ok(())
}

async fn tell(tx: &mut Tx, event: &mut LockedEvent, was: &Whereabouts) -> Result<()> {
    let mut row = (**event).clone().into_active_model();
    row.told_version = Set(event.version);
    event.becomes(row.update(tx.conn()).await?);
    let concerned: Vec<BookingId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .filter(booking::Column::EventId.eq(event.id))
        .filter(in_state::any(&CONCERNED))
        .order_by_asc(booking::Column::Id)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let classes = group_booking::with_places(event.id).all(tx.conn()).await?;
    let untold = untold(tx, event.id).await?;
    // The latest move of which somebody was to be told stands first.
    let mut known_to_people: HashMap<BookingId, &Whereabouts> = HashMap::new();
    let mut known_to_classes: HashMap<GroupBookingId, &Whereabouts> = HashMap::new();
    for job in &untold {
        for id in &job.booking_ids {
            known_to_people.entry(*id).or_insert(&job.was);
        }
        for id in &job.group_ids {
            known_to_classes.entry(*id).or_insert(&job.was);
        }
    }
    let mut audiences: Vec<Audience<'_>> = Vec::new();
    for id in concerned {
        let known = known_to_people.get(&id).copied().unwrap_or(was);
        who_knows(&mut audiences, known).bookings.push(id);
    }
    for class in classes {
        let known = known_to_classes.get(&class.id).copied().unwrap_or(was);
        who_knows(&mut audiences, known).classes.push(class.id);
    }
    for Audience {
        known,
        bookings,
        classes,
    } in audiences
    {
        let job = |booking_ids: &[BookingId], group_ids: Vec<GroupBookingId>| TellOfMove {
            event_id: event.id,
            version: event.version,
            was: known.clone(),
            booking_ids: booking_ids.to_vec(),
            group_ids,
        };
        for some in bookings.chunks(CHUNK) {
            tx.enqueue(&job(some, Vec::new()), None).await?;
        }
        if !classes.is_empty() {
            tx.enqueue(&job(&[], classes), None).await?;
        }
    }
    Ok(())
}

/// Those who last knew of the same time and place.
struct Audience<'a> {
    known: &'a Whereabouts,
    bookings: Vec<BookingId>,
    classes: Vec<GroupBookingId>,
}

/// Those who last knew of this time and place, so far.
fn who_knows<'l, 'a>(
    all: &'l mut Vec<Audience<'a>>,
    known: &'a Whereabouts,
) -> &'l mut Audience<'a> {
    let at = all.iter().position(|audience| audience.known == known);
    let at = at.unwrap_or_else(|| {
        all.push(Audience {
            known,
            bookings: Vec::new(),
            classes: Vec::new(),
        });
        all.len() - 1
    });
    &mut all[at]
}

/// The moves of the event of which nobody has been told yet, the latest first. Those jobs find nothing to do from now on, so what
/// they would have named as the time and place before is what their people know.
async fn untold(tx: &Tx, id: EventId) -> Result<Vec<TellOfMove>> {
    let mut jobs: Vec<TellOfMove> = job::waiting(tx.conn(), "event_id", &id.to_string()).await?;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.version));
    Ok(jobs)
}

/// Tells those people, as far as they still mean to come, where and when it is now. Where the event was moved once more
/// meanwhile and that is told too, they are told of that alone.
pub async fn tell_of_move(tx: &mut Tx, job: &TellOfMove) -> Result<()> {
    // Whoever moves it meanwhile waits until this is told, and so knows what people know.
    let event = event::Entity::find_by_id(job.event_id)
        .lock_shared()
        .one(tx.conn())
        .await?;
    let Some(event) = event
        .filter(|event| event.state == EventState::Published && event.told_version <= job.version)
    else {
        return Ok(());
    };
    let is = Whereabouts::of(&event);
    let people = booking::Entity::find()
        .find_also_related(user::Entity)
        .filter(booking::Column::Id.is_in(job.booking_ids.iter().copied()))
        .filter(in_state::any(&CONCERNED))
        .all(tx.conn())
        .await?;
    for (booking, person) in &people {
        let has_place = booking.state == BookingState::Booked;
        if let Some(person) = person
            && job.was.differs(&is, has_place)
        {
            letters::event_moved(tx, &event, booking, person, job).await?;
        }
    }
    if job.was.differs(&is, true) {
        group_booking::letters::event_moved(tx, &event, job).await?;
    }
    Ok(())
}

//! Waiting lists: how a free place finds its next person (policy 2.4).
//!
//! There is one queue an event, strictly first come first, and one function that gives places to it, [`fill_free_places`].
//! A place comes free when somebody cancels, declines, lets an offer run out or is removed, and when there are more places:
//! each of these calls [`places_freed`], which has the job [`PromoteWaiting`] call that function.
//!
//! Why no free place is ever forgotten, although a second job for the same event is not made while one waits or runs: both
//! the job and whoever frees a place hold the lock of the event, and the job ends in the transaction in which it looks at
//! the places. So either the place was free before the job locked the event, and the job sees it; or the job was done
//! before the place came free, and a new one is made. [`LookAfterQueues`] finds what is left when a job was given up.

use std::{
    cmp::{max, min},
    collections::HashMap,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking::{self, BookingState},
    event::{self, EventState, WaitingListMode},
    ids::{BookingId, EventId},
    user,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Func, Query},
};
use serde::{Deserialize, Serialize};

use crate::{
    booking::{
        change,
        eligibility::{Admission, Candidate},
        end, in_state, letters, lock_booking, person_of,
    },
    error::{Error, RefusalCode, Result},
    event::{LockedEvent, lock, lock_to_manage, promotion_ends_at},
    job::{Job, Queue},
    store::Tx,
    viewer::Viewer,
};

/// The shortest time in which somebody is asked to answer an offer, unless the event starts before.
const SHORTEST_OFFER: TimeDelta = TimeDelta::minutes(30);

/// How many events [`look_after_queues`] helps at a time.
const EVENTS_AT_A_TIME: u64 = 1_000;

/// Gives the free places of an event to those who wait.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct PromoteWaiting {
    /// The event.
    pub event_id: EventId,
}

impl Job for PromoteWaiting {
    const KIND: &'static str = "waiting_list.promote";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.event_id))
    }
}

/// Takes back a place that was offered and not accepted in time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireOffer {
    /// The booking to which it was offered.
    pub booking_id: BookingId,
    /// When the offer runs out, as things stood when the job was made. A job from before this was kept has none.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

impl Job for ExpireOffer {
    const KIND: &'static str = "waiting_list.expire_offer";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        let expires = self.expires_at.map_or(0, |at| at.timestamp_micros());
        Some(format!("{}/{}/{expires}", Self::KIND, self.booking_id))
    }
}

/// Looks for events with free places and people who wait, which nobody looks after: comes by the clock.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LookAfterQueues {}

impl Job for LookAfterQueues {
    const KIND: &'static str = "waiting_list.look_after";
    const QUEUE: Queue = Queue::Housekeeping;
}

/// Has the free places of an event given to those who wait. Whatever frees a place calls this, under the lock.
pub(crate) async fn places_freed(tx: &mut Tx, event: &LockedEvent) -> Result<()> {
    let job = PromoteWaiting { event_id: event.id };
    tx.enqueue(&job, None).await?;
    Ok(())
}

/// Locks the event and gives its free places to those who wait, as long as promotion goes by itself.
///
/// Answers the bookings that were promoted, first come first.
pub async fn promote_waiting(tx: &mut Tx, event_id: EventId) -> Result<Vec<BookingId>> {
    let Some(mut event) = lock(tx, event_id).await? else {
        return Ok(Vec::new());
    };
    fill_free_places(tx, &mut event).await
}

/// Gives the free places of an event to those who wait: the one function for every cause of a free place.
///
/// Strictly by position; who is no longer eligible leaves the list and is told. An offer holds the place. From the cut-off
/// before the start on it does nothing: [`promote_booking`] is then an operator's to call.
pub async fn fill_free_places(tx: &mut Tx, event: &mut LockedEvent) -> Result<Vec<BookingId>> {
    let mut promoted = Vec::new();
    if event.state != EventState::Published || tx.now() >= promotion_ends_at(event) {
        return Ok(promoted);
    }
    while event.places_left() > 0 {
        let viewer = Viewer::system();
        let Some((booking, person)) = next_eligible(tx, &viewer, event).await? else {
            break;
        };
        promoted.push(booking.id);
        match event.waiting_list_mode {
            WaitingListMode::Automatic => give(tx, &viewer, event, booking, &person).await?,
            WaitingListMode::Offer => offer(tx, &viewer, event, booking, &person).await?,
        };
    }
    Ok(promoted)
}

/// Gives a free place to the first in the queue, whatever the hour and the mode: what an operator does after the cut-off,
/// with the person on the telephone or at the door.
pub async fn promote_booking(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
) -> Result<booking::Model> {
    let mut event = lock_to_manage(tx, viewer, event_id).await?;
    if event.state != EventState::Published {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "Only a published event has a waiting list.",
        ));
    }
    if event.places_left() == 0 {
        return Err(Error::refused(
            RefusalCode::NoPlaceFree,
            "eventId",
            "Every place is taken or offered. Raise the capacity, or cancel a booking first.",
        ));
    }
    let Some((booking, person)) = next_eligible(tx, viewer, &mut event).await? else {
        return Err(Error::refused(
            RefusalCode::NobodyWaiting,
            "eventId",
            "Nobody who may come is waiting.",
        ));
    };
    give(tx, viewer, &mut event, booking, &person).await
}

/// Takes back a place whose offer has run out; it goes to the next person. Does nothing when it was answered meanwhile.
pub async fn expire_offer(tx: &mut Tx, booking_id: BookingId) -> Result<Option<booking::Model>> {
    let system = Viewer::system();
    let (mut event, booking) = match lock_booking(tx, &system, booking_id).await {
        Ok(found) => found,
        Err(Error::Refused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(expired_at) = booking.offer_expires_at else {
        return Ok(None);
    };
    if booking.state != BookingState::Offered || expired_at > tx.now() {
        return Ok(None);
    }
    let state = BookingState::OfferExpired;
    let expired = end(tx, &system, &mut event, booking, state, None).await?;
    if let Some(person) = person_of(tx, &expired).await? {
        letters::offer_expired(tx, &event, &expired, &person, expired_at).await?;
    }
    Ok(Some(expired))
}

/// Makes the job for every event that has a free place and somebody who waits. Answers for how many.
pub async fn look_after_queues(tx: &mut Tx) -> Result<usize> {
    let waiting = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .filter(
            Expr::col((booking::Entity, booking::Column::EventId))
                .eq(Expr::col((event::Entity, event::Column::Id))),
        )
        .filter(in_state::waiting())
        .into_query();
    let neglected = event::Entity::find()
        .filter(event::Column::State.eq(EventState::Published))
        .filter(event::Column::StartsAt.gt(tx.now()))
        .filter(Expr::col(event::Column::PlacesTaken).lt(Expr::col(event::Column::Capacity)))
        .filter(Expr::exists(waiting))
        .limit(EVENTS_AT_A_TIME)
        .all(tx.conn())
        .await?;
    let mut helped = 0;
    for event in neglected {
        if tx.now() < promotion_ends_at(&event) {
            let job = PromoteWaiting { event_id: event.id };
            helped += usize::from(tx.enqueue(&job, None).await?.is_some());
        }
    }
    Ok(helped)
}

/// Whether anybody waits for a place at the event.
pub(crate) async fn somebody_waits(db: &impl ConnectionTrait, event_id: EventId) -> Result<bool> {
    let first = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .filter(booking::Column::EventId.eq(event_id))
        .filter(in_state::waiting())
        .limit(1)
        .into_tuple::<BookingId>()
        .one(db)
        .await?;
    Ok(first.is_some())
}

/// How many wait for a place at the event.
pub async fn length(db: &impl ConnectionTrait, event_id: EventId) -> Result<u64> {
    Ok(booking::Entity::find()
        .filter(booking::Column::EventId.eq(event_id))
        .filter(in_state::waiting())
        .count(db)
        .await?)
}

/// How many wait at each of these events; those where nobody does are left out.
pub async fn lengths(
    db: &impl ConnectionTrait,
    event_ids: &[EventId],
) -> Result<HashMap<EventId, i64>> {
    let rows: Vec<(EventId, i64)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::EventId)
        .column_as(booking::Column::Id.count(), "waiting")
        .filter(booking::Column::EventId.is_in(event_ids.iter().copied()))
        .filter(in_state::waiting())
        .group_by(booking::Column::EventId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The position of each of these bookings in its queue, counted from 1; those that don't wait are left out.
pub async fn positions(
    db: &impl ConnectionTrait,
    booking_ids: &[BookingId],
) -> Result<HashMap<BookingId, i64>> {
    #[derive(FromQueryResult)]
    struct Position {
        id: BookingId,
        position: i64,
    }
    if booking_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ahead = Alias::new("ahead");
    let mut not_behind = Query::select();
    not_behind
        .expr(Func::count(Expr::col((ahead.clone(), booking::Column::Id))))
        .from_as(booking::Entity, ahead.clone())
        .and_where(
            Expr::col((ahead.clone(), booking::Column::EventId))
                .eq(Expr::col((booking::Entity, booking::Column::EventId))),
        )
        .and_where(
            Expr::col((ahead.clone(), booking::Column::State))
                .is_in([in_state::written(BookingState::Waiting)]),
        )
        .and_where(
            Expr::col((ahead, booking::Column::QueuePosition))
                .lte(Expr::col((booking::Entity, booking::Column::QueuePosition))),
        );
    let rows = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .expr_as(
            Expr::SubQuery(None, Box::new(not_behind.into())),
            "position",
        )
        .filter(booking::Column::Id.is_in(booking_ids.iter().copied()))
        .filter(in_state::waiting())
        .into_model::<Position>()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.position)).collect())
}

/// The first in the queue who may come. Those before them who no longer may leave the list and are told why.
async fn next_eligible(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
) -> Result<Option<(booking::Model, user::Model)>> {
    let admission = Admission::to(tx.conn(), event).await?;
    loop {
        let first = booking::Entity::find()
            .find_also_related(user::Entity)
            .filter(booking::Column::EventId.eq(event.id))
            .filter(in_state::waiting())
            .order_by_asc(booking::Column::QueuePosition)
            .limit(1)
            .one(tx.conn())
            .await?;
        let Some((booking, person)) = first else {
            return Ok(None);
        };
        let person =
            person.ok_or_else(|| Error::Fault(format!("nobody has the booking {}", booking.id)))?;
        let candidate = Candidate::of(tx.conn(), &person).await?;
        let Some(refusal) = admission.objection(&candidate) else {
            return Ok(Some((booking, person)));
        };
        let why = refusal.message;
        let state = BookingState::Cancelled;
        let ended = end(tx, viewer, event, booking, state, Some(&why)).await?;
        letters::booking_cancelled(tx, event, &ended, &person, false, Some(&why), false).await?;
    }
}

async fn give(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
    booking: booking::Model,
    person: &user::Model,
) -> Result<booking::Model> {
    event.take_place(tx).await?;
    let now = tx.now();
    let booking = change(tx, viewer, booking, "booking.promote", |row| {
        row.state = Set(BookingState::Booked);
        row.promoted_at = Set(Some(now));
    })
    .await?;
    letters::place_given(tx, event, &booking, person).await?;
    Ok(booking)
}

async fn offer(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
    booking: booking::Model,
    person: &user::Model,
) -> Result<booking::Model> {
    event.take_place(tx).await?;
    let now = tx.now();
    let expires_at = offer_expires_at(event, now);
    let booking = change(tx, viewer, booking, "booking.offer", |row| {
        row.state = Set(BookingState::Offered);
        row.promoted_at = Set(Some(now));
        row.offer_expires_at = Set(Some(expires_at));
    })
    .await?;
    letters::place_offered(tx, event, &booking, person, expires_at).await?;
    expire_at(tx, booking.id, expires_at).await?;
    Ok(booking)
}

async fn expire_at(tx: &mut Tx, booking_id: BookingId, expires_at: DateTime<Utc>) -> Result<()> {
    let job = ExpireOffer {
        booking_id,
        expires_at: Some(expires_at),
    };
    tx.enqueue(&job, Some(expires_at)).await?;
    Ok(())
}

/// The event was moved forward: offers that stand longer than one made now would are shortened to that.
pub(crate) async fn shorten_offers(tx: &mut Tx, event: &mut LockedEvent) -> Result<()> {
    let expires_at = offer_expires_at(event, tx.now());
    let too_long = booking::Entity::find()
        .filter(booking::Column::EventId.eq(event.id))
        .filter(in_state::any(&[BookingState::Offered]))
        .filter(booking::Column::OfferExpiresAt.gt(expires_at))
        .all(tx.conn())
        .await?;
    for booking in too_long {
        let system = Viewer::system();
        let shortened = change(tx, &system, booking, "booking.offer_shortened", |row| {
            row.offer_expires_at = Set(Some(expires_at));
        })
        .await?;
        expire_at(tx, shortened.id, expires_at).await?;
    }
    Ok(())
}

/// Until when an offer made at `now` stands: the hours that the event says, but at most half of the time until promotion
/// ends, so that another person has a chance after this one. At least half an hour, and never beyond the start.
fn offer_expires_at(event: &event::Model, now: DateTime<Utc>) -> DateTime<Utc> {
    let hours = TimeDelta::hours(event.offer_hours.into());
    let half = (promotion_ends_at(event) - now) / 2;
    let span = max(min(hours, half), SHORTEST_OFFER);
    min(now + span, event.starts_at)
}

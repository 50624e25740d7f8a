//! Taking a place, or a position in the queue.

use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    ids::{BookingId, EventId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};
use serde_json::json;

use super::{
    announce,
    eligibility::{Admission, Candidate},
    letters, ticket,
};
use crate::{
    error::{Error, RefusalCode, Result},
    event::{LockedEvent, lock_visible},
    mail::in_university_time,
    store::Tx,
    training_course,
    viewer::{SignedIn, Viewer},
    waiting_list,
};

/// Books a place for `viewer`, or puts them at the end of the waiting list when none is free or somebody waits.
pub async fn book(tx: &mut Tx, viewer: &Viewer, event_id: EventId) -> Result<booking::Model> {
    viewer.signed_in()?;
    let mut event = lock_visible(tx, viewer, event_id).await?;
    book_locked(tx, viewer, &mut event).await
}

/// [`book`], for whoever has the event locked already.
pub async fn book_locked(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
) -> Result<booking::Model> {
    let person = viewer.signed_in()?;
    require_open(tx, event)?;
    if let Some(refusal) = Admission::to(tx.conn(), event)
        .await?
        .objection(&Candidate::from(person))
    {
        return Err(Error::Refused(vec![refusal]));
    }
    // policy 2.4: while anyone waits, nobody else gets a free place, even if it is free at this moment.
    let has_place =
        event.places_left() > 0 && !waiting_list::somebody_waits(tx.conn(), event.id).await?;
    let mut booking = new_booking(tx, event.id, person.id, BookingState::Booked).await?;
    if !has_place {
        booking.state = BookingState::Waiting;
        booking.queue_position = Some(event.next_queue_position());
    }
    // The index of live bookings decides who has one already.
    let written = booking::Entity::insert(booking.clone().into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await?;
    if written == 0 {
        return Err(Error::refused(
            RefusalCode::AlreadyBooked,
            "eventId",
            "You have a booking for this event already, or wait for a place.",
        ));
    }
    if has_place {
        event.take_place(tx).await?;
        letters::booking_confirmed(tx, event, &booking, person).await?;
    } else {
        event.queue_joined(tx).await?;
        let position = waiting_list::length(tx.conn(), event.id).await?;
        letters::waiting_list_joined(tx, event, &booking, person, position).await?;
    }
    tx.audit(
        viewer,
        "booking.book",
        booking.id,
        None,
        Some(json!({ "eventId": event.id, "state": booking.state })),
    )
    .await?;
    announce(tx, &booking);
    training_course::bookings_changed(tx, viewer, event, Some(&[booking.user_id])).await?;
    Ok(booking)
}

/// A booking that is not written yet.
pub(crate) async fn new_booking(
    tx: &Tx,
    event_id: EventId,
    user_id: UserId,
    state: BookingState,
) -> Result<booking::Model> {
    Ok(booking::Model {
        id: BookingId::new_at(tx.now()),
        event_id,
        user_id,
        state,
        queue_position: None,
        ticket_code: ticket::new_code(),
        booked_at: tx.now(),
        promoted_at: None,
        offer_expires_at: None,
        checked_in_at: None,
        no_show_contacted_at: None,
        state_reason: None,
        calendar_sequence: last_sequence(tx, event_id, user_id).await? + 1,
        updated_at: tx.now(),
    })
}

/// The calendar sequence of the last booking that somebody had for an event; -1 when they had none. Their next one goes on
/// from there, because to their calendar it is the same event.
async fn last_sequence(tx: &Tx, event_id: EventId, user_id: UserId) -> Result<i32> {
    let last: Option<Option<i32>> = booking::Entity::find()
        .select_only()
        .column_as(booking::Column::CalendarSequence.max(), "last")
        .filter(booking::Column::EventId.eq(event_id))
        .filter(booking::Column::UserId.eq(user_id))
        .into_tuple()
        .one(tx.conn())
        .await?;
    Ok(last.flatten().unwrap_or(-1))
}

impl From<&SignedIn> for Candidate {
    fn from(person: &SignedIn) -> Self {
        Self {
            kind: person.kind,
            faculty_id: person.faculty_id,
            programme_id: person.programme_id,
            level: person.level,
            is_blocked: person.booking_blocked_at.is_some(),
            // Nobody is signed in with a suspended account.
            is_active: true,
        }
    }
}

fn require_open(tx: &Tx, event: &event::Model) -> Result<()> {
    let refuse = |message: String| {
        Err(Error::refused(
            RefusalCode::BookingClosed,
            "eventId",
            message,
        ))
    };
    match event.state {
        EventState::Published => {}
        EventState::Draft => return refuse("The event is not published yet.".to_owned()),
        EventState::Cancelled => return refuse("The event was cancelled.".to_owned()),
        EventState::Past => return refuse("The event is over.".to_owned()),
    }
    if let Some(opens) = event.booking_opens_at
        && tx.now() < opens
    {
        return refuse(format!("Booking opens on {}.", in_university_time(opens)));
    }
    let closes = event.booking_closes_at.unwrap_or(event.starts_at);
    if tx.now() >= closes {
        return refuse(format!("Booking closed on {}.", in_university_time(closes)));
    }
    Ok(())
}

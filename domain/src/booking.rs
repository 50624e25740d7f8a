//! Bookings: who has a place at an event (policy 2.4).
//!
//! ```text
//!            book                      check_in             (register closes)
//! (nobody) --------> BOOKED ---------------------> ATTENDED
//!     |                |  '------------------------------------> NO_SHOW --> EXCUSED
//!     | (full)         '--cancel--> CANCELLED, near the start LATE_CANCELLED
//!     v
//!  WAITING --promotion--> BOOKED, or OFFERED --accept_offer--> BOOKED
//!                                       '--decline_offer--> CANCELLED; no answer: OFFER_EXPIRED
//! ```
//!
//! Whoever leaves a place behind leaves it to the waiting list: [`crate::waiting_list`].

mod answer;
mod check_in;
pub(crate) mod eligibility;
pub(crate) mod in_state;
pub(crate) mod letters;
pub mod offer_link;
pub mod search;
mod take;
pub mod ticket;

pub use self::{
    answer::{accept_offer, decline_offer},
    check_in::{Ticket, check_in, undo_check_in},
    take::{book, book_locked},
    ticket::new_code as new_ticket_code,
};
pub(crate) use self::{check_in::mark, take::new_booking};
use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    event,
    ids::{BookingId, UserId},
    user,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{Expr, SimpleExpr},
};
use serde_json::json;

use crate::{
    error::{Error, RefusalCode, Result},
    event::{LockedEvent, lock, managed_by, may_manage, promotion_ends_at},
    live::LiveEvent,
    store::Tx,
    training_course,
    viewer::{Reach, Viewer},
    waiting_list,
};

const LONGEST_REASON: usize = 1_000;

/// The bookings that exist for `viewer`: their own, and those for the events that they manage.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    let own = viewer.user_id().map(|id| booking::Column::UserId.eq(id));
    let condition = Condition::any().add_option(own);
    match viewer.reach(Permission::ManageEvent) {
        Reach::Campus => condition.add(booking::Column::Id.is_not_null()),
        Reach::Nothing => condition.add(booking::Column::Id.is_null()),
        Reach::Faculties(_) => {
            let managed = event::Entity::find()
                .select_only()
                .column(event::Column::Id)
                .filter(managed_by(viewer))
                .into_query();
            condition.add(booking::Column::EventId.in_subquery(managed))
        }
    }
}

/// Whether `viewer` may know where an online event takes place: whoever manages it, and whoever has a place.
#[must_use]
pub fn may_join_online(
    viewer: &Viewer,
    event: &event::Model,
    own: Option<&booking::Model>,
) -> bool {
    may_manage(viewer, event)
        || own.is_some_and(|own| matches!(own.state, BookingState::Booked | BookingState::Attended))
}

/// Ends a booking: one's own, or, with a reason, somebody's whose event one manages. The place goes to whoever waits.
pub async fn cancel(
    tx: &mut Tx,
    viewer: &Viewer,
    id: BookingId,
    reason: Option<&str>,
) -> Result<booking::Model> {
    let (mut event, booking) = lock_booking(tx, viewer, id).await?;
    let by_recipient = viewer.user_id() == Some(booking.user_id);
    let reason = if by_recipient && reason.is_none_or(|reason| reason.trim().is_empty()) {
        None
    } else {
        Some(reason_given(reason.unwrap_or_default(), "reason")?)
    };
    if by_recipient && !may_manage(viewer, &event) && tx.now() >= event.starts_at {
        return wrong_state("The event has started.");
    }
    // policy 2.4: cancelled too late for somebody else to come. Whoever is removed by an operator has not cancelled.
    let late = by_recipient && tx.now() >= promotion_ends_at(&event);
    let state = match booking.state {
        BookingState::Booked if late => BookingState::LateCancelled,
        BookingState::Booked | BookingState::Waiting | BookingState::Offered => {
            BookingState::Cancelled
        }
        _ => return wrong_state("The booking has ended already."),
    };
    let had_place = booking.state == BookingState::Booked;
    let reason = reason.as_deref();
    let ended = end(tx, viewer, &mut event, booking, state, reason).await?;
    if let Some(person) = person_of(tx, &ended).await? {
        letters::booking_cancelled(tx, &event, &ended, &person, by_recipient, reason, had_place)
            .await?;
    }
    Ok(ended)
}

/// Locks the event of a booking that exists for `viewer`, then reads the booking as it is under the lock.
pub(crate) async fn lock_booking(
    tx: &mut Tx,
    viewer: &Viewer,
    id: BookingId,
) -> Result<(LockedEvent, booking::Model)> {
    if !viewer.is_system() {
        viewer.signed_in()?;
    }
    let not_found = || Error::not_found("bookingId", "booking");
    let seen = booking::Entity::find_by_id(id)
        .filter(visible_to(viewer))
        .one(tx.conn())
        .await?
        .ok_or_else(not_found)?;
    let event = lock(tx, seen.event_id).await?.ok_or_else(not_found)?;
    let booking = booking::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .ok_or_else(not_found)?;
    Ok((event, booking))
}

/// Ends a booking that has a place or waits for one; a place goes to whoever waits.
pub(crate) async fn end(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
    booking: booking::Model,
    state: BookingState,
    reason: Option<&str>,
) -> Result<booking::Model> {
    let had_place = booking.state != BookingState::Waiting;
    let reason = reason.map(str::to_owned);
    let ended = change(tx, viewer, booking, "booking.end", |row| {
        row.state = Set(state);
        row.state_reason = Set(reason);
        row.offer_expires_at = Set(None);
    })
    .await?;
    if had_place {
        event.give_back_places(tx, 1).await?;
        waiting_list::places_freed(tx, event).await?;
    }
    training_course::bookings_changed(tx, viewer, event, Some(&[ended.user_id])).await?;
    Ok(ended)
}

/// Writes a change of a booking, with a line in the audit log, and tells whoever watches.
pub(crate) async fn change(
    tx: &mut Tx,
    viewer: &Viewer,
    booking: booking::Model,
    action: &'static str,
    edit: impl FnOnce(&mut booking::ActiveModel),
) -> Result<booking::Model> {
    let before = booking.state;
    let sequence = booking.calendar_sequence;
    let mut row = booking.into_active_model();
    edit(&mut row);
    row.calendar_sequence = Set(sequence + 1);
    row.updated_at = Set(tx.now());
    let booking = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        action,
        booking.id,
        Some(json!({ "state": before })),
        Some(json!({ "state": booking.state, "reason": booking.state_reason })),
    )
    .await?;
    announce(tx, &booking);
    Ok(booking)
}

/// The calendar sequence of a booking whose state a statement changes.
pub(crate) fn next_sequence() -> SimpleExpr {
    Expr::col(booking::Column::CalendarSequence).add(1)
}

/// Tells whoever watches the event. Those who wait behind this booking may have moved up, so they are all told.
pub(crate) fn announce(tx: &mut Tx, booking: &booking::Model) {
    tx.announce(LiveEvent::BookingChanged {
        event_id: booking.event_id,
        booking_id: booking.id,
    });
}

/// The account of whoever booked.
pub(crate) async fn person_of(tx: &Tx, booking: &booking::Model) -> Result<Option<user::Model>> {
    person(tx, booking.user_id).await
}

pub(crate) async fn person(tx: &Tx, id: UserId) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(id).one(tx.conn()).await?)
}

/// A reason that somebody typed, without the blanks around it.
pub(crate) fn reason_given(given: &str, field: &'static str) -> Result<String> {
    let given = given.trim();
    if given.is_empty() {
        return Err(Error::refused(
            RefusalCode::Required,
            field,
            "Give a reason: the people concerned will read it.",
        ));
    }
    if given.chars().count() > LONGEST_REASON {
        return Err(Error::refused(
            RefusalCode::TooLong,
            field,
            format!("Write at most {LONGEST_REASON} characters."),
        ));
    }
    Ok(given.to_owned())
}

fn wrong_state<T>(message: &str) -> Result<T> {
    Err(Error::refused(
        RefusalCode::WrongState,
        "bookingId",
        message,
    ))
}

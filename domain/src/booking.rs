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

pub(crate) mod eligibility;
pub(crate) mod in_state;
pub(crate) mod letters;
pub mod offer_link;
pub mod search;
pub mod ticket;
mod undo_check_in;

pub use self::ticket::new_code as new_ticket_code;
pub use self::undo_check_in::undo_check_in;
use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    event::{self, EventState},
    ids::{BookingId, EventId, UserId},
    user,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{Expr, OnConflict, SimpleExpr},
};
use serde_json::json;

use self::eligibility::{Admission, Candidate};
use crate::{
    error::{Error, RefusalCode, Result},
    event::{
        LockedEvent, lock, lock_visible, managed_by, may_manage, promotion_ends_at,
        require_to_manage,
    },
    live::LiveEvent,
    mail::in_university_time,
    register,
    store::Tx,
    training_course,
    viewer::{Reach, SignedIn, Viewer},
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

/// Takes the place that is held for `viewer`.
pub async fn accept_offer(tx: &mut Tx, viewer: &Viewer, id: BookingId) -> Result<booking::Model> {
    let (event, booking) = lock_own(tx, viewer, id).await?;
    if booking.state != BookingState::Offered {
        return wrong_state("No place is held for you now.");
    }
    if booking
        .offer_expires_at
        .is_some_and(|expires| expires <= tx.now())
    {
        return Err(Error::refused(
            RefusalCode::OfferExpired,
            "bookingId",
            "The offer has run out. You can join the waiting list again.",
        ));
    }
    let booking = change(tx, viewer, booking, "booking.accept_offer", |row| {
        row.state = Set(BookingState::Booked);
        row.offer_expires_at = Set(None);
    })
    .await?;
    let person = viewer.signed_in()?;
    letters::booking_confirmed(tx, &event, &booking, person).await?;
    Ok(booking)
}

/// Lets the place that is held for `viewer` go to the next person.
pub async fn decline_offer(tx: &mut Tx, viewer: &Viewer, id: BookingId) -> Result<booking::Model> {
    let (mut event, booking) = lock_own(tx, viewer, id).await?;
    if booking.state != BookingState::Offered {
        return wrong_state("No place is held for you now.");
    }
    let state = BookingState::Cancelled;
    end(tx, viewer, &mut event, booking, state, Some("declined")).await
}

/// How a person is found at the door.
#[derive(Clone, Debug)]
pub enum Ticket {
    /// By the code on the ticket, however it is typed.
    Code(String),
    /// By name, from the list of bookings.
    Booking(BookingId),
}

/// Marks that somebody came. It works twice without harm. Whoever is offered a place and comes has accepted it.
pub async fn check_in(tx: &mut Tx, viewer: &Viewer, ticket: Ticket) -> Result<booking::Model> {
    let (id, field) = match ticket {
        Ticket::Booking(id) => (Some(id), "bookingId"),
        Ticket::Code(code) => (with_code(tx, viewer, &code).await?, "ticketCode"),
    };
    let id = id.ok_or_else(|| Error::not_found(field, "ticket"))?;
    let (event, booking) = lock_booking(tx, viewer, id).await?;
    require_to_manage(viewer, &event)?;
    if booking.state == BookingState::Attended {
        return Ok(booking);
    }
    register::require_open(tx, &event, field)?;
    if !matches!(booking.state, BookingState::Booked | BookingState::Offered) {
        return wrong_state("This person has no place at the event.");
    }
    mark(tx, viewer, &event, booking, None).await
}

/// Marks that whoever has this booking came.
pub(crate) async fn mark(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    booking: booking::Model,
    reason: Option<String>,
) -> Result<booking::Model> {
    let now = tx.now();
    let booking = change(tx, viewer, booking, "booking.check_in", |row| {
        row.state = Set(BookingState::Attended);
        row.checked_in_at = Set(Some(now));
        row.offer_expires_at = Set(None);
        if reason.is_some() {
            row.state_reason = Set(reason);
        }
    })
    .await?;
    training_course::attended(tx, viewer, event, &booking).await?;
    register::marked(tx, event).await?;
    Ok(booking)
}

async fn with_code(tx: &Tx, viewer: &Viewer, code: &str) -> Result<Option<BookingId>> {
    let found = booking::Entity::find()
        .filter(booking::Column::TicketCode.eq(ticket::read(code)))
        .filter(visible_to(viewer))
        .one(tx.conn())
        .await?;
    Ok(found.map(|booking| booking.id))
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

/// The same for one's own booking: nobody answers an offer for somebody else.
async fn lock_own(
    tx: &mut Tx,
    viewer: &Viewer,
    id: BookingId,
) -> Result<(LockedEvent, booking::Model)> {
    let (event, booking) = lock_booking(tx, viewer, id).await?;
    if viewer.user_id() != Some(booking.user_id) {
        return Err(Error::Forbidden(
            "Only the person to whom a place is offered can answer.".to_owned(),
        ));
    }
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

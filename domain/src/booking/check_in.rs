//! Marks in a register, and those that were a mistake (policy 2.4 and 3).

use entity::{
    booking::{self, BookingState},
    event,
    ids::BookingId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::{change, lock_booking, ticket, visible_to, wrong_state};
use crate::{
    error::{Error, Result},
    event::require_to_manage,
    register::{self, ContactNoShows},
    store::Tx,
    training_course,
    viewer::Viewer,
};

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

/// Takes back that somebody came: they have their place as before, and what attending counted for goes with the mark. Once the
/// register is closed, they are one of those who did not come.
pub async fn undo_check_in(tx: &mut Tx, viewer: &Viewer, id: BookingId) -> Result<booking::Model> {
    let (event, booking) = lock_booking(tx, viewer, id).await?;
    require_to_manage(viewer, &event)?;
    if booking.state != BookingState::Attended {
        return wrong_state("This person is not marked as having come.");
    }
    let is_closed = event.register_closed_at.is_some();
    let state = if is_closed {
        BookingState::NoShow
    } else {
        BookingState::Booked
    };
    let booking = change(tx, viewer, booking, "booking.undo_check_in", |row| {
        row.state = Set(state);
        row.checked_in_at = Set(None);
    })
    .await?;
    if is_closed {
        tx.enqueue(&ContactNoShows { event_id: event.id }, None)
            .await?;
    }
    training_course::mark_taken_back(tx, viewer, &event, booking.user_id).await?;
    Ok(booking)
}

//! A mark in a register that was a mistake (policy 2.4 and 3).

use entity::{
    booking::{self, BookingState},
    ids::BookingId,
};
use sea_orm::ActiveValue::Set;

use super::{change, lock_booking, wrong_state};
use crate::{
    error::Result, event::require_to_manage, register::ContactNoShows, store::Tx, training_course,
    viewer::Viewer,
};

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

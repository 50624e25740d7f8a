//! Answering an offer of a place.

use entity::{
    booking::{self, BookingState},
    ids::BookingId,
};
use sea_orm::ActiveValue::Set;

use super::{change, end, letters, lock_booking, wrong_state};
use crate::{
    error::{Error, RefusalCode, Result},
    event::LockedEvent,
    store::Tx,
    viewer::Viewer,
};

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

/// One's own booking, under the lock of its event: nobody answers an offer for somebody else.
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

//! The link in the mail that offers a place: whoever has it may answer for the person it was sent to, and for that offer
//! alone (policy 2.4).

use chrono::{DateTime, Utc};
use entity::{
    booking::{self, BookingState},
    event,
    ids::BookingId,
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{accept_offer, decline_offer};
use crate::{
    error::{Error, Result},
    signed_link,
    store::{Store, Tx},
    suppression::AddressKey,
    viewer::Viewer,
};

/// Where links lead, before the token.
pub const PATH: &str = "/offers/";

const PURPOSE: &str = "offer";

/// An offer that a link is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The booking.
    pub booking: booking::Model,
    /// The event.
    pub event: event::Model,
}

/// The answer to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They take the place.
    Accept,
    /// They let it go.
    Decline,
}

/// What the link for an offer ends in. It is made of when the offer was made, so that it answers no later one.
pub(crate) async fn token(tx: &Tx, booking: &booking::Model) -> Result<String> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let mut bytes = booking.id.uuid().as_bytes().to_vec();
    bytes.extend_from_slice(&made_at(booking).to_be_bytes());
    signed_link::seal(&key, PURPOSE, &bytes)
}

fn made_at(booking: &booking::Model) -> i64 {
    booking
        .promoted_at
        .as_ref()
        .map_or(0, DateTime::<Utc>::timestamp_millis)
}

/// The offer that a link is about, while it stands; `None` when it was answered or has run out, and for every other link.
/// Changes nothing.
pub async fn read(store: &Store, token: &str) -> Result<Option<Offer>> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let Some(bytes) = signed_link::open(&key, PURPOSE, token)? else {
        return Ok(None);
    };
    let Some((id, made)) = bytes.split_at_checked(16) else {
        return Ok(None);
    };
    let id = Uuid::from_slice(id).map_err(|error| Error::Fault(error.to_string()))?;
    let found = booking::Entity::find_by_id(BookingId(id))
        .find_also_related(event::Entity)
        .one(store.reader())
        .await?;
    let Some((booking, Some(event))) = found else {
        return Ok(None);
    };
    let stands = booking.state == BookingState::Offered
        && made_at(&booking).to_be_bytes() == *made
        && booking
            .offer_expires_at
            .is_none_or(|expires| expires > store.now());
    Ok(stands.then_some(Offer { booking, event }))
}

/// Answers the offer as the person it was made to. `None` when their account may not be used any more.
pub async fn answer(tx: &mut Tx, offer: &Offer, answer: Answer) -> Result<Option<booking::Model>> {
    let (id, user_id) = (offer.booking.id, offer.booking.user_id);
    let Some(viewer) = Viewer::load(tx.conn(), user_id, None, tx.now()).await? else {
        return Ok(None);
    };
    let answered = match answer {
        Answer::Accept => accept_offer(tx, &viewer, id).await?,
        Answer::Decline => decline_offer(tx, &viewer, id).await?,
    };
    Ok(Some(answered))
}

//! The letters about a booking: which one goes to whom, and what it is filled with. The words stand with the worker.

use chrono::{DateTime, Utc};
use entity::{
    booking::{self, BookingState},
    event::{self, WaitingListMode},
    faculty,
    ids::{EventId, UserId},
    user,
};
use sea_orm::EntityTrait;
use serde_json::{Map, Value, json};

use super::offer_link;
use crate::{
    calendar::Entry,
    email_address::EmailAddress,
    error::{Error, Result},
    event::{TellOfMove, Whereabouts},
    mail::{self, Attachment, Letter},
    store::Tx,
    viewer::SignedIn,
};

/// Who organises an event that no faculty does.
const CAREERS_CENTRE: &str = "Careers Centre";

/// Whom a letter goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient<'a> {
    id: UserId,
    name: &'a str,
    email: &'a str,
}

impl<'a> From<&'a user::Model> for Recipient<'a> {
    fn from(user: &'a user::Model) -> Self {
        Self {
            id: user.id,
            name: &user.name,
            email: &user.email,
        }
    }
}

impl<'a> From<&'a SignedIn> for Recipient<'a> {
    fn from(person: &'a SignedIn) -> Self {
        Self {
            id: person.id,
            name: &person.name,
            email: &person.email,
        }
    }
}

/// The place is booked.
pub(crate) async fn booking_confirmed(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
) -> Result<()> {
    let fields = json!({
        "ticket_code": super::ticket::shown(&booking.ticket_code),
        "booking_link": booking_link(booking),
    });
    let ticket = ticket(event, booking);
    about_booking(
        tx,
        "booking_confirmed",
        event,
        booking,
        to.into(),
        fields,
        &ticket,
    )
    .await
}

/// No place is free; the person waits.
pub(crate) async fn waiting_list_joined(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    position: u64,
) -> Result<()> {
    let fields = json!({
        "position": position,
        "offers": event.waiting_list_mode == WaitingListMode::Offer,
        "booking_link": booking_link(booking),
    });
    about_booking(
        tx,
        "waiting_list_joined",
        event,
        booking,
        to.into(),
        fields,
        &[],
    )
    .await
}

/// A place came free, and it is theirs.
pub(crate) async fn place_given(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
) -> Result<()> {
    let fields = json!({
        "ticket_code": super::ticket::shown(&booking.ticket_code),
        "booking_link": booking_link(booking),
    });
    let ticket = ticket(event, booking);
    about_booking(
        tx,
        "place_given",
        event,
        booking,
        to.into(),
        fields,
        &ticket,
    )
    .await
}

/// A place came free, and is held for them until `confirm_by`.
pub(crate) async fn place_offered(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    confirm_by: DateTime<Utc>,
) -> Result<()> {
    let token = offer_link::token(tx, booking).await?;
    let fields = json!({
        "confirm_by": confirm_by,
        "offer_link": format!("{}{token}", offer_link::PATH),
    });
    about_booking(tx, "place_offered", event, booking, to.into(), fields, &[]).await
}

/// They did not answer in time.
pub(crate) async fn offer_expired(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    confirm_by: DateTime<Utc>,
) -> Result<()> {
    let fields = json!({
        "confirm_by": confirm_by,
        "event_link": event_link(event.id),
    });
    about_booking(tx, "offer_expired", event, booking, to.into(), fields, &[]).await
}

/// The booking has ended: by themselves, or by the organiser. Whoever had a place has it taken out of their calendar.
pub(crate) async fn booking_cancelled(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    by_recipient: bool,
    reason: Option<&str>,
    had_place: bool,
) -> Result<()> {
    let fields = json!({
        "by_recipient": by_recipient,
        "reason": reason,
        "event_link": event_link(event.id),
    });
    let files = ended(event, booking, had_place);
    about_booking(
        tx,
        "booking_cancelled",
        event,
        booking,
        to.into(),
        fields,
        &files,
    )
    .await
}

/// The event does not take place. Whoever had a place has it taken out of their calendar.
pub(crate) async fn event_cancelled(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    reason: &str,
    had_place: bool,
) -> Result<()> {
    let fields = json!({ "reason": reason, "calendar_link": "/calendar" });
    let files = ended(event, booking, had_place);
    about_booking(
        tx,
        "event_cancelled",
        event,
        booking,
        to.into(),
        fields,
        &files,
    )
    .await
}

/// The event takes place at another time or place. One letter per person and change, with the new calendar file for those
/// who had one.
pub(crate) async fn event_moved(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    moved: &TellOfMove,
) -> Result<()> {
    let standing = match booking.state {
        BookingState::Waiting => "waiting",
        BookingState::Offered => "offered",
        _ => "booked",
    };
    let has_place = booking.state == BookingState::Booked;
    let fields = json!({
        "was": {
            "starts_at": moved.was.starts_at,
            "ends_at": moved.was.ends_at,
            "place": moved.was.place(has_place),
        },
        "standing": standing,
        "confirm_by": booking.offer_expires_at.unwrap_or(event.starts_at),
        "booking_link": booking_link(booking),
    });
    let purpose_key = format!("event_moved/{}/{}", booking.id, moved.version);
    let about = About {
        event,
        has_place,
        attachments: &if has_place {
            vec![calendar_file(event, booking)]
        } else {
            Vec::new()
        },
    };
    write(tx, "event_moved", about, to.into(), purpose_key, fields).await
}

/// What the letter to somebody who did not come says about their strikes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Missed {
    pub strikes: u64,
    /// How many of them were events in which employers took part: they are counted apart.
    pub strikes_with_employers: u64,
    /// Whether employers took part in this one.
    pub with_employers: bool,
    pub limit: u64,
    pub blocked: bool,
}

/// They had a place and did not come. One letter per person and event, whatever happens to the booking (policy 2.4).
pub(crate) async fn no_show(
    tx: &mut Tx,
    event: &event::Model,
    booking: &booking::Model,
    to: impl Into<Recipient<'_>>,
    missed: Missed,
) -> Result<()> {
    let fields = json!({
        "kind": event.kind,
        "with_employers": missed.with_employers,
        "strikes": missed.strikes,
        "strikes_with_employers": missed.strikes_with_employers,
        "strike_limit": missed.limit,
        "blocked": missed.blocked,
        "explain_link": format!("{}/explain", booking_link(booking)),
    });
    let to = to.into();
    let purpose_key = format!("no_show/{}/{}", event.id, to.id);
    write(tx, "no_show", About::only(event), to, purpose_key, fields).await
}

/// To the organiser: nobody was marked, so nobody is accused.
pub(crate) async fn register_unmarked(
    tx: &mut Tx,
    event: &event::Model,
    to: impl Into<Recipient<'_>>,
    booked: u64,
) -> Result<()> {
    let fields = json!({
        "booked": booked,
        "register_link": format!("{}/register", event_link(event.id)),
    });
    let purpose_key = format!("register_unmarked/{}", event.id);
    write(
        tx,
        "register_unmarked",
        About::only(event),
        to.into(),
        purpose_key,
        fields,
    )
    .await
}

/// What a letter is about, and what is attached to it.
pub(crate) struct About<'a> {
    event: &'a event::Model,
    /// Whether its recipient has a place, and so may know the web address of an online event.
    has_place: bool,
    attachments: &'a [Attachment],
}

impl<'a> About<'a> {
    pub(crate) const fn only(event: &'a event::Model) -> Self {
        Self {
            event,
            has_place: false,
            attachments: &[],
        }
    }

    /// To somebody who has places, though no ticket.
    pub(crate) const fn with_place(event: &'a event::Model) -> Self {
        Self {
            has_place: true,
            ..Self::only(event)
        }
    }
}

/// What comes with a place: the code for the door, and the event for the calendar.
fn ticket(event: &event::Model, booking: &booking::Model) -> [Attachment; 2] {
    [
        Attachment::QrCode(booking.ticket_code.clone()),
        calendar_file(event, booking),
    ]
}

/// What takes the event out of the calendar of somebody who had a place.
fn ended(event: &event::Model, booking: &booking::Model, had_place: bool) -> Vec<Attachment> {
    if had_place {
        vec![calendar_file(event, booking)]
    } else {
        Vec::new()
    }
}

fn calendar_file(event: &event::Model, booking: &booking::Model) -> Attachment {
    Attachment::Calendar(Box::new(Entry::booked(event, booking)))
}

async fn about_booking(
    tx: &mut Tx,
    template: &'static str,
    event: &event::Model,
    booking: &booking::Model,
    to: Recipient<'_>,
    fields: Value,
    attachments: &[Attachment],
) -> Result<()> {
    let purpose_key = format!("{template}/{}", booking.id);
    let about = About {
        event,
        has_place: booking.state == BookingState::Booked,
        attachments,
    };
    write(tx, template, about, to, purpose_key, fields).await
}

pub(crate) async fn write(
    tx: &mut Tx,
    template: &'static str,
    about: About<'_>,
    to: Recipient<'_>,
    purpose_key: String,
    fields: Value,
) -> Result<()> {
    let address: EmailAddress = to
        .email
        .parse()
        .map_err(|error| Error::Fault(format!("the address of {}: {error}", to.id)))?;
    let mut all = Map::new();
    all.insert(
        "event".to_owned(),
        about_event(tx, about.event, about.has_place).await?,
    );
    if let Value::Object(fields) = fields {
        all.extend(fields);
    }
    let letter = Letter {
        template,
        to: address,
        name: to.name.to_owned(),
        user_id: Some(to.id),
        purpose_key,
        fields: Value::Object(all),
    };
    mail::post_with(tx, letter, about.attachments).await?;
    Ok(())
}

/// What every letter says of its event. The web address of an online one is for those with a place alone.
pub(crate) async fn about_event(tx: &Tx, event: &event::Model, has_place: bool) -> Result<Value> {
    let faculty = match event.faculty_id {
        Some(id) => faculty::Entity::find_by_id(id).one(tx.conn()).await?,
        None => None,
    };
    let organiser = faculty.map_or_else(|| CAREERS_CENTRE.to_owned(), |faculty| faculty.name);
    Ok(json!({
        "title": event.title,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "place": Whereabouts::of(event).place(has_place),
        "organiser": organiser,
    }))
}

fn booking_link(booking: &booking::Model) -> String {
    format!("/bookings/{}", booking.id)
}

pub(crate) fn event_link(event_id: EventId) -> String {
    format!("/events/{event_id}")
}

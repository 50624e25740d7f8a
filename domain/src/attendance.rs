//! At the door (policy 2.4): a list of who came, whoever comes without a booking, and the list to have in hand.
//!
//! One ticket at a time is [`crate::booking::check_in`]. Everything here works twice without harm.

mod door;

use std::collections::{HashMap, HashSet};

use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    event::{self, EventKind},
    ids::{BookingId, EventId},
    user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, sea_query::Expr,
};
use serde_json::json;

pub use self::door::{door_list, find_by_name};
use crate::{
    booking::{
        announce,
        eligibility::{Admission, Candidate},
        in_state, mark, new_booking, next_sequence, reason_given, ticket,
    },
    error::{Error, Refusal, RefusalCode, Result},
    event::{LockedEvent, find_all, lock_to_manage, require_to_manage},
    register,
    store::Tx,
    training_course,
    viewer::Viewer,
    waiting_list,
};

/// The most lines that one list has.
pub const LONGEST_LIST: usize = 2_000;
/// How many lines one statement looks up and one marks.
const CHUNK: usize = 500;

/// What became of one line of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They are marked.
    CheckedIn,
    /// They were marked before, by this list or otherwise.
    CheckedInBefore,
    /// They have a booking, and no place: they wait, or it was cancelled.
    NoPlace,
    /// Nobody with this code or address has a booking for the event.
    NotBooked,
    /// There is neither a code nor an address in the line.
    Unreadable,
}

/// One line of a list, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which line it is, from 1.
    pub number: usize,
    /// What stands in it.
    pub text: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The booking, where there is one.
    pub booking: Option<booking::Model>,
}

/// How a line names somebody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    Code(String),
    Address(String),
}

/// The first address in a line, or else the first code: the line may be a row of a table.
fn name_in(line: &str) -> Option<Name> {
    let cells = || {
        line.split([',', ';', '\t'])
            .map(|cell| cell.trim_matches(|c: char| c.is_whitespace() || "\"'<>".contains(c)))
    };
    let address = cells()
        .find(|cell| cell.contains('@'))
        .map(|cell| Name::Address(cell.to_lowercase()));
    address.or_else(|| {
        cells()
            .map(ticket::read)
            .find(|code| code.len() == ticket::LENGTH)
            .map(Name::Code)
    })
}

/// Marks everybody on a list of codes or e-mail addresses, one to a line, and answers for each line what became of it.
pub async fn check_in_list(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    list: &str,
) -> Result<Vec<Line>> {
    let event = lock_to_manage(tx, viewer, event_id).await?;
    register::require_open(tx, &event, "eventId")?;
    let lines: Vec<(usize, &str)> = (1..)
        .zip(list.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    if lines.is_empty() {
        return refused(
            RefusalCode::Required,
            "list",
            "Give at least one code or e-mail address.",
        );
    }
    if lines.len() > LONGEST_LIST {
        return refused(
            RefusalCode::TooLong,
            "list",
            &format!("Give at most {LONGEST_LIST} lines at a time."),
        );
    }
    let mut told = Vec::with_capacity(lines.len());
    let mut marked = HashSet::new();
    for chunk in lines.chunks(CHUNK) {
        check_in_chunk(tx, viewer, &event, chunk, &mut marked, &mut told).await?;
    }
    if !marked.is_empty() {
        register::marked(tx, &event).await?;
    }
    Ok(told)
}

async fn check_in_chunk(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &LockedEvent,
    lines: &[(usize, &str)],
    marked: &mut HashSet<BookingId>,
    told: &mut Vec<Line>,
) -> Result<()> {
    let names: Vec<Option<Name>> = lines.iter().map(|(_, line)| name_in(line)).collect();
    let found = named(tx, event.id, names.iter().flatten()).await?;
    let mut arrived = Vec::new();
    for ((number, text), name) in lines.iter().zip(names) {
        let booking = name.as_ref().and_then(|name| found.get(name));
        let outcome = match (&name, booking) {
            (None, _) => Outcome::Unreadable,
            (_, None) => Outcome::NotBooked,
            (_, Some(booking)) => match booking.state {
                BookingState::Attended => Outcome::CheckedInBefore,
                BookingState::Booked | BookingState::Offered => {
                    if marked.insert(booking.id) {
                        arrived.push(booking.clone());
                        Outcome::CheckedIn
                    } else {
                        Outcome::CheckedInBefore
                    }
                }
                _ => Outcome::NoPlace,
            },
        };
        told.push(Line {
            number: *number,
            text: text.trim().to_owned(),
            outcome,
            booking: booking.cloned(),
        });
    }
    mark_all(tx, viewer, event, &arrived).await?;
    for line in &mut *told {
        if let Some(booking) = &mut line.booking
            && marked.contains(&booking.id)
        {
            booking.state = BookingState::Attended;
            booking.offer_expires_at = None;
            booking.checked_in_at = booking.checked_in_at.or(Some(tx.now()));
        }
    }
    Ok(())
}

/// The bookings for an event of those who are named: of each person the one that says most.
async fn named<'a>(
    tx: &Tx,
    event_id: EventId,
    names: impl Iterator<Item = &'a Name>,
) -> Result<HashMap<Name, booking::Model>> {
    let (mut codes, mut addresses) = (Vec::new(), Vec::new());
    for name in names {
        match name {
            Name::Code(code) => codes.push(code.as_str()),
            Name::Address(address) => addresses.push(address.as_str()),
        }
    }
    let mut rows = booking::Entity::find()
        .find_also_related(user::Entity)
        .filter(booking::Column::EventId.eq(event_id))
        .filter(
            Condition::any()
                .add(booking::Column::TicketCode.is_in(codes))
                .add(user::Column::Email.is_in(addresses)),
        )
        .order_by_asc(booking::Column::Id)
        .all(tx.conn())
        .await?;
    rows.sort_by_key(|(booking, _)| says(booking.state));
    let mut found = HashMap::new();
    for (booking, person) in rows {
        if let Some(person) = person {
            found.insert(Name::Address(person.email), booking.clone());
        }
        found.insert(Name::Code(booking.ticket_code.clone()), booking);
    }
    Ok(found)
}

/// How much a booking says of whether somebody came.
fn says(state: BookingState) -> u8 {
    match state {
        BookingState::Attended => 2,
        BookingState::Booked | BookingState::Offered => 1,
        _ => 0,
    }
}

async fn mark_all(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    arrived: &[booking::Model],
) -> Result<()> {
    if arrived.is_empty() {
        return Ok(());
    }
    let ids: Vec<BookingId> = arrived.iter().map(|booking| booking.id).collect();
    let state = in_state::written(BookingState::Attended);
    booking::Entity::update_many()
        .col_expr(booking::Column::State, state)
        .col_expr(booking::Column::CheckedInAt, Expr::val(tx.now()))
        .col_expr(
            booking::Column::OfferExpiresAt,
            Expr::val(Option::<chrono::DateTime<chrono::Utc>>::None),
        )
        .col_expr(booking::Column::CalendarSequence, next_sequence())
        .col_expr(booking::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(booking::Column::Id.is_in(ids.iter().copied()))
        .exec(tx.conn())
        .await?;
    tx.audit(
        viewer,
        "booking.check_in_list",
        event.id,
        None,
        Some(json!({ "bookingIds": ids })),
    )
    .await?;
    for booking in arrived {
        announce(tx, booking);
        // Who attends training is looked at one by one; such a session has a few dozen.
        if event.kind == EventKind::Training {
            training_course::attended(tx, viewer, event, booking).await?;
        }
    }
    Ok(())
}

/// Lets somebody in who has no place. Who may not come is refused with what the rule says, unless a reason is given to let
/// them in all the same; it is kept. Somebody who has a place after all is marked.
///
/// Nobody is let in beyond the capacity; and until the start, free places are those of whoever waits.
pub async fn walk_in(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    email: &str,
    reason: Option<&str>,
) -> Result<booking::Model> {
    let mut event = lock_to_manage(tx, viewer, event_id).await?;
    register::require_open(tx, &event, "eventId")?;
    let reason = reason
        .map(|reason| reason_given(reason, "reason"))
        .transpose()?;
    let person = user::Entity::find()
        .filter(user::Column::Email.eq(email.trim().to_lowercase()))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("email", "person"))?;
    let live = booking::Entity::find()
        .filter(booking::Column::EventId.eq(event.id))
        .filter(booking::Column::UserId.eq(person.id))
        .filter(in_state::any(&[
            BookingState::Attended,
            BookingState::Booked,
            BookingState::Offered,
            BookingState::Waiting,
        ]))
        .one(tx.conn())
        .await?;
    if let Some(booking) = &live {
        match booking.state {
            BookingState::Attended => return Ok(booking.clone()),
            BookingState::Booked | BookingState::Offered => {
                return mark(tx, viewer, &event, booking.clone(), None).await;
            }
            _ => {}
        }
    }
    let candidate = Candidate::of(tx.conn(), &person).await?;
    let objection = Admission::to(tx.conn(), &event)
        .await?
        .objection(&candidate);
    if let Some(refusal) = objection.filter(|_| reason.is_none()) {
        return Err(Error::Refused(vec![Refusal {
            field: Some("email"),
            message: format!(
                "{} Give a reason to let them in all the same.",
                refusal.message
            ),
            ..refusal
        }]));
    }
    if event.places_left() == 0 {
        return refused(
            RefusalCode::NoPlaceFree,
            "eventId",
            "Every place is taken or held. Raise the capacity to let more people in.",
        );
    }
    if tx.now() < event.starts_at && waiting_list::somebody_waits(tx.conn(), event.id).await? {
        return refused(
            RefusalCode::WrongState,
            "eventId",
            "Until the event starts, free places are those of the people who wait: promote the first of them.",
        );
    }
    event.take_place(tx).await?;
    if let Some(waiting) = live {
        return mark(tx, viewer, &event, waiting, reason).await;
    }
    admit(tx, viewer, &event, &person, reason).await
}

async fn admit(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &LockedEvent,
    person: &user::Model,
    reason: Option<String>,
) -> Result<booking::Model> {
    let mut booking = new_booking(tx, event.id, person.id, BookingState::Attended).await?;
    booking.checked_in_at = Some(tx.now());
    booking.state_reason = reason;
    booking::Entity::insert(booking.clone().into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    tx.audit(
        viewer,
        "booking.walk_in",
        booking.id,
        None,
        Some(
            json!({ "eventId": event.id, "state": booking.state, "reason": booking.state_reason }),
        ),
    )
    .await?;
    announce(tx, &booking);
    training_course::attended(tx, viewer, event, &booking).await?;
    register::marked(tx, event).await?;
    Ok(booking)
}

async fn managed(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event_id: EventId,
) -> Result<event::Model> {
    viewer.require(Permission::ManageEvent)?;
    let event = find_all(db, viewer, &[event_id])
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("eventId", "event"))?;
    require_to_manage(viewer, &event)?;
    Ok(event)
}

fn refused<T>(code: RefusalCode, field: &'static str, message: &str) -> Result<T> {
    Err(Error::refused(code, field, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_somebody_by_address_or_code_wherever_it_stands() {
        let code = |text: &str| Some(Name::Code(text.to_owned()));
        let ann = Some(Name::Address("ann@uni.test".to_owned()));
        for line in [
            "Ann@Uni.test",
            " \"Ann, A.\";ann@uni.test;7K3M-9QTX-04BD",
            "Ann\t<ann@uni.test>",
        ] {
            assert_eq!(name_in(line), ann, "{line}");
        }
        for line in ["7k3m-9qtx-04bd", "Ann,7K3M9QTX04BD", "7K3M 9QTX O4BD"] {
            assert_eq!(name_in(line), code("7K3M9QTX04BD"), "{line}");
        }
        for line in ["Ann", "Name,Ticket", ";;"] {
            assert_eq!(name_in(line), None, "{line}");
        }
    }
}

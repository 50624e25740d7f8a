//! Registers: who came, and what follows for those who did not (policy 2.4).
//!
//! Nobody is a no-show before the register is closed, by an operator or by itself some time after the end. A register in
//! which nobody was marked accuses nobody: its organiser is asked. Each no-show is one strike in its term, told of by one
//! letter; at the limit booking is blocked until somebody in the Careers Centre lifts it.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    event::{self, EventState},
    event_organisation,
    ids::{BookingId, EventId, UserId},
    user,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, RelationTrait,
    sea_query::{Expr, SimpleExpr},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    booking::{
        announce, change, in_state,
        letters::{self, Missed},
        lock_booking, next_sequence, person, reason_given,
    },
    error::{Error, RefusalCode, Result},
    event::{LockedEvent, lock, lock_to_manage, register_due_at, require_to_manage, set_state},
    feedback, group_booking,
    job::{Job, Queue},
    store::Tx,
    term::Term,
    training_course,
    viewer::Viewer,
};

/// How many missed events in a term block booking when nothing else is set.
pub const STRIKE_LIMIT: u64 = 3;

/// How long before the start people can be marked.
const OPENS_BEFORE_START: TimeDelta = TimeDelta::hours(12);

/// How many people one run of the job writes to.
const CHUNK: u64 = 100;

/// Closes a register by itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CloseRegister {
    /// The event.
    pub event_id: EventId,
    /// When it was to be closed, as things stood when the job was made.
    pub due_at: DateTime<Utc>,
}

impl Job for CloseRegister {
    const KIND: &'static str = "register.close";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        let due = self.due_at.timestamp_micros();
        Some(format!("{}/{}/{due}", Self::KIND, self.event_id))
    }
}

/// Writes to those who did not come to an event, some at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ContactNoShows {
    /// The event.
    pub event_id: EventId,
}

impl Job for ContactNoShows {
    const KIND: &'static str = "no_show.contact";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.event_id))
    }
}

/// What came of a register that closes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// It is closed.
    Closed,
    /// Nobody was marked: the organiser was asked, and it stays open.
    OrganiserAsked,
    /// It was closed before, or it is not its time: the event was moved or cancelled.
    NothingToDo,
}

/// From when on people can be marked.
#[must_use]
pub fn opens_at(event: &event::Model) -> DateTime<Utc> {
    event.starts_at - OPENS_BEFORE_START
}

/// `Ok` when people can be marked now; otherwise a refusal about `field`.
pub(crate) fn require_open(tx: &Tx, event: &event::Model, field: &'static str) -> Result<()> {
    if event.register_closed_at.is_some() {
        return Err(Error::refused(
            RefusalCode::RegisterClosed,
            field,
            "The register of this event is closed.",
        ));
    }
    if event.state != EventState::Published || tx.now() < opens_at(event) {
        return wrong_state("bookingId", "The register of this event is not open yet.");
    }
    Ok(())
}

/// Has the register of a published event close by itself when it is due.
pub async fn schedule_closing(tx: &mut Tx, event: &event::Model) -> Result<()> {
    close_at(tx, event.id, register_due_at(event)).await
}

/// Somebody was marked. After the time at which the register should have closed, that is the answer that its organiser was
/// asked for: it closes a while later.
pub(crate) async fn marked(tx: &mut Tx, event: &event::Model) -> Result<()> {
    if tx.now() >= register_due_at(event) {
        let a_while = TimeDelta::minutes(event.register_closes_after_minutes.into());
        close_at(tx, event.id, tx.now() + a_while).await?;
    }
    Ok(())
}

async fn close_at(tx: &mut Tx, event_id: EventId, due_at: DateTime<Utc>) -> Result<()> {
    tx.enqueue(&CloseRegister { event_id, due_at }, Some(due_at))
        .await?;
    Ok(())
}

/// Closes the register: whoever had a place and was not marked did not come, and is written to.
///
/// A register in which nobody was marked is closed only by an operator who says that `nobody_came`.
pub async fn close_register(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    nobody_came: bool,
) -> Result<event::Model> {
    let mut event = lock_to_manage(tx, viewer, event_id).await?;
    if event.register_closed_at.is_some() {
        return Err(Error::refused(
            RefusalCode::RegisterClosed,
            "eventId",
            "The register is closed already.",
        ));
    }
    if event.state != EventState::Published {
        return wrong_state("eventId", "Only a published event has a register.");
    }
    if tx.now() < event.starts_at {
        return wrong_state(
            "eventId",
            "The event has not started: nobody can have missed it.",
        );
    }
    if !nobody_came && unmarked(tx, event_id).await?.is_some() {
        return Err(Error::refused(
            RefusalCode::RegisterUnmarked,
            "eventId",
            "Nobody is marked as having come. Mark the register, or say that nobody came.",
        ));
    }
    close(tx, viewer, &mut event).await?;
    Ok(event.clone())
}

/// Closes a register that is due, or asks its organiser when nobody was marked in it.
pub async fn close_due_register(tx: &mut Tx, job: CloseRegister) -> Result<Closing> {
    let Some(mut event) = lock(tx, job.event_id).await? else {
        return Ok(Closing::NothingToDo);
    };
    if event.state != EventState::Published || tx.now() < register_due_at(&event) {
        return Ok(Closing::NothingToDo);
    }
    if let Some(booked) = unmarked(tx, event.id).await? {
        if let Some(organiser) = person(tx, event.organiser_id).await? {
            letters::register_unmarked(tx, &event, &organiser, booked).await?;
        }
        return Ok(Closing::OrganiserAsked);
    }
    close(tx, &Viewer::system(), &mut event).await?;
    Ok(Closing::Closed)
}

/// How many had a place, when none of them was marked; `None` when somebody was, or nobody had a place.
async fn unmarked(tx: &Tx, event_id: EventId) -> Result<Option<u64>> {
    let count = async |state| {
        booking::Entity::find()
            .filter(booking::Column::EventId.eq(event_id))
            .filter(in_state::any(&[state]))
            .count(tx.conn())
            .await
    };
    if count(BookingState::Attended).await? > 0 {
        return Ok(None);
    }
    let classes = group_booking::standing(tx, event_id).await?;
    if classes.somebody_came {
        return Ok(None);
    }
    let booked = count(BookingState::Booked).await? + classes.places;
    Ok((booked > 0).then_some(booked))
}

async fn close(tx: &mut Tx, viewer: &Viewer, event: &mut LockedEvent) -> Result<()> {
    let open = booking::Entity::find()
        .filter(booking::Column::EventId.eq(event.id))
        .filter(in_state::any(&[
            BookingState::Booked,
            BookingState::Offered,
            BookingState::Waiting,
        ]))
        .all(tx.conn())
        .await?;
    for (from, to) in [
        (BookingState::Booked, BookingState::NoShow),
        (BookingState::Offered, BookingState::OfferExpired),
        (BookingState::Waiting, BookingState::Cancelled),
    ] {
        booking::Entity::update_many()
            .col_expr(booking::Column::State, in_state::written(to))
            .col_expr(booking::Column::CalendarSequence, next_sequence())
            .col_expr(booking::Column::UpdatedAt, Expr::val(tx.now()))
            .filter(booking::Column::EventId.eq(event.id))
            .filter(in_state::any(&[from]))
            .exec(tx.conn())
            .await?;
    }
    for booking in &open {
        announce(tx, booking);
    }
    let offered = open
        .iter()
        .filter(|booking| booking.state == BookingState::Offered)
        .count();
    event
        .give_back_places(tx, i32::try_from(offered).unwrap_or(0))
        .await?;
    set_state(tx, viewer, event, EventState::Past, "register.close").await?;
    training_course::bookings_changed(tx, viewer, event, None).await?;
    feedback::ask_after(tx, event).await?;
    if open
        .iter()
        .any(|booking| booking.state == BookingState::Booked)
    {
        tx.enqueue(&ContactNoShows { event_id: event.id }, None)
            .await?;
    }
    Ok(())
}

/// Writes to the next people who did not come, and counts their strikes; at `strike_limit` of them in a term booking is
/// blocked. Answers whether there may be more to write to.
///
/// Who was excused meanwhile is not written to.
pub async fn contact_no_shows(tx: &mut Tx, event_id: EventId, strike_limit: u64) -> Result<bool> {
    let Some(event) = lock(tx, event_id).await? else {
        return Ok(false);
    };
    let missed = booking::Entity::find()
        .find_also_related(user::Entity)
        .filter(booking::Column::EventId.eq(event_id))
        .filter(in_state::any(&[BookingState::NoShow]))
        .filter(booking::Column::NoShowContactedAt.is_null())
        .order_by_asc(booking::Column::Id)
        .limit(CHUNK)
        .all(tx.conn())
        .await?;
    let with_employers = event_organisation::Entity::find()
        .filter(event_organisation::Column::EventId.eq(event_id))
        .count(tx.conn())
        .await?
        > 0;
    let term = Term::of(event.starts_at);
    let people: Vec<UserId> = missed.iter().map(|(booking, _)| booking.user_id).collect();
    let counted = strikes(tx, &people, term).await?;
    for (booking, person) in &missed {
        let person = person
            .as_ref()
            .ok_or_else(|| Error::Fault(format!("nobody has the booking {}", booking.id)))?;
        let Strikes {
            all: strikes,
            with_employers: strikes_with_employers,
        } = counted.get(&person.id).copied().unwrap_or_default();
        let blocked = strikes >= strike_limit;
        if blocked && person.booking_blocked_at.is_none() {
            set_block(tx, &Viewer::system(), person.clone(), true).await?;
        }
        let told = Missed {
            strikes,
            strikes_with_employers,
            with_employers,
            limit: strike_limit,
            blocked,
        };
        letters::no_show(tx, &event, booking, person, told).await?;
    }
    let now = tx.now();
    booking::Entity::update_many()
        .col_expr(booking::Column::NoShowContactedAt, Expr::val(now))
        .filter(booking::Column::Id.is_in(missed.iter().map(|(booking, _)| booking.id)))
        .exec(tx.conn())
        .await?;
    Ok(missed.len() as u64 == CHUNK)
}

/// How many events somebody missed in a term without an excuse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Strikes {
    all: u64,
    /// How many of those were events in which employers took part, who came in vain.
    with_employers: u64,
}

/// The strikes of these people in a term, by one statement. Who has none is left out.
async fn strikes(tx: &Tx, people: &[UserId], term: Term) -> Result<HashMap<UserId, Strikes>> {
    let with_employers = event_organisation::Entity::find()
        .select_only()
        .column(event_organisation::Column::EventId)
        .into_query();
    let came_in_vain: SimpleExpr = Expr::case(
        booking::Column::EventId.in_subquery(with_employers),
        Expr::cust("1"),
    )
    .finally(Expr::cust("0"))
    .into();
    let found: Vec<(UserId, i64, i64)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .column_as(booking::Column::Id.count(), "missed")
        .expr_as(came_in_vain.sum(), "with_employers")
        .join(JoinType::InnerJoin, booking::Relation::Event.def())
        .filter(booking::Column::UserId.is_in(people.iter().copied()))
        .filter(in_state::any(&[BookingState::NoShow]))
        .filter(event::Column::StartsAt.gte(term.from))
        .filter(event::Column::StartsAt.lt(term.until))
        .group_by(booking::Column::UserId)
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, all, with_employers)| {
            let strikes = Strikes {
                all: all.unsigned_abs(),
                with_employers: with_employers.unsigned_abs(),
            };
            (id, strikes)
        })
        .collect())
}

/// Accepts the reason why somebody did not come. It takes the strike away and keeps who accepted it and why; a block that
/// it had led to stays until it is lifted.
pub async fn excuse_no_show(
    tx: &mut Tx,
    viewer: &Viewer,
    booking_id: BookingId,
    reason: &str,
) -> Result<booking::Model> {
    let (event, booking) = lock_booking(tx, viewer, booking_id).await?;
    require_to_manage(viewer, &event)?;
    let reason = reason_given(reason, "reason")?;
    if booking.state != BookingState::NoShow {
        return wrong_state("bookingId", "Only somebody who did not come is excused.");
    }
    change(tx, viewer, booking, "booking.excuse", |row| {
        row.state = Set(BookingState::Excused);
        row.state_reason = Set(Some(reason));
    })
    .await
}

/// Lets somebody book again. That is for an operator of the Careers Centre: one whose permission is for the whole campus.
pub async fn lift_booking_block(
    tx: &mut Tx,
    viewer: &Viewer,
    user_id: UserId,
) -> Result<user::Model> {
    viewer.require_for(Permission::ManageEvent, None)?;
    let person = person(tx, user_id)
        .await?
        .ok_or_else(|| Error::not_found("userId", "person"))?;
    if person.booking_blocked_at.is_none() {
        return wrong_state("userId", "Booking is not blocked for this person.");
    }
    set_block(tx, viewer, person, false).await
}

async fn set_block(
    tx: &mut Tx,
    viewer: &Viewer,
    person: user::Model,
    blocked: bool,
) -> Result<user::Model> {
    let now = tx.now();
    let before = person.booking_blocked_at;
    let mut row = person.into_active_model();
    row.booking_blocked_at = Set(blocked.then_some(now));
    row.updated_at = Set(now);
    let person = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        if blocked {
            "user.block_booking"
        } else {
            "user.lift_booking_block"
        },
        person.id,
        Some(json!({ "bookingBlockedAt": before })),
        Some(json!({ "bookingBlockedAt": person.booking_blocked_at })),
    )
    .await?;
    Ok(person)
}

fn wrong_state<T>(field: &'static str, message: &str) -> Result<T> {
    Err(Error::refused(RefusalCode::WrongState, field, message))
}

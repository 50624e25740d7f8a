//! Cancelling an event, and telling everybody who had a place or waited for one.

use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    ids::{BookingId, EventId, GroupBookingId},
    user,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde::{Deserialize, Serialize};

use super::{LockedEvent, lock_to_manage, set_state};
use crate::{
    booking::{in_state, letters, next_sequence, reason_given},
    error::{Error, RefusalCode, Result},
    group_booking,
    job::{Job, Queue},
    live::LiveEvent,
    store::Tx,
    training_course,
    viewer::Viewer,
};

/// How many people one job tells.
const CHUNK: usize = 100;

/// Tells some of those who had a booking for a cancelled event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TellOfCancellation {
    /// The event.
    pub event_id: EventId,
    /// Why it was cancelled.
    pub reason: String,
    /// The bookings that ended with it, whose people are told.
    pub booking_ids: Vec<BookingId>,
    /// Those of them that had a place, and so stand in calendars. A job from before this was kept has none.
    #[serde(default)]
    pub placed_ids: Vec<BookingId>,
    /// The classes whose places ended with it. A job from before these were told has none.
    #[serde(default)]
    pub group_ids: Vec<GroupBookingId>,
}

impl Job for TellOfCancellation {
    const KIND: &'static str = "event.tell_of_cancellation";
    const QUEUE: Queue = Queue::Events;
}

/// Cancels an event. Every booking ends with it, and everybody who had one is told why.
pub async fn cancel(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    reason: &str,
) -> Result<event::Model> {
    let mut event = lock_to_manage(tx, viewer, id).await?;
    let reason = reason_given(reason, "reason")?;
    if !matches!(event.state, EventState::Draft | EventState::Published) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "The event is over or cancelled already.",
        ));
    }
    set_state(
        tx,
        viewer,
        &mut event,
        EventState::Cancelled,
        "event.cancel",
    )
    .await?;
    let (ended, classes) = end_bookings(tx, viewer, &mut event, &reason).await?;
    training_course::bookings_changed(tx, viewer, &event, None).await?;
    for some in ended.chunks(CHUNK) {
        let job = TellOfCancellation {
            event_id: id,
            reason: reason.clone(),
            booking_ids: some.iter().map(|(id, _)| *id).collect(),
            placed_ids: some
                .iter()
                .filter(|(_, state)| *state == BookingState::Booked)
                .map(|(id, _)| *id)
                .collect(),
            group_ids: Vec::new(),
        };
        tx.enqueue(&job, None).await?;
    }
    if !classes.is_empty() {
        let job = TellOfCancellation {
            event_id: id,
            reason,
            booking_ids: Vec::new(),
            placed_ids: Vec::new(),
            group_ids: classes,
        };
        tx.enqueue(&job, None).await?;
    }
    Ok(event.clone())
}

/// Ends every booking that has a place or waits for one, and answers which, and where each stood; and which classes had places.
async fn end_bookings(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
    reason: &str,
) -> Result<(Vec<(BookingId, BookingState)>, Vec<GroupBookingId>)> {
    let live = || {
        Condition::all()
            .add(booking::Column::EventId.eq(event.id))
            .add(in_state::any(&[
                BookingState::Booked,
                BookingState::Waiting,
                BookingState::Offered,
            ]))
    };
    let ended: Vec<(BookingId, BookingState)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .column(booking::Column::State)
        .filter(live())
        .into_tuple()
        .all(tx.conn())
        .await?;
    booking::Entity::update_many()
        .col_expr(
            booking::Column::State,
            in_state::written(BookingState::Cancelled),
        )
        .col_expr(booking::Column::StateReason, Expr::val(reason))
        .col_expr(booking::Column::CalendarSequence, next_sequence())
        .col_expr(booking::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(live())
        .exec(tx.conn())
        .await?;
    for (booking_id, _) in &ended {
        tx.announce(LiveEvent::BookingChanged {
            event_id: event.id,
            booking_id: *booking_id,
        });
    }
    let classes = group_booking::end_all(tx, viewer, event, reason).await?;
    let places = event.places_taken;
    event.give_back_places(tx, places).await?;
    Ok((ended, classes))
}

/// Tells those people.
pub async fn tell_of_cancellation(tx: &mut Tx, job: &TellOfCancellation) -> Result<()> {
    let Some(event) = event::Entity::find_by_id(job.event_id)
        .one(tx.conn())
        .await?
    else {
        return Ok(());
    };
    let people = booking::Entity::find()
        .find_also_related(user::Entity)
        .filter(booking::Column::Id.is_in(job.booking_ids.iter().copied()))
        .all(tx.conn())
        .await?;
    for (booking, person) in &people {
        if let Some(person) = person {
            let had_place = job.placed_ids.contains(&booking.id);
            letters::event_cancelled(tx, &event, booking, person, &job.reason, had_place).await?;
        }
    }
    group_booking::letters::event_cancelled(tx, &event, job).await
}

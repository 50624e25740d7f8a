//! Events: what is on the campus calendar, and who may change it (policy 2.4).
//!
//! `DRAFT -> PUBLISHED -> PAST`, and from the first two to `CANCELLED`. Who has a place stands in [`crate::booking`], who
//! waits for one in [`crate::waiting_list`], who came in [`crate::register`].

mod cancellation;
mod concerning;
mod draft;
mod lock;
mod moving;
mod place;
mod reminder;
mod search;
mod series;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, TimeZone, Utc};
use entity::{
    access_grant::Permission,
    event::{self, EventState},
    ids::{EventId, EventSeriesId, FacultyId, UserId},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, IntoActiveModel};
use serde_json::{Value, json};

pub use self::{
    cancellation::{TellOfCancellation, cancel, tell_of_cancellation},
    draft::{
        AudienceGroup, EventChanges, EventDraft, OFFER_HOURS, PROMOTION_CUT_OFF_MINUTES,
        REGISTER_CLOSES_AFTER_MINUTES, REMINDER_MINUTES,
    },
    lock::{LockedEvent, lock, lock_to_manage, lock_visible},
    moving::{TellOfMove, Whereabouts, tell_of_move},
    reminder::{RemindOfEvent, remind, schedule_reminders},
    search::{
        EventFilter, Key, audiences, count, find_all, key, list, opportunities, organisations,
    },
    series::{
        Dates, LONGEST_SERIES, cancel_series, copy, publish_series, repeat, series, update_series,
    },
};
pub(crate) use concerning::{booked_by, concerning};
pub(crate) use draft::audience;
pub(crate) use place::place_at;

use crate::{
    change::{self, Change},
    clash::{self, Acknowledgement},
    clock::UNIVERSITY_TIME,
    error::{Error, RefusalCode, Result},
    event_sharing,
    live::LiveEvent,
    register,
    store::Tx,
    viewer::{Reach, Viewer},
};

/// How the audit log calls a change of an event.
const UPDATE: &str = "event.update";

/// The events that exist for `viewer`: everybody's are those on the calendar; drafts are seen by those who manage them.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    Condition::any()
        .add(on_the_calendar())
        .add(managed_by(viewer))
}

/// The events that are or were on the calendar. A draft that was cancelled never was.
pub(crate) fn on_the_calendar() -> Condition {
    Condition::all()
        .add(event::Column::State.ne(EventState::Draft))
        .add(
            Condition::any()
                .add(event::Column::State.ne(EventState::Cancelled))
                .add(event::Column::CalendarSequence.gt(0)),
        )
}

/// The events that `viewer` manages: all, those of the faculties that their grant reaches, and their own.
#[must_use]
pub fn managed_by(viewer: &Viewer) -> Condition {
    match viewer.reach(Permission::ManageEvent) {
        Reach::Campus => Condition::all().add(event::Column::Id.is_not_null()),
        Reach::Nothing => Condition::all().add(event::Column::Id.is_null()),
        Reach::Faculties(faculties) => Condition::any()
            .add(event::Column::FacultyId.is_in(faculties))
            .add_option(viewer.user_id().map(|id| event::Column::OrganiserId.eq(id))),
    }
}

/// Whether `viewer` manages this event: the rule of [`managed_by`] for a row at hand.
#[must_use]
pub fn may_manage(viewer: &Viewer, event: &event::Model) -> bool {
    manages(viewer, event.faculty_id, event.organiser_id)
}

/// Whether `viewer` manages the events of this organiser and faculty.
pub(crate) fn manages(
    viewer: &Viewer,
    faculty_id: Option<FacultyId>,
    organiser_id: UserId,
) -> bool {
    match viewer.reach(Permission::ManageEvent) {
        Reach::Campus => true,
        Reach::Nothing => false,
        Reach::Faculties(faculties) => {
            faculty_id.is_some_and(|faculty| faculties.contains(&faculty))
                || viewer.user_id() == Some(organiser_id)
        }
    }
}

/// `Ok` when `viewer` manages this event; otherwise the error says what would allow it.
pub fn require_to_manage(viewer: &Viewer, event: &event::Model) -> Result<()> {
    if may_manage(viewer, event) {
        return Ok(());
    }
    viewer.require_for(Permission::ManageEvent, event.faculty_id)
}

/// How many places nobody has.
#[must_use]
pub fn places_left(event: &event::Model) -> i32 {
    (event.capacity - event.places_taken).max(0)
}

/// Until when free places find their next person by themselves; from then on an operator gives them.
#[must_use]
pub fn promotion_ends_at(event: &event::Model) -> DateTime<Utc> {
    event.starts_at - TimeDelta::minutes(event.promotion_cut_off_minutes.into())
}

/// When the register closes by itself.
#[must_use]
pub fn register_due_at(event: &event::Model) -> DateTime<Utc> {
    event.ends_at + TimeDelta::minutes(event.register_closes_after_minutes.into())
}

/// From the first moment of `from` to the last of `to`, as days go at the university: the day on which the clocks go
/// forward has 23 hours, the one on which they go back 25. The end is the first moment of the day after.
///
/// Refuses an end before the start, under the field `to`, and days beyond the calendar.
pub fn days(from: NaiveDate, to: NaiveDate) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let midnight = |day: NaiveDate, field| {
        day.and_hms_opt(0, 0, 0)
            .and_then(|midnight| UNIVERSITY_TIME.from_local_datetime(&midnight).earliest())
            .map(|midnight| midnight.with_timezone(&Utc))
            .ok_or_else(|| Error::refused(RefusalCode::Invalid, field, "There is no such day."))
    };
    if to < from {
        return Err(Error::refused(
            RefusalCode::EndsBeforeStart,
            "to",
            "The last day is not before the first.",
        ));
    }
    let after = to
        .checked_add_days(Days::new(1))
        .ok_or_else(|| Error::refused(RefusalCode::Invalid, "to", "There is no such day."))?;
    Ok((midnight(from, "from")?, midnight(after, "to")?))
}

/// Writes a draft, which its organisers see.
pub async fn create(tx: &mut Tx, viewer: &Viewer, draft: EventDraft) -> Result<event::Model> {
    write(tx, viewer, draft, None).await
}

/// [`create`], as one of a series.
async fn write(
    tx: &mut Tx,
    viewer: &Viewer,
    draft: EventDraft,
    series_id: Option<EventSeriesId>,
) -> Result<event::Model> {
    viewer.require_for(Permission::ManageEvent, draft.faculty_id)?;
    let organiser_id = viewer.signed_in()?.id;
    let mut draft = draft.tidied();
    event_sharing::usual_audience(viewer, &mut draft);
    let draft = draft.placed(tx, None).await?;
    draft.check(tx, None).await?;
    event_sharing::check_audience(tx, viewer, &draft, None).await?;

    let id = EventId::new_at(tx.now());
    let mut row = event::ActiveModel {
        id: Set(id),
        series_id: Set(series_id),
        organiser_id: Set(organiser_id),
        places_taken: Set(0),
        last_queue_position: Set(0),
        state: Set(EventState::Draft),
        register_closed_at: Set(None),
        calendar_sequence: Set(0),
        calendar_changed_at: Set(tx.now()),
        told_version: Set(0),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    draft.clone().fill(&mut row);
    let row = row.insert(tx.conn()).await?;
    draft.write_lists(tx, id).await?;
    tx.audit(viewer, "event.create", id, None, Some(summary(&row)))
        .await?;
    Ok(row)
}

/// Changes an event. `version` is the one that the viewer had before them: somebody else's change in between is refused as
/// stale, and nothing is overwritten unseen.
///
/// More places go to those who wait. Another time or place is told to everybody who means to come. Bookings of people who
/// are no longer in the audience stand.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    version: i32,
    mut changes: EventChanges,
) -> Result<event::Model> {
    place::hold_named(tx, &changes).await?;
    let mut event = lock_to_manage(tx, viewer, id).await?;
    if event.version != version {
        return Err(change::stale(tx.conn(), UPDATE, id, version, event.version).await?);
    }
    if !matches!(event.state, EventState::Draft | EventState::Published) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "An event that is over or cancelled is not changed any more.",
        ));
    }
    let acknowledged = std::mem::take(&mut changes.acknowledged);
    let current = EventDraft::of(tx.conn(), &event).await?;
    let draft = current.clone().with(changes).tidied();
    let draft = draft.placed(tx, Some(&event)).await?;
    let competes_otherwise = draft.competes_otherwise_than(&current);
    let shows_otherwise = draft.shows_otherwise_than(&current);
    if draft.faculty_id != event.faculty_id {
        viewer.require_for(Permission::ManageEvent, draft.faculty_id)?;
    }
    draft.check(tx, Some(&event)).await?;
    event_sharing::check_audience(tx, viewer, &draft, Some(&current)).await?;

    let before = event.clone();
    draft.write_lists(tx, id).await?;
    let mut row = before.clone().into_active_model();
    draft.fill(&mut row);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    if before.calendar_sequence > 0 && shows_otherwise {
        changed_on_the_calendar(tx, &before, &mut row);
    }
    event.becomes(row.update(tx.conn()).await?);
    let (told_before, told_after) =
        Change::between(&summary(&before), &summary(&event))?.into_audit(event.version);
    tx.audit(viewer, UPDATE, id, told_before, told_after)
        .await?;

    if event.state == EventState::Published && competes_otherwise {
        clash::settle(tx, viewer, &event, &acknowledged).await?;
    }
    if event.capacity != before.capacity {
        tx.announce(LiveEvent::EventChanged { event_id: id });
    }
    moving::follow(tx, &mut event, &before).await?;
    Ok(event.clone())
}

/// Puts a draft on the calendar that clashes with nothing severely.
pub async fn publish(tx: &mut Tx, viewer: &Viewer, id: EventId) -> Result<event::Model> {
    publish_knowing(tx, viewer, id, &[]).await
}

/// Puts a draft on the calendar. Severe clashes that are not acknowledged are refused, each with what clashes.
pub async fn publish_knowing(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    acknowledged: &[Acknowledgement],
) -> Result<event::Model> {
    let mut event = lock_to_manage(tx, viewer, id).await?;
    if event.state != EventState::Draft {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "Only a draft is published.",
        ));
    }
    if event.starts_at <= tx.now() {
        return Err(Error::refused(
            RefusalCode::InThePast,
            "eventId",
            "The event would have started already. Move it into the future first.",
        ));
    }
    set_state(
        tx,
        viewer,
        &mut event,
        EventState::Published,
        "event.publish",
    )
    .await?;
    // policy 2.4: the calendar is checked, so that there are no clashes.
    clash::settle(tx, viewer, &event, acknowledged).await?;
    register::schedule_closing(tx, &event).await?;
    schedule_reminders(tx, &event).await?;
    Ok(event.clone())
}

/// Writes a new state, with a new version and a line in the audit log.
pub(crate) async fn set_state(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
    state: EventState,
    action: &'static str,
) -> Result<()> {
    let before = summary(event);
    let mut row: event::ActiveModel = (**event).clone().into_active_model();
    row.state = Set(state);
    row.version = Set(event.version + 1);
    row.updated_at = Set(tx.now());
    match state {
        EventState::Past => row.register_closed_at = Set(Some(tx.now())),
        EventState::Cancelled if event.calendar_sequence == 0 => {}
        _ => changed_on_the_calendar(tx, event, &mut row),
    }
    event.becomes(row.update(tx.conn()).await?);
    tx.announce(LiveEvent::EventChanged { event_id: event.id });
    tx.audit(viewer, action, event.id, Some(before), Some(summary(event)))
        .await
}

/// Has calendar clients see that the event is another than before (RFC 5545, 3.8.7.4).
fn changed_on_the_calendar(tx: &Tx, before: &event::Model, row: &mut event::ActiveModel) {
    row.calendar_sequence = Set(before.calendar_sequence + 1);
    row.calendar_changed_at = Set(tx.now());
}

/// What the audit log keeps of an event.
fn summary(event: &event::Model) -> Value {
    json!({
        "title": event.title,
        "seriesId": event.series_id,
        "kind": event.kind,
        "state": event.state,
        "facultyId": event.faculty_id,
        "startsAt": event.starts_at,
        "endsAt": event.ends_at,
        "venueId": event.venue_id,
        "venue": event.venue,
        "capacity": event.capacity,
        "waitingListMode": event.waiting_list_mode,
        "description": event.description,
        "onlineLink": event.online_link,
        "offerHours": event.offer_hours,
        "promotionCutOffMinutes": event.promotion_cut_off_minutes,
        "bookingOpensAt": event.booking_opens_at,
        "bookingClosesAt": event.booking_closes_at,
        "registerClosesAfterMinutes": event.register_closes_after_minutes,
        "reminderMinutes": event.reminder_minutes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_days_on_which_the_clocks_change_are_shorter_and_longer() {
        for (date, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)] {
            let (from, until) = days(day(date), day(date)).unwrap();
            assert_eq!((until - from).num_hours(), hours, "{date}");
        }
    }

    #[test]
    fn a_summer_day_begins_an_hour_before_midnight_utc() {
        let (from, _) = days(day("2026-07-01"), day("2026-07-03")).unwrap();
        assert_eq!(from.to_rfc3339(), "2026-06-30T23:00:00+00:00");
    }

    #[test]
    fn days_in_the_wrong_order_are_refused() {
        assert!(days(day("2026-07-02"), day("2026-07-01")).is_err());
    }
}

//! Copies of an event, and series: events that are alike and come weekly or on chosen dates (policy 2.4).
//!
//! Each event of a series stands for itself: it has its own bookings, its own waiting list, its own register. What they share
//! is that a change, a publication or a cancellation can be said of one and all that follow at once.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use entity::{
    event::{self, EventKind, EventState},
    ids::{EventId, EventSeriesId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder,
};

use super::{
    EventChanges, EventDraft, LockedEvent, cancel, lock, lock_to_manage, place, publish_knowing,
    summary, update, visible_to, write,
};
use crate::{
    change::Change,
    clash::Acknowledgement,
    clock::UNIVERSITY_TIME,
    error::{Error, RefusalCode, Result},
    event_sharing,
    mail::in_university_time,
    store::Tx,
    training_course,
    viewer::Viewer,
};

/// The most events of a series: a year of weeks.
pub const LONGEST_SERIES: usize = 53;

/// When the other events of a series take place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dates {
    /// Every week at the same hour by the clocks of the university, so often in all.
    Weekly(usize),
    /// Starting at these moments.
    At(Vec<DateTime<Utc>>),
}

/// Writes a draft that is like an event which `viewer` manages, starting at another time. Places, bookings and answers of
/// other faculties are not copied: what they agreed to was that event.
pub async fn copy(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    starts_at: DateTime<Utc>,
) -> Result<event::Model> {
    place::hold_of(tx, id).await?;
    let event = lock_to_manage(tx, viewer, id).await?;
    let draft = EventDraft::of(tx.conn(), &event).await?;
    copied(tx, viewer, &event, draft.moved_to(starts_at), None).await
}

/// Makes an event that is ahead one of a series, and writes a draft for each of the other dates. Answers the event.
pub async fn repeat(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    dates: Dates,
) -> Result<event::Model> {
    place::hold_of(tx, id).await?;
    let mut event = lock_to_manage(tx, viewer, id).await?;
    if !matches!(event.state, EventState::Draft | EventState::Published) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "An event that is over or cancelled is not repeated. Copy it instead.",
        ));
    }
    let (field, starts) = match dates {
        Dates::Weekly(times) => {
            let weeks = 1..i64::try_from(times.min(LONGEST_SERIES + 1)).unwrap_or_default();
            let starts = weeks.map(|week| later_by_clocks(event.starts_at, TimeDelta::weeks(week)));
            ("weeklyTimes", starts.collect())
        }
        Dates::At(mut starts) => {
            starts.sort_unstable();
            ("startsAt", starts)
        }
    };
    let series_id = event
        .series_id
        .unwrap_or_else(|| EventSeriesId::new_at(tx.now()));
    let known: Vec<DateTime<Utc>> = of_series(tx, series_id)
        .await?
        .iter()
        .map(|event| event.starts_at)
        .collect();
    check_dates(&event, field, &starts, &known)?;
    if event.series_id.is_none() {
        begin(tx, viewer, &mut event, series_id).await?;
    }
    let draft = EventDraft::of(tx.conn(), &event).await?;
    for starts_at in starts {
        let draft = draft.clone().moved_to(starts_at);
        Box::pin(copied(tx, viewer, &event, draft, Some(series_id)))
            .await
            .map_err(|error| on_that_day(error, starts_at))?;
    }
    Ok(event.clone())
}

/// Makes an event the first of a series. That is a change of it like any other, with a version and a line in the log.
async fn begin(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &mut LockedEvent,
    series_id: EventSeriesId,
) -> Result<()> {
    let before = summary(event);
    let mut row = (**event).clone().into_active_model();
    row.series_id = Set(Some(series_id));
    row.version = Set(event.version + 1);
    row.updated_at = Set(tx.now());
    event.becomes(row.update(tx.conn()).await?);
    let (told_before, told_after) =
        Change::between(&before, &summary(event))?.into_audit(event.version);
    tx.audit(viewer, "event.repeat", event.id, told_before, told_after)
        .await
}

fn check_dates(
    event: &event::Model,
    field: &'static str,
    starts: &[DateTime<Utc>],
    known: &[DateTime<Utc>],
) -> Result<()> {
    let refuse = |code, message: String| Err(Error::refused(code, field, message));
    if starts.is_empty() {
        let message = "Say on which other dates the event takes place.".to_owned();
        return refuse(RefusalCode::Required, message);
    }
    if starts.len() + known.len().max(1) > LONGEST_SERIES {
        let message = format!("A series has at most {LONGEST_SERIES} events.");
        return refuse(RefusalCode::TooLong, message);
    }
    let twice = starts
        .windows(2)
        .find(|two| two[0] == two[1])
        .map(|two| two[0]);
    let there = starts
        .iter()
        .copied()
        .find(|start| *start == event.starts_at || known.contains(start));
    match twice.or(there) {
        Some(start) => refuse(
            RefusalCode::Taken,
            format!(
                "The series has an event on {} already.",
                in_university_time(start)
            ),
        ),
        None => Ok(()),
    }
}

async fn copied(
    tx: &mut Tx,
    viewer: &Viewer,
    from: &event::Model,
    mut draft: EventDraft,
    series_id: Option<EventSeriesId>,
) -> Result<event::Model> {
    event_sharing::without_agreement(tx, viewer, &mut draft).await?;
    let draft = draft.placed_again(tx).await?;
    let copy = write(tx, viewer, draft, series_id).await?;
    if from.kind == EventKind::Training {
        training_course::copy_session(tx, viewer, from.id, copy.id).await?;
    }
    Ok(copy)
}

/// Changes an event, and what follows it in its series by the same changes. Another time is so much later or earlier for
/// each, by the clocks of the university, and another length so much longer or shorter. One that can't be changed so, nothing is changed.
pub async fn update_series(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    version: i32,
    changes: EventChanges,
) -> Result<event::Model> {
    place::hold_named(tx, &changes).await?;
    let following = lock_following(tx, viewer, id).await?;
    let before = lock_to_manage(tx, viewer, id).await?;
    let by = changes.starts_at.map_or(TimeDelta::zero(), |moved| {
        by_clocks(moved) - by_clocks(before.starts_at)
    });
    let event = update(tx, viewer, id, version, changes.clone()).await?;
    let longer = (event.ends_at - event.starts_at) - (before.ends_at - before.starts_at);
    let moved = !by.is_zero() || !longer.is_zero();
    for other in following {
        let starts_at = later_by_clocks(other.starts_at, by);
        let window = |moment: Option<Option<DateTime<Utc>>>| {
            let later = by_clocks(starts_at) - by_clocks(event.starts_at);
            moment.map(|moment| moment.map(|moment| later_by_clocks(moment, later)))
        };
        let changes = EventChanges {
            starts_at: moved.then_some(starts_at),
            ends_at: moved.then(|| after(starts_at, other.ends_at - other.starts_at + longer)),
            booking_opens_at: window(changes.booking_opens_at),
            booking_closes_at: window(changes.booking_closes_at),
            ..changes.clone()
        };
        Box::pin(update(tx, viewer, other.id, other.version, changes))
            .await
            .map_err(|error| on_that_day(error, other.starts_at))?;
    }
    Ok(event)
}

/// Puts a draft on the calendar, and the drafts that follow it in its series.
pub async fn publish_series(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    acknowledged: &[Acknowledgement],
) -> Result<event::Model> {
    let following = lock_following(tx, viewer, id).await?;
    let event = publish_knowing(tx, viewer, id, acknowledged).await?;
    for other in following {
        if other.state == EventState::Draft {
            Box::pin(publish_knowing(tx, viewer, other.id, acknowledged))
                .await
                .map_err(|error| on_that_day(error, other.starts_at))?;
        }
    }
    Ok(event)
}

/// Cancels an event, and what follows it in its series.
pub async fn cancel_series(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    reason: &str,
) -> Result<event::Model> {
    let following = lock_following(tx, viewer, id).await?;
    let event = cancel(tx, viewer, id, reason).await?;
    for other in following {
        Box::pin(cancel(tx, viewer, other.id, reason))
            .await
            .map_err(|error| on_that_day(error, other.starts_at))?;
    }
    Ok(event)
}

/// The events of each of these series that exist for `viewer`, by their start.
pub async fn series(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[EventSeriesId],
) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        .filter(event::Column::SeriesId.is_in(ids.iter().copied()))
        .filter(visible_to(viewer))
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(event::Column::Id)
        .all(db)
        .await?)
}

async fn of_series(tx: &Tx, id: EventSeriesId) -> Result<Vec<event::Model>> {
    Ok(event::Entity::find()
        .filter(event::Column::SeriesId.eq(id))
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(event::Column::Id)
        .all(tx.conn())
        .await?)
}

/// Locks an event and what follows it in its series, and answers the latter by their start: those that are ahead and not
/// cancelled. Everybody takes the locks in the order of the ids, so that nobody waits for each other.
async fn lock_following(tx: &mut Tx, viewer: &Viewer, id: EventId) -> Result<Vec<event::Model>> {
    let found = event::Entity::find_by_id(id)
        .filter(visible_to(viewer))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("eventId", "event"))?;
    let Some(series_id) = found.series_id else {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "appliesTo",
            "The event is not one of a series.",
        ));
    };
    let mut ids: Vec<EventId> = of_series(tx, series_id)
        .await?
        .iter()
        .map(|event| event.id)
        .collect();
    ids.sort_unstable();
    let mut following = Vec::new();
    for other in ids {
        if let Some(event) = lock(tx, other).await? {
            following.push((*event).clone());
        }
    }
    let start = following
        .iter()
        .find(|event| event.id == id)
        .map_or(found.starts_at, |event| event.starts_at);
    following.retain(|event| {
        event.starts_at > start && matches!(event.state, EventState::Draft | EventState::Published)
    });
    following.sort_unstable_by_key(|event| (event.starts_at, event.id));
    Ok(following)
}

/// A refusal that says of which event of the series it is.
fn on_that_day(error: Error, starts_at: DateTime<Utc>) -> Error {
    let Error::Refused(mut refusals) = error else {
        return error;
    };
    for refusal in &mut refusals {
        refusal.message = format!("{}: {}", in_university_time(starts_at), refusal.message);
    }
    Error::Refused(refusals)
}

impl EventDraft {
    /// The same at another time: as long, and booked in the same window before it, by the clocks of the university.
    #[must_use]
    pub(super) fn moved_to(self, starts_at: DateTime<Utc>) -> Self {
        let by = by_clocks(starts_at) - by_clocks(self.starts_at);
        Self {
            starts_at,
            ends_at: after(starts_at, self.ends_at - self.starts_at),
            booking_opens_at: self.booking_opens_at.map(|at| later_by_clocks(at, by)),
            booking_closes_at: self.booking_closes_at.map(|at| later_by_clocks(at, by)),
            ..self
        }
    }
}

/// What the clocks of the university show.
fn by_clocks(moment: DateTime<Utc>) -> NaiveDateTime {
    moment.with_timezone(&UNIVERSITY_TIME).naive_local()
}

/// When the clocks of the university show so much more: 14:00 stays 14:00 in summer and in winter. An hour that doesn't
/// exist, in the night in which the clocks go forward, is the one after it; of one that comes twice it is the first.
fn later_by_clocks(moment: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    // The second of two hours that are written alike stays where it is.
    if by.is_zero() {
        return moment;
    }
    let Some(local) = by_clocks(moment).checked_add_signed(by) else {
        return moment;
    };
    let exists = |local: NaiveDateTime| UNIVERSITY_TIME.from_local_datetime(&local).earliest();
    exists(local)
        .or_else(|| exists(local.checked_add_signed(TimeDelta::hours(1))?))
        .map_or(moment, |found| found.with_timezone(&Utc))
}

fn after(moment: DateTime<Utc>, time: TimeDelta) -> DateTime<Utc> {
    moment.checked_add_signed(time).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn every_week_at_two_is_at_two_when_the_clocks_have_changed() {
        let summer = at("2026-10-20T13:00:00Z");
        assert_eq!(
            later_by_clocks(summer, TimeDelta::weeks(1)),
            at("2026-10-27T14:00:00Z")
        );
        let winter = at("2026-03-24T14:00:00Z");
        assert_eq!(
            later_by_clocks(winter, TimeDelta::weeks(1)),
            at("2026-03-31T13:00:00Z")
        );
    }

    #[test]
    fn an_hour_that_does_not_exist_is_the_next_one() {
        let night = at("2026-03-22T01:30:00Z");
        assert_eq!(
            later_by_clocks(night, TimeDelta::weeks(1)),
            at("2026-03-29T01:30:00Z")
        );
        let twice = at("2026-10-18T00:30:00Z");
        assert_eq!(
            later_by_clocks(twice, TimeDelta::weeks(1)),
            at("2026-10-25T00:30:00Z")
        );
    }

    #[test]
    fn a_draft_keeps_its_length_and_its_window() {
        let mut draft = EventDraft::new(
            "A talk",
            EventKind::Workshop,
            at("2026-10-20T13:00:00Z"),
            at("2026-10-20T15:30:00Z"),
            5,
        );
        draft.booking_opens_at = Some(at("2026-10-13T08:00:00Z"));
        let moved = draft.moved_to(at("2026-11-03T14:00:00Z"));
        assert_eq!(moved.ends_at, at("2026-11-03T16:30:00Z"));
        assert_eq!(moved.booking_opens_at, Some(at("2026-10-27T09:00:00Z")));
    }
}

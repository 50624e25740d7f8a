//! The clashes on the calendar that are still ahead: for super users, who can speak with both sides (policy 2.4 and 3).

use std::collections::HashSet;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use entity::{
    event::EventState,
    ids::EventId,
    user::{self, UserState},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Clash, Severity, acknowledgements, clash, compare,
    near::{self, Candidate},
};
use crate::{
    clock::UNIVERSITY_TIME,
    error::Result,
    job::{Job, Queue},
    mail::Letter,
    notice::{self, Told, Topic},
    page::{Page, Slice},
    person::address_of,
    store::Tx,
    viewer::Viewer,
};

/// How far ahead is looked. Four weeks: later than that too much still moves, and earlier it is too late to move it.
pub const AHEAD_DAYS: i64 = 28;

/// How many clashes stand in one digest; more are counted.
const IN_DIGEST: usize = 20;

/// What the list is ordered by: the start of the earlier event, then both.
pub type Key = (DateTime<Utc>, EventId, EventId);

/// The key of a clash.
#[must_use]
pub fn key((starts_at, clash): &(DateTime<Utc>, Clash)) -> Key {
    let one = clash.event_id.unwrap_or(clash.other_id);
    (*starts_at, one, clash.other_id)
}

/// The clashes of the events on the calendar in the weeks from `now`, each once, by the start of the earlier event.
pub async fn ahead(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Clash)>> {
    Ok(pairs(db, now)
        .await?
        .iter()
        .map(|(one, other, finding)| {
            let clash = clash(viewer, Some(one.id), finding, other);
            (one.profile.starts_at, clash)
        })
        .collect())
}

async fn pairs(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Vec<(Candidate, Candidate, super::Finding)>> {
    let until = now + TimeDelta::days(AHEAD_DAYS);
    let events = near::between(db, (now, until), &[EventState::Published]).await?;
    let mut found = Vec::new();
    for (at, one) in events.iter().enumerate() {
        let (_, reaches) = near::around(one.profile.starts_at, one.profile.ends_at);
        let later = events[at + 1..]
            .iter()
            .take_while(|other| other.profile.starts_at < reaches);
        for other in later {
            if let Some(finding) = compare(&one.profile, &other.profile) {
                found.push((one.clone(), other.clone(), finding));
            }
        }
    }
    Ok(found)
}

/// One page of [`ahead`].
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    page: &Page<Key>,
) -> Result<Slice<(DateTime<Utc>, Clash)>> {
    let mut all = ahead(db, viewer, now).await?;
    all.sort_by_key(key);
    all.retain(|clash| {
        let key = key(clash);
        page.after.is_none_or(|after| key > after) && page.before.is_none_or(|before| key < before)
    });
    if page.backward {
        all.reverse();
    }
    Ok(page.slice(all))
}

/// Tells super users once a week which clashes are ahead.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct TellOfClashesAhead {}

impl Job for TellOfClashesAhead {
    const KIND: &'static str = "clash.tell_of_clashes_ahead";
    const QUEUE: Queue = Queue::Events;
}

/// Tells every super user which warnings and severe clashes are ahead; once per person and week, however often it runs. Without clashes there is no letter. Answers how many were told.
pub async fn tell_of_clashes_ahead(tx: &mut Tx) -> Result<usize> {
    let now = tx.now();
    let pairs: Vec<_> = pairs(tx.conn(), now)
        .await?
        .into_iter()
        .filter(|(_, _, finding)| finding.severity >= Severity::Warning)
        .collect();
    if pairs.is_empty() {
        return Ok(0);
    }
    let ids: Vec<EventId> = pairs.iter().map(|(one, _, _)| one.id).collect();
    let known: HashSet<(EventId, EventId)> = acknowledgements(tx.conn(), &ids)
        .await?
        .into_iter()
        .flat_map(|row| {
            let (one, other) = (row.event_id, row.other_event_id);
            [(one, other), (other, one)]
        })
        .collect();
    let clashes: Vec<Value> = pairs
        .iter()
        .take(IN_DIGEST)
        .map(|(one, other, finding)| {
            json!({
                "title": one.title,
                "starts_at": one.profile.starts_at,
                "severe": finding.severity == Severity::Severe,
                "acknowledged": known.contains(&(one.id, other.id)),
                "why": super::words::sentence(finding, other),
                "event_link": format!("/events/{}", one.id),
            })
        })
        .collect();
    let fields = json!({
        "clashes": clashes,
        "more": pairs.len().saturating_sub(IN_DIGEST),
        "days": AHEAD_DAYS,
    });
    let super_users = user::Entity::find()
        .filter(user::Column::IsSuperUser.eq(true))
        .filter(user::Column::State.eq(UserState::Active))
        .all(tx.conn())
        .await?;
    let mut written = 0;
    for person in &super_users {
        let letter = Letter {
            template: "clashes_ahead",
            to: address_of(person)?,
            name: person.name.clone(),
            user_id: Some(person.id),
            purpose_key: format!("clashes_ahead/{}/{}", week(now), person.id),
            fields: fields.clone(),
        };
        let told = notice::tell(tx, person.id, Topic::SuperUserGroup, letter).await?;
        written += usize::from(told != Told::Nothing);
    }
    Ok(written)
}

/// The week at the university: `2026-W48` (ISO 8601).
fn week(moment: DateTime<Utc>) -> String {
    let week = moment.with_timezone(&UNIVERSITY_TIME).iso_week();
    format!("{}-W{:02}", week.year(), week.week())
}

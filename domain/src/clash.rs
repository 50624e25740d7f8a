//! Clashes: events that take each other's students (policy 2.4).
//!
//! Before an event is on the calendar it is compared with every event near it in time. Each clash has a severity and a
//! sentence that says why. A severe one with an event on the calendar stops publication until the organiser has said why it
//! is to be so all the same; then the other organiser is told.

mod acknowledgement;
mod ahead;
mod near;
mod score;
mod words;

use chrono::{DateTime, Utc};
use entity::{
    clash_acknowledgement,
    event::{self, EventState},
    ids::EventId,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};

pub use self::{
    acknowledgement::Acknowledgement,
    ahead::{AHEAD_DAYS, Key, TellOfClashesAhead, ahead, key, list, tell_of_clashes_ahead},
    score::{
        Finding, Group, NEAR_DAYS, Opportunities, Organisations, Profile, Proximity, Room,
        SHARED_TAGS, Severity, Students, TakingPart, compare,
    },
};
pub(crate) use acknowledgement::settle;

use self::near::Candidate;
use crate::{
    error::{Error, RefusalCode, Result},
    event::{EventDraft, manages},
    viewer::Viewer,
};

/// Two events that clash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The event that was asked about; none for a draft that is not written down.
    pub event_id: Option<EventId>,
    /// The event it clashes with.
    pub other_id: EventId,
    /// When that starts.
    pub other_starts_at: DateTime<Utc>,
    /// Whether that is on the calendar.
    pub other_is_published: bool,
    /// How bad it is. With a draft it is at most a warning: a draft may never be published, and would be asked itself.
    pub severity: Severity,
    /// How near they are.
    pub proximity: Proximity,
    /// The room in which both are to be; none for another's draft.
    pub venue: Option<String>,
    /// Why, in one sentence that the viewer may read.
    pub why: String,
}

/// The clashes of a draft, the worst first. `event_id` is the event that it is to become, which it doesn't clash with.
pub async fn of_draft(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    draft: &EventDraft,
    event_id: Option<EventId>,
) -> Result<Vec<Clash>> {
    if draft.ends_at <= draft.starts_at {
        return Err(Error::refused(
            RefusalCode::EndsBeforeStart,
            "endsAt",
            "An event ends after it starts.",
        ));
    }
    let profile = near::of_draft(db, draft).await?;
    let others = near::between(
        db,
        near::around(draft.starts_at, draft.ends_at),
        &[EventState::Published, EventState::Draft],
    )
    .await?;
    Ok(found(viewer, event_id, &profile, &others))
}

/// The clashes of an event, the worst first.
pub async fn of_event(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    event: &event::Model,
) -> Result<Vec<Clash>> {
    let draft = EventDraft::of(db, event).await?;
    of_draft(db, viewer, &draft, Some(event.id)).await
}

fn found(
    viewer: &Viewer,
    event_id: Option<EventId>,
    profile: &Profile,
    others: &[Candidate],
) -> Vec<Clash> {
    let mut found: Vec<(Finding, &Candidate)> = others
        .iter()
        .filter(|other| Some(other.id) != event_id)
        .filter_map(|other| Some((compare(profile, &other.profile)?, other)))
        .collect();
    for (finding, other) in &mut found {
        if other.state == EventState::Draft {
            finding.severity = finding.severity.min(Severity::Warning);
        }
    }
    found.sort_by(|(one, _), (other, _)| score::order(one, other));
    found
        .iter()
        .map(|(finding, other)| clash(viewer, event_id, finding, other))
        .collect()
}

fn clash(
    viewer: &Viewer,
    event_id: Option<EventId>,
    finding: &Finding,
    other: &Candidate,
) -> Clash {
    let published = other.state != EventState::Draft;
    // Drafts exist for those who manage them: others learn that there is one, and where to ask.
    let open = published || manages(viewer, other.faculty_id, other.organiser_id);
    Clash {
        event_id,
        other_id: other.id,
        other_starts_at: other.profile.starts_at,
        other_is_published: published,
        severity: finding.severity,
        proximity: finding.proximity,
        venue: finding.venue.clone().filter(|_| open),
        why: if open {
            words::sentence(finding, other)
        } else {
            words::veiled(finding, other)
        },
    }
}

/// The acknowledgements in which one of these events stands, from either side.
pub async fn acknowledgements(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<Vec<clash_acknowledgement::Model>> {
    use clash_acknowledgement::Column::{EventId, OtherEventId};
    Ok(clash_acknowledgement::Entity::find()
        .filter(
            Condition::any()
                .add(EventId.is_in(ids.iter().copied()))
                .add(OtherEventId.is_in(ids.iter().copied())),
        )
        .all(db)
        .await?)
}

//! Clashes of events (policy 2.4).

use std::collections::HashMap;

use async_graphql::{Context, Enum, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::{
    Error,
    clash::{self as clashes, Clash, Proximity, Severity},
    event as events,
};
use entity::{clash_acknowledgement, ids::EventId};

use super::{
    connection::{Connection, PageArgs, connect},
    errors::{Code, refusal},
    event::{Event, EventClashesInput, event},
    id::Id,
    person::{self, Person},
    rows::{LoadError, Rows, rows},
    store, viewer,
};

/// Queries about clashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClashQuery;

/// Two events that clash.
#[derive(Clone, Debug)]
pub struct EventClash(Clash);

/// Two events that take each other's students.
#[Object]
impl EventClash {
    /// The event that was asked about, or the earlier one; null for one that is not written down yet.
    async fn event(&self, ctx: &Context<'_>) -> Option<Result<Event>> {
        event(ctx, self.0.event_id?).await.transpose()
    }

    /// The event it clashes with. Null for another organiser's draft, which exists for those who manage it.
    async fn other(&self, ctx: &Context<'_>) -> Option<Result<Event>> {
        event(ctx, self.0.other_id).await.transpose()
    }

    /// How bad it is.
    async fn severity(&self) -> Option<ClashSeverity> {
        Some(self.0.severity.into())
    }

    /// How near they are in time.
    async fn proximity(&self) -> Option<ClashProximity> {
        Some(self.0.proximity.into())
    }

    /// The room in which both are to be at that time; null when they are in different ones.
    async fn shared_venue(&self) -> Option<&str> {
        self.0.venue.as_deref()
    }

    /// Why, in one sentence.
    async fn why(&self) -> Option<&str> {
        Some(&self.0.why)
    }

    /// The reason with which it was acknowledged, from either side; null when it was not.
    async fn acknowledgement(&self, ctx: &Context<'_>) -> Option<Result<ClashAcknowledgement>> {
        let key = Acknowledged::of(self.0.event_id?, self.0.other_id);
        acknowledgement(ctx, key).await.transpose()
    }
}

async fn acknowledgement(
    ctx: &Context<'_>,
    key: Acknowledged,
) -> Result<Option<ClashAcknowledgement>> {
    Ok(rows(ctx)?.load_one(key).await?)
}

/// Why two events are to clash all the same.
#[derive(Clone, Debug)]
pub struct ClashAcknowledgement(clash_acknowledgement::Model);

/// Why two events are to clash all the same.
#[Object]
impl ClashAcknowledgement {
    /// The reason.
    async fn reason(&self) -> Option<&str> {
        Some(&self.0.reason)
    }

    /// Who gave it.
    async fn acknowledged_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.acknowledged_by)
            .await
            .transpose()
    }

    /// When.
    async fn acknowledged_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.acknowledged_at)
    }
}

/// The acknowledgement of a pair of events, whichever way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Acknowledged(EventId, EventId);

impl Acknowledged {
    fn of(one: EventId, other: EventId) -> Self {
        Self(one.min(other), one.max(other))
    }
}

impl Loader<Acknowledged> for Rows {
    type Value = ClashAcknowledgement;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[Acknowledged],
    ) -> Result<HashMap<Acknowledged, ClashAcknowledgement>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let found = clashes::acknowledgements(self.store.reader(), &ids).await?;
        Ok(found
            .into_iter()
            .map(|row| {
                let key = Acknowledged::of(row.event_id, row.other_event_id);
                (key, ClashAcknowledgement(row))
            })
            .collect())
    }
}

/// How bad a clash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Severity")]
pub enum ClashSeverity {
    /// Worth knowing.
    Notice,
    /// Better avoided.
    Warning,
    /// Each takes the other's students away: publishing needs a reason.
    Severe,
}

/// How near two events are in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Proximity")]
pub enum ClashProximity {
    /// Within three days.
    WithinDays,
    /// On the same day, as days go at the university.
    SameDay,
    /// At the same time.
    Overlapping,
}

#[Object]
impl ClashQuery {
    /// What clashes with an event, the worst first: give `input` for one that is being thought of, `eventId` for one that is
    /// written down, or both for one that is to be changed.
    async fn event_clashes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the event is to be.")] input: Option<EventClashesInput>,
        #[graphql(desc = "The event.")] event_id: Option<Id<EventId>>,
    ) -> Option<Result<Vec<EventClash>>> {
        Some(of_event(ctx, input, event_id.map(|id| id.0)).await)
    }

    /// The clashes of events on the calendar in the next four weeks, each pair once, by the start of the earlier event.
    async fn clashes_ahead(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<EventClash>>> {
        Some(ahead(ctx, &PageArgs::new(first, after, last, before)).await)
    }
}

async fn of_event(
    ctx: &Context<'_>,
    input: Option<EventClashesInput>,
    event_id: Option<EventId>,
) -> Result<Vec<EventClash>> {
    let (db, viewer) = (store(ctx)?.reader(), viewer(ctx)?);
    let event = match event_id {
        Some(id) => events::find_all(db, viewer, &[id])
            .await?
            .pop()
            .map(Some)
            .ok_or_else(|| Error::not_found("eventId", "event"))?,
        None => None,
    };
    let found = match (input, event) {
        (Some(input), event) => {
            let id = event.map(|event| event.id);
            clashes::of_draft(db, viewer, &input.into(), id).await?
        }
        (None, Some(event)) => clashes::of_event(db, viewer, &event).await?,
        (None, None) => {
            return Err(refusal(
                Code::BadUserInput,
                "Give `input`, `eventId` or both.",
            ));
        }
    };
    Ok(found.into_iter().map(EventClash).collect())
}

async fn ahead(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<EventClash>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "clashesAhead",
        page,
        async |page| clashes::list(store.reader(), viewer, store.now(), &page).await,
        clashes::key,
        |(_, clash)| EventClash(clash),
        move || {
            let (store, viewer) = counted.clone();
            async move {
                let all = clashes::ahead(store.reader(), &viewer, store.now()).await?;
                Ok(all.len() as u64)
            }
        },
    )
    .await
}

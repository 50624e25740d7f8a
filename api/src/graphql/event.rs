//! Events and the calendar.

mod inputs;
mod loaders;
mod types;

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};
use domain::event::{self as events, EventFilter};
use entity::{
    event::Model,
    ids::{EventId, FacultyId, OrganisationId},
};

use self::inputs::{
    CancelEventInput, CopyEventInput, CreateEventInput, PublishEventInput, RepeatEventInput,
    UpdateEventInput,
};
pub use self::{
    inputs::EventClashesInput,
    types::{AppliesTo, Event, EventKind, EventState, OpportunityKind, WaitingListMode},
};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Code, Payload, payload, refusal},
    id::Id,
    rows::rows,
    scalars::Date,
    store, viewer,
};

/// Queries about events.
#[derive(Debug, Default)]
pub struct EventQuery;

/// Mutations of events.
#[derive(Debug, Default)]
pub struct EventMutation;

payload! {
    /// What became of writing an event down.
    CreateEventPayload {
        /// The draft.
        event: Event,
    }
}

payload! {
    /// What became of changing an event.
    UpdateEventPayload {
        /// The event as it is now.
        event: Event,
    }
}

payload! {
    /// What became of publishing an event.
    PublishEventPayload {
        /// The event, which is on the calendar.
        event: Event,
    }
}

payload! {
    /// What became of cancelling an event.
    CancelEventPayload {
        /// The event, which does not take place.
        event: Event,
    }
}

payload! {
    /// What became of copying an event.
    CopyEventPayload {
        /// The copy, a draft.
        event: Event,
    }
}

payload! {
    /// What became of repeating an event.
    RepeatEventPayload {
        /// The event, with its series.
        event: Event,
    }
}

#[Object]
impl EventQuery {
    /// Events by their start, the earliest first. Drafts are among them for those who manage them.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that end after this moment.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Only events that start before this moment.")] until: Option<
            DateTime<Utc>,
        >,
        #[graphql(desc = "Only events of this kind.")] kind: Option<EventKind>,
        #[graphql(desc = "Only events that this faculty organises.")] faculty_id: Option<
            Id<FacultyId>,
        >,
        #[graphql(desc = "Only events that stand there.")] state: Option<EventState>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Event>> {
        let filter = EventFilter {
            from,
            until,
            kind: kind.map(Into::into),
            faculty_id: faculty_id.map(|id| id.0),
            state: state.map(Into::into),
            ..EventFilter::default()
        };
        list(
            ctx,
            "events",
            filter,
            PageArgs::new(first, after, last, before),
        )
        .await
    }

    /// The calendar: what takes place on these days, as days go at the university (Europe/London), cancelled events among
    /// them. No drafts.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] from: Date,
        #[graphql(desc = "The last day, which is part of it.")] to: Date,
        #[graphql(desc = "Only events of this kind.")] kind: Option<EventKind>,
        #[graphql(desc = "Only events that this faculty organises.")] faculty_id: Option<
            Id<FacultyId>,
        >,
        #[graphql(desc = "Only events that this organisation takes part in.")]
        organisation_id: Option<Id<OrganisationId>>,
        #[graphql(
            desc = "Only events that students of this faculty can book, those for every student among them."
        )]
        for_faculty_id: Option<Id<FacultyId>>,
        #[graphql(
            default,
            desc = "Only what concerns whoever asks, as in their own calendar feed: students what they can book, employers where \
                    they take part, staff everything; and what they have booked."
        )]
        for_me: bool,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Event>> {
        let filter = EventFilter {
            kind: kind.map(Into::into),
            faculty_id: faculty_id.map(|id| id.0),
            organisation_id: organisation_id.map(|id| id.0),
            for_faculty_id: for_faculty_id.map(|id| id.0),
            concerning_viewer: for_me,
            ..EventFilter::calendar(from.0, to.0)?
        };
        list(
            ctx,
            "calendar",
            filter,
            PageArgs::new(first, after, last, before),
        )
        .await
    }
}

#[Object]
impl EventMutation {
    /// Writes down an event, as a draft.
    async fn create_event(
        &self,
        ctx: &Context<'_>,
        input: CreateEventInput,
    ) -> Result<CreateEventPayload> {
        let mut tx = begin(ctx).await?;
        let created = events::create(&mut tx, viewer(ctx)?, input.into()).await;
        CreateEventPayload::commit(tx, created).await
    }

    /// Changes an event; what is left out stays as it is. More places go to those who wait.
    async fn update_event(
        &self,
        ctx: &Context<'_>,
        input: UpdateEventInput,
    ) -> Result<UpdateEventPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.event_id.0, input.version);
        let (viewer, following) = (viewer(ctx)?, is_for_following(input.applies_to));
        let changes = input.into();
        let updated = if following {
            Box::pin(events::update_series(&mut tx, viewer, id, version, changes)).await
        } else {
            Box::pin(events::update(&mut tx, viewer, id, version, changes)).await
        };
        UpdateEventPayload::commit(tx, updated).await
    }

    /// Puts a draft on the calendar. A severe clash with an event that is there is refused until it is acknowledged with a
    /// reason; then the other organiser is told.
    async fn publish_event(
        &self,
        ctx: &Context<'_>,
        input: PublishEventInput,
    ) -> Result<PublishEventPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.event_id.0;
        let (viewer, following) = (viewer(ctx)?, is_for_following(input.applies_to));
        let known = input.acknowledged();
        let published = if following {
            Box::pin(events::publish_series(&mut tx, viewer, id, &known)).await
        } else {
            Box::pin(events::publish_knowing(&mut tx, viewer, id, &known)).await
        };
        PublishEventPayload::commit(tx, published).await
    }

    /// Cancels an event. Everybody who has a place or waits for one is told why.
    async fn cancel_event(
        &self,
        ctx: &Context<'_>,
        input: CancelEventInput,
    ) -> Result<CancelEventPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.event_id.0;
        let (viewer, reason) = (viewer(ctx)?, &input.reason);
        let cancelled = if is_for_following(input.applies_to) {
            Box::pin(events::cancel_series(&mut tx, viewer, id, reason)).await
        } else {
            Box::pin(events::cancel(&mut tx, viewer, id, reason)).await
        };
        CancelEventPayload::commit(tx, cancelled).await
    }

    /// Writes down a draft that is like another event, at another time. What other faculties agreed to is not copied.
    async fn copy_event(
        &self,
        ctx: &Context<'_>,
        input: CopyEventInput,
    ) -> Result<CopyEventPayload> {
        let mut tx = begin(ctx).await?;
        let (id, starts_at) = (input.event_id.0, input.starts_at);
        let copied = Box::pin(events::copy(&mut tx, viewer(ctx)?, id, starts_at)).await;
        CopyEventPayload::commit(tx, copied).await
    }

    /// Makes a series of an event: writes down a draft like it for each of the other dates. Each has its own bookings;
    /// `appliesTo` of the mutations that change, publish and cancel says whether they are about those that follow as well.
    async fn repeat_event(
        &self,
        ctx: &Context<'_>,
        input: RepeatEventInput,
    ) -> Result<RepeatEventPayload> {
        let Some(dates) = input.dates() else {
            return Err(refusal(
                Code::BadUserInput,
                "Give `weeklyTimes` or `startsAt`, and not both.",
            ));
        };
        let mut tx = begin(ctx).await?;
        let id = input.event_id.0;
        let repeated = Box::pin(events::repeat(&mut tx, viewer(ctx)?, id, dates)).await;
        RepeatEventPayload::commit(tx, repeated).await
    }
}

fn is_for_following(applies_to: Option<AppliesTo>) -> bool {
    applies_to == Some(AppliesTo::ThisAndFollowing)
}

/// The event with this id, if it exists for the viewer.
pub async fn event(ctx: &Context<'_>, id: EventId) -> Result<Option<Event>> {
    Ok(rows(ctx)?.load_one(id).await?)
}

async fn list(
    ctx: &Context<'_>,
    name: &str,
    filter: EventFilter,
    page: PageArgs,
) -> Result<Connection<Event>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        name,
        &page,
        async |page| events::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| events::key(row),
        Event::from,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { events::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

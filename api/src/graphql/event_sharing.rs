//! Opening events to another faculty's students, by agreement (policy 2.4).

use std::collections::HashMap;

use async_graphql::{Context, Enum, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::event_sharing::{self as sharing, Filter};
use entity::{
    event_sharing_request::{Model, SharingState as State},
    ids::{EventId, EventSharingRequestId, FacultyId},
};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    event::{Event, event},
    id::Id,
    person::{self, Person},
    rows::{LoadError, Rows, by_id, rows},
    store,
    university::{self, Faculty},
    viewer,
};

/// Queries about shared events.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventSharingQuery;

/// Mutations about shared events.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventSharingMutation;

/// A request to open an event to the students of another faculty.
#[derive(Clone, Debug)]
pub struct EventSharingRequest(Model);

impl From<Model> for EventSharingRequest {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// A request to open an event to the students of another faculty.
#[Object]
impl EventSharingRequest {
    /// Its id.
    pub async fn id(&self) -> Id<EventSharingRequestId> {
        Id(self.0.id)
    }

    /// The event. Null for a draft to whoever doesn't manage it.
    async fn event(&self, ctx: &Context<'_>) -> Option<Result<Event>> {
        event(ctx, self.0.event_id).await.transpose()
    }

    /// The title of the event, also while it is a draft: whoever is asked must know what for.
    async fn title(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        asked_for(ctx, self.0.event_id)
            .await
            .map(|found| found.map(|(title, _)| title))
            .transpose()
    }

    /// When the event starts.
    async fn starts_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime<Utc>>> {
        asked_for(ctx, self.0.event_id)
            .await
            .map(|found| found.map(|(_, starts_at)| starts_at))
            .transpose()
    }

    /// The faculty whose students it is to be opened to.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id)
            .await
            .transpose()
    }

    /// Where it stands.
    async fn state(&self) -> Option<EventSharingState> {
        Some(self.0.state.into())
    }

    /// What is said to that faculty's operators.
    async fn message(&self) -> Option<&str> {
        Some(&self.0.message)
    }

    /// Who asks.
    async fn requested_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.requested_by).await.transpose()
    }

    /// When it was asked.
    async fn requested_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.requested_at)
    }

    /// Until when it can be answered.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.expires_at)
    }

    /// Who answered.
    async fn answered_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.answered_by?).await.transpose()
    }

    /// When it was answered.
    async fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.0.answered_at
    }

    /// What was said to it.
    async fn answer(&self) -> Option<&str> {
        self.0.answer.as_deref()
    }
}

async fn asked_for(ctx: &Context<'_>, id: EventId) -> Result<Option<(String, DateTime<Utc>)>> {
    Ok(rows(ctx)?.load_one(AskedFor(id)).await?)
}

/// The request with this id, if it exists for the viewer.
pub async fn find(
    ctx: &Context<'_>,
    id: EventSharingRequestId,
) -> Result<Option<EventSharingRequest>> {
    Ok(rows(ctx)?.load_one(id).await?)
}

by_id!(EventSharingRequestId => EventSharingRequest, found |rows, ids| sharing::find_all(rows.store.reader(), &rows.viewer, ids));

/// The event that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AskedFor(EventId);

impl Loader<AskedFor> for Rows {
    type Value = (String, DateTime<Utc>);
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[AskedFor],
    ) -> Result<HashMap<AskedFor, (String, DateTime<Utc>)>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let found = sharing::titles(self.store.reader(), &ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, title, starts_at)| (AskedFor(id), (title, starts_at)))
            .collect())
    }
}

/// Where a request to share an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum EventSharingState {
    /// It waits for an operator of the faculty.
    Requested,
    /// The faculty's students are in the audience.
    Agreed,
    /// The faculty said no.
    Declined,
    /// Nobody answered in time.
    Expired,
}

/// An event to be opened to another faculty.
#[derive(Debug, InputObject)]
pub struct RequestEventSharingInput {
    /// The event.
    event_id: Id<EventId>,
    /// The faculty whose students it is to be opened to.
    faculty_id: Id<FacultyId>,
    /// What its operators should know.
    message: String,
}

/// An answer for a faculty.
#[derive(Debug, InputObject)]
pub struct AnswerEventSharingInput {
    /// The request.
    sharing_request_id: Id<EventSharingRequestId>,
    /// Whether its students may come.
    agree: bool,
    /// What is said to it; whoever declines gives a reason.
    answer: Option<String>,
}

payload! {
    /// What became of asking another faculty.
    RequestEventSharingPayload {
        /// The request.
        request: EventSharingRequest,
    }
}

payload! {
    /// What became of answering for a faculty.
    AnswerEventSharingPayload {
        /// The request.
        request: EventSharingRequest,
    }
}

#[Object]
impl EventSharingQuery {
    /// Requests to open events to other faculties, the latest first: of the events that the viewer manages, and to the
    /// faculties that they answer for.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn event_sharing_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand there.")] state: Option<EventSharingState>,
        #[graphql(desc = "Only those of this event.")] event_id: Option<Id<EventId>>,
        #[graphql(desc = "Only those to this faculty.")] faculty_id: Option<Id<FacultyId>>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<EventSharingRequest>>> {
        let filter = Filter {
            state: state.map(Into::into),
            event_id: event_id.map(|id| id.0),
            faculty_id: faculty_id.map(|id| id.0),
        };
        Some(list(ctx, filter, &PageArgs::new(first, after, last, before)).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    page: &PageArgs,
) -> Result<Connection<EventSharingRequest>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "eventSharingRequests",
        page,
        async |page| sharing::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| row.id,
        EventSharingRequest,
        move || {
            let (store, viewer) = counted.clone();
            async move { sharing::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl EventSharingMutation {
    /// Asks the operators of a faculty to open an event to its students. They are told by mail.
    async fn request_event_sharing(
        &self,
        ctx: &Context<'_>,
        input: RequestEventSharingInput,
    ) -> Result<RequestEventSharingPayload> {
        let mut tx = begin(ctx).await?;
        let (event, faculty) = (input.event_id.0, input.faculty_id.0);
        let asked = sharing::request(&mut tx, viewer(ctx)?, event, faculty, &input.message).await;
        RequestEventSharingPayload::commit(tx, asked).await
    }

    /// Answers for a faculty. Its students can book from then on, or can't; whoever asked is told by mail.
    async fn answer_event_sharing(
        &self,
        ctx: &Context<'_>,
        input: AnswerEventSharingInput,
    ) -> Result<AnswerEventSharingPayload> {
        let mut tx = begin(ctx).await?;
        let (id, answer) = (input.sharing_request_id.0, input.answer.as_deref());
        let answered = sharing::answer(&mut tx, viewer(ctx)?, id, input.agree, answer).await;
        AnswerEventSharingPayload::commit(tx, answered).await
    }
}

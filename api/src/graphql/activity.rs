//! Activity: what happened with employers, in one list (policy 1).

use std::collections::HashMap;

use async_graphql::{Context, Enum, Object, Result, Subscription, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::{
    activity::{self, Activity as Happened, Kind, Subject},
    live::LiveEvent,
    session,
};
use entity::ids::{CampaignId, OrganisationId};
use futures_util::{Stream, StreamExt};

use super::{
    campaign,
    connection::{Connection, PageArgs, connect},
    contact, event,
    id::Id,
    note,
    organisation::{self, Organisation},
    person::{self, Person},
    rows::{LoadError, Rows, rows},
    schema::Node,
    store, vacancy, viewer,
};

/// The list of what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivityQuery;

/// What happens from now on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivitySubscription;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Activity(Happened);

/// What a mail to many is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct MailTitle(CampaignId);

impl Loader<MailTitle> for Rows {
    type Value = String;
    type Error = LoadError;

    async fn load(&self, keys: &[MailTitle]) -> Result<HashMap<MailTitle, String>, LoadError> {
        let ids: Vec<CampaignId> = keys.iter().map(|key| key.0).collect();
        let titles = activity::mail_titles(self.store.reader(), &self.viewer, &ids).await?;
        Ok(titles
            .into_iter()
            .map(|(id, title)| (MailTitle(id), title))
            .collect())
    }
}

#[Object]
impl ActivityQuery {
    /// What happened with employers, the latest first: notes, events they take part in, vacancies, bulk mails, and changes of
    /// their records. Staff have all of it, or that of one organisation; an employer has its own, without what staff keep
    /// for themselves. `totalCount` goes up to 1,000.
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organisation; an employer has its own alone.")]
        organisation_id: Option<Id<OrganisationId>>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Activity>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, organisation_id.map(|id| id.0), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    about: Option<OrganisationId>,
    page: &PageArgs,
) -> Result<Connection<Activity>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    let now = store.now();
    connect(
        ctx,
        "activity",
        page,
        async |page| activity::list(store.reader(), viewer, now, about, &page).await,
        activity::key,
        Activity,
        move || {
            let (store, viewer) = counted.clone();
            async move { activity::count(store.reader(), &viewer, now, about).await }
        },
    )
    .await
}

#[Subscription]
impl ActivitySubscription {
    /// What happens with employers from now on, as `activity` lists it.
    async fn activity_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organisation; an employer has its own alone.")]
        organisation_id: Option<Id<OrganisationId>>,
    ) -> Result<impl Stream<Item = Result<Activity>> + use<>> {
        let (store, watcher) = (store(ctx)?.clone(), viewer(ctx)?.clone());
        let about = organisation_id.map(|id| id.0);
        Ok(store.signals().subscribe().filter_map(move |event| {
            let (store, watcher) = (store.clone(), watcher.clone());
            async move {
                let LiveEvent::ActivityAdded { line_id } = event else {
                    return None;
                };
                // Rights may have changed since the subscription began.
                let now = match session::still_signed_in(&store, &watcher).await {
                    Ok(now) => now,
                    Err(error) => return Some(Err(error.into())),
                };
                activity::of_line(store.reader(), &now, store.now(), about, line_id)
                    .await
                    .map(|seen| seen.map(Activity))
                    .map_err(Into::into)
                    .transpose()
            }
        }))
    }
}

/// Something that happened with an employer.
#[Object]
impl Activity {
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// What it is about.
    async fn kind(&self) -> ActivityKind {
        self.0.kind().into()
    }

    /// What was done, as the audit log calls it: `vacancy.submit`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// Who did it; null for the system itself.
    async fn by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.by?).await.transpose()
    }

    /// The title of the vacancy or event, the name of the contact or organisation, the name of the mail for staff and its subject
    /// for employers; null for a note, and for a mail whose subject differs from reader to reader.
    async fn title(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        title(ctx, self.0.subject).await.transpose()
    }

    /// The organisation it is about; null when that may be several.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id?)
            .await
            .transpose()
    }

    /// What it was done to; null where that has gone or isn't open to the viewer.
    async fn node(&self, ctx: &Context<'_>) -> Option<Result<Node>> {
        node(ctx, self.0.subject).await.transpose()
    }
}

async fn node(ctx: &Context<'_>, subject: Subject) -> Result<Option<Node>> {
    Ok(match subject {
        Subject::Organisation(id) => organisation::find(ctx, id).await?.map(Node::Organisation),
        Subject::Contact(id) => contact::find(ctx, id).await?.map(Node::Contact),
        Subject::Note(id) => note::find(ctx, id).await?.map(Node::Note),
        Subject::Vacancy(id) => vacancy::find(ctx, id).await?.map(Node::Vacancy),
        Subject::Event(id) => event::event(ctx, id).await?.map(Node::Event),
        Subject::Campaign(id) => campaign::find(ctx, id).await?.map(Node::Campaign),
    })
}

async fn title(ctx: &Context<'_>, subject: Subject) -> Result<Option<String>> {
    if let Subject::Campaign(id) = subject {
        return Ok(rows(ctx)?.load_one(MailTitle(id)).await?);
    }
    Ok(node(ctx, subject).await?.and_then(|node| match node {
        Node::Organisation(row) => Some(row.0.name),
        Node::Contact(row) => Some(row.0.name),
        Node::Vacancy(row) => Some(row.0.title),
        Node::Event(row) => Some(row.0.title),
        _ => None,
    }))
}

/// What something that happened is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum ActivityKind {
    /// An engagement was recorded.
    Note,
    /// An event that organisations take part in was announced, or cancelled.
    Booking,
    /// A vacancy was written, submitted, approved, closed.
    Vacancy,
    /// A bulk mail went out.
    Mail,
    /// A record was changed.
    Change,
}

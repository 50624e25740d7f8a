//! Background jobs, for super users.

use async_graphql::{Context, Enum, InputObject, Object, Result, Subscription};
use chrono::{DateTime, Utc};
use domain::{
    Viewer,
    job::{self as jobs, JobFilter},
    live::LiveEvent,
    session,
};
use entity::{
    ids::JobId,
    job::{JobState as State, Model},
};
use futures_util::{Stream, StreamExt};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    store, viewer,
};

/// Queries about jobs.
#[derive(Debug, Default)]
pub struct JobQuery;

/// Mutations about jobs.
#[derive(Debug, Default)]
pub struct JobMutation;

/// Subscriptions to jobs.
#[derive(Debug, Default)]
pub struct JobSubscription;

/// A background job.
#[derive(Debug)]
pub struct Job(Model);

impl From<Model> for Job {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// A background job.
#[Object]
impl Job {
    /// Its id.
    async fn id(&self) -> Option<Id<JobId>> {
        Some(Id(self.0.id))
    }

    /// What is to be done, such as `waiting_list.promote`.
    async fn kind(&self) -> Option<&str> {
        Some(&self.0.kind)
    }

    /// The queue that its wake-up goes through.
    async fn queue(&self) -> Option<&str> {
        Some(&self.0.queue)
    }

    /// Where it stands.
    async fn state(&self) -> Option<JobState> {
        Some(self.0.state.into())
    }

    /// Not before this time.
    async fn run_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.run_at)
    }

    /// How often it was begun.
    async fn attempts(&self) -> Option<i32> {
        Some(self.0.attempts)
    }

    /// How often it may be begun before it is given up.
    async fn max_attempts(&self) -> Option<i32> {
        Some(self.0.max_attempts)
    }

    /// Why the last attempt did not finish it.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// The request that caused it, as the log knows it.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// When it was done, given up or cancelled.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum JobState {
    /// It waits for its time or for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// It is done.
    Done,
    /// It was given up; `retryJob` tries it again.
    Dead,
    /// It is no longer wanted.
    Cancelled,
}

/// The job to be tried again.
#[derive(InputObject)]
struct RetryJobInput {
    /// A job whose state is `DEAD`.
    job_id: Id<JobId>,
}

payload! {
    /// What became of trying a job again.
    RetryJobPayload {
        /// The job, which waits again.
        job: Job,
    }
}

#[Object]
impl JobQuery {
    /// Background jobs, the newest first.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only jobs that stand there.")] state: Option<JobState>,
        #[graphql(desc = "Only jobs of this kind, such as `waiting_list.promote`.")] kind: Option<
            String,
        >,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Job>>> {
        let store = match store(ctx) {
            Ok(store) => store,
            Err(error) => return Some(Err(error)),
        };
        let filter = JobFilter {
            state: state.map(Into::into),
            kind,
        };
        let counted = (store.clone(), filter.clone());
        connect(
            ctx,
            "jobs",
            &PageArgs::new(first, after, last, before),
            |page| jobs::list(store.reader(), &filter, page),
            |row: &Model| row.id,
            Job,
            move || {
                let (store, filter) = counted.clone();
                async move { jobs::count(store.reader(), &filter).await }
            },
        )
        .await
        .into()
    }
}

#[Object]
impl JobMutation {
    /// Tries a job again that was given up.
    async fn retry_job(&self, ctx: &Context<'_>, input: RetryJobInput) -> Result<RetryJobPayload> {
        let mut tx = begin(ctx).await?;
        let retried = jobs::retry_dead(&mut tx, viewer(ctx)?, input.job_id.0).await;
        RetryJobPayload::commit(tx, retried).await
    }
}

#[Subscription]
impl JobSubscription {
    /// Every job whose state changes from now on.
    async fn job_changed(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Option<Job>>> + use<>> {
        let store = store(ctx)?.clone();
        let watcher = viewer(ctx)?.clone();
        Ok(store.signals().subscribe().filter_map(move |event| {
            let (store, watcher) = (store.clone(), watcher.clone());
            async move {
                let LiveEvent::JobChanged { job_id } = event else {
                    return None;
                };
                // Rights may have changed since the subscription began.
                match session::still_signed_in(&store, &watcher).await {
                    Ok(now) if Viewer::is_super_user(&now) => {}
                    Ok(_) => return None,
                    Err(error) => return Some(Err(error.into())),
                }
                match jobs::find(store.reader(), job_id).await {
                    Ok(found) => found.map(|job| Ok(Some(Job(job)))),
                    Err(error) => Some(Err(error.into())),
                }
            }
        }))
    }
}

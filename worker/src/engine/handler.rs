//! What a kind of job is to the engine: a payload that can be run.

use std::{collections::HashMap, fmt, time::Duration};

use domain::{
    error::{Error, Result},
    job::{Claimed, Job},
    store::{Store, Tx},
};
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::services::Services;

/// How a job is run. The payload is the job; [`Job`] says in which queue it waits and how often it is tried.
///
/// A job may be run twice: its worker can die between the effect and the record of it. So a handler reads the state of
/// things afresh, and does nothing when there is nothing left to do. Its effect belongs into the transaction that it
/// answers with.
pub trait Handler: Job {
    /// Does the work. An error is logged, and the job is tried again after a while.
    fn run(self, ctx: &JobContext) -> impl Future<Output = Result<Outcome>> + Send;
}

/// What came of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It is done. The engine marks the job in this same transaction, and commits it.
    Done(Tx),
    /// A part is done, or it is not yet time: what is in the transaction is committed, and the job runs again after this
    /// long. Costs no attempt.
    Again {
        /// What has been done so far.
        tx: Tx,
        /// How long to wait.
        after: Duration,
    },
    /// It failed, and another attempt may do better.
    Retry {
        /// How long to wait; `None` leaves that to the usual back-off.
        after: Option<Duration>,
        /// Why it failed, for the people who look at jobs. No personal data.
        why: String,
    },
    /// It failed, and trying again is of no use.
    Dead(String),
}

/// What a handler works with.
#[derive(Debug)]
pub struct JobContext {
    /// The database.
    pub store: Store,
    /// Everything else: mail, the settings.
    pub services: Services,
    /// The claim that this attempt runs under.
    pub claim: Claimed,
    pub(super) stopping: CancellationToken,
}

impl JobContext {
    /// Begins a transaction, for [`Outcome::Done`] to end.
    pub async fn begin(&self) -> Result<Tx> {
        self.store.begin().await
    }

    /// Whether the worker is about to leave: a long job stops where it is and answers [`Outcome::Again`].
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }
}

type Run = for<'a> fn(Value, &'a JobContext) -> BoxFuture<'a, Result<Outcome>>;

/// The kinds of job that this worker can run.
#[derive(Clone, Default)]
pub struct Registry(HashMap<&'static str, Run>);

impl Registry {
    /// Adds a kind.
    ///
    /// # Panics
    ///
    /// When another kind already has its name: two handlers would fight over the same rows.
    #[must_use]
    pub fn with<H: Handler>(mut self) -> Self {
        let before = self.0.insert(H::KIND, |payload, ctx| {
            Box::pin(async move {
                match serde_json::from_value::<H>(payload) {
                    Ok(job) => job.run(ctx).await,
                    Err(error) => Ok(Outcome::Dead(format!("its payload can't be read: {error}"))),
                }
            })
        });
        assert!(before.is_none(), "two kinds of job are named {}", H::KIND);
        self
    }

    /// The names of all kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    pub(super) async fn run(&self, ctx: &JobContext) -> Result<Outcome, Error> {
        match self.0.get(ctx.claim.kind.as_str()) {
            Some(run) => run(ctx.claim.payload.clone(), ctx).await,
            None => Ok(Outcome::Dead(format!(
                "no worker knows the kind {:?}; was it made by another version?",
                ctx.claim.kind
            ))),
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

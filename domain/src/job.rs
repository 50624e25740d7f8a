//! Background jobs: the record of what must happen.
//!
//! A job is a row, written in the same transaction as the change that causes it, so that neither can be lost without the
//! other. Everything else, the wake-ups above all, is there to be quick about it and may fail. The states:
//!
//! ```text
//! QUEUED --claim--> RUNNING --finish--> DONE
//!    ^                 |------dead----> DEAD --retry_dead--> QUEUED
//!    |--retry, again---|
//!    |--lease ran out--'
//!    '--cancel--> CANCELLED
//! ```
//!
//! Nothing here knows how jobs are run; that is the worker's.

mod backoff;
mod claim;
mod desk;
mod list;
mod settle;
mod upkeep;

use chrono::{DateTime, Utc};
use entity::{
    ids::JobId,
    job::{self, JobState},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, OnConflict, SimpleExpr},
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

pub use self::{
    backoff::backoff,
    claim::{Claimed, Lease, claim, claim_one, claim_these, extend_leases, release_expired},
    desk::{cancel, retry_dead},
    list::{JobFilter, count, find, list},
    settle::{again, dead, finish, retry},
    upkeep::{counts, first_due, longest_due, purge_finished},
};
use crate::error::Result;

/// How often a job is tried when its kind doesn't say otherwise. With the waits of [`backoff()`] that takes a little over an hour.
pub const DEFAULT_ATTEMPTS: i32 = 12;

/// A kind of job: its payload, and how it is queued.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the kind, which stands in the row. It never changes while rows of this kind are about.
    const KIND: &'static str;
    /// Where it waits.
    const QUEUE: Queue;
    /// How often it is tried before it is given up.
    const MAX_ATTEMPTS: i32 = DEFAULT_ATTEMPTS;

    /// At most one job that waits or runs has this key; another one is not made. `None`: as many as you like.
    fn unique_key(&self) -> Option<String> {
        None
    }
}

/// Where jobs wait. Each queue has workers of its own, so that a campaign doesn't hold up a waiting list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Queue {
    /// Single mails that somebody waits for.
    Mail,
    /// Campaigns.
    Bulk,
    /// Waiting lists, registers, reminders.
    Events,
    /// Cleaning up.
    Housekeeping,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mail, Self::Bulk, Self::Events, Self::Housekeeping];

    /// The queue of that name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }

    /// Its name in the database, in Redis and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Bulk => "bulk",
            Self::Events => "events",
            Self::Housekeeping => "housekeeping",
        }
    }
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes the row of `job`. Answers `None` when a live job already has its unique key.
pub async fn enqueue<J: Job>(
    db: &impl ConnectionTrait,
    job: &J,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
    request_id: Option<String>,
) -> Result<Option<JobId>> {
    write_row(db, JobId::new_at(now), job, run_at, now, request_id).await
}

/// Writes the rows of `jobs`, due at once, with one statement. Those whose unique key a live job has are left out.
pub async fn enqueue_all<J: Job>(
    db: &impl ConnectionTrait,
    jobs: &[J],
    now: DateTime<Utc>,
    request_id: Option<String>,
) -> Result<Vec<JobId>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids = Vec::with_capacity(jobs.len());
    let mut rows = Vec::with_capacity(jobs.len());
    for job in jobs {
        let id = JobId::new_at(now);
        ids.push(id);
        rows.push(row(id, job, now, now, request_id.clone())?);
    }
    job::Entity::insert_many(rows)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(ids)
}

/// The jobs of a kind that wait or run and say `value` in the `field` of their payload, as they were queued.
pub(crate) async fn waiting<J: Job>(
    db: &impl ConnectionTrait,
    field: &'static str,
    value: &str,
) -> Result<Vec<J>> {
    let rows = job::Entity::find()
        .filter(job::Column::Kind.eq(J::KIND))
        .filter(job::Column::State.is_in([JobState::Queued, JobState::Running]))
        .filter(Expr::cust(format!("payload ->> '{field}'")).eq(value))
        .order_by_asc(job::Column::Id)
        .all(db)
        .await?;
    let jobs = rows.into_iter();
    Ok(jobs
        .map(|row| serde_json::from_value(row.payload))
        .collect::<std::result::Result<_, _>>()?)
}

/// Writes the row of `job` for `tick` of a schedule that every worker keeps. Its id follows from the kind and the tick, so
/// that one row comes of it however many workers write it, and however late: whoever is second is answered `None`.
pub async fn enqueue_tick<J: Job>(
    db: &impl ConnectionTrait,
    job: &J,
    tick: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<JobId>> {
    let millis = u64::try_from(tick.timestamp_millis()).unwrap_or(0);
    let digest = Sha256::digest(format!("{}@{millis}", J::KIND));
    let mut rest = [0; 10];
    rest.copy_from_slice(&digest[..10]);
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid();
    write_row(db, JobId(id), job, tick, now, None).await
}

async fn write_row<J: Job>(
    db: &impl ConnectionTrait,
    id: JobId,
    job: &J,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
    request_id: Option<String>,
) -> Result<Option<JobId>> {
    // No target is named: a fresh id can meet only the unique key of a live job, the id of a tick also its own row.
    let written = job::Entity::insert(row(id, job, run_at, now, request_id)?)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok((written > 0).then_some(id))
}

fn row<J: Job>(
    id: JobId,
    job: &J,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
    request_id: Option<String>,
) -> Result<job::ActiveModel> {
    Ok(job::ActiveModel {
        id: Set(id),
        kind: Set(J::KIND.to_owned()),
        queue: Set(J::QUEUE.name().to_owned()),
        payload: Set(serde_json::to_value(job)?),
        state: Set(JobState::Queued),
        run_at: Set(run_at),
        attempts: Set(0),
        max_attempts: Set(J::MAX_ATTEMPTS),
        lease_owner: Set(None),
        lease_expires_at: Set(None),
        unique_key: Set(job.unique_key()),
        last_error: Set(None),
        request_id: Set(request_id),
        created_at: Set(now),
        finished_at: Set(None),
    })
}

/// `state = 'X'`, with the state written out: a partial index is of no use to a bound parameter.
fn in_state(state: JobState) -> SimpleExpr {
    Expr::col(job::Column::State).eq(claim::literal(state))
}

//! Background jobs: the record of what must happen.
//!
//! A job is a row, written in the transaction of the change that causes it. Queues carry wake-ups alone and may lose them.

use chrono::{DateTime, Utc};
use entity::{ids::JobId, job};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::Result;

/// The queues that wake-ups go through; each has workers of its own, so that a large campaign holds up nobody's ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Transactional mail.
    Mail,
    /// Bulk e-mail.
    Bulk,
    /// Events, bookings and waiting lists.
    Events,
    /// Everything that can wait a little.
    Housekeeping,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mail, Self::Bulk, Self::Events, Self::Housekeeping];

    /// Its name in the database and in Redis.
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

/// A kind of job; the value is its payload.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name: `waiting_list.promote`.
    const KIND: &'static str;
    /// The queue of its wake-ups.
    const QUEUE: Queue;
    /// How often it is tried before it is given up.
    const MAX_ATTEMPTS: i32 = 12;

    /// While a job with this key is live, no second one is made.
    fn unique_key(&self) -> Option<String> {
        None
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
    let id = JobId::new_at(now);
    let row = job::ActiveModel {
        id: Set(id),
        kind: Set(J::KIND.to_owned()),
        queue: Set(J::QUEUE.name().to_owned()),
        payload: Set(serde_json::to_value(job)?),
        state: Set(job::JobState::Queued),
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
    };
    // No target is named: the only constraint a fresh id can meet is the unique key of a live job.
    let written = job::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok((written > 0).then_some(id))
}

//! A background job: the record of what must happen.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::JobId;
use crate::personal_data::personal_data;

/// Where a job stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobState {
    /// It waits for its time or for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// It is done.
    Done,
    /// It was given up; a super user can try it again.
    Dead,
    /// It is no longer wanted.
    Cancelled,
}

/// A row of `job`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// The queue its wake-up goes through.
    pub queue: String,
    /// What it is to be done with.
    pub payload: Json,
    /// Where it stands.
    pub state: JobState,
    /// Not before this time.
    pub run_at: DateTimeUtc,
    /// How often it was claimed.
    pub attempts: i32,
    /// How often it may be claimed before it is given up.
    pub max_attempts: i32,
    /// The worker that has it.
    pub lease_owner: Option<String>,
    /// When that worker is taken for dead.
    pub lease_expires_at: Option<DateTimeUtc>,
    /// At most one live job has this key.
    pub unique_key: Option<String>,
    /// Why the last attempt did not finish it.
    pub last_error: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was done, given up or cancelled.
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "job": "Work in the background: ids of what it is about, and why it failed.";
    erasure: Keep("what must happen still happens");
    retention: RowByState(&[(7, "DONE"), (7, "CANCELLED"), (90, "DEAD")], "finished_at", "state")
        .because("somebody may ask what happened yesterday, or mend what was given up");
    Words => payload, last_error;
    Nothing => id, kind, queue, state, run_at, attempts, max_attempts, lease_owner, lease_expires_at, unique_key,
        request_id, created_at, finished_at;
}

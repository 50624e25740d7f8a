//! Clears away what was kept long enough: old jobs, what signing in leaves behind, and what the declarations of personal
//! data say.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    data_protection::{self, ApplyRetention},
    error::{Error, Result},
    job::{self, Job, Queue},
    session,
};
use entity::{
    job::{JobState, PERSONAL_DATA},
    personal_data::Until,
};
use sea_orm::ActiveEnum;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

/// The most rows that one transaction deletes.
const AT_ONCE: u64 = 1_000;

/// Deletes jobs that ended long ago, and what signing in leaves behind.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PurgeJobs {}

impl Job for PurgeJobs {
    const KIND: &'static str = "jobs.purge";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

impl Handler for PurgeJobs {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let now = tx.now();
        let mut deleted = 0;
        let mut more = false;
        let Until::RowByState(periods, ..) = PERSONAL_DATA.retention.until else {
            return Err(Error::Fault(
                "how long jobs are kept isn't declared".to_owned(),
            ));
        };
        for (days, state) in periods {
            let state = JobState::try_from_value(&(*state).to_owned())?;
            let before = now - TimeDelta::days((*days).into());
            let count = job::purge_finished(tx.conn(), state, before, AT_ONCE).await?;
            deleted += count;
            more |= count == AT_ONCE;
        }
        let (of_sign_in, more_of_sign_in) = session::purge(&mut tx, AT_ONCE).await?;
        more |= more_of_sign_in;
        info!(
            jobs = deleted,
            sign_in.rows = of_sign_in,
            "old rows were cleared away"
        );
        Ok(if more {
            Outcome::Again {
                tx,
                after: Duration::ZERO,
            }
        } else {
            Outcome::Done(tx)
        })
    }
}

impl Handler for ApplyRetention {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let applied = data_protection::apply_retention(&mut tx).await?;
        for (table, rows) in applied.rows {
            info!(table, rows, "personal data was kept long enough");
        }
        Ok(if applied.is_more {
            Outcome::Again {
                tx,
                after: Duration::ZERO,
            }
        } else {
            Outcome::Done(tx)
        })
    }
}

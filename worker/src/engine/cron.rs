//! The timetable: jobs that come by the clock.
//!
//! Every worker keeps the timetable, and each tick of it only writes a row whose id follows from the kind and the tick. So
//! there is one job a tick with one worker and with many, and none is lost while any worker is up.

use std::{str::FromStr, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use cron::Schedule;
use domain::{
    error::{Error, Result},
    job::{self, Job},
    live::Wake,
    store::{Store, Tx},
};
use futures_util::future::BoxFuture;
use tracing::{info, warn};

/// How long to wait before a tick that the database refused is written again.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How often that is tried.
const TRIES: u32 = 30;

type Insert = for<'a> fn(&'a mut Tx, DateTime<Utc>) -> BoxFuture<'a, Result<bool>>;

/// A line of the timetable.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub kind: &'static str,
    pub schedule: Schedule,
    insert: Insert,
}

/// Which kinds of job come when.
#[derive(Clone, Debug, Default)]
pub struct Timetable(Vec<Entry>);

impl Timetable {
    /// Has a job of kind `J` made whenever `times` says: seconds, minutes, hours, days, months, weekdays, as in
    /// `0 30 3 * * *`. Times are those of the university.
    pub fn with<J: Job + Default>(mut self, times: &str) -> Result<Self> {
        let schedule = Schedule::from_str(times)
            .map_err(|error| Error::Fault(format!("the times of {}: {error}", J::KIND)))?;
        self.0.push(Entry {
            kind: J::KIND,
            schedule,
            insert: |tx, tick| {
                Box::pin(async move {
                    let now = tx.now();
                    let made = job::enqueue_tick(tx.conn(), &J::default(), tick, now).await?;
                    if let Some(job_id) = made {
                        tx.wake(Wake {
                            queue: J::QUEUE,
                            job_id,
                        });
                    }
                    Ok(made.is_some())
                })
            },
        });
        Ok(self)
    }

    pub(super) fn into_entries(self) -> Vec<Arc<Entry>> {
        self.0.into_iter().map(Arc::new).collect()
    }

    /// Makes the jobs of one tick of every entry, and answers how many were new. What the clock does, without the clock.
    pub async fn tick(&self, store: &Store, tick: DateTime<Utc>) -> Result<usize> {
        let mut made = 0;
        for entry in &self.0 {
            made += usize::from(entry.make(store, tick).await?);
        }
        Ok(made)
    }
}

impl Entry {
    async fn make(&self, store: &Store, tick: DateTime<Utc>) -> Result<bool> {
        let mut tx = store.begin().await?;
        let made = (self.insert)(&mut tx, tick).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Makes the job of `tick`, however long the database takes to come back within reason.
    pub async fn keep(&self, store: &Store, tick: DateTime<Utc>) {
        for _ in 0..TRIES {
            match self.make(store, tick).await {
                Ok(made) => {
                    if made {
                        info!(job.kind = self.kind, "a job of the timetable was made");
                    }
                    return;
                }
                Err(error) => {
                    warn!(job.kind = self.kind, %error, "a job of the timetable can't be made yet");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }
}

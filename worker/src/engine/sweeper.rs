//! The sweeper finds what nobody was woken for: the process died between commit and wake-up, Redis was down or emptied,
//! a job was put off, a worker was killed. Every worker has one, and it needs nothing but the database.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    error::Result,
    job,
    live::{LiveEvent, Signals},
};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::{line::LineHandle, readiness::Readiness, runner::Runner};

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(20);
/// How often the jobs are counted for the metrics; counting a long backlog takes a while.
const COUNTED_EVERY: Duration = Duration::from_secs(15);

/// Looks at the table now and then, and tells lines when something of theirs is due.
#[derive(Debug)]
pub(super) struct Sweeper {
    pub runner: Arc<Runner>,
    pub lines: Vec<LineHandle>,
    pub readiness: Arc<Readiness>,
    /// The longest time between two looks.
    pub interval: Duration,
}

impl Sweeper {
    /// Sweeps until the runner is told to stop.
    pub async fn sweep_on(self) {
        let mut counted: Option<Instant> = None;
        loop {
            let next = match self.sweep().await {
                Ok(next) => next,
                Err(error) => {
                    warn!(%error, "the job table can't be read");
                    None
                }
            };
            if counted.is_none_or(|then| then.elapsed() >= COUNTED_EVERY) {
                counted = Some(Instant::now());
                self.count().await;
            }
            tokio::select! {
                () = sleep(self.pause(next)) => {}
                () = self.runner.put_off.notified() => {}
                () = self.runner.stopping.cancelled() => return,
            }
        }
    }

    /// One look. Answers when the next waiting job will be due.
    pub async fn sweep(&self) -> Result<Option<DateTime<Utc>>> {
        let store = &self.runner.store;
        let released = job::release_expired(store).await?;
        if !released.is_empty() {
            info!(
                jobs = released.len(),
                "jobs of workers that went away are free again"
            );
            let events = released
                .into_iter()
                .map(|job_id| LiveEvent::JobChanged { job_id })
                .collect();
            self.runner.signals.committed(Vec::new(), events);
        }
        let waiting = job::first_due(store.reader()).await?;
        let now = store.now();
        let mut next = None;
        let mut overdue = None;
        let mut all_busy = true;
        for (queue, due) in waiting {
            let Some(line) = self.lines.iter().find(|line| line.queue == queue) else {
                continue;
            };
            if due <= now {
                overdue = overdue.max((now - due).to_std().ok());
                all_busy &= !line.has_free_hands();
                line.look();
            } else {
                next = Some(next.map_or(due, |next: DateTime<Utc>| next.min(due)));
            }
        }
        self.readiness.looked(now, overdue, all_busy);
        metrics::gauge!("mycareer_jobs_overdue_seconds")
            .set(overdue.unwrap_or_default().as_secs_f64());
        Ok(next)
    }

    /// Until the next job is due, but within the bounds, and not in step with the other workers.
    fn pause(&self, next: Option<DateTime<Utc>>) -> Duration {
        let usual = self.interval.mul_f64(0.8 + 0.2 * rand::random::<f64>());
        let until = next.and_then(|due| (due - self.runner.store.now()).to_std().ok());
        until.map_or(usual, |until| until.clamp(SHORTEST, usual))
    }

    async fn count(&self) {
        match job::counts(self.runner.store.reader()).await {
            Ok(counts) => {
                for (state, jobs) in counts {
                    use sea_orm::ActiveEnum;
                    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
                    metrics::gauge!("mycareer_jobs", "state" => state.to_value()).set(jobs as f64);
                }
            }
            Err(error) => warn!(%error, "jobs can't be counted"),
        }
    }
}

//! The job engine: the database says what must happen, apalis says who looks at it next.
//!
//! - [`wake`]: after a commit the jobs it made are called out, through Redis or in memory;
//! - [`mod@line`]: each queue has a line of workers that claims jobs in the table, called for or not;
//! - [`runner`]: runs a claimed job and writes down what came of it, in the transaction of its effect;
//! - [`sweeper`]: finds what nobody called out, and what became free again;
//! - [`cron`]: makes jobs by the clock, one a tick however many workers there are;
//! - [`monitor`]: the apalis workers that carry wake-ups and ticks;
//! - [`readiness`]: whether all of this does what it should.
//!
//! Without Redis, or with one that lost everything, jobs run all the same, a second later.

mod cron;
mod handler;
mod line;
mod monitor;
mod readiness;
mod runner;
mod sweeper;
mod wake;

use std::{sync::Arc, time::Duration};

use domain::{
    error::Result,
    job::{self, Lease, Queue},
    store::Store,
};
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};
use uuid::Uuid;

pub use self::{
    cron::Timetable,
    handler::{Handler, JobContext, Outcome, Registry},
    readiness::Readiness,
    wake::{EngineSignals, MemorySignals, RedisSignals, WakeUp},
};
use self::{
    line::{Line, LineHandle},
    runner::Runner,
    sweeper::Sweeper,
};
use crate::services::Services;

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many jobs of a queue run side by side.
    pub concurrency: usize,
    /// How long a claim lasts without a sign of life. A killed worker's jobs are claimed again after this and a sweep.
    pub lease: Duration,
    /// The longest time between two sweeps.
    pub sweep: Duration,
    /// How long jobs in hand may take once the engine was told to stop.
    pub grace: Duration,
    /// How long work may be due before a worker that claims none counts as stuck.
    pub patience: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            lease: Duration::from_secs(20),
            sweep: Duration::from_secs(1),
            grace: Duration::from_secs(25),
            patience: Duration::from_mins(1),
        }
    }
}

/// An engine that is not running yet.
#[derive(Debug)]
pub struct Engine {
    store: Store,
    signals: EngineSignals,
    registry: Registry,
    timetable: Timetable,
    services: Services,
    config: EngineConfig,
}

impl Engine {
    /// An engine for the jobs in `store`. Its `signals` are those that the store was connected with.
    #[must_use]
    pub fn new(
        store: Store,
        signals: EngineSignals,
        registry: Registry,
        services: Services,
        config: EngineConfig,
    ) -> Self {
        Self {
            store,
            signals,
            registry,
            timetable: Timetable::default(),
            services,
            config,
        }
    }

    /// Has it keep a timetable.
    #[must_use]
    pub fn with_timetable(mut self, timetable: Timetable) -> Self {
        self.timetable = timetable;
        self
    }

    /// Starts it. It runs until [`RunningEngine::stop`].
    #[must_use]
    pub fn start(self) -> RunningEngine {
        let config = self.config.clone();
        let readiness = Arc::new(Readiness::new(config.patience, self.store.now()));
        let runner = Arc::new(self.runner());
        let jobs = TaskTracker::new();
        let over = CancellationToken::new();
        let mut tasks = Vec::new();

        let mut handles: Vec<LineHandle> = Vec::new();
        for queue in Queue::ALL {
            let (line, handle) = Line::new(
                queue,
                config.concurrency,
                Arc::clone(&runner),
                Arc::clone(&readiness),
                jobs.clone(),
            );
            tasks.push(tokio::spawn(line.work()));
            handles.push(handle);
        }
        let leases = tokio::spawn({
            let (runner, over) = (Arc::clone(&runner), over.clone());
            async move { runner.keep_leases(over).await }
        });
        if let EngineSignals::Redis(redis) = &self.signals {
            let (redis, stopping) = (Arc::clone(redis), runner.stopping.clone());
            tasks.push(tokio::spawn(async move {
                stopping.run_until_cancelled(redis.clear_finished()).await;
            }));
        }
        let monitor = monitor::monitor(
            &self.signals,
            &handles,
            self.timetable.into_entries(),
            &self.store,
        );
        let workers = monitor.context();
        let workers_over = tokio::spawn(async move {
            if let Err(error) = monitor.run().await {
                error!(%error, "the apalis workers ended");
            }
        });
        let sweeper = Sweeper {
            runner: Arc::clone(&runner),
            lines: handles,
            readiness: Arc::clone(&readiness),
            interval: config.sweep,
        };
        tasks.push(tokio::spawn(sweeper.sweep_on()));
        info!(
            worker = runner.lease.owner,
            concurrency = config.concurrency,
            kinds = self.registry.kinds().count(),
            "the job engine runs"
        );
        RunningEngine {
            runner,
            readiness,
            jobs,
            tasks,
            leases,
            over,
            workers,
            workers_over,
            grace: config.grace,
        }
    }

    /// Runs every job that is due, one after the other, until none is, and answers how many attempts that took. Jobs that
    /// those jobs make are run too. For tests and for commands that must not leave before their work is done.
    pub async fn run_due(&self) -> Result<usize> {
        let runner = self.runner();
        let mut attempts = 0;
        loop {
            job::release_expired(&self.store).await?;
            let before = attempts;
            for queue in Queue::ALL {
                for claim in job::claim(&self.store, queue, &runner.lease, 100).await? {
                    runner.hold(std::slice::from_ref(&claim));
                    runner.run(claim).await;
                    attempts += 1;
                }
            }
            if attempts == before {
                return Ok(attempts);
            }
        }
    }

    fn runner(&self) -> Runner {
        Runner::new(
            self.store.clone(),
            self.signals.clone(),
            self.registry.clone(),
            self.services.clone(),
            Lease {
                owner: format!("{}-{}", std::process::id(), Uuid::new_v4().simple()),
                duration: self.config.lease,
            },
        )
    }
}

/// An engine at work. Dropping it without [`stop`](Self::stop) is like killing it: the jobs in hand come back when their
/// leases run out.
#[derive(Debug)]
pub struct RunningEngine {
    runner: Arc<Runner>,
    readiness: Arc<Readiness>,
    jobs: TaskTracker,
    tasks: Vec<JoinHandle<()>>,
    leases: JoinHandle<()>,
    over: CancellationToken,
    workers: apalis_core::monitor::context::MonitorContext,
    workers_over: JoinHandle<()>,
    grace: Duration,
}

impl RunningEngine {
    /// Whether it does its work.
    #[must_use]
    pub fn readiness(&self) -> Arc<Readiness> {
        Arc::clone(&self.readiness)
    }

    /// The name under which it claims jobs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.runner.lease.owner
    }

    /// Claims nothing more, finishes what is in hand, and gives back what can't be finished in time.
    pub async fn stop(mut self) {
        self.readiness.stopping();
        self.runner.stopping.cancel();
        if let Err(error) = self.workers.shutdown() {
            warn!(%error, "the apalis workers can't be told to stop");
        }
        // Once the lines have ended nothing new can get into the tracker.
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                error!(%error, "a part of the job engine had ended early");
            }
        }
        self.jobs.close();
        if tokio::time::timeout(self.grace, self.jobs.wait())
            .await
            .is_err()
        {
            warn!(
                jobs = self.jobs.len(),
                "jobs could not be finished in time and are given back"
            );
            self.runner.giving_up.cancel();
            self.jobs.wait().await;
        }
        self.over.cancel();
        // Redis may be away, and then the workers have nobody to take their leave of.
        if tokio::time::timeout(LEAVE, &mut self.workers_over)
            .await
            .is_err()
        {
            self.workers_over.abort();
        }
        info!("the job engine has stopped");
    }
}

/// How long the apalis workers may take to sign off.
const LEAVE: Duration = Duration::from_secs(2);

impl Drop for RunningEngine {
    fn drop(&mut self) {
        self.runner.stopping.cancel();
        self.over.cancel();
        self.workers_over.abort();
        self.leases.abort();
        for task in &self.tasks {
            task.abort();
        }
    }
}

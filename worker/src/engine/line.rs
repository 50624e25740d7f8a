//! The line of one queue: claims as many jobs as it has hands for, and runs them side by side.
//!
//! It looks at the table when a wake-up names jobs, and when the sweeper has seen something due. As long as a look finds
//! as much as there are free hands it looks again at once, so a backlog drains at the speed of the database however few
//! wake-ups there were for it.

use std::{sync::Arc, time::Duration};

use domain::{
    error::Result,
    job::{self, Claimed, Queue},
};
use entity::ids::JobId;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::{readiness::Readiness, runner::Runner};

/// The most jobs that one statement claims.
const CLAIMED_AT_ONCE: usize = 50;
/// How long to wait after the database has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Somebody says that this job can be run.
#[derive(Debug)]
pub(super) struct Call {
    job_id: JobId,
    /// Told, or dropped, when there is nothing left to do about the job.
    over: oneshot::Sender<()>,
}

impl Call {
    fn over(self) {
        // An error only says that the worker that called has left.
        let _ = self.over.send(());
    }
}

/// Where calls are put in, and where a line is told to look for itself.
#[derive(Clone, Debug)]
pub(super) struct LineHandle {
    pub queue: Queue,
    /// How many jobs it runs side by side.
    pub size: usize,
    calls: mpsc::Sender<Call>,
    look: Arc<Notify>,
    hands: Arc<Semaphore>,
}

impl LineHandle {
    /// Has the job run, and returns once it is over, or once somebody else turns out to have it.
    pub async fn call(&self, job_id: JobId) {
        let (over, heard) = oneshot::channel();
        if self.calls.send(Call { job_id, over }).await.is_ok() {
            // A dropped sender is an answer too.
            let _ = heard.await;
        }
    }

    /// Whether it could take another job.
    pub fn has_free_hands(&self) -> bool {
        self.hands.available_permits() > 0
    }

    /// Something in this queue is due.
    pub fn look(&self) {
        self.look.notify_one();
    }
}

/// The line itself.
#[derive(Debug)]
pub(super) struct Line {
    queue: Queue,
    runner: Arc<Runner>,
    readiness: Arc<Readiness>,
    hands: Arc<Semaphore>,
    calls: mpsc::Receiver<Call>,
    look: Arc<Notify>,
    at_work: TaskTracker,
}

impl Line {
    /// A line for `queue` that runs `size` jobs side by side, and its handle.
    pub fn new(
        queue: Queue,
        size: usize,
        runner: Arc<Runner>,
        readiness: Arc<Readiness>,
        at_work: TaskTracker,
    ) -> (Self, LineHandle) {
        let (sender, calls) = mpsc::channel(size);
        let look = Arc::new(Notify::new());
        let hands = Arc::new(Semaphore::new(size));
        let line = Self {
            queue,
            runner,
            readiness,
            hands: Arc::clone(&hands),
            calls,
            look: Arc::clone(&look),
            at_work,
        };
        let handle = LineHandle {
            queue,
            size,
            calls: sender,
            look,
            hands,
        };
        (line, handle)
    }

    /// Works until the runner is told to stop. Jobs in hand go on in the task tracker.
    pub async fn work(mut self) {
        let mut more = true;
        let mut calls = Vec::new();
        let stopping = self.runner.stopping.clone();
        // Told to stop between two claims, never in the middle of one: what was claimed must be run.
        while let Some(Some(hands)) = stopping.run_until_cancelled(self.free_hands()).await {
            let free = hands.num_permits();
            while calls.len() < free
                && let Ok(call) = self.calls.try_recv()
            {
                calls.push(call);
            }
            if more {
                // The longest due come first, whether somebody called for them or not.
                more = self.claim_due(hands, &mut calls).await;
            } else if calls.is_empty() {
                drop(hands);
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = self.look.notified() => more = true,
                    Some(call) = self.calls.recv() => calls.push(call),
                }
            } else {
                self.claim_called(hands, &mut calls).await;
            }
        }
    }

    /// All hands that are free, at least one.
    async fn free_hands(&self) -> Option<OwnedSemaphorePermit> {
        let free = self.hands.available_permits().clamp(1, CLAIMED_AT_ONCE);
        let count = u32::try_from(free).ok()?;
        Arc::clone(&self.hands).acquire_many_owned(count).await.ok()
    }

    /// Claims what has been due the longest, and answers whether there may be more of it.
    async fn claim_due(&self, hands: OwnedSemaphorePermit, calls: &mut Vec<Call>) -> bool {
        let free = hands.num_permits();
        let claims = job::claim(
            &self.runner.store,
            self.queue,
            &self.runner.lease,
            free as u64,
        )
        .await;
        self.start(claims, hands, calls).await == free
    }

    /// Claims what was called for. Whatever is not among the claims is somebody else's, or over.
    async fn claim_called(&self, hands: OwnedSemaphorePermit, calls: &mut Vec<Call>) {
        let ids: Vec<JobId> = calls.iter().map(|call| call.job_id).collect();
        let claims = job::claim_these(&self.runner.store, &ids, &self.runner.lease).await;
        self.start(claims, hands, calls).await;
        calls.clear();
    }

    /// Starts what was claimed, and answers how much that is.
    async fn start(
        &self,
        claims: Result<Vec<Claimed>>,
        mut hands: OwnedSemaphorePermit,
        calls: &mut Vec<Call>,
    ) -> usize {
        let claims = match claims {
            Ok(claims) => claims,
            Err(error) => {
                warn!(queue = %self.queue, %error, "jobs can't be claimed");
                drop(hands);
                tokio::time::sleep(AFTER_FAILURE).await;
                return 0;
            }
        };
        if !claims.is_empty() {
            self.readiness.claimed(self.runner.store.now());
        }
        self.runner.hold(&claims);
        let started = claims.len();
        for claim in claims {
            let call = calls
                .iter()
                .position(|call| call.job_id == claim.id)
                .map(|at| calls.swap_remove(at));
            let hand = hands.split(1);
            let runner = Arc::clone(&self.runner);
            self.at_work.spawn(async move {
                runner.run(claim).await;
                drop(hand);
                if let Some(call) = call {
                    call.over();
                }
            });
        }
        started
    }
}

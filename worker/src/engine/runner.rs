//! One claimed job, from its claim to its outcome.

use std::{
    any::Any,
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{
    error::Result,
    job::{self, Claimed, Lease},
    live::{LiveEvent, Signals},
    request,
    store::Store,
};
use entity::ids::JobId;
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, info_span, warn};

use super::{
    handler::{JobContext, Outcome, Registry},
    wake::EngineSignals,
};
use crate::services::Services;

/// Runs claimed jobs, and knows which it holds.
#[derive(Debug)]
pub(super) struct Runner {
    pub store: Store,
    pub signals: EngineSignals,
    pub registry: Registry,
    pub services: Services,
    pub lease: Lease,
    /// Jobs that must be over by now are told so.
    pub stopping: CancellationToken,
    /// Jobs that are not over by now are let go.
    pub giving_up: CancellationToken,
    /// A job was put off: the sweeper looks again when the next one is due.
    pub put_off: Notify,
    held: Mutex<HashSet<JobId>>,
}

impl Runner {
    pub fn new(
        store: Store,
        signals: EngineSignals,
        registry: Registry,
        services: Services,
        lease: Lease,
    ) -> Self {
        Self {
            store,
            signals,
            registry,
            services,
            lease,
            stopping: CancellationToken::new(),
            giving_up: CancellationToken::new(),
            put_off: Notify::new(),
            held: Mutex::default(),
        }
    }

    /// Takes note of new claims, before anything can happen to them.
    pub fn hold(&self, claims: &[Claimed]) {
        if claims.is_empty() {
            return;
        }
        self.held().extend(claims.iter().map(|claim| claim.id));
        let events = claims
            .iter()
            .map(|claim| LiveEvent::JobChanged { job_id: claim.id })
            .collect();
        self.signals.committed(Vec::new(), events);
    }

    /// Runs a held job to its outcome. Whatever goes wrong ends in the row or, when the database is away, in the end of the
    /// lease; nothing goes wrong for the caller.
    pub async fn run(&self, claim: Claimed) {
        let id = claim.id;
        let request_id = claim.request_id.clone().unwrap_or_else(|| id.to_string());
        let span = info_span!(
            "job",
            job.id = %id,
            job.kind = claim.kind,
            job.attempt = claim.attempt,
            request.id = request_id,
        );
        request::within(request_id, self.attempt(claim).instrument(span)).await;
        self.held().remove(&id);
    }

    async fn attempt(&self, claim: Claimed) {
        let began = Instant::now();
        let ctx = JobContext {
            store: self.store.clone(),
            services: self.services.clone(),
            claim: claim.clone(),
            stopping: self.stopping.clone(),
        };
        let work = AssertUnwindSafe(self.registry.run(&ctx)).catch_unwind();
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = self.giving_up.cancelled() => Ok(Ok(Outcome::Retry {
                after: Some(Duration::ZERO),
                why: "its worker had to leave before it was done".to_owned(),
            })),
        };
        let outcome = outcome.unwrap_or_else(|panic| {
            error!(panic = said(&*panic), "the handler panicked");
            Ok(Outcome::Retry {
                after: None,
                why: format!("the handler panicked: {}", said(&*panic)),
            })
        });
        let outcome = outcome.unwrap_or_else(|error| Outcome::Retry {
            after: None,
            why: error.to_string(),
        });
        let verdict = match self.settle(&claim, outcome).await {
            Ok(verdict) => verdict,
            // The effect of the attempt was rolled back with the answer.
            Err(error) => self.settle_failure(&claim, &error.to_string()).await,
        };
        debug!(verdict, "the attempt is over");
        metrics::counter!("mycareer_job_attempts_total", "kind" => claim.kind.clone(), "outcome" => verdict).increment(1);
        metrics::histogram!("mycareer_job_seconds", "kind" => claim.kind).record(began.elapsed());
    }

    /// Writes the outcome down, and answers with a word for it.
    async fn settle(&self, claim: &Claimed, outcome: Outcome) -> Result<&'static str> {
        let (tx, held, verdict) = match outcome {
            Outcome::Done(mut tx) => {
                let held = job::finish(&mut tx, claim).await?;
                (tx, held, "done")
            }
            Outcome::Again { mut tx, after } => {
                let held = job::again(&mut tx, claim, after).await?;
                (tx, held, "again")
            }
            Outcome::Retry { after, why } => {
                let mut tx = self.store.begin().await?;
                let after = after.unwrap_or_else(|| job::backoff(claim.attempt, rand::random()));
                let held = job::retry(&mut tx, claim, after, &why).await?;
                if claim.may_try_again() {
                    info!(why, after = ?after, "the attempt failed; there will be another");
                    (tx, held, "retry")
                } else {
                    error!(why, "the last attempt failed; the job is given up");
                    (tx, held, "dead")
                }
            }
            Outcome::Dead(why) => {
                let mut tx = self.store.begin().await?;
                let held = job::dead(&mut tx, claim, &why).await?;
                error!(why, "the job is given up");
                (tx, held, "dead")
            }
        };
        if !held {
            warn!(
                "the lease ran out, and the job belongs to somebody else; this attempt is undone"
            );
            return Ok("lost");
        }
        tx.commit().await?;
        if matches!(verdict, "retry" | "again") {
            self.put_off.notify_one();
        }
        Ok(verdict)
    }

    async fn settle_failure(&self, claim: &Claimed, why: &str) -> &'static str {
        let retry = Outcome::Retry {
            after: None,
            why: why.to_owned(),
        };
        self.settle(claim, retry).await.unwrap_or_else(|error| {
            error!(%error, "the outcome can't be written; the job comes back when its lease runs out");
            "unknown"
        })
    }

    /// Extends the leases of everything in hand, again and again, until the last job is over.
    pub async fn keep_leases(&self, over: CancellationToken) {
        let beat = self.lease.duration / 4;
        while over
            .run_until_cancelled(tokio::time::sleep(beat))
            .await
            .is_some()
        {
            let ids: Vec<JobId> = self.held().iter().copied().collect();
            match job::extend_leases(&self.store, &self.lease, &ids).await {
                Ok(kept) if kept.len() < ids.len() => {
                    debug!(
                        held = ids.len(),
                        kept = kept.len(),
                        "some jobs ended meanwhile"
                    );
                }
                Ok(_) => {}
                Err(error) => warn!(%error, "leases can't be extended"),
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashSet<JobId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

//! The count within one process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Decision, Held, Log, Permit, RateLimits,
    log::{Full, Granted, SlidingLog},
};

/// The log, and the clock it goes by: tokio's, which a test can hold still.
#[derive(Debug)]
pub(super) struct MemoryLog {
    begun: Instant,
    log: Mutex<SlidingLog>,
}

impl MemoryLog {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self {
            begun: Instant::now(),
            log: Mutex::new(SlidingLog::new(limits)),
        }
    }

    pub(super) fn set_limits(&self, limits: RateLimits) {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .set_limits(limits);
    }

    pub(super) fn try_acquire(self: &Arc<Self>, domains: &[&str]) -> Decision {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.begun.elapsed();
        let mut wait: Option<Duration> = None;
        let mut full_domains = HashMap::new();
        let permits = domains.iter().map(|domain| {
            let domain = domain.to_ascii_lowercase();
            match log.acquire(now, &domain) {
                Ok(Granted { id, leaves }) => Some(Permit(Some(Held {
                    log: Log::Memory(Arc::clone(self)),
                    id,
                    domain,
                    leaves,
                }))),
                Err(Full::Overall(its_wait)) => {
                    wait = Some(wait.map_or(its_wait, |wait| wait.min(its_wait)));
                    None
                }
                Err(Full::Domain(its_wait)) => {
                    full_domains.insert(domain, its_wait);
                    None
                }
            }
        });
        let permits = permits.collect();
        Decision {
            permits,
            wait,
            full_domains,
        }
    }

    pub(super) fn settle(&self, held: &Held, used: bool) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let granted = Granted {
            id: held.id,
            leaves: held.leaves,
        };
        log.settle(self.begun.elapsed(), &held.domain, granted, used);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time;

    use super::super::{Rate, RateLimiter, RateLimits};
    use super::*;

    fn limiter(mails: u32, window: Duration) -> RateLimiter {
        let rate = Rate {
            mails: mails.try_into().unwrap(),
            window,
        };
        RateLimiter::in_memory(RateLimits {
            overall: Some(rate),
            per_domain: None,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn acquire_waits_until_the_window_has_room() {
        let limiter = limiter(2, Duration::from_secs(10));
        let begun = Instant::now();
        for _ in 0..2 {
            limiter.acquire("a.test").await.unwrap().used();
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
        limiter.acquire("a.test").await.unwrap().used();
        assert!(
            (10.0..10.6).contains(&begun.elapsed().as_secs_f64()),
            "{:?}",
            begun.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn many_senders_use_the_limit_and_never_more() {
        let limiter = limiter(50, Duration::from_secs(1));
        let begun = Instant::now();
        let senders = (0..10u64).map(|n| {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let mut received = Vec::new();
                for mail in 0..100 {
                    let permit = limiter.acquire("a.test").await.unwrap();
                    time::sleep(Duration::from_millis((n + mail) % 7)).await;
                    received.push(begun.elapsed());
                    time::sleep(Duration::from_millis((n * mail) % 5)).await;
                    permit.used();
                }
                received
            })
        });
        let mut received = Vec::new();
        for sender in senders.collect::<Vec<_>>() {
            received.extend(sender.await.unwrap());
        }
        received.sort_unstable();
        for (nth, at) in received.iter().enumerate().skip(50) {
            assert!(
                at.saturating_sub(received[nth - 50]) >= Duration::from_secs(1),
                "51 mails within a second"
            );
        }
        let used = 950.0 / 50.0 / received[999].saturating_sub(received[49]).as_secs_f64();
        assert!(used >= 0.95, "{used}");
    }

    #[tokio::test(start_paused = true)]
    async fn several_are_asked_for_at_once_and_as_many_are_granted_as_there_is_room() {
        let limiter = limiter(3, Duration::from_secs(10));
        let decision = limiter.try_acquire(&["a.test"; 5]).await.unwrap();
        assert_eq!(decision.permits.iter().flatten().count(), 3);
        assert_eq!(decision.wait, Some(Duration::from_millis(10_010)));
        for permit in decision.permits.into_iter().flatten() {
            permit.unused();
        }
        assert!(
            limiter
                .try_acquire(&["a.test"; 3])
                .await
                .unwrap()
                .wait
                .is_none()
        );
    }

    #[tokio::test]
    async fn no_limit_asks_nothing() {
        let limiter = RateLimiter::in_memory(RateLimits::default());
        let decision = limiter.try_acquire(&["a.test"; 1000]).await.unwrap();
        assert!(decision.wait.is_none() && decision.permits.iter().all(Option::is_some));
    }
}

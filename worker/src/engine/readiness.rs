//! Whether this worker does its work.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};

/// What the engine has seen of itself.
#[derive(Debug)]
pub struct Readiness {
    /// How long work may be due before a worker that takes none counts as stuck.
    patience: Duration,
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    last_claim: DateTime<Utc>,
    /// The sweeper's last look at the table, and for how long the first job had been due by then.
    last_look: DateTime<Utc>,
    overdue: Option<Duration>,
    /// Whether every hand of a queue with work is busy: slow is not stuck.
    all_busy: bool,
    stopping: bool,
}

impl Readiness {
    pub(super) fn new(patience: Duration, now: DateTime<Utc>) -> Self {
        Self {
            patience,
            seen: Mutex::new(Seen {
                last_claim: now,
                last_look: now,
                overdue: None,
                all_busy: false,
                stopping: false,
            }),
        }
    }

    /// Why this worker is not ready, in a sentence; `None` when it is.
    #[must_use]
    pub fn complaint(&self, now: DateTime<Utc>) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |then: DateTime<Utc>| (now - then).to_std().unwrap_or_default();
        if seen.stopping {
            return Some("the worker is stopping".to_owned());
        }
        if since(seen.last_look) > self.patience {
            return Some(format!(
                "the job table could not be read for {} s",
                since(seen.last_look).as_secs()
            ));
        }
        let overdue = seen.overdue?;
        if overdue > self.patience && since(seen.last_claim) > self.patience && !seen.all_busy {
            return Some(format!(
                "work has been due for {} s and this worker has claimed none for {} s",
                overdue.as_secs(),
                since(seen.last_claim).as_secs()
            ));
        }
        None
    }

    pub(super) fn claimed(&self, now: DateTime<Utc>) {
        self.change(|seen| seen.last_claim = now);
    }

    pub(super) fn looked(&self, now: DateTime<Utc>, overdue: Option<Duration>, all_busy: bool) {
        self.change(|seen| {
            seen.last_look = now;
            seen.overdue = overdue;
            seen.all_busy = all_busy;
        });
    }

    pub(super) fn stopping(&self) {
        self.change(|seen| seen.stopping = true);
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_worker_without_work_is_ready() {
        let readiness = Readiness::new(PATIENCE, at(0));
        readiness.looked(at(1000), None, false);
        assert_eq!(readiness.complaint(at(1001)), None);
    }

    #[test]
    fn a_worker_that_claims_nothing_while_work_is_due_is_not() {
        let readiness = Readiness::new(PATIENCE, at(0));
        readiness.looked(at(31), Some(Duration::from_secs(31)), false);
        let complaint = readiness.complaint(at(31)).unwrap();
        assert!(complaint.contains("due for 31 s"), "{complaint}");
        readiness.claimed(at(31));
        assert_eq!(readiness.complaint(at(32)), None);
    }

    #[test]
    fn a_worker_whose_hands_are_full_is_slow_and_ready() {
        let readiness = Readiness::new(PATIENCE, at(0));
        readiness.looked(at(31), Some(Duration::from_secs(31)), true);
        assert_eq!(readiness.complaint(at(31)), None);
    }

    #[test]
    fn a_worker_that_cannot_read_the_table_is_not_ready() {
        let readiness = Readiness::new(PATIENCE, at(0));
        let complaint = readiness.complaint(at(31)).unwrap();
        assert!(complaint.contains("could not be read"), "{complaint}");
    }

    #[test]
    fn a_worker_that_leaves_is_not_ready() {
        let readiness = Readiness::new(PATIENCE, at(0));
        readiness.stopping();
        assert!(readiness.complaint(at(0)).is_some());
    }
}

//! How many mails a process may have claimed and not yet handed over.
//!
//! What is claimed is what is in doubt when the process is killed, and each claim costs a commit. So a process claims what goes
//! out in a moment: with a slow relay hardly more than it has connections, with a quick one many times that. Hands are free
//! again when a mail was handed over; what became of it is written with the next claim of its lane.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// Mails claimed at once for each connection, at least: while some are on their way, the next ones are claimed.
const FOR_EACH_CONNECTION: usize = 2;
/// The most mails that are claimed at once.
const MOST: usize = 100;
/// Who had their share, and has handed all of it over within this time, may claim more.
const QUICK: Duration = Duration::from_millis(30);
/// Who needed longer than this is to claim less.
const SLOW: Duration = Duration::from_millis(100);
/// Who has waited this long for their share takes what is free.
const PATIENCE: Duration = Duration::from_millis(100);

/// Leave to claim mails, for all campaigns of a process together.
#[derive(Debug)]
pub struct Hands {
    free: Semaphore,
    all: Mutex<usize>,
    least: usize,
}

/// Leave to claim some mails.
#[derive(Debug)]
pub struct Held<'a> {
    hands: &'a Hands,
    permit: SemaphorePermit<'a>,
}

impl Hands {
    /// For so many connections to the relay.
    #[must_use]
    pub fn new(connections: usize) -> Self {
        let least = connections * FOR_EACH_CONNECTION;
        Self {
            free: Semaphore::new(least),
            all: Mutex::new(least),
            least,
        }
    }

    /// How many mails are to be claimed with one commit: half of all, so that others are claimed while these are on their way.
    #[must_use]
    pub fn share(&self) -> usize {
        (*self.all() / 2).max(1)
    }

    /// Waits for leave to claim a share of all mails, or `most` where that is less. With a slow relay others may keep theirs for
    /// long, and then takes what is free, at least one. Whoever always took what is free would claim a few at a time.
    pub async fn take(&self, most: usize) -> Option<Held<'_>> {
        let wanted = || most.clamp(1, self.share());
        let share = self.free.acquire_many(u32::try_from(wanted()).ok()?);
        let permit = if let Ok(share) = timeout(PATIENCE, share).await {
            share
        } else {
            let free = self.free.available_permits().clamp(1, wanted());
            self.free.acquire_many(u32::try_from(free).ok()?).await
        };
        let permit = permit.ok()?;
        Some(Held {
            hands: self,
            permit,
        })
    }

    fn all(&self) -> MutexGuard<'_, usize> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held<'_> {
    /// How many may be claimed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.permit.num_permits()
    }

    /// All that was claimed was handed over, in this time.
    pub fn done_within(self, time: Duration) {
        let (count, hands) = (self.count(), self.hands);
        drop(self.permit);
        let mut all = hands.all();
        if time < QUICK && count >= *all / 2 {
            let more = count.min(MOST.saturating_sub(*all));
            hands.free.add_permits(more);
            *all += more;
        } else if time > SLOW {
            let fewer = (count / 2).min(*all - hands.least);
            *all -= hands.free.forget_permits(fewer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn claims(hands: &Hands, most: usize) -> Held<'_> {
        hands.take(most).await.unwrap()
    }

    #[tokio::test]
    async fn with_a_quick_relay_more_is_claimed_and_never_more_than_the_most() {
        let hands = Hands::new(10);
        assert_eq!(hands.share(), 10);
        for _ in 0..20 {
            claims(&hands, 50).await.done_within(Duration::ZERO);
        }
        assert_eq!(hands.share(), MOST / 2);
        let (one, other) = (claims(&hands, 1_000).await, claims(&hands, 1_000).await);
        assert_eq!((one.count(), other.count()), (MOST / 2, MOST / 2));
        assert_eq!(hands.free.available_permits(), 0);
    }

    #[tokio::test]
    async fn with_a_slow_relay_no_less_than_two_for_each_connection() {
        let hands = Hands::new(10);
        claims(&hands, 20).await.done_within(Duration::ZERO);
        assert_eq!(claims(&hands, 100).await.count(), 15);
        for _ in 0..20 {
            claims(&hands, 40).await.done_within(Duration::from_secs(1));
        }
        assert_eq!(claims(&hands, 100).await.count(), 10);
    }

    #[tokio::test]
    async fn others_wait_for_a_whole_share_rather_than_take_the_few_that_are_free() {
        let hands = Hands::new(10);
        let one = claims(&hands, 10).await;
        let other = claims(&hands, 4).await;
        assert_eq!((one.count(), other.count()), (10, 4));
        let waiting = hands.take(15);
        tokio::pin!(waiting);
        assert!(
            futures_util::poll!(&mut waiting).is_pending(),
            "six are free"
        );
        drop(other);
        assert_eq!(waiting.await.unwrap().count(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_long_takes_what_is_free_and_at_least_one() {
        let hands = Hands::new(10);
        let (one, other) = (claims(&hands, 10).await, claims(&hands, 6).await);
        assert_eq!(claims(&hands, 15).await.count(), 4);
        let rest = claims(&hands, 4).await;
        let waiting = hands.take(15);
        tokio::pin!(waiting);
        let none = timeout(PATIENCE * 100, &mut waiting).await;
        assert!(none.is_err(), "none is free");
        drop(other);
        assert_eq!(waiting.await.unwrap().count(), 1, "it asked while none was");
        drop((one, rest));
    }
}

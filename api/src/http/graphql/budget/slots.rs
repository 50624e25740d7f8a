//! The count within one process.

use std::collections::{HashMap, VecDeque};

use super::{Payer, Standing};

/// For how many seconds a cost counts, its own among them: every minute lies within as many.
pub(super) const COUNTED: i64 = 61;

/// What everybody has spent.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    accounts: HashMap<Payer, Slots>,
    /// When those who have spent nothing of late were last forgotten.
    swept: i64,
}

impl Ledger {
    /// Pays for an operation in the second `now`, if there is room.
    pub(super) fn spend(&mut self, payer: Payer, now: i64, limit: u64, cost: u64) -> Standing {
        if now - self.swept >= COUNTED {
            self.swept = now;
            self.accounts.retain(|_, slots| {
                slots.forget(now);
                slots.spent > 0
            });
        }
        let slots = self
            .accounts
            .entry(payer)
            .or_insert_with(|| Slots::counting(COUNTED));
        slots.spend(now, limit, cost)
    }
}

/// What one payer has spent in each of the last seconds.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    counted: i64,
    spent: u64,
    by_second: VecDeque<(i64, u64)>,
}

impl Slots {
    fn counting(counted: i64) -> Self {
        Self {
            counted,
            spent: 0,
            by_second: VecDeque::new(),
        }
    }

    fn forget(&mut self, now: i64) {
        while let Some((second, cost)) = self.by_second.front().copied() {
            if second > now - self.counted {
                return;
            }
            self.spent -= cost;
            self.by_second.pop_front();
        }
    }

    fn spend(&mut self, now: i64, limit: u64, cost: u64) -> Standing {
        self.forget(now);
        let wait = if self.spent + cost <= limit {
            self.spent += cost;
            match self.by_second.back_mut() {
                // A clock that was put back counts on from where it was.
                Some((second, already)) if *second >= now => *already += cost,
                _ => self.by_second.push_back((now, cost)),
            }
            None
        } else {
            Some(self.wait(now, limit, cost))
        };
        let reset = self
            .by_second
            .back()
            .map_or(0, |(second, _)| self.leaves_in(*second, now));
        Standing {
            limit,
            remaining: limit - self.spent,
            reset,
            wait,
        }
    }

    /// In how many seconds there is room for `cost`.
    fn wait(&self, now: i64, limit: u64, cost: u64) -> u64 {
        let mut spent = self.spent;
        for (second, of_it) in &self.by_second {
            spent -= of_it;
            if spent + cost <= limit {
                return self.leaves_in(*second, now);
            }
        }
        self.counted.unsigned_abs()
    }

    fn leaves_in(&self, second: i64, now: i64) -> u64 {
        u64::try_from(second + self.counted - now).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use domain::clock::{Clock, ManualClock};
    use proptest::{collection, prelude::*};

    use super::*;

    const LIMIT: u64 = 100;

    /// Spends at the moments that a clock shows, as many milliseconds apart, and gives what was allowed, and when (ms).
    fn allowed(counted: i64, asked: &[(i64, u64)]) -> Vec<(i64, u64)> {
        let clock = ManualClock::at(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let mut slots = Slots::counting(counted);
        let mut allowed = Vec::new();
        for &(pause, cost) in asked {
            clock.advance(TimeDelta::milliseconds(pause));
            let now = clock.now();
            let standing = slots.spend(now.timestamp(), LIMIT, cost);
            match standing.wait {
                None => allowed.push((now.timestamp_millis(), cost)),
                Some(wait) => assert!((1..=61).contains(&wait), "{wait}"),
            }
            assert_eq!(standing.remaining, LIMIT - slots.spent);
        }
        allowed
    }

    /// The most that was spent in any minute.
    fn fullest(spent: &[(i64, u64)]) -> u64 {
        let minute_from = |from: i64| {
            spent
                .iter()
                .filter(|(at, _)| (from..from + 60_000).contains(at))
                .map(|(_, cost)| cost)
                .sum()
        };
        spent
            .iter()
            .map(|(at, _)| minute_from(*at))
            .max()
            .unwrap_or(0)
    }

    /// Pauses and costs that fill the budget many times over.
    fn asked() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let pause = prop_oneof![3 => 0..1_500_i64, 1 => 0..30_000_i64];
        collection::vec((pause, 1..=60_u64), 1..200)
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_the_budget(asked in asked()) {
            prop_assert!(fullest(&allowed(COUNTED, &asked)) <= LIMIT);
        }

        #[test]
        fn who_waits_as_long_as_told_is_let_in_and_not_before(asked in asked()) {
            let (mut slots, mut now) = (Slots::counting(COUNTED), 0);
            for (pause, cost) in asked {
                now += pause / 1_000;
                if let Some(wait) = slots.spend(now, LIMIT, cost).wait {
                    now += i64::try_from(wait).unwrap();
                    prop_assert!(slots.clone().spend(now - 1, LIMIT, cost).wait.is_some());
                    prop_assert_eq!(slots.spend(now, LIMIT, cost).wait, None);
                }
            }
        }
    }

    /// The control: the end of one second and the beginning of the 60th after it are less than a minute apart.
    #[test]
    fn counting_sixty_seconds_would_not_be_enough() {
        let asked = [(999, LIMIT), (59_001, LIMIT)];
        assert_eq!(fullest(&allowed(COUNTED - 1, &asked)), 2 * LIMIT);
        assert_eq!(fullest(&allowed(COUNTED, &asked)), LIMIT);
    }

    #[test]
    fn a_budget_is_used_to_its_end() {
        let asked = [(0, LIMIT), (61_000, LIMIT / 2), (0, LIMIT / 2)];
        assert_eq!(allowed(COUNTED, &asked).len(), 3);
    }

    #[test]
    fn who_spends_nothing_is_forgotten() {
        let mut ledger = Ledger::default();
        for n in 0..100 {
            let address = std::net::IpAddr::from([127, 0, 0, n]);
            ledger.spend(Payer::Address(address), 1_000, LIMIT, 1);
        }
        let whole = ledger.spend(
            Payer::Address(std::net::IpAddr::from([127, 0, 1, 1])),
            1_000 + COUNTED,
            LIMIT,
            1,
        );
        assert_eq!(ledger.accounts.len(), 1);
        assert_eq!(
            whole,
            Standing {
                limit: LIMIT,
                remaining: LIMIT - 1,
                reset: 61,
                wait: None
            }
        );
    }
}

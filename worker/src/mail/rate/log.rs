//! The count itself, for one process and any clock: which permits are counted now.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use super::{HELD_FOR, Rate, RateLimits, limit::kept_window};

/// Every permit that is counted. Times are since an arbitrary beginning and never go back.
#[derive(Debug)]
pub(super) struct SlidingLog {
    overall: Option<Window>,
    per_domain: Option<Rate>,
    domains: HashMap<String, Window>,
    last_id: u64,
    /// When the windows of all domains were last looked through.
    swept: Duration,
}

/// A permit as granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) id: u64,
    /// When it is forgotten if nobody says what became of it.
    pub(super) leaves: Duration,
}

/// Why none was granted, and how long until one may be had at the soonest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The overall limit is reached, and that of the domain perhaps too.
    Overall(Duration),
    /// The limit of the domain alone is reached.
    Domain(Duration),
}

/// The permits counted against one rate.
#[derive(Debug)]
struct Window {
    most: usize,
    length: Duration,
    /// When each stops being counted, soonest first.
    counted: BTreeSet<(Duration, u64)>,
}

impl SlidingLog {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self {
            overall: limits.overall.map(Window::new),
            per_domain: limits.per_domain,
            domains: HashMap::new(),
            last_id: 0,
            swept: Duration::ZERO,
        }
    }

    /// Counts by other limits from now on: what is counted is so for as long as they say.
    pub(super) fn set_limits(&mut self, limits: RateLimits) {
        self.overall = limits.overall.map(|rate| match self.overall.take() {
            Some(window) => window.at(rate),
            None => Window::new(rate),
        });
        self.per_domain = limits.per_domain;
        self.domains = match limits.per_domain {
            Some(rate) => self
                .domains
                .drain()
                .map(|(domain, window)| (domain, window.at(rate)))
                .collect(),
            None => HashMap::new(),
        };
    }

    /// Grants a permit, or says why not.
    pub(super) fn acquire(&mut self, now: Duration, domain: &str) -> Result<Granted, Full> {
        self.sweep(now);
        let overall = self.overall.as_mut();
        let of_domain = self.per_domain.map(|rate| {
            self.domains
                .entry(domain.to_owned())
                .or_insert_with(|| Window::new(rate))
        });
        let mut windows: Vec<&mut Window> = overall.into_iter().chain(of_domain).collect();
        let full: Vec<Option<Duration>> = windows
            .iter_mut()
            .map(|window| window.full_for(now))
            .collect();
        if let Some(wait) = full.iter().flatten().max() {
            let overall_is_full =
                self.overall.is_some() && full.first().is_some_and(Option::is_some);
            return Err(if overall_is_full {
                Full::Overall(*wait)
            } else {
                Full::Domain(*wait)
            });
        }
        self.last_id += 1;
        let longest = windows
            .iter()
            .map(|window| window.length)
            .max()
            .unwrap_or_default();
        let granted = Granted {
            id: self.last_id,
            leaves: now + HELD_FOR + longest,
        };
        for window in windows {
            window.counted.insert((granted.leaves, granted.id));
        }
        Ok(granted)
    }

    /// Notes what became of a permit: used now at the latest, or not at all.
    pub(super) fn settle(&mut self, now: Duration, domain: &str, granted: Granted, used: bool) {
        let windows = self.overall.iter_mut().chain(self.domains.get_mut(domain));
        for window in windows {
            window.take(granted);
            if used {
                window.counted.insert((now + window.length, granted.id));
            }
        }
    }

    /// Forgets domains that nothing is counted for, now and then.
    fn sweep(&mut self, now: Duration) {
        let Some(rate) = self.per_domain else { return };
        if now < self.swept + rate.window + HELD_FOR {
            return;
        }
        self.swept = now;
        self.domains.retain(|_, window| {
            window.forget(now);
            !window.counted.is_empty()
        });
    }

    #[cfg(test)]
    fn domains_known(&self) -> usize {
        self.domains.len()
    }
}

impl Window {
    fn new(rate: Rate) -> Self {
        let most = usize::try_from(rate.mails.get()).unwrap_or(usize::MAX);
        Self {
            most,
            length: kept_window(&rate),
            counted: BTreeSet::new(),
        }
    }

    /// The same by another rate, as though it had held when each was counted.
    fn at(self, rate: Rate) -> Self {
        let new = Self::new(rate);
        let moved = |leaves: Duration| (leaves + new.length).saturating_sub(self.length);
        Self {
            counted: self
                .counted
                .into_iter()
                .map(|(leaves, id)| (moved(leaves), id))
                .collect(),
            ..new
        }
    }

    /// No longer counts a permit.
    fn take(&mut self, granted: Granted) {
        if !self.counted.remove(&(granted.leaves, granted.id)) {
            // The limit was changed meanwhile, or it was forgotten.
            self.counted.retain(|(_, id)| *id != granted.id);
        }
    }

    fn forget(&mut self, now: Duration) {
        while self
            .counted
            .first()
            .is_some_and(|(leaves, _)| *leaves <= now)
        {
            self.counted.pop_first();
        }
    }

    /// `None` when there is room, else the time after which there may be.
    fn full_for(&mut self, now: Duration) -> Option<Duration> {
        self.forget(now);
        if self.counted.len() < self.most {
            return None;
        }
        // A permit that is still held will be counted for a whole window once its mail is sent: not sooner than that.
        self.counted
            .first()
            .map(|(leaves, _)| leaves.saturating_sub(now).min(self.length))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn rate(mails: u32, window: Duration) -> Rate {
        Rate {
            mails: mails.try_into().unwrap(),
            window,
        }
    }

    fn limits(overall: Option<Rate>, per_domain: Option<Rate>) -> RateLimits {
        RateLimits {
            overall,
            per_domain,
        }
    }

    /// The most receptions that any window of that length holds.
    fn fullest(mut received: Vec<Duration>, window: Duration) -> usize {
        received.sort_unstable();
        let from = |begin: Duration| {
            received
                .iter()
                .filter(|at| (begin..begin + window).contains(*at))
                .count()
        };
        received
            .iter()
            .map(|at| from(*at))
            .max()
            .unwrap_or_default()
    }

    /// A mail: how long after the grant the relay has it, and how long after that we know; a lost answer never comes.
    #[derive(Debug, Clone)]
    struct Sending {
        domain: usize,
        pause: Duration,
        until_received: Duration,
        until_known: Duration,
        fate: Fate,
    }

    #[derive(Debug, Clone, PartialEq)]
    enum Fate {
        Used,
        Unused,
        HolderDied,
    }

    fn sending() -> impl Strategy<Value = Sending> {
        let fate = prop_oneof![8 => Just(Fate::Used), 1 => Just(Fate::Unused), 1 => Just(Fate::HolderDied)];
        // Sending takes anything from no time to three windows.
        (0..3usize, 0..300u32, 0..1500u32, 0..1500u32, fate).prop_map(
            |(domain, pause, received, known, fate)| Sending {
                domain,
                pause: MS * pause,
                until_received: MS * received,
                until_known: MS * known,
                fate,
            },
        )
    }

    /// What each domain's relay received, and when.
    fn run(limits: RateLimits, sendings: &[Sending]) -> Vec<(usize, Duration)> {
        let names = ["a.test", "b.test", "c.test"];
        let mut log = SlidingLog::new(limits);
        let mut now = Duration::ZERO;
        let mut received = Vec::new();
        let mut unsettled: Vec<(Duration, usize, Granted, bool)> = Vec::new();
        for sending in sendings {
            now += sending.pause;
            let granted = loop {
                unsettled.sort_by_key(|(at, ..)| *at);
                while unsettled.first().is_some_and(|(at, ..)| *at <= now) {
                    let (at, domain, granted, used) = unsettled.remove(0);
                    log.settle(at, names[domain], granted, used);
                }
                match log.acquire(now, names[sending.domain]) {
                    Ok(granted) => break granted,
                    Err(Full::Overall(wait) | Full::Domain(wait)) => {
                        assert!(wait > Duration::ZERO, "asking again at once would spin");
                        now += wait;
                    }
                }
            };
            let at = now + sending.until_received;
            match sending.fate {
                Fate::Used => {
                    unsettled.push((at + sending.until_known, sending.domain, granted, true));
                }
                Fate::Unused => unsettled.push((at, sending.domain, granted, false)),
                Fate::HolderDied => {}
            }
            if sending.fate != Fate::Unused {
                received.push((sending.domain, at));
            }
        }
        received
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(
            sendings in proptest::collection::vec(sending(), 1..120),
            overall in 1..8u32,
            per_domain in 1..8u32,
        ) {
            let window = Duration::from_secs(1);
            let limits = limits(Some(rate(overall, window)), Some(rate(per_domain, 2 * window)));
            let received = run(limits, &sendings);
            let all = received.iter().map(|(_, at)| *at).collect();
            prop_assert!(fullest(all, window) <= overall as usize);
            for domain in 0..3 {
                let of_it = received.iter().filter(|(to, _)| *to == domain).map(|(_, at)| *at).collect();
                prop_assert!(fullest(of_it, 2 * window) <= per_domain as usize);
            }
        }

        #[test]
        fn at_least_95_percent_are_used_while_there_is_work(mails in 1..200u32, seconds in 1..60u32, slow in 1..30u32) {
            let window = Duration::from_secs(seconds.into());
            // What a sender does: asks, waits, wakes up to 2 ms late, sends; the relay takes up to 3% of the window.
            let sendings: Vec<Sending> = (0..mails * 20)
                .map(|n| Sending {
                    domain: 0,
                    pause: if n % mails == 0 { 2 * MS } else { Duration::ZERO },
                    until_received: Duration::ZERO,
                    until_known: window * slow / 1000,
                    fate: Fate::Used,
                })
                .collect();
            let received = run(limits(Some(rate(mails, window)), None), &sendings);
            let taken = received.last().unwrap().1.saturating_sub(received[0].1);
            let windows_needed = f64::from(mails * 20) / f64::from(mails) - 1.0;
            prop_assert!(windows_needed * window.as_secs_f64() / taken.as_secs_f64() >= 0.95);
        }
    }

    #[test]
    fn counting_from_the_grant_alone_would_exceed_the_limit() {
        // The control: one mail is received late, the next one early. Were the first forgotten a window after its grant,
        // both would be received within one.
        let window = Duration::from_secs(1);
        let mut log = SlidingLog::new(limits(Some(rate(1, window)), None));
        let first = log.acquire(Duration::ZERO, "a.test").unwrap();
        let received = window.saturating_sub(MS);
        assert!(
            log.acquire(window + 2 * MS, "a.test").is_err(),
            "still held"
        );
        log.settle(window + 2 * MS, "a.test", first, true);
        assert!(log.acquire(received + window, "a.test").is_err());
        assert!(log.acquire(3 * window, "a.test").is_ok());
    }

    #[test]
    fn a_permit_given_back_is_granted_again_at_once() {
        let mut log = SlidingLog::new(limits(Some(rate(1, Duration::from_hours(1))), None));
        let first = log.acquire(MS, "a.test").unwrap();
        assert!(log.acquire(2 * MS, "a.test").is_err());
        log.settle(3 * MS, "a.test", first, false);
        assert!(log.acquire(3 * MS, "a.test").is_ok());
    }

    #[test]
    fn a_full_domain_does_not_hold_up_another() {
        let mut log = SlidingLog::new(limits(None, Some(rate(1, Duration::from_secs(1)))));
        assert!(log.acquire(MS, "a.test").is_ok());
        assert!(matches!(log.acquire(MS, "a.test"), Err(Full::Domain(_))));
        assert!(log.acquire(MS, "b.test").is_ok());
    }

    #[test]
    fn who_is_refused_learns_by_which_limit() {
        let (one, two) = (
            rate(1, Duration::from_secs(9)),
            rate(2, Duration::from_secs(1)),
        );
        let mut log = SlidingLog::new(limits(Some(two), Some(one)));
        assert!(log.acquire(MS, "a.test").is_ok());
        assert!(matches!(log.acquire(MS, "a.test"), Err(Full::Domain(_))));
        assert!(log.acquire(MS, "b.test").is_ok());
        assert!(matches!(log.acquire(MS, "c.test"), Err(Full::Overall(_))));
        assert!(matches!(log.acquire(MS, "a.test"), Err(Full::Overall(_))));
    }

    #[test]
    fn domains_that_are_done_with_are_forgotten() {
        let mut log = SlidingLog::new(limits(None, Some(rate(1, Duration::from_secs(1)))));
        for n in 0..1000 {
            let domain = format!("{n}.test");
            let granted = log.acquire(MS, &domain).unwrap();
            log.settle(MS, &domain, granted, true);
        }
        assert!(log.acquire(Duration::from_secs(100), "b.test").is_ok());
        assert_eq!(log.domains_known(), 1);
    }
}

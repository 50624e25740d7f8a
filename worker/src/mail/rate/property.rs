//! What holds for whatever limits, workers, domains and failures: a limit is never exceeded, and it is used. The workers are
//! played on a clock of their own, so that a busy machine changes nothing.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use proptest::prelude::*;

use super::{
    ASK_AGAIN, Rate, RateLimits,
    log::{Full, Granted, SlidingLog},
};

/// How many windows' worth of mails are sent.
const WINDOWS: u32 = 20;

/// One try to send a mail.
#[derive(Debug, Clone, Copy)]
struct Try {
    /// How much of the longest time it takes, in thousandths.
    takes: u32,
    /// Whether the relay has it; else nothing of it was said, and the permit is given back.
    arrives: bool,
    /// How late its worker wakes up when it had to wait.
    late: Duration,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = (0..1_000u32, 0..10u32, 0..2_000u64);
    (0..4u32, proptest::collection::vec(one, 20..60)).prop_map(|(failing, tries)| {
        // Up to three of ten fail.
        tries
            .into_iter()
            .map(|(takes, fate, late)| Try {
                takes,
                arrives: fate >= failing,
                late: Duration::from_micros(late),
            })
            .collect()
    })
}

/// Workers that send side by side: each to one domain, one mail after the other.
#[derive(Debug)]
struct Office<'a> {
    limits: RateLimits,
    domains: usize,
    workers: usize,
    /// The longest that a mail takes.
    slowest: Duration,
    tries: &'a [Try],
}

/// What a worker does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Ask,
    Settle {
        id: u64,
        leaves: Duration,
        arrives: bool,
    },
}

impl Office<'_> {
    /// When the relay had each of the first `mails` mails, and for which domain.
    fn send(&self, mails: usize) -> Vec<(Duration, usize)> {
        let mut log = SlidingLog::new(self.limits);
        let mut tried = self.tries.iter().cycle();
        let mut received = Vec::new();
        let mut agenda: BinaryHeap<_> = (0..self.workers)
            .map(|worker| Reverse((Duration::ZERO, worker, Next::Ask)))
            .collect();
        while received.len() < mails {
            let Some(Reverse((now, worker, next))) = agenda.pop() else {
                break;
            };
            let domain = worker % self.domains;
            let name = ["a.test", "b.test", "c.test"][domain];
            if let Next::Settle {
                id,
                leaves,
                arrives,
            } = next
            {
                log.settle(now, name, Granted { id, leaves }, arrives);
            }
            let Some(this) = tried.next() else { break };
            let (at, next) = match log.acquire(now, name) {
                Err(Full::Overall(wait) | Full::Domain(wait)) => {
                    (now + wait.min(ASK_AGAIN) + this.late, Next::Ask)
                }
                Ok(granted) => {
                    let taken = self.slowest * this.takes / 1_000;
                    let known = now + taken;
                    if this.arrives {
                        // Somewhere between the grant and the answer.
                        received.push((now + taken / 2, domain));
                    }
                    let next = Next::Settle {
                        id: granted.id,
                        leaves: granted.leaves,
                        arrives: this.arrives,
                    };
                    (known, next)
                }
            };
            agenda.push(Reverse((at, worker, next)));
        }
        received.sort_unstable();
        received
    }
}

/// The most that any window holds.
fn fullest(received: &[Duration], window: Duration) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (last, at) in received.iter().enumerate() {
        while *at >= received[first] + window {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

fn rate(mails: u32, window: Duration) -> Rate {
    Rate {
        mails: mails.try_into().unwrap(),
        window,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn workers_side_by_side_keep_the_limit_and_use_95_percent_of_it_whatever_fails(
        mails in 1..40u32,
        seconds in 1..60u64,
        domains in 1..4usize,
        by_domain in any::<bool>(),
        more_workers in 0..9usize,
        busy in 0..700u32,
        tries in tries(),
    ) {
        let window = Duration::from_secs(seconds);
        let workers = domains + more_workers;
        // Either the limit of each domain binds or the overall one.
        let (overall, per_domain, together) = if by_domain {
            let together = mails * u32::try_from(domains).unwrap();
            (rate(2 * together, window), Some(rate(mails, window)), together)
        } else {
            (rate(mails, window), None, mails)
        };
        // Few workers must be quick enough for the limit to matter. A permit counts until a window after the relay's answer, and
        // a try that fails has the next one wait for it: with mails that take up to 1% of the window, and up to a third of
        // the tries failing, 2% of the limit can't be used by anybody.
        let of_a_domain = u32::try_from(workers / domains).unwrap();
        let slowest = (window * of_a_domain * busy / 1_000 / mails).min(window / 100);
        let office = Office {
            limits: RateLimits { overall: Some(overall), per_domain },
            domains,
            workers,
            slowest,
            tries: &tries,
        };
        prop_assume!(tries.iter().any(|one| one.arrives));
        let wanted = usize::try_from(together * WINDOWS).unwrap();
        let received = office.send(wanted);
        prop_assert_eq!(received.len(), wanted);

        let at: Vec<Duration> = received.iter().map(|(at, _)| *at).collect();
        prop_assert!(fullest(&at, window) <= overall.mails.get() as usize);
        if let Some(per_domain) = per_domain {
            for domain in 0..domains {
                let of_it: Vec<Duration> = received.iter().filter(|(_, to)| *to == domain).map(|(at, _)| *at).collect();
                prop_assert!(fullest(&of_it, window) <= per_domain.mails.get() as usize);
            }
        }
        // The first window's worth goes at once; each further one takes a window.
        let took = at[at.len() - 1].saturating_sub(at[0]).as_secs_f64();
        let used = f64::from(WINDOWS - 1) * window.as_secs_f64() / took;
        prop_assert!(used >= 0.95, "{} of the limit was used", used);
    }
}

//! How much mail may go out: a true limit, over all processes together.
//!
//! # What holds
//! In no window of the limit's length, wherever it begins, does the relay receive more mails than the limit says; a
//! second limit holds for each domain of recipients. What counts is when the relay receives a mail, and between being
//! allowed to send and that moment lies time nobody can foretell. So a permit is counted from when it is granted until a
//! window's length after the mail's fate is known ([`Permit::used`]), and no more than the limit are counted at once.
//!
//! Why that is enough: take any window, the mails received in it, and the one of them whose permit was granted last. It
//! was granted before its mail was received, so before the window's end; every other one was granted before it and is
//! counted until a window's length after it was received, so past the window's end. All were counted at that one moment,
//! so they are no more than the limit. No guess about delays is in this; a slow relay makes sending slower, never
//! faster.
//!
//! # What it costs
//! Each permit is counted for the length of its sending (milliseconds) beyond the window, and the window is lengthened by
//! a thousandth, at least a millisecond: clocks that count the same second may differ by a few ten-thousandths (NTP slews
//! by up to 0.0005). With sending times under 4% of the window more than 95% of the limit is used while there is work.
//! With no limit set nothing is counted and nothing is asked.
//!
//! # What happens to a permit whose holder dies
//! It is forgotten a window's length after [`HAND_OVER_WITHIN`] and a little: the transport gives up every mail before
//! that, so by then it was sent, or never will be.

mod limit;
mod log;
mod memory;
#[cfg(test)]
mod property;
mod redis;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ::redis::aio::ConnectionManager;
use domain::mail_rules::MailRules;
pub use limit::{Rate, RateLimits, RateSyntaxError};

use self::{memory::MemoryLog, redis::RedisLog};
use super::HAND_OVER_WITHIN;

/// How long a granted permit is waited for.
const HELD_FOR: Duration = HAND_OVER_WITHIN.saturating_add(Duration::from_secs(5));
/// The longest pause before asking again: a permit that was given back unused is found by then.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Grants permits to send. Cheap to clone; all clones count together.
#[derive(Debug, Clone)]
pub struct RateLimiter(Option<Arc<Limited>>);

/// What is counted, and by which limits.
#[derive(Debug)]
struct Limited {
    log: Log,
    /// Those that hold where the rules of bulk mail set none.
    own: RateLimits,
    now: RwLock<RateLimits>,
}

#[derive(Debug, Clone)]
enum Log {
    Memory(Arc<MemoryLog>),
    Redis(Arc<RedisLog>),
}

/// The answer to a question for several permits.
#[derive(Debug)]
pub struct Decision {
    /// For each domain asked for, in order: the permit, or `None` for not yet.
    pub permits: Vec<Option<Permit>>,
    /// How long until the first of those that the overall limit refuses may be granted; `None` when it refuses none.
    pub wait: Option<Duration>,
    /// The domains that were refused by their own limit alone, in lower case, and how long it takes until one of their
    /// mails may be granted. Others need not wait for them.
    pub full_domains: HashMap<String, Duration>,
}

impl Decision {
    /// How long until the first of all those refused may be granted; `None` when none was.
    #[must_use]
    pub fn soonest(&self) -> Option<Duration> {
        self.wait
            .into_iter()
            .chain(self.full_domains.values().copied())
            .min()
    }
}

/// The limit can't be kept, because what is counted can't be seen: nothing may be sent.
#[derive(Debug, thiserror::Error)]
#[error("the mail rate limit can't be asked: {0}")]
pub struct RateLimitUnavailable(pub(super) String);

impl RateLimiter {
    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// Counts in this process alone: for the embedded default.
    #[must_use]
    pub fn in_memory(limits: RateLimits) -> Self {
        Self::counted_by(Log::Memory(Arc::new(MemoryLog::new(limits))), limits)
    }

    /// Counts in Redis, over every process that uses the same one with the same prefix of keys. Must be called within a
    /// tokio runtime.
    ///
    /// A `connection` that gives up waiting while Redis grants all the same loses that permit for a while: give it a
    /// response time-out of a few seconds.
    ///
    /// Emptying Redis empties the count: windows that lie across that moment may be exceeded.
    #[must_use]
    pub fn in_redis(limits: RateLimits, connection: ConnectionManager, prefix: &str) -> Self {
        let log = RedisLog::new(limits, connection, prefix);
        Self::counted_by(Log::Redis(Arc::new(log)), limits)
    }

    fn counted_by(log: Log, limits: RateLimits) -> Self {
        limits.show();
        Self(Some(Arc::new(Limited {
            log,
            own: limits,
            now: RwLock::new(limits),
        })))
    }

    /// Goes by the limits of the rules of bulk mail; where they set none, by those it was made with. Windows that begin
    /// after the change are true to the new limits.
    pub fn follow(&self, rules: &MailRules) {
        let Some(limited) = &self.0 else { return };
        let wanted = RateLimits {
            overall: rules.mail_rate.or(limited.own.overall),
            per_domain: rules.domain_rate.or(limited.own.per_domain),
        };
        if limited.limits() == wanted {
            return;
        }
        *limited.now.write().unwrap_or_else(PoisonError::into_inner) = wanted;
        match &limited.log {
            Log::Memory(log) => log.set_limits(wanted),
            Log::Redis(log) => log.set_limits(wanted),
        }
        wanted.show();
    }

    /// Asks for a permit for each of `domains`, in that order, without waiting. A refused domain does not keep the ones
    /// after it from being granted. Ask only for what will be sent at once: a permit that waits is counted all the while.
    pub async fn try_acquire(&self, domains: &[&str]) -> Result<Decision, RateLimitUnavailable> {
        match self.log() {
            None => Ok(Decision {
                permits: domains.iter().map(|_| Some(Permit(None))).collect(),
                wait: None,
                full_domains: HashMap::new(),
            }),
            Some(Log::Memory(log)) => Ok(log.try_acquire(domains)),
            Some(Log::Redis(log)) => log.try_acquire(domains).await,
        }
    }

    /// Waits for a permit to send one mail to that domain.
    pub async fn acquire(&self, domain: &str) -> Result<Permit, RateLimitUnavailable> {
        loop {
            let mut decision = self.try_acquire(&[domain]).await?;
            if let Some(permit) = decision.permits.pop().flatten() {
                return Ok(permit);
            }
            tokio::time::sleep(decision.soonest().unwrap_or_default().min(ASK_AGAIN)).await;
        }
    }

    /// Where is counted, unless nothing is limited.
    fn log(&self) -> Option<&Log> {
        let limited = self.0.as_deref()?;
        limited.limits().any().then_some(&limited.log)
    }
}

impl Limited {
    fn limits(&self) -> RateLimits {
        *self.now.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to hand one mail to the relay, now.
///
/// Say what became of it as soon as that is known. Dropped without a word, it counts as used at that moment.
#[must_use = "a permit that is dropped counts as used"]
#[derive(Debug)]
pub struct Permit(Option<Held>);

/// What is counted for a permit, and where.
#[derive(Debug)]
struct Held {
    log: Log,
    id: u64,
    /// In lower case.
    domain: String,
    /// When the memory log would forget it by itself.
    leaves: Duration,
}

impl Permit {
    /// The mail was handed over, or may have been.
    pub fn used(mut self) {
        self.settle(true);
    }

    /// The relay certainly never had the mail: somebody else may send instead.
    pub fn unused(mut self) {
        self.settle(false);
    }

    fn settle(&mut self, used: bool) {
        let Some(held) = self.0.take() else { return };
        match held.log.clone() {
            Log::Memory(log) => log.settle(&held, used),
            Log::Redis(log) => log.settle(held, used),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.settle(true);
    }
}

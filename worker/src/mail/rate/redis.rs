//! The count in Redis, over all processes.
//!
//! Two sorted sets hold what [`super::log`] holds in memory: the permits counted against the overall limit, and those
//! counted against a domain's, each scored with the moment (in microseconds of Redis' own clock) at which it stops being
//! counted. One script looks and grants, one notes what became of permits; each is atomic.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{Script, aio::ConnectionManager};
use tokio::{sync::mpsc, time::timeout};

use super::{
    Decision, HELD_FOR, Held, Log, Permit, Rate, RateLimitUnavailable, RateLimits,
    limit::kept_window,
};

/// A Redis that has not answered after this long counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// Permits settled by one call at most.
const SETTLED_AT_ONCE: usize = 256;

pub(super) struct RedisLog {
    limits: Arc<RwLock<Limits>>,
    connection: ConnectionManager,
    acquire: Script,
    /// Tells this process's permits from another's.
    process: String,
    last_id: AtomicU64,
    settled: mpsc::UnboundedSender<Settled>,
}

/// The limits as the scripts take them.
#[derive(Clone)]
struct Limits {
    prefix: String,
    overall: Limit,
    per_domain: Limit,
}

/// Most mails (0: no limit) and the window in microseconds.
#[derive(Clone)]
struct Limit {
    most: u32,
    window: u64,
}

struct Settled {
    id: u64,
    domain: String,
    used: bool,
}

impl RedisLog {
    pub(super) fn new(limits: RateLimits, connection: ConnectionManager, prefix: &str) -> Self {
        let limits = Arc::new(RwLock::new(Limits {
            prefix: prefix.to_owned(),
            overall: limits.overall.into(),
            per_domain: limits.per_domain.into(),
        }));
        let process = format!("{:016x}", rand::random::<u64>());
        let (settled, inbox) = mpsc::unbounded_channel();
        // It ends when the last permit and the limiter are gone.
        tokio::spawn(settle(
            Arc::clone(&limits),
            connection.clone(),
            process.clone(),
            inbox,
        ));
        Self {
            limits,
            connection,
            acquire: Script::new(include_str!("acquire.lua")),
            process,
            last_id: AtomicU64::new(0),
            settled,
        }
    }

    pub(super) fn set_limits(&self, limits: RateLimits) {
        let mut kept = self.limits.write().unwrap_or_else(PoisonError::into_inner);
        kept.overall = limits.overall.into();
        kept.per_domain = limits.per_domain.into();
    }

    pub(super) async fn try_acquire(
        self: &Arc<Self>,
        domains: &[&str],
    ) -> Result<Decision, RateLimitUnavailable> {
        if domains.is_empty() {
            return Ok(Decision {
                permits: Vec::new(),
                wait: None,
                full_domains: HashMap::new(),
            });
        }
        let domains: Vec<String> = domains
            .iter()
            .map(|domain| domain.to_ascii_lowercase())
            .collect();
        let first_id = self
            .last_id
            .fetch_add(domains.len() as u64, Ordering::Relaxed)
            + 1;
        let mut call = self.acquire.prepare_invoke();
        let limits = now(&self.limits);
        limits.write(&mut call);
        call.arg(micros(HELD_FOR));
        for (id, domain) in (first_id..).zip(&domains) {
            call.key(limits.domain_key(domain))
                .arg(format!("{}:{id}", self.process));
        }
        let mut connection = self.connection.clone();
        // See the script.
        let answer: Vec<i64> = match timeout(PATIENCE, call.invoke_async(&mut connection)).await {
            Ok(answer) => answer.map_err(|error| RateLimitUnavailable(error.to_string()))?,
            Err(_) => return Err(RateLimitUnavailable("Redis does not answer".to_owned())),
        };
        let (wait, granted) = answer
            .split_first()
            .ok_or_else(|| RateLimitUnavailable("an empty answer".to_owned()))?;
        let overall_is_full = granted.contains(&0);
        let full_domains = domains
            .iter()
            .zip(granted)
            .filter(|(_, granted)| **granted < 0)
            .map(|(domain, wait)| (domain.clone(), Duration::from_micros(wait.unsigned_abs())))
            .collect();
        let permits: Vec<Option<Permit>> = (first_id..)
            .zip(domains)
            .zip(granted)
            .map(|((id, domain), granted)| {
                // A permit that is made and dropped would count, so only what was granted becomes one.
                (*granted == 1).then(|| {
                    Permit(Some(Held {
                        log: Log::Redis(Arc::clone(self)),
                        id,
                        domain,
                        leaves: Duration::ZERO,
                    }))
                })
            })
            .collect();
        Ok(Decision {
            permits,
            wait: overall_is_full.then(|| Duration::from_micros(wait.unsigned_abs())),
            full_domains,
        })
    }

    /// Notes what became of a permit, soon. Should Redis not learn of it, the permit is counted for longer, not shorter.
    pub(super) fn settle(&self, held: Held, used: bool) {
        let settled = Settled {
            id: held.id,
            domain: held.domain,
            used,
        };
        // It fails only when the runtime is shutting down.
        let _ = self.settled.send(settled);
    }
}

/// The limits as they are now.
fn now(limits: &RwLock<Limits>) -> Limits {
    limits
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Tells Redis what became of permits, as many as have come together at a time.
async fn settle(
    limits: Arc<RwLock<Limits>>,
    mut connection: ConnectionManager,
    process: String,
    mut inbox: mpsc::UnboundedReceiver<Settled>,
) {
    let script = Script::new(include_str!("settle.lua"));
    let mut batch = Vec::new();
    while inbox.recv_many(&mut batch, SETTLED_AT_ONCE).await > 0 {
        let mut call = script.prepare_invoke();
        let limits = now(&limits);
        limits.write(&mut call);
        for Settled { id, domain, used } in batch.drain(..) {
            call.key(limits.domain_key(&domain))
                .arg(format!("{process}:{id}"))
                .arg(u8::from(used));
        }
        let told: Result<redis::RedisResult<()>, _> =
            timeout(PATIENCE, call.invoke_async(&mut connection)).await;
        if let Ok(Err(error)) = told {
            tracing::warn!(%error, "the mail rate limit could not be told of sent mails; it is kept too strictly for a while");
        }
    }
}

impl Limits {
    /// One hash slot for all keys, so that one script may touch them on a Redis Cluster too.
    fn slot(&self) -> String {
        format!("{{{}:mail-rate}}", self.prefix)
    }

    fn domain_key(&self, domain: &str) -> String {
        format!("{}:domain:{domain}", self.slot())
    }

    /// The first key and the first arguments of both scripts.
    fn write(&self, call: &mut redis::ScriptInvocation<'_>) {
        call.key(format!("{}:overall", self.slot()));
        for limit in [&self.overall, &self.per_domain] {
            call.arg(limit.most).arg(limit.window);
        }
    }
}

impl From<Option<Rate>> for Limit {
    fn from(rate: Option<Rate>) -> Self {
        rate.map_or(Self { most: 0, window: 0 }, |rate| Self {
            most: rate.mails.get(),
            window: micros(kept_window(&rate)),
        })
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Debug for RedisLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLog")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

//! Wake-ups and live events: how a commit in one process is noticed at once by another.
//!
//! Nothing here is a record. A wake-up names a job that somebody should look at; when it is lost, late, or comes twice, the
//! row and the sweeper make up for it. That is why there are never many of them about.

mod memory;
mod redis;

use std::sync::Arc;

use domain::{
    error::Result,
    live::{LiveEvent, Signals, Wake},
};
use entity::ids::JobId;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use crate::settings::EngineSettings;

pub use self::{memory::MemorySignals, redis::RedisSignals};

/// How many wake-ups of one queue may be outstanding. More would not make anything faster: a worker that has been woken
/// goes on until nothing is due. And at 8,000 apalis-redis stops working, because its script unpacks them all at once.
pub(super) const MOST_OUTSTANDING: usize = 500;

/// How many live events a slow subscriber may be behind before it misses some.
const EVENTS_KEPT: usize = 4_096;

/// What goes through apalis: the job to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeUp {
    /// The job.
    pub job_id: JobId,
}

/// The signals of a process: within it, or through Redis between many.
#[derive(Clone, Debug)]
pub enum EngineSignals {
    /// Everything is in this process.
    Memory(Arc<MemorySignals>),
    /// Other processes listen on the same Redis.
    Redis(Arc<RedisSignals>),
}

impl EngineSignals {
    /// Signals as the settings have them: through Redis where there is one. Must be called within a Tokio runtime.
    pub fn connect(settings: &EngineSettings) -> Result<Self> {
        match &settings.redis_url {
            Some(url) => Self::redis(url, &settings.redis_prefix),
            None => Ok(Self::memory()),
        }
    }

    /// Signals within this process.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Signals through the Redis at `url`, all keys and channels under `prefix`. Does not wait for it. Must be called
    /// within a Tokio runtime.
    pub fn redis(url: &str, prefix: &str) -> Result<Self> {
        Ok(Self::Redis(Arc::new(RedisSignals::new(url, prefix)?)))
    }
}

impl Signals for EngineSignals {
    fn committed(&self, wakes: Vec<Wake>, events: Vec<LiveEvent>) {
        match self {
            Self::Memory(signals) => signals.committed(wakes, events),
            Self::Redis(signals) => signals.committed(wakes, events),
        }
    }

    fn subscribe(&self) -> BoxStream<'static, LiveEvent> {
        match self {
            Self::Memory(signals) => signals.subscribe(),
            Self::Redis(signals) => signals.subscribe(),
        }
    }
}

/// Live events as they go round within a process.
#[derive(Clone, Debug)]
struct Broadcast(broadcast::Sender<LiveEvent>);

impl Default for Broadcast {
    fn default() -> Self {
        Self(broadcast::Sender::new(EVENTS_KEPT))
    }
}

impl Broadcast {
    fn send(&self, event: LiveEvent) {
        // An error only says that nobody listens.
        let _ = self.0.send(event);
    }

    fn subscribe(&self) -> BoxStream<'static, LiveEvent> {
        use tokio::sync::broadcast::error::RecvError;
        Box::pin(stream::unfold(
            self.0.subscribe(),
            |mut receiver| async move {
                loop {
                    match receiver.recv().await {
                        Ok(event) => return Some((event, receiver)),
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return None,
                    }
                }
            },
        ))
    }
}

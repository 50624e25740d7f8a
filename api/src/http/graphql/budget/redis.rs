//! The count in Redis, over all processes.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, RedisResult, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::time::{sleep, timeout};
use worker::settings::SettingsError;

use super::{Payer, Standing, slots::COUNTED};

/// A Redis that has not answered after this long counts as gone: operations wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one that is gone isn't asked again.
const LEFT_ALONE: Duration = Duration::from_secs(2);

/// What everybody has spent, in Redis.
pub struct RedisBudget {
    connection: ConnectionManager,
    spend: Script,
    prefix: String,
    is_gone: Arc<AtomicBool>,
}

impl RedisBudget {
    /// In the Redis at `url`, all keys under `prefix`. Does not wait for it. Must be called within a Tokio runtime.
    pub fn new(url: &str, prefix: &str) -> Result<Self, SettingsError> {
        let wrong = |error: redis::RedisError| SettingsError::new("REDIS_URL", error.to_string());
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let client = Client::open(url).map_err(wrong)?;
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client, settings).map_err(wrong)?,
            spend: Script::new(include_str!("spend.lua")),
            prefix: format!("{prefix}:budget"),
            is_gone: Arc::default(),
        })
    }

    /// Pays for an operation, if there is room. None when Redis can't be asked.
    pub(super) async fn spend(&self, payer: Payer, limit: u64, cost: u64) -> Option<Standing> {
        if self.is_gone.load(Ordering::Relaxed) {
            return None;
        }
        let mut connection = self.connection.clone();
        let mut call = self.spend.prepare_invoke();
        call.key(format!("{}:{payer}", self.prefix))
            .arg(limit)
            .arg(cost)
            .arg(COUNTED);
        let answer: RedisResult<(u8, u64, u64, u64)> =
            match timeout(PATIENCE, call.invoke_async(&mut connection)).await {
                Ok(answer) => answer,
                Err(_) => return self.leave_alone(&"it does not answer"),
            };
        match answer {
            Ok((paid, remaining, reset, wait)) => Some(Standing {
                limit,
                remaining,
                reset,
                wait: (paid == 0).then_some(wait),
            }),
            Err(error) => self.leave_alone(&error),
        }
    }

    /// Lets Redis be for a while: each operation would wait for it.
    fn leave_alone(&self, why: &dyn fmt::Display) -> Option<Standing> {
        if !self.is_gone.swap(true, Ordering::Relaxed) {
            tracing::warn!(error = %why, "Redis can't be asked for budgets; this process counts by itself");
            let is_gone = Arc::clone(&self.is_gone);
            tokio::spawn(async move {
                sleep(LEFT_ALONE).await;
                is_gone.store(false, Ordering::Relaxed);
            });
        }
        None
    }
}

impl fmt::Debug for RedisBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudget")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

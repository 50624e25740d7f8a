//! Signals between processes, through Redis.
//!
//! Wake-ups go into apalis-redis, live events over publish and subscribe. Redis may be away at the start and at any time
//! later: nobody waits for it, what can't be passed on is dropped, and everything reconnects by itself.

use std::time::Duration;

use apalis_core::task::{builder::TaskBuilder, task_id::TaskId};
use apalis_redis::{Config, RedisStorage, RedisTask};
use domain::{
    error::{Error, Result},
    job::Queue,
    live::{LiveEvent, Signals, Wake},
};
use futures_util::{StreamExt, stream::BoxStream};
use redis::{
    Client, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};
use tracing::{debug, warn};
use uuid::Uuid;

use super::{Broadcast, MOST_OUTSTANDING, WakeUp};

/// How long Redis may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two attempts to reach it.
const RECONNECT: Duration = Duration::from_millis(500);
/// The live events that wait to be published; more are dropped.
const EVENTS_WAITING: usize = 10_000;
/// The live events that are published in one go.
const EVENTS_AT_ONCE: usize = 500;
/// The finished wake-ups that are cleared away in one go, and how often. apalis-redis keeps them for ever.
const CLEARED_AT_ONCE: usize = 1_000;
const CLEARED_EVERY: Duration = Duration::from_secs(1);

/// Wake-ups in apalis-redis, live events on a channel that all processes share.
#[derive(Debug)]
pub struct RedisSignals {
    connection: ConnectionManager,
    prefix: String,
    events: Broadcast,
    wakes: mpsc::Sender<Wake>,
    published: mpsc::Sender<LiveEvent>,
    tasks: Vec<JoinHandle<()>>,
}

/// A live event on its way, and the process it comes from, which has had it already.
#[derive(Serialize, Deserialize)]
struct Message {
    from: Uuid,
    event: LiveEvent,
}

impl RedisSignals {
    /// Uses the Redis at `url`, all keys and channels under `prefix`. Does not wait for it. Must be called within a Tokio
    /// runtime.
    pub fn new(url: &str, prefix: &str) -> Result<Self> {
        let wrong = |error: RedisError| Error::Fault(format!("REDIS_URL: {error}"));
        let client = Client::open(url).map_err(wrong)?;
        let settings = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1)
            .set_max_delay(RECONNECT);
        let connection =
            ConnectionManager::new_lazy_with_config(client.clone(), settings).map_err(wrong)?;
        let events = Broadcast::default();
        let channel = format!("{prefix}:live");
        let from = Uuid::new_v4();
        let (wakes, waiting) = mpsc::channel(MOST_OUTSTANDING * Queue::ALL.len());
        let (published, to_publish) = mpsc::channel(EVENTS_WAITING);
        let tasks = vec![
            tokio::spawn(push_wakes(connection.clone(), prefix.to_owned(), waiting)),
            tokio::spawn(publish(
                connection.clone(),
                channel.clone(),
                from,
                to_publish,
            )),
            tokio::spawn(receive(client, channel, from, events.clone())),
        ];
        Ok(Self {
            connection,
            prefix: prefix.to_owned(),
            events,
            wakes,
            published,
            tasks,
        })
    }

    /// The apalis backend of `queue`.
    pub(in crate::engine) fn backend(&self, queue: Queue, batch: usize) -> RedisStorage<WakeUp> {
        RedisStorage::new(self.connection.clone())
            .with_config(apalis_config(&self.prefix, queue).batch_size(batch))
    }

    /// A connection that reconnects by itself.
    #[must_use]
    pub fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    /// Clears finished wake-ups away, for ever.
    pub(in crate::engine) async fn clear_finished(&self) {
        loop {
            sleep(CLEARED_EVERY).await;
            for queue in Queue::ALL {
                let mut connection = self.connection.clone();
                let config = apalis_config(&self.prefix, queue);
                while let Ok(CLEARED_AT_ONCE..) = clear(&mut connection, &config).await {}
            }
        }
    }
}

impl Drop for RedisSignals {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Signals for RedisSignals {
    fn committed(&self, wakes: Vec<Wake>, events: Vec<LiveEvent>) {
        for wake in wakes {
            // Full is full: whoever works off the queue finds the rest by itself.
            let _ = self.wakes.try_send(wake);
        }
        for event in events {
            self.events.send(event);
            let _ = self.published.try_send(event);
        }
    }

    fn subscribe(&self) -> BoxStream<'static, LiveEvent> {
        self.events.subscribe()
    }
}

/// How apalis-redis is set for `queue`.
fn apalis_config(prefix: &str, queue: Queue) -> Config {
    Config::default()
        .queue(format!("{prefix}:{queue}"))
        // A worker that is gone for 15 s has its wake-ups dealt again. The jobs don't wait for that.
        .heartbeat_interval(Duration::from_secs(5))
        .missed_heartbeats(3)
        // The lock that counts is the lease in the row.
        .lock_tasks(false)
        .emit_events(false)
}

/// Pushes wake-ups as they come.
async fn push_wakes(
    mut connection: ConnectionManager,
    prefix: String,
    mut waiting: mpsc::Receiver<Wake>,
) {
    let mut wakes = Vec::with_capacity(MOST_OUTSTANDING);
    while waiting.recv_many(&mut wakes, MOST_OUTSTANDING).await > 0 {
        for queue in Queue::ALL {
            let tasks: Vec<RedisTask> = wakes
                .iter()
                .filter(|wake| wake.queue == queue)
                .filter_map(|wake| task(wake.job_id))
                .collect();
            if tasks.is_empty() {
                continue;
            }
            let config = apalis_config(&prefix, queue);
            match push(&mut connection, &config, tasks).await {
                Ok(left_out) if left_out > 0 => {
                    debug!(%queue, left_out, "enough wake-ups are outstanding");
                }
                Ok(_) => {}
                Err(error) => {
                    warn!(%queue, %error, "workers can't be woken; they will find the jobs by themselves");
                }
            }
        }
        wakes.clear();
    }
}

/// The task of a job. Its fixed id keeps a second one from being made while there is one.
fn task(job_id: entity::ids::JobId) -> Option<RedisTask> {
    let wake_up = serde_json::to_vec(&WakeUp { job_id }).ok()?;
    Some(
        TaskBuilder::new(wake_up)
            .task_id(TaskId::from_string(job_id.to_string()))
            .build(),
    )
}

/// Pushes as many of `tasks` as there is room for, and answers how many there was none for.
async fn push(
    connection: &mut ConnectionManager,
    config: &Config,
    mut tasks: Vec<RedisTask>,
) -> Result<usize, apalis_redis::Error> {
    let (active, scheduled): (usize, usize) = redis::pipe()
        .llen(config.active_jobs_list())
        .zcard(config.scheduled_jobs_set())
        .query_async(connection)
        .await?;
    let room = MOST_OUTSTANDING.saturating_sub(active + scheduled);
    let left_out = tasks.len().saturating_sub(room);
    tasks.truncate(room);
    if !tasks.is_empty() {
        apalis_redis::queries::push_tasks(connection, config, &tasks).await?;
    }
    Ok(left_out)
}

/// Removes what apalis-redis keeps of finished wake-ups, and answers how many there were.
async fn clear(connection: &mut ConnectionManager, config: &Config) -> Result<usize, RedisError> {
    const CLEAR: &str = r"
        local cleared = 0
        for i = 1, 2 do
            for _, id in ipairs(redis.call('SPOP', KEYS[i], ARGV[1])) do
                redis.call('HDEL', KEYS[3], id)
                redis.call('DEL', KEYS[4] .. ':' .. id)
                cleared = cleared + 1
            end
        end
        return cleared";
    Script::new(CLEAR)
        .key(config.done_jobs_set())
        .key(config.dead_jobs_set())
        .key(config.job_data_hash())
        .key(config.job_meta_hash())
        .arg(CLEARED_AT_ONCE)
        .invoke_async(connection)
        .await
}

/// Publishes live events as they come.
async fn publish(
    mut connection: ConnectionManager,
    channel: String,
    from: Uuid,
    mut to_publish: mpsc::Receiver<LiveEvent>,
) {
    let mut events = Vec::with_capacity(EVENTS_AT_ONCE);
    while to_publish.recv_many(&mut events, EVENTS_AT_ONCE).await > 0 {
        let mut pipe = redis::pipe();
        for event in events.drain(..) {
            if let Ok(message) = serde_json::to_string(&Message { from, event }) {
                pipe.publish(&channel, message).ignore();
            }
        }
        if let Err(error) = pipe.query_async::<()>(&mut connection).await {
            warn!(%error, "live events can't be published");
        }
    }
}

/// Receives the live events of other processes, and reconnects for ever.
async fn receive(client: Client, channel: String, from: Uuid, events: Broadcast) {
    loop {
        if let Err(error) = receive_once(&client, &channel, from, &events).await {
            warn!(%error, "live events of other processes can't be received");
        }
        sleep(RECONNECT).await;
    }
}

async fn receive_once(
    client: &Client,
    channel: &str,
    from: Uuid,
    events: &Broadcast,
) -> Result<(), RedisError> {
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(channel).await?;
    let mut messages = subscription.into_on_message();
    while let Some(message) = messages.next().await {
        if let Ok(message) = serde_json::from_slice::<Message>(message.get_payload_bytes())
            && message.from != from
        {
            events.send(message.event);
        }
    }
    Ok(())
}

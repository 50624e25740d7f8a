//! The apalis workers: one for every queue, and one for every line of the timetable.
//!
//! What a worker does with a wake-up is to call it out to the line of its queue, and to wait until that has dealt with it.
//! The wake-up is acknowledged whatever came of the job, since what came of it stands in the row.

use std::{sync::Arc, time::Duration};

use apalis::{layers::WorkerBuilderExt, prelude::*};
use apalis_core::backend::ext::BackendExt;
use apalis_cron::{CronScheduler, Tick};
use chrono::DateTime;
use chrono_tz::Tz;
use domain::{clock::UNIVERSITY_TIME, store::Store};
use redis::aio::ConnectionManager;
use tokio::time::sleep;
use tracing::{info, warn};
use uuid::Uuid;

use super::{
    cron::Entry,
    line::LineHandle,
    wake::{EngineSignals, MemorySignals, RedisSignals, WakeUp},
};

/// How often an idle queue is looked at. apalis-redis on its own would wait for its next heartbeat.
const POLL: Duration = Duration::from_millis(100);
/// Between two attempts to reach Redis.
const RECONNECT: Duration = Duration::from_millis(500);

/// All workers of this process, not yet running.
pub(super) fn monitor(
    signals: &EngineSignals,
    lines: &[LineHandle],
    timetable: Vec<Arc<Entry>>,
    store: &Store,
) -> Monitor {
    let mut monitor = Monitor::new().should_restart(|worker, error| {
        warn!(worker = worker.name(), %error, "an apalis worker failed and is started again");
        true
    });
    for line in lines {
        monitor = match signals {
            EngineSignals::Memory(memory) => memory_worker(monitor, memory, line),
            EngineSignals::Redis(redis) => redis_worker(monitor, redis, line),
        };
    }
    for entry in timetable {
        monitor = clock_worker(monitor, entry, store);
    }
    monitor
}

/// A name that no worker has had before: apalis-redis takes a second worker of the same name for the first one, and
/// refuses it until that has been silent for a while.
fn fresh_name(what: impl std::fmt::Display) -> String {
    format!("{what}-{}", Uuid::new_v4().simple())
}

fn memory_worker(monitor: Monitor, signals: &Arc<MemorySignals>, line: &LineHandle) -> Monitor {
    let signals = Arc::clone(signals);
    let line = line.clone();
    monitor.register(move |_| {
        let line = line.clone();
        WorkerBuilder::new(fresh_name(line.queue))
            .backend(signals.backend(line.queue))
            .concurrency(line.size)
            .build(move |wake: WakeUp| {
                let line = line.clone();
                async move { line.call(wake.job_id).await }
            })
    })
}

fn redis_worker(monitor: Monitor, signals: &Arc<RedisSignals>, line: &LineHandle) -> Monitor {
    let signals = Arc::clone(signals);
    let line = line.clone();
    monitor.register(move |_| {
        let line = line.clone();
        let connection = signals.connection();
        WorkerBuilder::new(fresh_name(line.queue))
            .backend(
                signals
                    .backend(line.queue, line.size)
                    .poll_with_interval(POLL)
                    // A worker that can't reach Redis would fail and be started again without a pause.
                    .before_start(move |_| {
                        let connection = connection.clone();
                        async move {
                            until_it_answers(connection).await;
                            Ok(())
                        }
                    }),
            )
            .concurrency(line.size)
            .build(move |wake: WakeUp| {
                let line = line.clone();
                async move { line.call(wake.job_id).await }
            })
    })
}

async fn until_it_answers(mut connection: ConnectionManager) {
    let mut complained = false;
    loop {
        match redis::cmd("PING").query_async::<()>(&mut connection).await {
            Ok(()) => break,
            Err(error) if !complained => {
                complained = true;
                warn!(%error, "Redis can't be reached; jobs run without wake-ups until it is back");
            }
            Err(_) => {}
        }
        sleep(RECONNECT).await;
    }
    if complained {
        info!("Redis is back");
    }
}

fn clock_worker(monitor: Monitor, entry: Arc<Entry>, store: &Store) -> Monitor {
    let store = store.clone();
    monitor.register(move |_| {
        let entry = Arc::clone(&entry);
        let store = store.clone();
        WorkerBuilder::new(fresh_name(entry.kind))
            .backend(CronScheduler::new(entry.schedule.clone()).with_timezone(UNIVERSITY_TIME))
            .build(move |tick: Tick<Tz>| {
                let entry = Arc::clone(&entry);
                let store = store.clone();
                async move {
                    let seconds = i64::try_from(tick.get_timestamp()).ok();
                    if let Some(tick) = seconds.and_then(|s| DateTime::from_timestamp(s, 0)) {
                        entry.keep(&store, tick).await;
                    }
                }
            })
    })
}

//! What happens to jobs when Redis is slow of memory, empty or gone. On PostgreSQL with Redis only.

use std::{sync::Arc, time::Duration};

use domain::{clock::SystemClock, store::Store};
use entity::job::JobState;
use support::{Column, OwnRedis, TestBed, until};
use worker::engine::{EngineConfig, EngineSignals};

use super::{
    engine,
    probe::{self, Act, Probe, count, until_state},
};

const SOON: Duration = Duration::from_secs(10);

async fn store(bed: &TestBed, signals: &EngineSignals) -> Store {
    Store::connect(
        bed.database().url(),
        20,
        Arc::new(SystemClock),
        Arc::new(signals.clone()),
    )
    .await
    .unwrap()
}

async fn one_job_is_done(store: &Store) {
    let id = Probe::new(Act::Succeed).enqueue(store).await;
    until_state(store, id, JobState::Done, SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_before_redis_is_there_and_while_it_is_away() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let mut redis = OwnRedis::start().await;
    redis.stop();
    let signals = EngineSignals::redis(&redis.url(), "t").unwrap();
    let store = store(&bed, &signals).await;
    let running = probe::engine(&store, &signals, EngineConfig::default()).start();
    one_job_is_done(&store).await;

    redis.start_again().await;
    one_job_is_done(&store).await;
    until_woken_through(&redis, &store).await;

    redis.stop();
    one_job_is_done(&store).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_run_after_redis_lost_everything() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let redis = OwnRedis::start().await;
    let signals = EngineSignals::redis(&redis.url(), "t").unwrap();
    let store = store(&bed, &signals).await;
    let running = probe::engine(&store, &signals, EngineConfig::default()).start();
    until_woken_through(&redis, &store).await;

    let mut jobs = Vec::new();
    for _ in 0..50 {
        jobs.push(Probe::new(Act::Succeed).enqueue(&store).await);
        redis.flush_all().await;
    }
    for id in jobs {
        until_state(&store, id, JobState::Done, SOON).await;
    }
    until_woken_through(&redis, &store).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_jobs_that_are_due_at_once_drain() {
    const JOBS: u64 = 20_000;
    let bed = TestBed::new(Column::PostgresRedis).await;
    let signals = engine::signals(&bed);
    let store = store(&bed, &signals).await;
    for _ in 0..JOBS / 1_000 {
        let mut tx = store.begin().await.unwrap();
        for _ in 0..1_000 {
            tx.enqueue(&Probe::new(Act::Succeed), None).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let corner = bed.redis().unwrap();
    let connection = connect(corner.url()).await;
    let outstanding = async || {
        let mut connection = connection.clone();
        let (active, scheduled): (usize, usize) = redis::pipe()
            .llen(format!("{}:events:active", corner.prefix()))
            .zcard(format!("{}:events:scheduled", corner.prefix()))
            .query_async(&mut connection)
            .await
            .unwrap();
        active + scheduled
    };
    until(SOON, "wake-ups are outstanding", async || {
        (outstanding().await > 0).then_some(())
    })
    .await;

    let running = [(); 2].map(|()| {
        let config = EngineConfig::default();
        probe::engine(&store, &signals, config).start()
    });
    until(Duration::from_mins(5), "all jobs are done", async || {
        let outstanding = outstanding().await;
        assert!(outstanding <= 500, "{outstanding} wake-ups are outstanding");
        (count(&store, JobState::Done).await == JOBS).then_some(())
    })
    .await;
    until(
        SOON,
        "no wake-up is left, and nothing of the finished ones",
        async || {
            let mut connection = connection.clone();
            let data: usize = redis::cmd("HLEN")
                .arg(format!("{}:events:data", corner.prefix()))
                .query_async(&mut connection)
                .await
                .unwrap();
            (outstanding().await == 0 && data == 0).then_some(())
        },
    )
    .await;
    for running in running {
        running.stop().await;
    }
}

/// Makes jobs until one of them was woken through Redis: its wake-up is seen to be acknowledged.
async fn until_woken_through(redis: &OwnRedis, store: &Store) {
    until(SOON, "a wake-up went through Redis", async || {
        let id = Probe::new(Act::Succeed).enqueue(store).await;
        until_state(store, id, JobState::Done, SOON).await;
        let mut connection = connect(&redis.url()).await;
        let acknowledged: Option<String> = redis::cmd("HGET")
            .arg(format!("t:events:meta:{id}"))
            .arg("status")
            .query_async(&mut connection)
            .await
            .unwrap();
        (acknowledged.as_deref() == Some("Done")).then_some(())
    })
    .await;
}

async fn connect(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url)
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap()
}

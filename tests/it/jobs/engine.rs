//! The engine at work, on the machine's clock.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::SystemClock,
    live::{LiveEvent, NoSignals, Signals},
    store::Store,
};
use entity::job::JobState;
use futures_util::StreamExt;
use support::{TestBed, on_both_columns, until};
use worker::engine::{EngineConfig, EngineSignals};

use super::probe::{Act, Probe, engine, row, until_state};

const SOON: Duration = Duration::from_secs(10);

/// The signals of the bed's column.
pub fn signals(bed: &TestBed) -> EngineSignals {
    match bed.redis() {
        Some(redis) => EngineSignals::redis(redis.url(), redis.prefix()).unwrap(),
        None => EngineSignals::memory(),
    }
}

/// A store on the machine's clock.
pub async fn store(bed: &TestBed, signals: Arc<dyn Signals>) -> Store {
    Store::connect(bed.database().url(), 20, Arc::new(SystemClock), signals)
        .await
        .unwrap()
}

/// An engine that finds nothing by looking, only by being called.
fn only_when_called() -> EngineConfig {
    EngineConfig {
        sweep: Duration::from_hours(1),
        ..EngineConfig::default()
    }
}

on_both_columns! {
    async fn a_commit_wakes_the_engine(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let running = engine(&store, &signals, only_when_called()).start();
        // The first look at the table is over once this one is done.
        let first = Probe::new(Act::Succeed).enqueue(&store).await;
        until_state(&store, first, JobState::Done, SOON).await;
        for _ in 0..3 {
            let probe = Probe::new(Act::Succeed);
            let id = probe.enqueue(&store).await;
            until_state(&store, id, JobState::Done, SOON).await;
            assert_eq!(probe.runs(), 1);
        }
        running.stop().await;
    }

    async fn the_sweeper_finds_what_nobody_was_woken_for(bed: TestBed) {
        let silent = store(&bed, Arc::new(NoSignals)).await;
        let running = engine(&silent, &signals(&bed), EngineConfig::default()).start();
        let id = Probe::new(Act::Succeed).enqueue(&silent).await;
        until_state(&silent, id, JobState::Done, SOON).await;
        running.stop().await;
    }

    async fn a_job_that_was_put_off_comes_when_it_is_due(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let running = engine(&store, &signals, EngineConfig::default()).start();
        let probe = Probe::new(Act::Fail);
        let id = probe.enqueue(&store).await;
        let retried = until(SOON, "it was tried twice", async || {
            let row = row(&store, id).await;
            (row.attempts == 2).then_some(row)
        })
        .await;
        assert!(probe.runs() <= 2);
        assert!((store.now() - retried.created_at).num_milliseconds() >= 1_600);
        running.stop().await;
    }

    async fn a_killed_workers_job_is_run_by_another(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let config = EngineConfig { lease: Duration::from_secs(2), ..EngineConfig::default() };
        let first = engine(&store, &signals, config.clone()).start();
        let probe = Probe::new(Act::Wait);
        let id = probe.enqueue(&store).await;
        until(SOON, "the first worker has it", async || (probe.runs() == 1).then_some(())).await;

        // The heart stops; the job itself hangs on.
        drop(first);
        let second = engine(&store, &signals, config).start();
        until(SOON, "the second worker has it", async || (probe.runs() == 2).then_some(())).await;
        probe.open_gate();
        probe.open_gate();
        until_state(&store, id, JobState::Done, SOON).await;
        assert_eq!(row(&store, id).await.attempts, 2);
        second.stop().await;
    }

    async fn a_long_job_keeps_its_lease(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let config = EngineConfig { lease: Duration::from_secs(1), ..EngineConfig::default() };
        let running = engine(&store, &signals, config).start();
        let probe = Probe::new(Act::Wait);
        let id = probe.enqueue(&store).await;
        let began = until(SOON, "it runs", async || row(&store, id).await.lease_expires_at).await;
        until(SOON, "two leases have passed", async || {
            (row(&store, id).await.lease_expires_at? - began > chrono::TimeDelta::seconds(2)).then_some(())
        })
        .await;
        probe.open_gate();
        until_state(&store, id, JobState::Done, SOON).await;
        assert_eq!((probe.runs(), row(&store, id).await.attempts), (1, 1));
        running.stop().await;
    }

    async fn stopping_finishes_what_is_in_hand_and_takes_nothing_more(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let running = engine(&store, &signals, EngineConfig::default()).start();
        let readiness = running.readiness();
        assert_eq!(readiness.complaint(store.now()), None);
        let in_hand = Probe::new(Act::Wait);
        let id = in_hand.enqueue(&store).await;
        until(SOON, "it runs", async || (in_hand.runs() == 1).then_some(())).await;

        let stopping = tokio::spawn(running.stop());
        until(SOON, "the engine says so", async || readiness.complaint(store.now())).await;
        let later = Probe::new(Act::Succeed);
        let later_id = later.enqueue(&store).await;
        in_hand.open_gate();
        stopping.await.unwrap();
        assert_eq!(row(&store, id).await.state, JobState::Done);
        assert_eq!((row(&store, later_id).await.state, later.runs()), (JobState::Queued, 0));
    }

    async fn what_can_not_be_finished_in_time_is_given_back(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let config = EngineConfig { grace: Duration::from_millis(100), ..EngineConfig::default() };
        let running = engine(&store, &signals, config).start();
        let probe = Probe::new(Act::Wait);
        let id = probe.enqueue(&store).await;
        until(SOON, "it runs", async || (probe.runs() == 1).then_some(())).await;
        running.stop().await;
        let row = row(&store, id).await;
        assert_eq!((row.state, row.lease_owner), (JobState::Queued, None));
        assert!(row.run_at <= store.now());
    }

    async fn whoever_watches_sees_a_job_from_start_to_end(bed: TestBed) {
        let signals = signals(&bed);
        let store = store(&bed, Arc::new(signals.clone())).await;
        let mut watching = signals.subscribe();
        let running = engine(&store, &signals, EngineConfig::default()).start();
        let job_id = Probe::new(Act::Succeed).enqueue(&store).await;
        for _ in ["queued", "running", "done"] {
            let event = tokio::time::timeout(SOON, watching.next()).await.unwrap();
            assert_eq!(event, Some(LiveEvent::JobChanged { job_id }));
        }
        running.stop().await;
    }
}

//! Jobs by the clock.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    error::Result,
    job::{Job, Queue},
};
use entity::job::JobState;
use serde::{Deserialize, Serialize};
use support::{on_both_columns, until};
use tokio::task::JoinSet;
use worker::{
    engine::{
        Engine, EngineConfig, EngineSignals, Handler, JobContext, Outcome, Registry, Timetable,
    },
    services::Services,
};

use super::{engine, probe::count};

/// A job that comes by the clock.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Chime {}

impl Job for Chime {
    const KIND: &'static str = "test.chime";
    const QUEUE: Queue = Queue::Housekeeping;
}

impl Handler for Chime {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        Ok(Outcome::Done(ctx.begin().await?))
    }
}

fn timetable() -> Timetable {
    Timetable::default().with::<Chime>("* * * * * *").unwrap()
}

on_both_columns! {
    async fn three_workers_make_one_job_a_tick(bed: TestBed) {
        let tick = bed.store().await.now();
        let mut workers = JoinSet::new();
        for _ in 0..3 {
            let store = bed.store().await;
            workers.spawn(async move { timetable().tick(&store, tick).await.unwrap() });
        }
        assert_eq!(workers.join_all().await.into_iter().sum::<usize>(), 1);

        // A straggler makes none either, even when the job is long done.
        let store = bed.store().await;
        let signals = EngineSignals::memory();
        let registry = Registry::default().with::<Chime>();
        let engine = Engine::new(store.clone(), signals, registry, Services::default(), EngineConfig::default());
        assert_eq!(engine.run_due().await.unwrap(), 1);
        assert_eq!(timetable().tick(&store, tick).await.unwrap(), 0);
        assert_eq!(timetable().tick(&store, tick + TimeDelta::seconds(1)).await.unwrap(), 1);
    }

    async fn the_clock_of_three_engines_strikes_once_a_second(bed: TestBed) {
        let signals = engine::signals(&bed);
        let store = engine::store(&bed, std::sync::Arc::new(signals.clone())).await;
        let engines: Vec<_> = (0..3)
            .map(|_| {
                let registry = Registry::default().with::<Chime>();
                Engine::new(store.clone(), signals.clone(), registry, Services::default(), EngineConfig::default())
                    .with_timetable(timetable())
                    .start()
            })
            .collect();
        until(Duration::from_secs(10), "it struck thrice", async || {
            (count(&store, JobState::Done).await >= 3).then_some(())
        })
        .await;
        for engine in engines {
            engine.stop().await;
        }
        let struck = seconds(&store).await;
        let mut distinct = struck.clone();
        distinct.dedup();
        assert_eq!(struck, distinct);
    }
}

async fn seconds(store: &domain::Store) -> Vec<i64> {
    use sea_orm::{EntityTrait, QueryOrder};
    let rows = entity::job::Entity::find()
        .order_by_asc(entity::job::Column::RunAt)
        .all(store.reader())
        .await
        .unwrap();
    rows.into_iter().map(|row| row.run_at.timestamp()).collect()
}

#[test]
fn times_that_make_no_sense_are_refused_by_name() {
    let error = Timetable::default().with::<Chime>("every day").unwrap_err();
    assert!(error.to_string().contains("test.chime"), "{error}");
}

#[test]
fn the_timetable_of_the_worker_makes_sense() {
    worker::jobs::timetable().unwrap();
}

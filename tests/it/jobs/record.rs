//! The rows, without anything that runs by itself.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    job::{self, Lease, Queue},
    store::Store,
};
use entity::{
    ids::JobId,
    job::{Column, Entity, JobState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use support::on_both_columns;
use tokio::{sync::Barrier, task::JoinSet};
use worker::engine::{EngineConfig, EngineSignals};

use super::probe::{Act, Probe, count, engine, row};

const LEASE: Duration = Duration::from_secs(20);

fn lease(owner: &str) -> Lease {
    Lease {
        owner: owner.to_owned(),
        duration: LEASE,
    }
}

async fn run_due(store: &Store) -> usize {
    engine(store, &EngineSignals::memory(), EngineConfig::default())
        .run_due()
        .await
        .unwrap()
}

on_both_columns! {
    async fn a_live_job_keeps_others_with_its_key_out(bed: TestBed) {
        let store = bed.store().await;
        let first = Probe::new(Act::Succeed).with_key("the same");
        first.enqueue(&store).await;

        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.enqueue(&first, None).await.unwrap(), None);
        let other = Probe::new(Act::Succeed).with_key("another");
        assert!(tx.enqueue(&other, None).await.unwrap().is_some());
        tx.commit().await.unwrap();

        assert_eq!(run_due(&store).await, 2);
        first.enqueue(&store).await;
        assert_eq!(count(&store, JobState::Queued).await, 1);
    }

    async fn a_job_goes_with_its_transaction(bed: TestBed) {
        let store = bed.store().await;
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&Probe::new(Act::Succeed), None).await.unwrap();
        drop(tx);
        assert_eq!(run_due(&store).await, 0);
    }

    async fn of_eight_claimers_one_has_each_job(bed: TestBed) {
        let jobs = queued(&bed.store().await, 120).await;
        let start = Arc::new(Barrier::new(8));
        let mut claimers = JoinSet::new();
        for claimer in 0..8 {
            // A connection of its own for each, as another process would have.
            let store = bed.store().await;
            let start = Arc::clone(&start);
            claimers.spawn(async move {
                let mut mine = Vec::new();
                start.wait().await;
                loop {
                    let claims = job::claim(&store, Queue::Events, &lease(&claimer.to_string()), 7)
                        .await
                        .unwrap();
                    assert!(claims.len() <= 7);
                    if claims.is_empty() {
                        return mine;
                    }
                    mine.extend(claims.into_iter().map(|claim| claim.id));
                }
            });
        }
        let claimed = claimers.join_all().await.concat();
        assert_eq!(claimed.len(), 120);
        assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), jobs);
    }

    // The control of the test above: without the guard the same jobs go to several.
    async fn without_the_guard_claimers_have_the_same_jobs(bed: TestBed) {
        queued(&bed.store().await, 20).await;
        let looked = Arc::new(Barrier::new(8));
        let mut claimers = JoinSet::new();
        for _ in 0..8 {
            let store = bed.store().await;
            let looked = Arc::clone(&looked);
            claimers.spawn(async move {
                let due: Vec<JobId> = Entity::find()
                    .select_only()
                    .column(Column::Id)
                    .filter(Column::State.eq(JobState::Queued))
                    .into_tuple()
                    .all(store.reader())
                    .await
                    .unwrap();
                looked.wait().await;
                Entity::update_many()
                    .col_expr(Column::State, Expr::value("RUNNING"))
                    .filter(Column::Id.is_in(due.clone()))
                    .exec(store.reader())
                    .await
                    .unwrap();
                due
            });
        }
        let claimed = claimers.join_all().await.concat();
        assert_eq!(claimed.len(), 8 * 20);
    }

    async fn the_longest_due_is_claimed_first(bed: TestBed) {
        let store = bed.store().await;
        let now = store.now();
        let mut ids = Vec::new();
        for minutes in [3, 1, 2] {
            let mut tx = store.begin().await.unwrap();
            let at = now + TimeDelta::minutes(minutes);
            ids.push(tx.enqueue(&Probe::new(Act::Succeed), Some(at)).await.unwrap().unwrap());
            tx.commit().await.unwrap();
        }
        bed.clock().advance(TimeDelta::minutes(2));
        let claims = job::claim(&store, Queue::Events, &lease("a"), 10).await.unwrap();
        let claimed: Vec<JobId> = claims.iter().map(|claim| claim.id).collect();
        assert_eq!(claimed, [ids[1], ids[2]]);
    }

    async fn a_job_is_not_run_before_its_time(bed: TestBed) {
        let store = bed.store().await;
        let probe = Probe::new(Act::Succeed);
        let mut tx = store.begin().await.unwrap();
        let at = tx.now() + TimeDelta::hours(1);
        let id = tx.enqueue(&probe, Some(at)).await.unwrap().unwrap();
        tx.commit().await.unwrap();

        bed.clock().advance(TimeDelta::minutes(59));
        assert_eq!(run_due(&store).await, 0);
        assert!(job::claim_one(&store, id, &lease("a")).await.unwrap().is_none());
        bed.clock().advance(TimeDelta::minutes(1));
        assert_eq!(run_due(&store).await, 1);
        assert_eq!(probe.runs(), 1);
    }

    async fn a_job_that_kills_its_worker_is_given_up(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::Succeed).enqueue(&store).await;
        for attempt in 1..=3 {
            let claim = job::claim_one(&store, id, &lease("doomed")).await.unwrap().unwrap();
            assert_eq!(claim.attempt, attempt);
            // Its worker dies here, without a word.
            assert!(job::release_expired(&store).await.unwrap().is_empty());
            bed.clock().advance(TimeDelta::seconds(20));
            assert_eq!(job::release_expired(&store).await.unwrap(), [id]);
        }
        let row = row(&store, id).await;
        assert_eq!((row.state, row.attempts), (JobState::Dead, 3));
        assert!(row.last_error.unwrap().contains("stopped answering"));
        assert_eq!(run_due(&store).await, 0);
    }

    async fn who_lost_a_job_can_not_finish_it(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::Succeed).enqueue(&store).await;
        let late = job::claim_one(&store, id, &lease("late")).await.unwrap().unwrap();
        bed.clock().advance(TimeDelta::seconds(20));
        job::release_expired(&store).await.unwrap();

        // Free again, and then somebody else's: neither is the late one's to finish.
        for _ in 0..2 {
            let mut tx = store.begin().await.unwrap();
            assert!(!job::finish(&mut tx, &late).await.unwrap());
            assert!(!job::retry(&mut tx, &late, Duration::ZERO, "late").await.unwrap());
            assert!(!job::again(&mut tx, &late, Duration::ZERO).await.unwrap());
            assert!(!job::dead(&mut tx, &late, "late").await.unwrap());
            tx.commit().await.unwrap();
            // Under the same name, as when a worker loses a job to itself.
            job::claim_one(&store, id, &lease("late")).await.unwrap();
        }
        assert!(job::extend_leases(&store, &lease("other"), &[id]).await.unwrap().is_empty());
        assert_eq!(row(&store, id).await.state, JobState::Running);
    }

    async fn an_extended_lease_does_not_run_out(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::Succeed).enqueue(&store).await;
        job::claim_one(&store, id, &lease("a")).await.unwrap().unwrap();
        bed.clock().advance(TimeDelta::seconds(19));
        assert_eq!(job::extend_leases(&store, &lease("a"), &[id]).await.unwrap(), [id]);
        bed.clock().advance(TimeDelta::seconds(19));
        assert!(job::release_expired(&store).await.unwrap().is_empty());
        bed.clock().advance(TimeDelta::seconds(1));
        assert_eq!(job::release_expired(&store).await.unwrap(), [id]);
    }

    async fn a_failing_job_waits_longer_each_time_and_is_given_up(bed: TestBed) {
        let store = bed.store().await;
        let probe = Probe::new(Act::Fail);
        let id = probe.enqueue(&store).await;
        for (attempt, shortest, longest) in [(1, 1_600, 2_400), (2, 3_200, 4_800)] {
            assert_eq!(run_due(&store).await, 1, "attempt {attempt}");
            let row = row(&store, id).await;
            assert_eq!((row.state, row.attempts), (JobState::Queued, attempt));
            assert_eq!(row.last_error.as_deref(), Some("it did not work"));
            let wait = (row.run_at - store.now()).num_milliseconds();
            assert!((shortest..=longest).contains(&wait), "{wait} ms");
            bed.clock().set(row.run_at);
        }
        assert_eq!(run_due(&store).await, 1);
        assert_eq!(row(&store, id).await.state, JobState::Dead);
        assert_eq!(probe.runs(), 3);
    }

    async fn a_panic_is_an_attempt_that_failed(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::Panic).enqueue(&store).await;
        assert_eq!(run_due(&store).await, 1);
        let row = row(&store, id).await;
        assert_eq!(row.state, JobState::Queued);
        assert!(row.last_error.unwrap().contains("it fell over"));
    }

    async fn a_handler_can_give_up_at_once(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::GiveUp).enqueue(&store).await;
        run_due(&store).await;
        let row = row(&store, id).await;
        assert_eq!((row.state, row.attempts), (JobState::Dead, 1));
        assert_eq!(row.last_error.as_deref(), Some("it makes no sense"));
        assert!(row.finished_at.is_some());
    }

    async fn running_again_costs_no_attempt(bed: TestBed) {
        let store = bed.store().await;
        let probe = Probe::new(Act::Repeat(10));
        let id = probe.enqueue(&store).await;
        assert_eq!(run_due(&store).await, 10);
        assert_eq!(row(&store, id).await.state, JobState::Done);
        assert_eq!(probe.runs(), 10);
    }

    async fn a_job_that_no_handler_understands_is_given_up(bed: TestBed) {
        let store = bed.store().await;
        let unknown = Probe::new(Act::Succeed).enqueue(&store).await;
        let unreadable = Probe::new(Act::Succeed).enqueue(&store).await;
        for (id, column, value) in [
            (unknown, Column::Kind, Expr::value("test.of_tomorrow")),
            (unreadable, Column::Payload, Expr::value(serde_json::json!({ "name": 7 }))),
        ] {
            Entity::update_many()
                .col_expr(column, value)
                .filter(Column::Id.eq(id))
                .exec(store.reader())
                .await
                .unwrap();
        }
        assert_eq!(run_due(&store).await, 2);
        for (id, reason) in [(unknown, "no worker knows the kind"), (unreadable, "payload can't be read")] {
            let row = row(&store, id).await;
            assert_eq!(row.state, JobState::Dead);
            assert!(row.last_error.unwrap().contains(reason));
        }
    }

    async fn the_longest_due_job_is_known(bed: TestBed) {
        let store = bed.store().await;
        assert_eq!(job::longest_due(store.reader(), store.now()).await.unwrap(), None);
        Probe::new(Act::Succeed).enqueue(&store).await;
        bed.clock().advance(TimeDelta::seconds(90));
        Probe::new(Act::Succeed).enqueue(&store).await;
        let longest = job::longest_due(store.reader(), store.now()).await.unwrap();
        assert_eq!(longest, Some(Duration::from_secs(90)));
        assert_eq!(job::counts(store.reader()).await.unwrap(), [(JobState::Queued, 2)]);
    }

    async fn old_jobs_are_cleared_away_and_young_ones_kept(bed: TestBed) {
        let store = bed.store().await;
        let done = Probe::new(Act::Succeed).enqueue(&store).await;
        let dead = Probe::new(Act::GiveUp).enqueue(&store).await;
        run_due(&store).await;
        let purge = async || {
            let mut tx = store.begin().await.unwrap();
            tx.enqueue(&worker::jobs::PurgeJobs::default(), None).await.unwrap();
            tx.commit().await.unwrap();
            let engine = worker::engine::Engine::new(
                store.clone(),
                EngineSignals::memory(),
                worker::jobs::registry(),
                worker::services::Services::default(),
                EngineConfig::default(),
            );
            engine.run_due().await.unwrap();
        };
        let there = async |id| Entity::find_by_id(id).one(store.reader()).await.unwrap().is_some();

        bed.clock().advance(TimeDelta::days(7));
        purge().await;
        assert!(there(done).await && there(dead).await);
        bed.clock().advance(TimeDelta::seconds(1));
        purge().await;
        assert!(!there(done).await && there(dead).await);
        bed.clock().advance(TimeDelta::days(83));
        purge().await;
        assert!(!there(dead).await);
    }
}

/// So many jobs that are due, in one transaction.
async fn queued(store: &Store, jobs: usize) -> HashSet<JobId> {
    let mut tx = store.begin().await.unwrap();
    let mut ids = HashSet::new();
    for _ in 0..jobs {
        let probe = Probe::new(Act::Succeed);
        ids.insert(tx.enqueue(&probe, None).await.unwrap().unwrap());
    }
    tx.commit().await.unwrap();
    ids
}

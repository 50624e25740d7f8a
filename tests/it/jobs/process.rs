//! The worker as the program that is delivered. On PostgreSQL with Redis only: elsewhere it is a part of `mycareer`.

use std::{sync::Arc, time::Duration};

use domain::{
    clock::SystemClock,
    job::{self, Lease},
    live::NoSignals,
    store::Store,
};
use entity::job::JobState;
use support::{Column, Process, TestBed, plain_get};
use worker::jobs::PurgeJobs;

use super::probe::{row, until_state};

const SOON: Duration = Duration::from_secs(30);

async fn store(bed: &TestBed) -> Store {
    let url = bed.database().url();
    Store::connect(url, 5, Arc::new(SystemClock), Arc::new(NoSignals))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_worker_is_ready_counts_its_jobs_and_leaves_when_asked() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let store = store(&bed).await;
    let mut worker = bed.start_worker(&[]);
    let address = worker.ready().await;

    let mut tx = store.begin().await.unwrap();
    let id = tx.enqueue(&PurgeJobs::default(), None).await.unwrap();
    tx.commit().await.unwrap();
    until_state(&store, id.unwrap(), JobState::Done, SOON).await;

    let page = async |path: &str| {
        let answer = plain_get(&format!("{address}{path}")).await;
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    let counted = r#"mycareer_job_attempts_total{kind="jobs.purge",outcome="done"} 1"#;
    let metrics = page("/metrics").await;
    assert!(metrics.contains(counted), "{metrics}");
    assert_eq!(page("/health/live").await, "live\n");
    assert!(worker.terminate().await.success());
}

#[tokio::test]
async fn a_job_of_a_killed_worker_is_done_by_the_next() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let store = store(&bed).await;
    let mut tx = store.begin().await.unwrap();
    let id = tx
        .enqueue(&PurgeJobs::default(), None)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    let killed = Lease {
        owner: "killed".to_owned(),
        duration: Duration::from_secs(1),
    };
    job::claim_one(&store, id, &killed).await.unwrap().unwrap();

    let mut worker = bed.start_worker(&[]);
    worker.ready().await;
    until_state(&store, id, JobState::Done, SOON).await;
    assert_eq!(row(&store, id).await.attempts, 2);
    worker.kill_9().await;
}

#[tokio::test]
async fn a_worker_that_can_not_start_says_which_setting_is_wrong() {
    for (settings, setting) in [
        (vec![], "DATABASE_URL"),
        (vec![("DATABASE_URL", "mysql://localhost/")], "DATABASE_URL"),
        (
            vec![
                ("DATABASE_URL", "postgres://localhost/"),
                ("REDIS_URL", "here"),
            ],
            "REDIS_URL",
        ),
        (
            vec![("MYCAREER_WORKER_CONCURRENCY", "0")],
            "--worker-concurrency",
        ),
    ] {
        let mut worker = Process::start("mycareer-worker", settings, &[]);
        assert!(!worker.ended().await.success());
        let output = worker.output();
        assert!(output.contains(setting), "{output}");
    }
}

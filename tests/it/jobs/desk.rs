//! What a super user may do about jobs.

use domain::{
    Viewer,
    error::{Error, RefusalCode},
    job,
};
use entity::job::JobState;
use support::on_both_columns;
use worker::engine::{EngineConfig, EngineSignals};

use super::probe::{Act, Probe, engine, row};

on_both_columns! {
    async fn a_job_that_was_given_up_can_be_tried_again(bed: TestBed) {
        let store = bed.store().await;
        let probe = Probe::new(Act::GiveUp);
        let id = probe.enqueue(&store).await;
        let engine = engine(&store, &EngineSignals::memory(), EngineConfig::default());
        engine.run_due().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let again = job::retry_dead(&mut tx, &Viewer::system(), id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((again.state, again.attempts, again.max_attempts), (JobState::Queued, 1, 13));
        engine.run_due().await.unwrap();
        assert_eq!(probe.runs(), 2);
    }

    async fn a_job_that_waits_can_not_be_tried_again_but_taken_back(bed: TestBed) {
        let store = bed.store().await;
        let probe = Probe::new(Act::Succeed);
        let id = probe.enqueue(&store).await;
        let mut tx = store.begin().await.unwrap();
        let refused = job::retry_dead(&mut tx, &Viewer::system(), id).await;
        assert_eq!(code(refused), RefusalCode::WrongState);
        let cancelled = job::cancel(&mut tx, &Viewer::system(), id).await.unwrap();
        assert_eq!(cancelled.state, JobState::Cancelled);
        assert_eq!(code(job::cancel(&mut tx, &Viewer::system(), id).await), RefusalCode::WrongState);
        tx.commit().await.unwrap();

        let engine = engine(&store, &EngineSignals::memory(), EngineConfig::default());
        assert_eq!(engine.run_due().await.unwrap(), 0);
    }

    async fn a_newer_job_with_the_same_key_is_not_doubled(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::GiveUp).with_key("one").enqueue(&store).await;
        engine(&store, &EngineSignals::memory(), EngineConfig::default()).run_due().await.unwrap();
        Probe::new(Act::Succeed).with_key("one").enqueue(&store).await;

        let mut tx = store.begin().await.unwrap();
        assert_eq!(code(job::retry_dead(&mut tx, &Viewer::system(), id).await), RefusalCode::Taken);
        drop(tx);
        assert_eq!(row(&store, id).await.state, JobState::Dead);
    }

    async fn others_are_refused_and_unknown_jobs_are_not_there(bed: TestBed) {
        let store = bed.store().await;
        let id = Probe::new(Act::Succeed).enqueue(&store).await;
        let nowhere = entity::ids::JobId::new_at(store.now());
        let mut tx = store.begin().await.unwrap();
        let refused = job::cancel(&mut tx, &Viewer::anonymous(), id).await;
        assert!(matches!(refused, Err(Error::Unauthenticated(_))));
        assert_eq!(code(job::cancel(&mut tx, &Viewer::system(), nowhere).await), RefusalCode::NotFound);
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> RefusalCode {
    let Err(Error::Refused(refusals)) = result else {
        panic!("not refused: {result:?}");
    };
    refusals[0].code
}

//! A place that comes free while the job for its event is running. There is only one such job at a time, so this is where a
//! place could be forgotten.

use std::time::Duration;

use domain::{
    Viewer,
    job::{self, Claimed, Lease, Queue},
    waiting_list,
};
use entity::{
    booking::{self, BookingState},
    event,
    job::JobState,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use support::on_both_columns;

use super::{book_all, states};
use crate::campus::Campus;

use BookingState::{Booked, Cancelled};

/// Two places, two people who wait, and the job of a first freed place in the hands of a worker.
async fn begun(campus: &Campus) -> (event::Model, Vec<Viewer>, Vec<booking::Model>, Claimed) {
    let event = campus.event(2).await;
    let students = campus.students(4).await;
    let booked = book_all(campus, &students, &event).await;
    campus.cancel(&students[0], booked[0].id).await.unwrap();
    let lease = Lease {
        owner: "a worker".to_owned(),
        duration: Duration::from_mins(1),
    };
    let mut claims = job::claim(&campus.store, Queue::Events, &lease, 10)
        .await
        .unwrap();
    assert_eq!(claims.len(), 1);
    let claim = claims.remove(0);
    assert_eq!(claim.kind, "waiting_list.promote");
    (event, students, booked, claim)
}

async fn waiting_jobs(campus: &Campus) -> u64 {
    entity::job::Entity::find()
        .filter(entity::job::Column::Kind.eq("waiting_list.promote"))
        .filter(entity::job::Column::State.eq(JobState::Queued))
        .count(campus.store.reader())
        .await
        .unwrap()
}

on_both_columns! {
    async fn a_place_freed_before_the_job_locks_the_event_is_seen_by_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (event, students, booked, claim) = begun(&campus).await;
        campus.cancel(&students[1], booked[1].id).await.unwrap();
        assert_eq!(waiting_jobs(&campus).await, 0, "the running job has the key");

        let mut tx = campus.store.begin().await.unwrap();
        let promoted = waiting_list::promote_waiting(&mut tx, event.id).await.unwrap();
        assert_eq!(promoted, [booked[2].id, booked[3].id]);
        assert!(job::finish(&mut tx, &claim).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(states(&campus, &booked).await, [Cancelled, Cancelled, Booked, Booked]);
    }

    async fn a_place_freed_after_the_job_locked_the_event_makes_a_job_of_its_own(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (event, students, booked, claim) = begun(&campus).await;
        let mut tx = campus.store.begin().await.unwrap();
        let promoted = waiting_list::promote_waiting(&mut tx, event.id).await.unwrap();
        assert_eq!(promoted, [booked[2].id]);

        let leaving = async { campus.cancel(&students[1], booked[1].id).await.unwrap() };
        let ending = async {
            // The other one comes as far as the lock.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert!(job::finish(&mut tx, &claim).await.unwrap());
            tx.commit().await.unwrap();
        };
        tokio::join!(leaving, ending);
        assert_eq!(waiting_jobs(&campus).await, 1);
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Cancelled, Booked, Booked]);
    }
}

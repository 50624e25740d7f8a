//! Waiting lists: a free place goes to whoever came first, whatever made it free (policy 2.4).

mod model;
mod running_job;
mod sequences;

use chrono::TimeDelta;
use domain::{
    RefusalCode, Viewer, booking as bookings,
    event::{AudienceGroup, EventChanges},
    register,
    waiting_list::{self, LookAfterQueues},
};
use entity::{
    booking::{self, BookingState},
    event::{self, WaitingListMode},
    job,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use support::on_both_columns;
use tokio::task::JoinSet;

use crate::campus::{Campus, codes};

/// Books for all of them, in order.
async fn book_all(
    campus: &Campus,
    students: &[Viewer],
    event: &event::Model,
) -> Vec<booking::Model> {
    let mut booked = Vec::with_capacity(students.len());
    for student in students {
        booked.push(campus.book(student, event.id).await.unwrap());
    }
    booked
}

async fn states(campus: &Campus, booked: &[booking::Model]) -> Vec<BookingState> {
    let mut states = Vec::with_capacity(booked.len());
    for booking in booked {
        states.push(campus.state(booking.id).await);
    }
    states
}

async fn offer_event(campus: &Campus, capacity: i32) -> event::Model {
    campus
        .event_with(capacity, |draft| {
            draft.waiting_list_mode = WaitingListMode::Offer;
        })
        .await
}

use BookingState::{Booked, Cancelled, LateCancelled, OfferExpired, Offered, Waiting};

on_both_columns! {
    async fn the_first_who_waits_has_the_place_and_is_told(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let students = campus.students(4).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Booked, Booked, Waiting]);
        assert_eq!(campus.mails_to(&students[2]).await, ["place_given", "waiting_list_joined"]);
        assert_eq!(campus.mails_to(&students[3]).await, ["waiting_list_joined"]);
        assert_eq!(campus.position(booked[3].id).await, Some(1));
        assert_eq!(campus.event_now(event.id).await.places_taken, 2);
    }

    async fn nobody_slips_past_the_queue_while_a_place_is_free_for_a_moment(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(3).await;
        let first = campus.book(&students[0], event.id).await.unwrap();
        let second = campus.book(&students[1], event.id).await.unwrap();
        campus.cancel(&students[0], first.id).await.unwrap();
        // The place is free, and its job has not run yet.
        let third = campus.book(&students[2], event.id).await.unwrap();
        assert_eq!(third.state, Waiting);
        campus.run_jobs().await;
        assert_eq!(states(&campus, &[second, third]).await, [Booked, Waiting]);
    }

    async fn leaving_the_queue_moves_the_others_up_and_frees_nothing(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(4).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.cancel(&students[1], booked[1].id).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Booked, Cancelled, Waiting, Waiting]);
        assert_eq!(campus.position(booked[2].id).await, Some(1));
        assert_eq!(campus.position(booked[3].id).await, Some(2));
        assert_eq!(waiting_list::length(campus.store.reader(), event.id).await.unwrap(), 2);
    }

    async fn more_places_go_to_those_who_wait_in_order(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(4).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.update(&event, EventChanges { capacity: Some(3), ..EventChanges::default() }).await;
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Booked, Booked, Booked, Waiting]);
        assert_eq!(campus.event_now(event.id).await.places_taken, 3);
    }

    async fn whoever_is_no_longer_eligible_is_passed_over_and_told(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let event = campus.event(1).await;
        let students = [
            campus.student_of("one", law).await,
            campus.student_of("two", music).await,
            campus.student_of("three", law).await,
        ];
        let booked = book_all(&campus, &students, &event).await;
        let audience = vec![AudienceGroup { faculty_id: Some(law), ..AudienceGroup::default() }];
        campus.update(&event, EventChanges { audience: Some(audience), ..EventChanges::default() }).await;
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Cancelled, Booked]);
        assert_eq!(campus.mails_to(&students[1]).await, ["booking_cancelled", "waiting_list_joined"]);
        assert!(campus.booking_now(booked[1].id).await.state_reason.unwrap().contains("other faculties"));
    }

    async fn an_offer_holds_the_place_until_it_is_accepted(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = offer_event(&campus, 1).await;
        let students = campus.students(3).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Offered, Waiting]);
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
        assert_eq!(campus.mails_to(&students[1]).await, ["place_offered", "waiting_list_joined"]);
        let offered = campus.booking_now(booked[1].id).await;
        assert_eq!(offered.offer_expires_at, Some(campus.store.now() + TimeDelta::hours(24)));

        let other = campus.change(async |tx| bookings::accept_offer(tx, &students[2], booked[1].id).await).await;
        assert_eq!(codes(other), [RefusalCode::NotFound]);
        let unasked = campus.change(async |tx| bookings::accept_offer(tx, &students[2], booked[2].id).await).await;
        assert_eq!(codes(unasked), [RefusalCode::WrongState]);
        campus.change(async |tx| bookings::accept_offer(tx, &students[1], booked[1].id).await).await.unwrap();
        // The job that would have taken it back finds it accepted.
        campus.later(campus.store.now() + TimeDelta::hours(25)).await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Booked, Waiting]);
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
    }

    async fn a_declined_offer_goes_to_the_next(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = offer_event(&campus, 1).await;
        let students = campus.students(3).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        campus.change(async |tx| bookings::decline_offer(tx, &students[1], booked[1].id).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Cancelled, Offered]);
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
    }

    async fn an_offer_that_nobody_answers_goes_to_the_next(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = offer_event(&campus, 1).await;
        let students = campus.students(3).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        let expires_at = campus.booking_now(booked[1].id).await.offer_expires_at.unwrap();
        campus.later(expires_at - TimeDelta::seconds(1)).await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Offered, Waiting]);

        // Too late to accept, even before the job has run.
        campus.clock.set(expires_at);
        let late = campus.change(async |tx| bookings::accept_offer(tx, &students[1], booked[1].id).await).await;
        assert_eq!(codes(late), [RefusalCode::OfferExpired]);
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, OfferExpired, Offered]);
        assert_eq!(campus.mails_to(&students[1]).await, ["offer_expired", "place_offered", "waiting_list_joined"]);
        // Whoever let it pass may queue again, at the end.
        let again = campus.book(&students[1], event.id).await.unwrap();
        assert_eq!(again.state, Waiting);
    }

    async fn offers_are_shorter_near_the_event(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus
            .event_with(1, |draft| {
                draft.waiting_list_mode = WaitingListMode::Offer;
                draft.promotion_cut_off_minutes = 60;
            })
            .await;
        let students = campus.students(4).await;
        let booked = book_all(&campus, &students, &event).await;
        let cut_off = event.starts_at - TimeDelta::hours(1);

        campus.clock.set(cut_off - TimeDelta::hours(10));
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        let first = campus.booking_now(booked[1].id).await.offer_expires_at.unwrap();
        assert_eq!(first, cut_off - TimeDelta::hours(5), "half of the time that is left");

        campus.clock.set(cut_off - TimeDelta::minutes(20));
        campus.run_jobs().await;
        let second = campus.booking_now(booked[2].id).await.offer_expires_at.unwrap();
        assert_eq!(second, cut_off + TimeDelta::minutes(10), "half an hour at least");

        // That was after the cut-off: the next has to be promoted by hand.
        campus.later(second).await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, OfferExpired, OfferExpired, Waiting]);
    }

    async fn after_the_cut_off_only_an_operator_promotes(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(1, |draft| draft.promotion_cut_off_minutes = 120).await;
        let students = campus.students(4).await;
        let booked = book_all(&campus, &students, &event).await;
        let promote = async |viewer: &Viewer| {
            campus.change(async |tx| waiting_list::promote_booking(tx, viewer, event.id).await).await
        };
        assert_eq!(codes(promote(&campus.operator).await), [RefusalCode::NoPlaceFree]);

        campus.clock.set(event.starts_at - TimeDelta::minutes(120));
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        campus.change(async |tx| tx.enqueue(&LookAfterQueues {}, None).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [LateCancelled, Waiting, Waiting, Waiting]);
        // The queue still goes first.
        let newcomer = campus.student("nora").await;
        assert_eq!(campus.book(&newcomer, event.id).await.unwrap().state, Waiting);

        let student = promote(&students[2]).await;
        assert!(matches!(student, Err(domain::Error::Forbidden(_))), "{student:?}");
        assert_eq!(promote(&campus.operator).await.unwrap().id, booked[1].id);
        assert_eq!(campus.mails_to(&students[1]).await, ["place_given", "waiting_list_joined"]);
        assert_eq!(codes(promote(&campus.operator).await), [RefusalCode::NoPlaceFree]);
    }

    async fn an_empty_queue_has_nobody_to_promote(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let refused = campus
            .change(async |tx| waiting_list::promote_booking(tx, &campus.operator, event.id).await)
            .await;
        assert_eq!(codes(refused), [RefusalCode::NobodyWaiting]);
    }

    async fn the_queue_ends_when_the_register_closes(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(2).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.clock.set(event.ends_at);
        campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, true).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [BookingState::NoShow, Cancelled]);
        assert_eq!(campus.mails_to(&students[1]).await, ["waiting_list_joined"]);
    }

    async fn a_free_place_that_its_job_lost_is_found_again(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(2).await;
        let booked = book_all(&campus, &students, &event).await;
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        job::Entity::delete_many()
            .filter(job::Column::Kind.eq("waiting_list.promote"))
            .exec(campus.store.reader())
            .await
            .unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Waiting]);
        campus.change(async |tx| tx.enqueue(&LookAfterQueues {}, None).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(states(&campus, &booked).await, [Cancelled, Booked]);
    }

    async fn many_leave_at_once_and_several_workers_promote_each_place_once_in_order(bed: TestBed) {
        const PLACES: usize = 10;
        let campus = Campus::new(&bed).await;
        let event = campus.event(i32::try_from(PLACES).unwrap()).await;
        let students = campus.students(4 * PLACES).await;
        let booked = book_all(&campus, &students, &event).await;

        let mut at_once = JoinSet::new();
        for (student, booking) in students.iter().zip(&booked).take(PLACES) {
            let (store, student, id) = (campus.store.clone(), student.clone(), booking.id);
            at_once.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                bookings::cancel(&mut tx, &student, id, None).await.unwrap();
                tx.commit().await.unwrap();
            });
            let store = campus.store.clone();
            at_once.spawn(async move {
                // A worker beside it, at the same places.
                let mut tx = store.begin().await.unwrap();
                waiting_list::promote_waiting(&mut tx, event.id).await.unwrap();
                tx.commit().await.unwrap();
            });
        }
        at_once.join_all().await;
        campus.run_jobs().await;

        let mut expected = vec![Cancelled; PLACES];
        expected.extend(vec![Booked; PLACES]);
        expected.extend(vec![Waiting; 2 * PLACES]);
        assert_eq!(states(&campus, &booked).await, expected);
        let given = campus.letters().await.iter().filter(|mail| mail.template == "place_given").count();
        assert_eq!(given, PLACES);
        assert_eq!(campus.event_now(event.id).await.places_taken, i32::try_from(PLACES).unwrap());
    }
}

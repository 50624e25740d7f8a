//! Bookings: who may have a place, and what becomes of it (policy 2.4).

mod busy;
mod over_http;

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode, Viewer,
    booking::{self as bookings, Ticket, search},
    event::{self as events, AudienceGroup, LockedEvent},
    page::Page,
};
use entity::{
    booking::BookingState,
    event::EventKind,
    ids::{BookingId, EventId},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use support::{TestBed, on_both_columns};
use tokio::task::JoinSet;

use crate::campus::{Campus, codes};

/// How many people want the last place.
const CROWD: usize = 200;

on_both_columns! {
    async fn the_first_have_a_place_and_the_rest_wait_and_know_their_position(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let students = campus.students(4).await;
        let mut booked = Vec::new();
        for student in &students {
            booked.push(campus.book(student, event.id).await.unwrap());
        }
        let states: Vec<BookingState> = booked.iter().map(|booking| booking.state).collect();
        assert_eq!(states, [BookingState::Booked, BookingState::Booked, BookingState::Waiting, BookingState::Waiting]);
        assert_eq!(campus.position(booked[1].id).await, None);
        assert_eq!(campus.position(booked[2].id).await, Some(1));
        assert_eq!(campus.position(booked[3].id).await, Some(2));
        assert_eq!(campus.mails_to(&students[0]).await, ["booking_confirmed"]);
        assert_eq!(campus.mails_to(&students[2]).await, ["waiting_list_joined"]);
        assert_eq!(campus.event_now(event.id).await.places_taken, 2);
    }

    async fn nobody_books_twice_but_whoever_left_may_come_back(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let student = campus.student("ann").await;
        let first = campus.book(&student, event.id).await.unwrap();
        assert_eq!(codes(campus.book(&student, event.id).await), [RefusalCode::AlreadyBooked]);
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
        campus.cancel(&student, first.id).await.unwrap();
        assert_eq!(codes(campus.cancel(&student, first.id).await), [RefusalCode::WrongState]);
        let second = campus.book(&student, event.id).await.unwrap();
        assert_ne!(first.id, second.id);
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
    }

    async fn a_draft_an_absent_and_a_closed_event_are_not_booked(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let student = campus.student("ann").await;
        let draft = campus.draft(2);
        let draft = campus.change(async |tx| events::create(tx, &campus.operator, draft).await).await.unwrap();
        assert_eq!(codes(campus.book(&student, draft.id).await), [RefusalCode::NotFound]);
        let absent = EventId::new_at(campus.store.now());
        assert_eq!(codes(campus.book(&student, absent).await), [RefusalCode::NotFound]);

        let now = campus.store.now();
        let later = campus.event_with(2, |draft| draft.booking_opens_at = Some(now + TimeDelta::hours(1))).await;
        assert_eq!(codes(campus.book(&student, later.id).await), [RefusalCode::BookingClosed]);
        campus.clock.advance(TimeDelta::hours(1));
        campus.book(&student, later.id).await.unwrap();

        let begun = campus.event(2).await;
        campus.clock.set(begun.starts_at);
        assert_eq!(codes(campus.book(&student, begun.id).await), [RefusalCode::BookingClosed]);
        let nobody = campus.book(&Viewer::anonymous(), begun.id).await;
        assert!(matches!(nobody, Err(Error::Unauthenticated(_))), "{nobody:?}");
    }

    async fn only_the_audience_books(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let event = campus
            .event_with(5, |draft| {
                draft.audience = vec![AudienceGroup { faculty_id: Some(law), ..AudienceGroup::default() }];
            })
            .await;
        let lawyer = campus.student_of("lea", law).await;
        let musician = campus.student_of("max", music).await;
        let staff = campus.staff("sid").await;
        campus.book(&lawyer, event.id).await.unwrap();
        assert_eq!(codes(campus.book(&musician, event.id).await), [RefusalCode::NotEligible]);
        assert_eq!(codes(campus.book(&staff, event.id).await), [RefusalCode::NotEligible]);

        let training = campus.event_with(5, |draft| draft.kind = EventKind::Training).await;
        campus.book(&staff, training.id).await.unwrap();
        assert_eq!(codes(campus.book(&lawyer, training.id).await), [RefusalCode::NotEligible]);
    }

    async fn a_booking_is_its_owners_and_the_managers_business(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (lawyer, musician) = (campus.operator_of("lara", law).await, campus.operator_of("mia", music).await);
        let event = campus.event_with(5, |draft| draft.faculty_id = Some(law)).await;
        let (ann, bob) = (campus.student("ann").await, campus.student("bob").await);
        let booking = campus.book(&ann, event.id).await.unwrap();
        for (viewer, seen) in [(&ann, 1), (&bob, 0), (&lawyer, 1), (&musician, 0), (&campus.operator, 1)] {
            let db = campus.store.reader();
            let found = search::find_all(db, viewer, &[booking.id]).await.unwrap();
            assert_eq!(found.len(), seen);
            let listed = search::of_events(db, viewer, &[event.id], None, &Page::first(5)).await.unwrap();
            assert_eq!(listed[&event.id].rows.len(), seen);
        }
        assert_eq!(codes(campus.cancel(&bob, booking.id).await), [RefusalCode::NotFound]);
        assert_eq!(codes(campus.cancel(&musician, booking.id).await), [RefusalCode::NotFound]);
        let absent = BookingId::new_at(campus.store.now());
        assert_eq!(codes(campus.cancel(&bob, absent).await), [RefusalCode::NotFound]);

        // An operator says why, and the person is told.
        assert_eq!(codes(campus.cancel(&lawyer, booking.id).await), [RefusalCode::Required]);
        campus
            .change(async |tx| bookings::cancel(tx, &lawyer, booking.id, Some("Wrong year.")).await)
            .await
            .unwrap();
        assert_eq!(campus.mails_to(&ann).await, ["booking_cancelled", "booking_confirmed"]);
        let letters = campus.letters().await;
        let letter = letters.iter().find(|letter| letter.template == "booking_cancelled").unwrap();
        assert_eq!(letter.fields["reason"], "Wrong year.");
        assert_eq!(letter.fields["by_recipient"], false);
    }

    async fn the_pages_of_many_events_are_found_together(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (one, two) = (campus.event(5).await, campus.event(5).await);
        let students = campus.students(3).await;
        let mut first = Vec::new();
        for student in &students {
            // Ids sort by the millisecond in which they were made.
            campus.clock.advance(TimeDelta::milliseconds(1));
            first.push(campus.book(student, one.id).await.unwrap().id);
        }
        let other = campus.book(&students[0], two.id).await.unwrap().id;
        let db = campus.store.reader();
        let page = Page { limit: 2, after: None, before: None, backward: false };
        let slices = search::of_events(db, &campus.operator, &[one.id, two.id], None, &page).await.unwrap();
        let ids = |event: EventId| slices[&event].rows.iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!((ids(one.id), slices[&one.id].has_next), (first[..2].to_vec(), true));
        assert_eq!((ids(two.id), slices[&two.id].has_next), (vec![other], false));
        let last = Page { limit: 1, backward: true, ..page };
        let slices = search::of_events(db, &campus.operator, &[one.id], None, &last).await.unwrap();
        assert_eq!(slices[&one.id].rows[0].id, first[2]);
        let counts = search::count_of_events(db, &campus.operator, &[one.id, two.id], None).await.unwrap();
        assert_eq!((counts[&one.id], counts[&two.id]), (3, 1));
    }

    async fn cancelling_near_the_start_counts_as_late(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(2, |draft| draft.promotion_cut_off_minutes = 60).await;
        let students = campus.students(2).await;
        let early = campus.book(&students[0], event.id).await.unwrap();
        let late = campus.book(&students[1], event.id).await.unwrap();
        campus.clock.set(event.starts_at - TimeDelta::minutes(61));
        assert_eq!(campus.cancel(&students[0], early.id).await.unwrap().state, BookingState::Cancelled);
        campus.clock.advance(TimeDelta::minutes(1));
        assert_eq!(campus.cancel(&students[1], late.id).await.unwrap().state, BookingState::LateCancelled);
        assert_eq!(campus.event_now(event.id).await.places_taken, 0);
    }

    async fn checking_in_works_by_code_and_by_name_and_twice_without_harm(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let students = campus.students(3).await;
        let first = campus.book(&students[0], event.id).await.unwrap();
        let second = campus.book(&students[1], event.id).await.unwrap();
        let waiting = campus.book(&students[2], event.id).await.unwrap();
        let check_in = async |viewer: &Viewer, ticket: Ticket| {
            campus.change(async |tx| bookings::check_in(tx, viewer, ticket).await).await
        };
        let early = check_in(&campus.operator, Ticket::Booking(first.id)).await;
        assert_eq!(codes(early), [RefusalCode::WrongState]);

        campus.clock.set(event.starts_at);
        let typed = bookings::ticket::shown(&first.ticket_code).to_lowercase();
        let marked = check_in(&campus.operator, Ticket::Code(typed)).await.unwrap();
        assert_eq!((marked.id, marked.state), (first.id, BookingState::Attended));
        campus.clock.advance(TimeDelta::minutes(5));
        let again = check_in(&campus.operator, Ticket::Booking(first.id)).await.unwrap();
        assert_eq!(again, marked);
        check_in(&campus.operator, Ticket::Booking(second.id)).await.unwrap();
        assert_eq!(campus.event_now(event.id).await.places_taken, 2);

        let outside = check_in(&campus.operator, Ticket::Booking(waiting.id)).await;
        assert_eq!(codes(outside), [RefusalCode::WrongState]);
        let unknown = check_in(&campus.operator, Ticket::Code("0000-0000-0000".to_owned())).await;
        assert_eq!(codes(unknown), [RefusalCode::NotFound]);
        let own = check_in(&students[1], Ticket::Booking(second.id)).await;
        assert!(matches!(own, Err(Error::Forbidden(_))), "{own:?}");
    }

    async fn two_hundred_people_want_the_last_place_and_one_gets_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let mut tries = JoinSet::new();
        for student in campus.students(CROWD).await {
            let store = campus.store.clone();
            tries.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let booking = bookings::book(&mut tx, &student, event.id).await.unwrap();
                tx.commit().await.unwrap();
                booking
            });
        }
        let booked = tries.join_all().await;
        assert_eq!(booked.iter().filter(|b| b.state == BookingState::Booked).count(), 1);
        let mut positions: Vec<usize> = booked
            .iter()
            .filter_map(|b| b.queue_position)
            .map(|position| position.try_into().unwrap())
            .collect();
        positions.sort_unstable();
        assert_eq!(positions, (1..CROWD).collect::<Vec<_>>());
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
    }

    async fn without_the_lock_the_same_crowd_oversells(bed: TestBed) {
        // The control of the test above: the same rule, with neither the lock nor the CHECK behind it.
        remove_check_on_places(&bed).await;
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let mut tries = JoinSet::new();
        for student in campus.students(CROWD).await {
            let (store, seen) = (campus.store.clone(), event.clone());
            tries.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let mut unguarded = LockedEvent::unguarded(seen);
                let booking = bookings::book_locked(&mut tx, &student, &mut unguarded).await.unwrap();
                tx.commit().await.unwrap();
                booking.state
            });
        }
        let states = tries.join_all().await;
        let placed = states.iter().filter(|state| **state == BookingState::Booked).count();
        assert!(placed > 1, "{placed} of {CROWD} got the one place: the control shows nothing");
        let taken = campus.event_now(event.id).await.places_taken;
        assert!(taken > event.capacity, "{taken}");
    }

    async fn the_check_refuses_what_the_lock_would_have_prevented(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(2).await;
        campus.book(&students[0], event.id).await.unwrap();
        let oversold = campus
            .change(async |tx| {
                bookings::book_locked(tx, &students[1], &mut LockedEvent::unguarded(event.clone())).await
            })
            .await;
        assert!(matches!(oversold, Err(Error::Database(_))), "{oversold:?}");
        assert_eq!(campus.event_now(event.id).await.places_taken, 1);
    }

    async fn the_lock_of_one_event_does_not_hold_up_another(bed: TestBed) {
        if bed.database().connect().await.get_database_backend() == DbBackend::Sqlite {
            // One writer at a time is how SQLite works; only PostgreSQL locks by the row.
            return;
        }
        let campus = Campus::new(&bed).await;
        let (one, two) = (campus.event(1).await, campus.event(1).await);
        let student = campus.student("ann").await;
        let mut holding = campus.store.begin().await.unwrap();
        events::lock(&mut holding, one.id).await.unwrap().unwrap();
        tokio::time::timeout(Duration::from_secs(10), campus.book(&student, two.id))
            .await
            .unwrap()
            .unwrap();
    }
}

/// Takes away the CHECK that keeps the places taken within the capacity.
async fn remove_check_on_places(bed: &TestBed) {
    let connection: DatabaseConnection = bed.database().connect().await;
    match connection.get_database_backend() {
        DbBackend::Sqlite => {
            // One script, because the setting belongs to the connection.
            connection
                .execute_unprepared(
                    "PRAGMA writable_schema = ON;
                     UPDATE sqlite_master SET sql = replace(sql, '\"places_taken\" <= \"capacity\"', '1 = 1')
                     WHERE name = 'event';
                     PRAGMA writable_schema = RESET;",
                )
                .await
                .unwrap();
        }
        _ => {
            connection
                .execute_unprepared(
                    "DO $$ DECLARE name text; BEGIN
                       FOR name IN SELECT conname FROM pg_constraint
                         WHERE conrelid = 'event'::regclass AND contype = 'c'
                         AND pg_get_constraintdef(oid) LIKE '%places_taken <= capacity%'
                       LOOP EXECUTE format('ALTER TABLE event DROP CONSTRAINT %I', name); END LOOP;
                     END $$",
                )
                .await
                .unwrap();
        }
    }
    connection.close().await.unwrap();
}

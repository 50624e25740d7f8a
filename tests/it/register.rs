//! Registers: who came, and what follows for those who did not (policy 2.4).

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode, Viewer,
    booking::{self as bookings, Ticket},
    register::{self, ContactNoShows, STRIKE_LIMIT},
};
use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
};
use support::{Desk, on_both_columns};

use crate::campus::{Campus, codes};

async fn mark(campus: &Campus, booking: &booking::Model) {
    campus
        .change(async |tx| {
            bookings::check_in(tx, &campus.operator, Ticket::Booking(booking.id)).await
        })
        .await
        .unwrap();
}

async fn close(campus: &Campus, event: &event::Model) -> domain::Result<event::Model> {
    campus
        .change(async |tx| register::close_register(tx, &campus.operator, event.id, false).await)
        .await
}

/// Somebody has a place at an event of its own and does not come. The register is closed and the jobs are run.
async fn miss_an_event(campus: &Campus, student: &Viewer) -> booking::Model {
    let event = campus.event(2).await;
    let companion = campus.student(&format!("companion-{}", event.id)).await;
    let booking = campus.book(student, event.id).await.unwrap();
    let came = campus.book(&companion, event.id).await.unwrap();
    campus.clock.set(event.starts_at);
    mark(campus, &came).await;
    close(campus, &event).await.unwrap();
    campus.run_jobs().await;
    booking
}

on_both_columns! {
    async fn who_was_not_marked_is_contacted_once_and_nobody_else(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(3).await;
        let students = campus.students(4).await;
        let mut booked = Vec::new();
        for student in &students {
            booked.push(campus.book(student, event.id).await.unwrap());
        }
        campus.clock.set(event.starts_at);
        mark(&campus, &booked[0]).await;
        mark(&campus, &booked[1]).await;
        campus.run_jobs().await;
        assert_eq!(campus.state(booked[2].id).await, BookingState::Booked, "nobody is accused before the register closes");

        let closed = close(&campus, &event).await.unwrap();
        assert_eq!((closed.state, closed.register_closed_at), (EventState::Past, Some(campus.store.now())));
        campus.run_jobs().await;
        // Whatever happens again, there is one mail.
        campus.change(async |tx| tx.enqueue(&ContactNoShows { event_id: event.id }, None).await).await.unwrap();
        campus.run_jobs().await;

        let states = [BookingState::Attended, BookingState::Attended, BookingState::NoShow, BookingState::Cancelled];
        for (booking, state) in booked.iter().zip(states) {
            assert_eq!(campus.state(booking.id).await, state);
        }
        let contacted: Vec<_> = campus.letters().await.into_iter().filter(|mail| mail.template == "no_show").collect();
        assert_eq!(contacted.len(), 1);
        assert_eq!(contacted[0].user_id, students[2].user_id());
        assert_eq!(contacted[0].fields["strikes"], 1);
        assert_eq!(contacted[0].fields["blocked"], false);
        assert!(campus.booking_now(booked[2].id).await.no_show_contacted_at.is_some());
        assert_eq!(codes(close(&campus, &event).await), [RefusalCode::RegisterClosed]);
        let late = campus
            .change(async |tx| bookings::check_in(tx, &campus.operator, Ticket::Booking(booked[2].id)).await)
            .await;
        assert_eq!(codes(late), [RefusalCode::RegisterClosed]);
    }

    async fn what_is_missed_with_employers_counts_apart_and_the_letter_says_what_kind_of_event_it_was(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let student = campus.student("ann").await;
        miss_an_event(&campus, &student).await;
        let profile = domain::organisation::Profile::named("Brightwater");
        let employer = campus
            .change(async |tx| domain::organisation::create(tx, &Viewer::system(), profile, true).await)
            .await
            .unwrap()
            .id;
        let event = campus
            .event_with(2, |draft| {
                draft.kind = event::EventKind::Interviews;
                draft.organisation_ids = vec![employer];
            })
            .await;
        campus.book(&student, event.id).await.unwrap();
        campus.clock.set(event.ends_at);
        campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, true).await).await.unwrap();
        campus.run_jobs().await;
        let letters = campus.letters().await;
        let told: Vec<_> = letters.iter().filter(|letter| letter.template == "no_show").map(|letter| &letter.fields).collect();
        assert_eq!(told.len(), 2);
        assert_eq!((&told[0]["kind"], &told[0]["strikes_with_employers"]), (&"WORKSHOP".into(), &0.into()));
        assert_eq!((&told[1]["kind"], &told[1]["with_employers"]), (&"INTERVIEWS".into(), &true.into()));
        assert_eq!((&told[1]["strikes"], &told[1]["strikes_with_employers"]), (&2.into(), &1.into()));
    }

    async fn a_register_closes_by_itself_some_time_after_the_end(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(2, |draft| draft.register_closes_after_minutes = 90).await;
        let students = campus.students(2).await;
        let first = campus.book(&students[0], event.id).await.unwrap();
        let second = campus.book(&students[1], event.id).await.unwrap();
        campus.clock.set(event.starts_at);
        mark(&campus, &first).await;
        campus.later(event.ends_at + TimeDelta::minutes(89)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Published);
        campus.later(event.ends_at + TimeDelta::minutes(90)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Past);
        assert_eq!(campus.state(second.id).await, BookingState::NoShow);
        assert_eq!(campus.mails_to(&students[1]).await, ["booking_confirmed", "no_show"]);
    }

    async fn a_register_follows_its_event_when_that_is_moved(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let student = campus.student("ann").await;
        let booking = campus.book(&student, event.id).await.unwrap();
        let changes = domain::event::EventChanges {
            starts_at: Some(event.starts_at + TimeDelta::days(1)),
            ends_at: Some(event.ends_at + TimeDelta::days(1)),
            ..Default::default()
        };
        let moved = campus
            .change(async |tx| domain::event::update(tx, &campus.operator, event.id, event.version, changes).await)
            .await
            .unwrap();
        campus.later(domain::event::register_due_at(&event)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Published);
        assert_eq!(campus.mails_to(&campus.operator).await, [""; 0]);
        campus.clock.set(moved.starts_at);
        mark(&campus, &booking).await;
        campus.later(domain::event::register_due_at(&moved)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Past);
    }

    async fn an_unmarked_register_accuses_nobody_and_asks_its_organiser_once(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let students = campus.students(2).await;
        let first = campus.book(&students[0], event.id).await.unwrap();
        let second = campus.book(&students[1], event.id).await.unwrap();
        let due = domain::event::register_due_at(&event);
        campus.later(due).await;
        assert_eq!(campus.state(first.id).await, BookingState::Booked);
        assert_eq!(campus.event_now(event.id).await.state, EventState::Published);
        assert_eq!(campus.mails_to(&campus.operator).await, ["register_unmarked"]);
        assert_eq!(campus.letters().await.iter().filter(|mail| mail.template == "no_show").count(), 0);
        assert_eq!(codes(close(&campus, &event).await), [RefusalCode::RegisterUnmarked]);

        // The answer comes: somebody is marked, and a while later the register closes by itself.
        campus.clock.set(due + TimeDelta::days(1));
        mark(&campus, &first).await;
        campus.later(due + TimeDelta::days(1) + TimeDelta::hours(3)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Past);
        assert_eq!(campus.state(second.id).await, BookingState::NoShow);
        assert_eq!(campus.mails_to(&students[1]).await, ["booking_confirmed", "no_show"]);
        assert_eq!(campus.mails_to(&campus.operator).await, ["register_unmarked"]);
    }

    async fn an_operator_can_say_that_nobody_came(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(2).await;
        let student = campus.student("ann").await;
        let booking = campus.book(&student, event.id).await.unwrap();
        let early = campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, true).await).await;
        assert_eq!(codes(early), [RefusalCode::WrongState]);
        campus.clock.set(event.ends_at);
        campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, true).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(campus.state(booking.id).await, BookingState::NoShow);
        assert_eq!(campus.mails_to(&student).await, ["booking_confirmed", "no_show"]);
    }

    async fn strikes_of_a_term_block_booking_until_it_is_lifted(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let lawyer = campus.operator_of("lara", law).await;
        let student = campus.student("ann").await;
        for missed in 1..=STRIKE_LIMIT {
            let student = campus.again(&student).await;
            assert_eq!(student.person().unwrap().booking_blocked_at, None, "after {} missed", missed - 1);
            miss_an_event(&campus, &student).await;
        }
        let blocked = campus.again(&student).await;
        let event = campus.event(2).await;
        assert_eq!(codes(campus.book(&blocked, event.id).await), [RefusalCode::BookingBlocked]);
        let last = campus.letters().await.into_iter().rfind(|mail| mail.template == "no_show").unwrap();
        assert_eq!(last.fields["blocked"], true);
        assert_eq!(last.fields["strikes"], STRIKE_LIMIT);

        let id = student.user_id().unwrap();
        let refused = campus.change(async |tx| register::lift_booking_block(tx, &lawyer, id).await).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        campus.change(async |tx| register::lift_booking_block(tx, &campus.operator, id).await).await.unwrap();
        campus.book(&campus.again(&student).await, event.id).await.unwrap();
        let twice = campus.change(async |tx| register::lift_booking_block(tx, &campus.operator, id).await).await;
        assert_eq!(codes(twice), [RefusalCode::WrongState]);
    }

    async fn an_excuse_takes_a_strike_away_and_keeps_why(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let student = campus.student("ann").await;
        let mut missed = Vec::new();
        for _ in 1..STRIKE_LIMIT {
            missed.push(miss_an_event(&campus, &student).await);
        }
        let excuse = async |viewer: &Viewer, reason: &str| {
            campus.change(async |tx| register::excuse_no_show(tx, viewer, missed[0].id, reason).await).await
        };
        let own = excuse(&student, "I was ill.").await;
        assert!(matches!(own, Err(Error::Forbidden(_))), "{own:?}");
        assert_eq!(codes(excuse(&campus.operator, "").await), [RefusalCode::Required]);
        let excused = excuse(&campus.operator, "Ill, with a note.").await.unwrap();
        assert_eq!((excused.state, excused.state_reason.as_deref()), (BookingState::Excused, Some("Ill, with a note.")));
        assert_eq!(codes(excuse(&campus.operator, "Again.").await), [RefusalCode::WrongState]);

        // One more makes as many as before the excuse, which is one below the limit.
        miss_an_event(&campus, &student).await;
        assert_eq!(campus.again(&student).await.person().unwrap().booking_blocked_at, None);
    }

    async fn strikes_of_another_term_do_not_count(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let student = campus.student("ann").await;
        for _ in 1..STRIKE_LIMIT {
            miss_an_event(&campus, &student).await;
        }
        campus.clock.set("2027-02-01T09:00:00Z".parse().unwrap());
        miss_an_event(&campus, &student).await;
        assert_eq!(campus.again(&student).await.person().unwrap().booking_blocked_at, None);
    }

    async fn the_strikes_of_many_who_missed_an_event_are_counted_by_one_statement(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let mut statements = Vec::new();
        for number in [1_usize, 12] {
            let event = campus.event(20).await;
            for at in 0..number {
                campus.book(&campus.student(&format!("student{number}-{at}")).await, event.id).await.unwrap();
            }
            campus.clock.set(event.ends_at);
            campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, true).await).await.unwrap();
            let before = desk.statements();
            let mut tx = desk.store().begin().await.unwrap();
            assert!(!register::contact_no_shows(&mut tx, event.id, STRIKE_LIMIT).await.unwrap());
            statements.push(desk.statements() - before);
        }
        // A letter takes a few of its own: the row, the job, what it says of the event.
        let for_a_letter = (statements[1] - statements[0]).div_ceil(11);
        assert!(for_a_letter <= 3, "{statements:?}");
    }
}

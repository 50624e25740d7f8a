//! The waiting list: strictly first come, whatever makes a place free.

use chrono::TimeDelta;
use serde_json::{Value, json};
use support::on_both_columns;

use super::frontend::{Frontend, told};

const HELD: &str = "is held for you until";
const WAITS: &str = "You are on the waiting list: CV workshop";

on_both_columns! {
    async fn every_cause_of_a_free_place_gives_it_to_whoever_waited_longest(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "waitingListMode": "OFFER", "offerHours": 2 })).await;
        let people = front.campus.students(7).await;
        let booked = front.book_all(&people, &event).await;
        let states: Vec<_> = booked.iter().map(|one| (one["state"].as_str().unwrap(), one["waitingPosition"].as_i64())).collect();
        assert_eq!(states[0], ("BOOKED", None));
        assert_eq!(states[6], ("WAITING", Some(6)), "waiters see their position");
        front.last_mail(&people[6]).await.says("You are number 6 on the waiting list.");
        let id = |at: usize| json!({ "bookingId": booked[at]["id"] });
        let next_is = async |at: usize, cause: &str| {
            let mail = front.last_mail(&people[at]).await;
            assert!(mail.subject.contains(HELD), "{cause}: {mail:?}");
            let after = front.last_mail(&people[at + 1]).await;
            assert_eq!(after.subject, WAITS, "{cause}: the one behind still waits");
        };
        front.done(&people[0], "cancelBooking", id(0)).await;
        next_is(1, "a cancellation").await;
        front.done(&people[1], "declineOffer", id(1)).await;
        next_is(2, "an offer that is declined").await;
        front.until(front.campus.store.now() + TimeDelta::hours(2)).await;
        front.last_mail(&people[2]).await.says("The place held for you at CV workshop has been passed on");
        next_is(3, "an offer that nobody answers").await;
        front.done(&people[3], "acceptOffer", id(3)).await;
        front.last_mail(&people[3]).await.says("You are booked: CV workshop");
        let removal = json!({ "bookingId": booked[3]["id"], "reason": "A speaker." });
        let removed = front.done(&front.campus.operator, "cancelBooking", removal).await;
        assert_eq!((&removed["state"], &removed["stateReason"]), (&json!("CANCELLED"), &json!("A speaker.")));
        front.last_mail(&people[3]).await.says("The reason given: A speaker.");
        next_is(4, "a removal").await;
        front.update(&event, json!({ "capacity": 2 })).await;
        next_is(5, "more places").await;
        let version = front.campus.event_now(event.id).await.version;
        let fewer = json!({ "eventId": event.id, "version": version, "capacity": 1 });
        let (code, why) = front.refusal(&front.campus.operator, "updateEvent", fewer).await;
        assert_eq!(code, "BELOW_PLACES_TAKEN", "offered counts as taken");
        assert_eq!(why, "2 places are taken: the capacity can't be below that.");
    }

    async fn while_anybody_waits_nobody_else_gets_a_free_place(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({})).await;
        let people = front.campus.students(3).await;
        let booked = front.book_all(&people[..2], &event).await;
        // The place is free, and the job that gives it has not run yet.
        front.call(&people[0], "cancelBooking", json!({ "bookingId": booked[0]["id"] })).await;
        let left = front.ask(&people[2], "query($id: ID!) { node(id: $id) { ... on Event { placesLeft } } }", json!({ "id": event.id })).await;
        assert_eq!(left["node"]["placesLeft"], 1);
        let late = front.call(&people[2], "bookEvent", json!({ "eventId": event.id })).await;
        assert_eq!(late["booking"]["state"], "WAITING");
        front.work().await;
        assert_eq!(front.standing(&people[1], &event).await, ("BOOKED".to_owned(), None));
        assert_eq!(front.standing(&people[2], &event).await, ("WAITING".to_owned(), Some(1)));
    }

    async fn where_places_are_given_at_once_the_mail_says_so_and_the_others_move_up(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "waitingListMode": "AUTOMATIC" })).await;
        let people = front.campus.students(4).await;
        let booked = front.book_all(&people, &event).await;
        front.last_mail(&people[1]).await.says("When it is your turn the place is yours at once");
        front.cancel(&people[2], &booked[2]).await;
        assert_eq!(front.standing(&people[3], &event).await, ("WAITING".to_owned(), Some(2)), "leaving moves the others up");
        front.cancel(&people[0], &booked[0]).await;
        let mail = front.last_mail(&people[1]).await;
        assert_eq!(mail.subject, "You have a place: CV workshop");
        mail.says("it is now yours");
        assert_eq!(front.standing(&people[1], &event).await, ("BOOKED".to_owned(), None));
        assert_eq!(front.standing(&people[3], &event).await, ("WAITING".to_owned(), Some(1)));
        assert_eq!(front.last_mail(&people[3]).await.subject, WAITS);
    }

    async fn an_offer_stands_for_a_day_and_for_less_near_the_event(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "waitingListMode": "OFFER", "promotionCutOffMinutes": 60 })).await;
        let people = front.campus.students(5).await;
        let booked = front.book_all(&people, &event).await;
        front.last_mail(&people[1]).await.says("you then have until the time in that mail to confirm it");
        let id = |at: usize| json!({ "bookingId": booked[at]["id"] });
        front.done(&people[0], "cancelBooking", id(0)).await;
        let until = front.campus.store.now() + TimeDelta::hours(24);
        front.last_mail(&people[1]).await.says(&format!("It is held for you until {} (UK time)", told(until)));
        // Nobody answers for somebody else, and nobody is asked before their turn.
        assert_eq!(front.refused(&people[2], "acceptOffer", id(1)).await, "NOT_FOUND");
        assert_eq!(front.refused(&people[2], "acceptOffer", id(2)).await, "WRONG_STATE");

        front.until(until - TimeDelta::seconds(1)).await;
        assert_eq!(front.standing(&people[1], &event).await.0, "OFFERED");
        // At the end it is too late, even before the job has run.
        front.campus.clock.set(until);
        assert_eq!(front.refused(&people[1], "acceptOffer", id(1)).await, "OFFER_EXPIRED");
        front.work().await;
        assert_eq!(front.state(&booked[1]).await, "OFFER_EXPIRED");
        front.done(&people[2], "acceptOffer", id(2)).await;
        assert_eq!(front.standing(&people[2], &event).await.0, "BOOKED");

        // Ten hours before promotion ends, the half of that.
        let cut_off = event.starts_at - TimeDelta::hours(1);
        front.until(cut_off - TimeDelta::hours(10)).await;
        front.done(&people[2], "cancelBooking", id(2)).await;
        let half = cut_off - TimeDelta::hours(5);
        front.last_mail(&people[3]).await.says(&told(half));
        // Near the cut-off, half an hour at least.
        front.until(cut_off - TimeDelta::minutes(20)).await;
        let least = cut_off + TimeDelta::minutes(10);
        front.last_mail(&people[4]).await.says(&told(least));
        // Whoever let it pass may queue again, at the end.
        assert_eq!(front.book(&people[1], &event).await["state"], "WAITING");
        front.until(least).await;
        assert_eq!(front.standing(&people[1], &event).await.0, "WAITING", "after the cut-off nobody is promoted by themselves");
    }

    async fn whoever_may_not_come_any_more_is_passed_over_and_told_why(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let (law, music) = (front.campus.faculty("Law").await, front.campus.faculty("Music").await);
        let event = front.event("CV workshop", json!({})).await;
        let people = [
            front.campus.student_of("one", law).await,
            front.campus.student_of("two", music).await,
            front.campus.student_of("three", law).await,
        ];
        let booked = front.book_all(&people, &event).await;
        front.update(&event, json!({ "audience": [{ "facultyId": law }] })).await;
        assert_eq!(front.standing(&people[1], &event).await.0, "WAITING", "it is looked at when it is their turn");
        front.cancel(&people[0], &booked[0]).await;
        assert_eq!(front.state(&booked[1]).await, "CANCELLED");
        let mail = front.last_mail(&people[1]).await;
        assert_eq!(mail.subject, "Cancelled: your booking for CV workshop");
        mail.says("The reason given: The event is for students of other faculties, programmes or levels than yours.");
        assert_eq!(front.standing(&people[2], &event).await.0, "BOOKED");
    }

    async fn after_the_cut_off_only_an_operator_promotes_and_a_cancellation_is_late(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "promotionCutOffMinutes": 60 })).await;
        let people = front.campus.students(3).await;
        let booked = front.book_all(&people[..2], &event).await;
        let input = json!({ "eventId": event.id });
        assert_eq!(front.refused(&front.campus.operator, "promoteBooking", input.clone()).await, "NO_PLACE_FREE");
        front.until(event.starts_at - TimeDelta::minutes(59)).await;
        assert_eq!(front.cancel(&people[0], &booked[0]).await["state"], "LATE_CANCELLED");
        assert_eq!(front.last_mail(&people[1]).await.subject, WAITS, "nobody is promoted by itself");
        assert_eq!(front.book(&people[2], &event).await["state"], "WAITING", "the queue still goes first");
        let promoted = front.done(&front.campus.operator, "promoteBooking", input.clone()).await;
        assert_eq!((&promoted["id"], &promoted["state"]), (&booked[1]["id"], &json!("BOOKED")));
        assert_eq!(front.last_mail(&people[1]).await.subject, "You have a place: CV workshop");
        front.cancel(&people[1], &booked[1]).await;
        front.done(&front.campus.operator, "promoteBooking", input.clone()).await;
        assert_eq!(front.standing(&people[2], &event).await.0, "BOOKED");
        let own: Value = front.ask(&people[2], "{ bookings(first: 1) { nodes { id } } }", json!({})).await;
        front.cancel(&people[2], &own["bookings"]["nodes"][0]).await;
        assert_eq!(front.refused(&front.campus.operator, "promoteBooking", input).await, "NOBODY_WAITING");
    }
}

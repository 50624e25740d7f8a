//! Who may book, when, and what those who mean to come are told.

use chrono::TimeDelta;
use domain::Viewer;
use serde_json::json;
use support::on_both_columns;

use super::frontend::{Frontend, told};

on_both_columns! {
    async fn an_event_is_a_draft_then_published_then_cancelled_or_over_and_never_back(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let operator = &front.campus.operator;
        let ann = front.campus.student("ann").await;
        let starts_at = front.campus.store.now() + TimeDelta::days(7);
        let input = json!({
            "title": "CV workshop", "kind": "WORKSHOP", "capacity": 1, "onlineLink": "https://meet.example.org/secret-room",
            "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1),
        });
        let draft = front.done(operator, "createEvent", input).await;
        let event = json!({ "eventId": draft["id"] });
        let asked = "query($id: ID!) { node(id: $id) { ... on Event { state onlineLink } } }";
        let seen = async |viewer: &Viewer| front.ask(viewer, asked, json!({ "id": draft["id"] })).await["node"].clone();
        assert_eq!(seen(&ann).await, json!(null), "drafts are their organisers'");
        assert_eq!(front.refused(&ann, "bookEvent", event.clone()).await, "NOT_FOUND");
        assert_eq!(front.done(operator, "publishEvent", event.clone()).await["state"], "PUBLISHED");
        assert_eq!(front.refused(operator, "publishEvent", event.clone()).await, "WRONG_STATE");
        assert_eq!(seen(&ann).await, json!({ "state": "PUBLISHED", "onlineLink": null }), "the address is for those with a place");
        front.done(&ann, "bookEvent", event.clone()).await;
        assert_eq!(seen(&ann).await["onlineLink"], "https://meet.example.org/secret-room");
        front.last_mail(&ann).await.says("secret-room");

        let cancel = |reason: &str| json!({ "eventId": draft["id"], "reason": reason });
        assert_eq!(front.refused(operator, "cancelEvent", cancel(" ")).await, "REQUIRED");
        assert_eq!(front.done(operator, "cancelEvent", cancel("No room.")).await["state"], "CANCELLED");
        assert_eq!(front.refused(operator, "cancelEvent", cancel("Again.")).await, "WRONG_STATE");
        assert_eq!(front.refused(operator, "publishEvent", event.clone()).await, "WRONG_STATE");
        let version = front.campus.event_now(draft["id"].as_str().unwrap().parse().unwrap()).await.version;
        let change = json!({ "eventId": draft["id"], "version": version, "title": "Another" });
        assert_eq!(front.refused(operator, "updateEvent", change).await, "WRONG_STATE");
    }

    async fn one_live_booking_for_a_person_and_event(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "capacity": 3 })).await;
        let ann = front.campus.student("ann").await;
        let booked = front.book(&ann, &event).await;
        assert_eq!(front.refused(&ann, "bookEvent", json!({ "eventId": event.id })).await, "ALREADY_BOOKED");
        front.cancel(&ann, &booked).await;
        assert_eq!(front.book(&ann, &event).await["state"], "BOOKED", "an ended one is none");
        assert_eq!(front.campus.event_now(event.id).await.places_taken, 1);
        assert_eq!(front.count(&ann, "You are booked: CV workshop").await, 2);
    }

    async fn the_audience_books_and_whoever_is_not_of_it_is_told_why(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let (law, music) = (front.campus.faculty("Law").await, front.campus.faculty("Music").await);
        let (lawyer, musician) = (front.campus.student_of("lea", law).await, front.campus.student_of("max", music).await);
        let staff = front.campus.staff("sid").await;
        let of_law = json!({ "capacity": 9, "audience": [{ "facultyId": law }] });
        let workshop = front.event("Reading a contract", of_law).await;
        let training = front.event("Data protection", json!({ "capacity": 9, "kind": "TRAINING" })).await;
        assert_eq!(front.book(&lawyer, &workshop).await["state"], "BOOKED");
        assert_eq!(front.book(&staff, &training).await["state"], "BOOKED");
        for (person, event, why) in [
            (&musician, &workshop, "The event is for students of other faculties, programmes or levels than yours."),
            (&staff, &workshop, "Places are for students and graduates."),
            (&lawyer, &training, "Training is for staff."),
        ] {
            let refused = front.refusal(person, "bookEvent", json!({ "eventId": event.id })).await;
            assert_eq!(refused, ("NOT_ELIGIBLE".to_owned(), why.to_owned()));
        }
        assert_eq!(front.mails(&musician).await.len(), 0);
    }

    async fn booking_opens_and_closes_when_the_organiser_says(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let now = front.campus.store.now();
        let (opens, closes) = (now + TimeDelta::days(1), now + TimeDelta::days(2));
        let window = json!({ "capacity": 9, "bookingOpensAt": opens, "bookingClosesAt": closes });
        let event = front.event("CV workshop", window).await;
        let people = front.campus.students(3).await;
        let refusal = async |who: usize| front.refusal(&people[who], "bookEvent", json!({ "eventId": event.id })).await;
        let (code, why) = refusal(0).await;
        assert_eq!((code.as_str(), why.starts_with("Booking opens on ")), ("BOOKING_CLOSED", true), "{why}");
        front.until(opens).await;
        front.book(&people[0], &event).await;
        front.until(closes).await;
        let (code, why) = refusal(1).await;
        assert_eq!((code.as_str(), why.starts_with("Booking closed on ")), ("BOOKING_CLOSED", true), "{why}");

        let draft = json!({ "eventId": event.id, "reason": "No speaker." });
        front.done(&front.campus.operator, "cancelEvent", draft).await;
        assert_eq!(refusal(2).await, ("BOOKING_CLOSED".to_owned(), "The event was cancelled.".to_owned()));
    }

    async fn whoever_books_what_overlaps_another_booking_is_warned(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let fair = front.event("Fair", json!({ "capacity": 5 })).await;
        let starts_at = fair.starts_at + TimeDelta::hours(1);
        let talk = front.event("Talk", json!({ "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(2) })).await;
        let later = front.event("Later", json!({ "startsAt": fair.ends_at, "endsAt": fair.ends_at + TimeDelta::hours(1) })).await;
        let (ann, bob) = (front.campus.student("ann").await, front.campus.student("bob").await);
        assert_eq!(front.book(&ann, &fair).await["event"]["viewerOverlaps"], json!([]));
        let warned = front.book(&ann, &talk).await;
        assert_eq!(warned["state"], "BOOKED", "it is a warning");
        assert_eq!(warned["event"]["viewerOverlaps"], json!([{ "event": { "title": "Fair" } }]));
        let warned = front.book(&ann, &later).await;
        assert_eq!(warned["event"]["viewerOverlaps"], json!([{ "event": { "title": "Talk" } }]), "the fair is over when it begins");
        // Before booking too; and of others' bookings nobody is told.
        let asked = "query($id: ID!) { node(id: $id) { ... on Event { viewerOverlaps { event { title } } } } }";
        let seen = front.ask(&ann, asked, json!({ "id": fair.id })).await;
        assert_eq!(seen["node"]["viewerOverlaps"], json!([{ "event": { "title": "Talk" } }]));
        for other in [&bob, &front.campus.operator] {
            let seen = front.ask(other, asked, json!({ "id": fair.id })).await;
            assert_eq!(seen["node"]["viewerOverlaps"], json!([]));
        }
    }

    async fn everybody_who_meant_to_come_is_told_that_an_event_is_cancelled(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({})).await;
        let people = front.campus.students(3).await;
        let booked = front.book_all(&people, &event).await;
        front.cancel(&people[2], &booked[2]).await;
        let input = json!({ "eventId": event.id, "reason": "The speaker is ill." });
        front.done(&front.campus.operator, "cancelEvent", input).await;
        for (person, booking) in people[..2].iter().zip(&booked) {
            let mail = front.last_mail(person).await;
            assert_eq!(mail.subject, "Cancelled: CV workshop");
            mail.says("The reason: The speaker is ill.");
            assert_eq!(front.state(booking).await, "CANCELLED");
        }
        front.last_mail(&people[2]).await.says("As you asked, your booking is cancelled.");
    }

    async fn everybody_who_means_to_come_is_told_of_another_time_or_place(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "venue": "Room 1" })).await;
        let people = front.campus.students(3).await;
        let booked = front.book_all(&people, &event).await;
        front.cancel(&people[2], &booked[2]).await;
        front.update(&event, json!({ "description": "With tea." })).await;
        assert_eq!(front.count(&people[0], "Changed").await, 0, "not every change is a move");
        front.update(&event, json!({ "venue": "Great Hall" })).await;
        let mail = front.last_mail(&people[0]).await;
        assert_eq!(mail.subject, "Changed: CV workshop");
        for words in ["Where: Great Hall", "Before, it was to be", "Room 1.", "Your place is kept."] {
            mail.says(words);
        }
        front.last_mail(&people[1]).await.says("You keep your position on the waiting list.");
        assert_eq!(front.count(&people[2], "Changed").await, 0);
        let later = event.starts_at + TimeDelta::days(1);
        front.update(&event, json!({ "startsAt": later, "endsAt": later + TimeDelta::hours(1) })).await;
        let mail = front.last_mail(&people[0]).await;
        let (_, day) = told(later).split_once(" on ").map(|(hour, day)| (hour.to_owned(), day.to_owned())).unwrap();
        mail.says(&format!("When: {day}, "));
        assert_eq!(front.count(&people[0], "Changed").await, 2, "one mail for each move");
    }
}

//! What people are reminded of before an event, and asked after it.

use chrono::TimeDelta;
use serde_json::json;
use support::on_both_columns;

use super::frontend::{Frontend, told};
use crate::coming_events::{employer_at, organisation_in};

const REMINDER: &str = "Reminder: CV workshop";
const ASKED: &str = "How was CV workshop?";

on_both_columns! {
    async fn those_with_a_place_and_the_organisations_that_take_part_are_reminded(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let (windward, other) = (
            organisation_in(&front.campus, "Windward", "Energy").await,
            organisation_in(&front.campus, "Old Bank", "Finance").await,
        );
        let emma = employer_at(&front.campus, "emma", windward).await;
        let stranger = employer_at(&front.campus, "otto", other).await;
        // Said by nobody, it is a day and an hour before.
        let event = front.event("CV workshop", json!({
            "reminderMinutes": null, "organisationIds": [windward], "onlineLink": "https://meet.example.org/secret-room",
        })).await;
        let people = front.campus.students(2).await;
        front.book_all(&people, &event).await;
        let counts = async || {
            let mut counts = Vec::new();
            for person in [&people[0], &people[1], &emma, &stranger] {
                counts.push(front.count(person, REMINDER).await);
            }
            counts
        };
        for (minutes, seen) in [(24 * 60 + 1, 0), (24 * 60, 1), (61, 1), (60, 2), (0, 2)] {
            front.until(event.starts_at - TimeDelta::minutes(minutes)).await;
            assert_eq!(counts().await, [seen, 0, seen, 0], "{minutes} minutes before");
        }
        let mail = front.last_mail(&people[0]).await;
        mail.says(&format!("{REMINDER}, {}", told(event.starts_at)));
        mail.says("You have a place at this event.");
        mail.says("secret-room");
        let mail = front.last_mail(&emma).await;
        mail.says("Your organisation takes part in this event. 1 place is taken so far.");
        assert!(!mail.text.contains("secret-room"), "the address is for those with a place: {mail:?}");
    }

    async fn reminders_come_when_the_organiser_says_and_move_with_the_event_and_end_with_it(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let people = front.campus.students(2).await;
        let moved = front.event("CV workshop", json!({ "reminderMinutes": [30] })).await;
        let cancelled = front.event("CV workshop", json!({ "reminderMinutes": [30] })).await;
        front.book(&people[0], &moved).await;
        front.book(&people[1], &cancelled).await;
        let later = moved.starts_at + TimeDelta::days(3);
        front.update(&moved, json!({ "startsAt": later, "endsAt": later + TimeDelta::hours(1) })).await;
        let input = json!({ "eventId": cancelled.id, "reason": "No speaker." });
        front.done(&front.campus.operator, "cancelEvent", input).await;
        front.until(later - TimeDelta::minutes(31)).await;
        assert_eq!((front.count(&people[0], REMINDER).await, front.count(&people[1], REMINDER).await), (0, 0));
        front.until(later - TimeDelta::minutes(30)).await;
        assert_eq!((front.count(&people[0], REMINDER).await, front.count(&people[1], REMINDER).await), (1, 0));
    }

    async fn those_who_came_are_asked_how_it_was_once_the_register_is_closed(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let operator = &front.campus.operator;
        let event = front.event("CV workshop", json!({ "capacity": 2 })).await;
        let people = front.campus.students(2).await;
        let booked = front.book_all(&people, &event).await;
        front.until(event.starts_at).await;
        front.done(operator, "checkIn", json!({ "bookingId": booked[0]["id"] })).await;
        assert_eq!(front.count(&people[0], ASKED).await, 0);
        front.until(event.ends_at).await;
        front.done(operator, "closeRegister", json!({ "eventId": event.id })).await;
        let mail = front.last_mail(&people[0]).await;
        assert_eq!(mail.subject, ASKED);
        mail.says("employers who took part read it without your name");
        front.until(event.ends_at + TimeDelta::days(7)).await;
        assert_eq!((front.count(&people[0], ASKED).await, front.count(&people[1], ASKED).await), (1, 0), "once, and who came alone");

        let answer = |rating: i32| json!({ "eventId": event.id, "rating": rating, "good": "The speakers" });
        assert_eq!(front.refused(&people[0], "giveFeedback", answer(6)).await, "INVALID");
        front.done(&people[0], "giveFeedback", answer(4)).await;
        assert_eq!(front.refused(&people[0], "giveFeedback", answer(5)).await, "TAKEN");
        assert_eq!(front.refused(&people[1], "giveFeedback", answer(5)).await, "WRONG_STATE", "who was not there has nothing to say");
    }
}

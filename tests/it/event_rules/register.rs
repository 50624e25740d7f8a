//! The register: who came, and what follows for those who did not.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Viewer, register::STRIKE_LIMIT};
use entity::event::Model;
use serde_json::{Value, json};
use support::on_both_columns;

use super::frontend::Frontend;

const MISSED: &str = "We missed you at CV workshop";

/// Somebody has a place at an event of its own and does not come, somebody else does, and the register is closed.
async fn miss(front: &Frontend<'_>, person: &Viewer, companion: &Viewer, changes: Value) -> Value {
    let mut input = json!({ "capacity": 2 });
    for (field, value) in changes.as_object().unwrap() {
        input[field] = value.clone();
    }
    let event = front.event("CV workshop", input).await;
    let missed = front.book(person, &event).await;
    let came = front.book(companion, &event).await;
    front.until(event.starts_at).await;
    mark(front, &came).await;
    let input = json!({ "eventId": event.id });
    let closed = front
        .done(&front.campus.operator, "closeRegister", input)
        .await;
    assert_eq!(closed["state"], "PAST");
    missed
}

async fn mark(front: &Frontend<'_>, booking: &Value) {
    let input = json!({ "bookingId": booking["id"] });
    let marked = front.done(&front.campus.operator, "checkIn", input).await;
    assert_eq!(marked["state"], "ATTENDED");
}

/// When the register of an event closes by itself.
fn due(event: &Model) -> DateTime<Utc> {
    domain::event::register_due_at(event)
}

on_both_columns! {
    async fn a_term_of_missed_events_blocks_and_a_careers_operator_lifts_and_excuses(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let operator = &front.campus.operator;
        let law = front.campus.faculty("Law").await;
        let lawyer = front.campus.operator_of("lara", law).await;
        let (ann, companion) = (front.campus.student("ann").await, front.campus.student("companion").await);
        let mut missed = Vec::new();
        for at in 1..=STRIKE_LIMIT {
            missed.push(miss(&front, &ann, &companion, json!({})).await);
            let mail = front.last_mail(&ann).await;
            assert_eq!(mail.subject, MISSED);
            mail.says(&format!("you have now missed {at} of the {STRIKE_LIMIT} events after which booking is blocked"));
            mail.says("/explain");
            assert_eq!(mail.text.contains("You cannot book further events"), at == STRIKE_LIMIT, "{mail:?}");
        }
        assert_eq!(front.count(&ann, MISSED).await, missed.len(), "one mail for a person and event");
        assert_eq!(front.count(&companion, MISSED).await, 0, "who came is not accused");

        let next = front.event("CV workshop", json!({ "capacity": 2 })).await;
        let book = json!({ "eventId": next.id });
        let (code, why) = front.refusal(&ann, "bookEvent", book.clone()).await;
        assert_eq!(code, "BOOKING_BLOCKED");
        assert!(why.contains("Speak with the Careers Centre"), "{why}");
        let excuse = |reason: &str| json!({ "bookingId": missed[0]["id"], "reason": reason });
        assert_eq!(front.denied(&ann, "excuseNoShow", excuse("I was ill.")).await[0], "FORBIDDEN");
        assert_eq!(front.refused(operator, "excuseNoShow", excuse(" ")).await, "REQUIRED");
        let excused = front.done(operator, "excuseNoShow", excuse("Ill.")).await;
        assert_eq!((&excused["state"], &excused["stateReason"]), (&json!("EXCUSED"), &json!("Ill.")));
        let admin = front.campus.administrator("ada").await;
        let kept = "{ auditLog(filter: { action: \"booking.excuse\" }, first: 5) { nodes { actor { name } subject } } }";
        let kept = front.ask(&admin, kept, json!({})).await;
        assert_eq!(kept["auditLog"]["nodes"], json!([{ "actor": { "name": "olga" }, "subject": missed[0]["id"] }]), "who and why");
        assert_eq!(front.refused(&ann, "bookEvent", book).await, "BOOKING_BLOCKED", "until it is lifted");
        let lift = json!({ "userId": ann.user_id() });
        assert_eq!(front.denied(&lawyer, "liftBookingBlock", lift.clone()).await, ["FORBIDDEN"], "an operator of a faculty");
        front.done(operator, "liftBookingBlock", lift.clone()).await;
        assert_eq!(front.book(&ann, &next).await["state"], "BOOKED");
        assert_eq!(front.refused(operator, "liftBookingBlock", lift).await, "WRONG_STATE");
    }

    async fn an_excuse_takes_a_strike_away_and_another_term_has_strikes_of_its_own(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let (ann, companion) = (front.campus.student("ann").await, front.campus.student("companion").await);
        let mut missed = Vec::new();
        for _ in 1..STRIKE_LIMIT {
            missed.push(miss(&front, &ann, &companion, json!({})).await);
        }
        let excuse = json!({ "bookingId": missed[0]["id"], "reason": "Ill, with a note." });
        front.done(&front.campus.operator, "excuseNoShow", excuse).await;
        miss(&front, &ann, &companion, json!({})).await;
        let mail = front.last_mail(&ann).await;
        mail.says(&format!("you have now missed {} of the", STRIKE_LIMIT - 1));
        assert!(!mail.text.contains("cannot book further"), "{mail:?}");
        front.campus.clock.set("2027-02-01T09:00:00Z".parse().unwrap());
        miss(&front, &ann, &companion, json!({})).await;
        front.last_mail(&ann).await.says("you have now missed 1 of the");
    }

    async fn the_mail_says_what_kind_of_event_it_was_and_counts_those_with_employers_apart(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let (ann, companion) = (front.campus.student("ann").await, front.campus.student("companion").await);
        miss(&front, &ann, &companion, json!({})).await;
        let mail = front.last_mail(&ann).await;
        mail.says("An empty place is one that somebody on the waiting list could have had.");
        assert!(!mail.text.contains("Employers took part"), "{mail:?}");
        let employer = crate::coming_events::organisation_in(&front.campus, "Brightwater", "Energy").await;
        miss(&front, &ann, &companion, json!({ "kind": "INTERVIEWS", "organisationIds": [employer] })).await;
        let mail = front.last_mail(&ann).await;
        mail.says("The interviewer kept this time for you");
        mail.says("you have now missed 2 of the");
        mail.says("Employers took part in 1 of those that you missed.");
    }

    async fn nobody_is_accused_before_the_register_closes_which_it_does_by_itself_some_time_after_the_end(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "capacity": 2, "registerClosesAfterMinutes": 90 })).await;
        let people = front.campus.students(3).await;
        let booked = front.book_all(&people, &event).await;
        front.until(event.starts_at).await;
        mark(&front, &booked[0]).await;
        let again = front.done(&front.campus.operator, "checkIn", json!({ "bookingId": booked[0]["id"] })).await;
        assert_eq!(again["state"], "ATTENDED", "it works twice without harm");
        assert_eq!(due(&event), event.ends_at + TimeDelta::minutes(90));
        front.until(due(&event) - TimeDelta::seconds(1)).await;
        assert_eq!((front.event_state(&event).await.as_str(), front.count(&people[1], MISSED).await), ("PUBLISHED", 0));
        front.until(due(&event)).await;
        assert_eq!(front.event_state(&event).await, "PAST");
        let states = [front.state(&booked[0]).await, front.state(&booked[1]).await, front.state(&booked[2]).await];
        assert_eq!(states, ["ATTENDED", "NO_SHOW", "CANCELLED"]);
        front.last_mail(&people[1]).await.says(MISSED);
        for person in [&people[0], &people[2]] {
            assert_eq!(front.count(person, MISSED).await, 0);
        }
        let late = json!({ "bookingId": booked[1]["id"] });
        assert_eq!(front.refused(&front.campus.operator, "checkIn", late).await, "REGISTER_CLOSED");
    }

    async fn an_unmarked_register_accuses_nobody_and_its_organiser_is_asked_instead(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let operator = &front.campus.operator;
        let event = front.event("CV workshop", json!({ "capacity": 2 })).await;
        let people = front.campus.students(2).await;
        let booked = front.book_all(&people, &event).await;
        front.until(due(&event)).await;
        assert_eq!(front.event_state(&event).await, "PUBLISHED", "it stays open");
        let mail = front.last_mail(operator).await;
        assert_eq!(mail.subject, "Please mark the register: CV workshop");
        mail.says("2 people were booked. Until you mark who came, nobody is told that they were missed");
        assert_eq!(front.count(&people[0], MISSED).await + front.count(&people[1], MISSED).await, 0);
        let close = |nobody_came: bool| json!({ "eventId": event.id, "nobodyCame": nobody_came });
        assert_eq!(front.refused(operator, "closeRegister", close(false)).await, "REGISTER_UNMARKED");

        // The answer comes: somebody is marked, and a while later the register closes by itself.
        front.until(due(&event) + TimeDelta::days(1)).await;
        mark(&front, &booked[0]).await;
        front.until(front.campus.store.now() + TimeDelta::hours(3)).await;
        assert_eq!(front.event_state(&event).await, "PAST");
        assert_eq!((front.count(&people[0], MISSED).await, front.count(&people[1], MISSED).await), (0, 1));
        assert_eq!(front.count(operator, "Please mark the register").await, 1, "it is asked once");

        // Or somebody says that nobody came, when it is over.
        let event = front.event("CV workshop", json!({})).await;
        let close = json!({ "eventId": event.id, "nobodyCame": true });
        front.book(&people[0], &event).await;
        assert_eq!(front.refused(operator, "closeRegister", close.clone()).await, "WRONG_STATE");
        front.until(event.ends_at).await;
        front.done(operator, "closeRegister", close).await;
        assert_eq!(front.last_mail(&people[0]).await.subject, MISSED);
    }
}

//! The rules of events as a frontend meets them, one after the other as the policy says them (policy 2.4): by GraphQL, and with
//! the mails that follow. What these leave out has tests of its own, with the part of the system that it is about.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Viewer, register::STRIKE_LIMIT};
use entity::{delivery, event::Model, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Desk, on_both_columns};

use crate::campus::Campus;

/// Each mutation with what is asked of its answer.
const MUTATIONS: &[(&str, &str)] = &[
    ("createEvent", "event { id version }"),
    ("updateEvent", "event { id version capacity }"),
    ("publishEvent", "event { id state }"),
    ("cancelEvent", "event { id state }"),
    (
        "bookEvent",
        "booking { id state waitingPosition event { viewerOverlaps { event { title } } } }",
    ),
    ("cancelBooking", "booking { id state stateReason }"),
    ("acceptOffer", "booking { id state }"),
    ("declineOffer", "booking { id state }"),
    ("promoteBooking", "booking { id state }"),
    ("checkIn", "booking { id state checkedInAt }"),
    ("closeRegister", "event { id state registerClosedAt }"),
    ("excuseNoShow", "booking { id state stateReason }"),
    ("liftBookingBlock", "person { id }"),
];

/// A campus whose people use the API.
struct Frontend {
    campus: Campus,
    desk: Desk,
}

impl Frontend {
    async fn open(bed: &support::TestBed) -> Self {
        let campus = Campus::new(bed).await;
        let desk = Desk::open(bed).await;
        Self { campus, desk }
    }

    /// Calls a mutation with the rights that the person has now, and runs the jobs that are due.
    async fn call(&self, person: &Viewer, mutation: &str, input: Value) -> Value {
        let (_, fields) = MUTATIONS
            .iter()
            .find(|(name, _)| *name == mutation)
            .unwrap();
        let kind = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!(
            "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
        );
        // Mails of one moment have no order.
        self.campus.clock.advance(TimeDelta::seconds(1));
        let person = self.campus.again(person).await;
        let (data, _) = self
            .desk
            .data(&person, &query, json!({ "input": input }))
            .await;
        self.campus.run_jobs().await;
        data[mutation].clone()
    }

    /// As [`Frontend::call`], for what must be allowed: the object that was changed.
    async fn done(&self, person: &Viewer, mutation: &str, input: Value) -> Value {
        let answer = self.call(person, mutation, input).await;
        assert_eq!(answer["userErrors"], json!([]), "{mutation}");
        let changed = answer.as_object().unwrap();
        changed
            .iter()
            .find(|(field, _)| *field != "userErrors")
            .unwrap()
            .1
            .clone()
    }

    /// The code with which something is refused.
    async fn refused(&self, person: &Viewer, mutation: &str, input: Value) -> String {
        let answer = self.call(person, mutation, input).await;
        answer["userErrors"][0]["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{mutation} was allowed: {answer}"))
            .to_owned()
    }

    /// A published event in a week, made by GraphQL.
    async fn event(&self, title: &str, changes: Value) -> Model {
        let starts_at = self.campus.store.now() + TimeDelta::days(7);
        let mut input = json!({
            "title": title, "kind": "WORKSHOP", "capacity": 1, "reminderMinutes": [],
            "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(2),
        });
        for (field, value) in changes.as_object().unwrap() {
            input[field] = value.clone();
        }
        let made = self.done(&self.campus.operator, "createEvent", input).await;
        let published = self
            .done(
                &self.campus.operator,
                "publishEvent",
                json!({ "eventId": made["id"] }),
            )
            .await;
        assert_eq!(published["state"], "PUBLISHED");
        self.campus
            .event_now(made["id"].as_str().unwrap().parse().unwrap())
            .await
    }

    async fn book(&self, person: &Viewer, event: &Model) -> Value {
        self.done(person, "bookEvent", json!({ "eventId": event.id }))
            .await
    }

    /// The last mail to somebody.
    async fn last_mail(&self, person: &Viewer) -> delivery::Model {
        let letters = self.campus.letters().await;
        letters
            .into_iter()
            .rfind(|letter| letter.user_id == person.user_id())
            .unwrap()
    }

    async fn until(&self, moment: DateTime<Utc>) {
        self.campus.later(moment).await;
    }
}

on_both_columns! {
    async fn one_live_booking_for_a_person_and_event(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "capacity": 3 })).await;
        let ann = front.campus.student("ann").await;
        let booked = front.book(&ann, &event).await;
        assert_eq!(front.refused(&ann, "bookEvent", json!({ "eventId": event.id })).await, "ALREADY_BOOKED");
        front.done(&ann, "cancelBooking", json!({ "bookingId": booked["id"] })).await;
        assert_eq!(front.book(&ann, &event).await["state"], "BOOKED", "an ended one is none");
        assert_eq!(front.campus.event_now(event.id).await.places_taken, 1);
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
        let (seen, _) = front.desk.data(&ann, asked, json!({ "id": fair.id })).await;
        assert_eq!(seen["node"]["viewerOverlaps"], json!([{ "event": { "title": "Talk" } }]));
        for other in [&bob, &front.campus.operator] {
            let (seen, _) = front.desk.data(other, asked, json!({ "id": fair.id })).await;
            assert_eq!(seen["node"]["viewerOverlaps"], json!([]));
        }
    }

    async fn every_cause_of_a_free_place_gives_it_to_whoever_waited_longest(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "waitingListMode": "OFFER", "offerHours": 2 })).await;
        let people = front.campus.students(7).await;
        let mut booked = Vec::new();
        for person in &people {
            booked.push(front.book(person, &event).await);
        }
        let states: Vec<_> = booked.iter().map(|one| (one["state"].as_str().unwrap(), one["waitingPosition"].as_i64())).collect();
        assert_eq!(states[0], ("BOOKED", None));
        assert_eq!(states[6], ("WAITING", Some(6)), "waiters see their position");
        let id = |at: usize| booked[at]["id"].clone();
        let next_is = async |at: usize, cause: &str| {
            let letter = front.last_mail(&people[at]).await;
            assert_eq!(letter.template, "place_offered", "{cause}");
            let after = front.last_mail(&people[at + 1]).await;
            assert_eq!(after.template, "waiting_list_joined", "{cause}: the one behind still waits");
        };
        front.done(&people[0], "cancelBooking", json!({ "bookingId": id(0) })).await;
        next_is(1, "a cancellation").await;
        front.done(&people[1], "declineOffer", json!({ "bookingId": id(1) })).await;
        next_is(2, "an offer that is declined").await;
        front.until(front.campus.store.now() + TimeDelta::hours(2)).await;
        assert_eq!(front.last_mail(&people[2]).await.template, "offer_expired");
        next_is(3, "an offer that nobody answers").await;
        front.done(&people[3], "acceptOffer", json!({ "bookingId": id(3) })).await;
        assert_eq!(front.last_mail(&people[3]).await.template, "booking_confirmed");
        let removed = front.done(&front.campus.operator, "cancelBooking", json!({ "bookingId": id(3), "reason": "A speaker." })).await;
        assert_eq!((&removed["state"], &removed["stateReason"]), (&json!("CANCELLED"), &json!("A speaker.")));
        assert_eq!(front.last_mail(&people[3]).await.fields["reason"], "A speaker.");
        next_is(4, "a removal").await;
        let version = front.campus.event_now(event.id).await.version;
        front.done(&front.campus.operator, "updateEvent", json!({ "eventId": event.id, "version": version, "capacity": 2 })).await;
        next_is(5, "more places").await;
        let version = front.campus.event_now(event.id).await.version;
        let fewer = json!({ "eventId": event.id, "version": version, "capacity": 1 });
        assert_eq!(front.refused(&front.campus.operator, "updateEvent", fewer).await, "BELOW_PLACES_TAKEN", "offered counts as taken");
    }

    async fn after_the_cut_off_only_an_operator_promotes_and_a_cancellation_is_late(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({ "promotionCutOffMinutes": 60 })).await;
        let people = front.campus.students(2).await;
        let first = front.book(&people[0], &event).await;
        front.book(&people[1], &event).await;
        front.until(event.starts_at - TimeDelta::minutes(59)).await;
        let late = front.done(&people[0], "cancelBooking", json!({ "bookingId": first["id"] })).await;
        assert_eq!(late["state"], "LATE_CANCELLED");
        assert_eq!(front.last_mail(&people[1]).await.template, "waiting_list_joined", "nobody is promoted by itself");
        let promoted = front.done(&front.campus.operator, "promoteBooking", json!({ "eventId": event.id })).await;
        assert_eq!(promoted["state"], "BOOKED");
        assert_eq!(front.last_mail(&people[1]).await.template, "place_given");
    }

    async fn a_term_of_missed_events_blocks_and_a_careers_operator_lifts_and_excuses(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let operator = &front.campus.operator;
        let (ann, companion) = (front.campus.student("ann").await, front.campus.student("companion").await);
        let mut missed = Vec::new();
        for _ in 0..STRIKE_LIMIT {
            let event = front.event("CV workshop", json!({ "capacity": 2 })).await;
            missed.push(front.book(&ann, &event).await);
            let came = front.book(&companion, &event).await;
            front.until(event.starts_at).await;
            for _ in 0..2 {
                let marked = front.done(operator, "checkIn", json!({ "bookingId": came["id"] })).await;
                assert_eq!(marked["state"], "ATTENDED", "it works twice without harm");
            }
            let closed = front.done(operator, "closeRegister", json!({ "eventId": event.id })).await;
            assert_eq!(closed["state"], "PAST");
        }
        let letter = front.last_mail(&ann).await;
        assert_eq!((letter.template.as_str(), &letter.fields["strikes"], &letter.fields["blocked"]), ("no_show", &json!(STRIKE_LIMIT), &json!(true)));
        assert!(letter.fields["explain_link"].as_str().unwrap().ends_with("/explain"), "it names the way to explain oneself");
        let mails = front.campus.mails_to(&ann).await;
        assert_eq!(mails.iter().filter(|template| *template == "no_show").count(), missed.len(), "one mail for a person and event");

        let next = front.event("CV workshop", json!({ "capacity": 2 })).await;
        assert_eq!(front.refused(&ann, "bookEvent", json!({ "eventId": next.id })).await, "BOOKING_BLOCKED");
        let excused = front.done(operator, "excuseNoShow", json!({ "bookingId": missed[0]["id"], "reason": "Ill." })).await;
        assert_eq!((&excused["state"], &excused["stateReason"]), (&json!("EXCUSED"), &json!("Ill.")));
        assert_eq!(front.refused(&ann, "bookEvent", json!({ "eventId": next.id })).await, "BOOKING_BLOCKED", "until it is lifted");
        front.done(operator, "liftBookingBlock", json!({ "userId": ann.user_id() })).await;
        assert_eq!(front.book(&ann, &next).await["state"], "BOOKED");
        let account = user::Entity::find().filter(user::Column::Id.eq(ann.user_id().unwrap())).one(front.campus.store.reader()).await;
        assert_eq!(account.unwrap().unwrap().booking_blocked_at, None);
    }

    async fn an_unmarked_register_closes_only_when_somebody_says_that_nobody_came(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({})).await;
        let ann = front.campus.student("ann").await;
        front.book(&ann, &event).await;
        front.until(event.starts_at + TimeDelta::hours(1)).await;
        let close = |nobody_came: bool| json!({ "eventId": event.id, "nobodyCame": nobody_came });
        assert_eq!(front.refused(&front.campus.operator, "closeRegister", close(false)).await, "REGISTER_UNMARKED");
        assert_eq!(front.last_mail(&ann).await.template, "booking_confirmed", "nobody is accused");
        front.done(&front.campus.operator, "closeRegister", close(true)).await;
        assert_eq!(front.last_mail(&ann).await.template, "no_show");
    }

    async fn everybody_who_meant_to_come_is_told_that_an_event_is_cancelled(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let event = front.event("CV workshop", json!({})).await;
        let people = front.campus.students(3).await;
        let mut booked = Vec::new();
        for person in &people {
            booked.push(front.book(person, &event).await);
        }
        front.done(&people[2], "cancelBooking", json!({ "bookingId": booked[2]["id"] })).await;
        front.done(&front.campus.operator, "cancelEvent", json!({ "eventId": event.id, "reason": "The speaker is ill." })).await;
        for person in &people[..2] {
            let letter = front.last_mail(person).await;
            assert_eq!((letter.template.as_str(), &letter.fields["reason"]), ("event_cancelled", &json!("The speaker is ill.")));
        }
        assert_eq!(front.last_mail(&people[2]).await.template, "booking_cancelled");
    }
}

//! A campus whose people use the API and read their mails.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Viewer, clock::UNIVERSITY_TIME};
use entity::{event::Model, user};
use mail_parser::MessageParser;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use support::{Desk, TestBed, worker};
use worker::engine::Engine;

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
    ("giveFeedback", "event { id }"),
    ("updateProfile", "profile { version }"),
];

pub struct Frontend<'a> {
    pub campus: Campus,
    pub desk: Desk,
    bed: &'a TestBed,
    engine: Engine,
}

/// A mail as its reader sees it, on one line.
#[derive(Debug)]
pub struct Mail {
    pub subject: String,
    pub text: String,
}

impl Mail {
    /// # Panics
    /// When it doesn't say these words, in the subject or the text.
    pub fn says(&self, words: &str) {
        assert!(
            self.subject.contains(words) || self.text.contains(words),
            "{words:?} is not in {self:#?}"
        );
    }
}

/// A moment as mails tell it.
pub fn told(moment: DateTime<Utc>) -> String {
    let local = moment.with_timezone(&UNIVERSITY_TIME);
    local.format("%H:%M on %A %-d %B %Y").to_string()
}

fn query(mutation: &str) -> String {
    let (_, fields) = MUTATIONS
        .iter()
        .find(|(name, _)| *name == mutation)
        .unwrap();
    let kind = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    format!(
        "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
    )
}

impl<'a> Frontend<'a> {
    pub async fn open(bed: &'a TestBed) -> Self {
        let campus = Campus::new(bed).await;
        let desk = Desk::open(bed).await;
        let (engine, _) = worker(&campus.store, &bed.mail().url(), &[]).await;
        Self {
            campus,
            desk,
            bed,
            engine,
        }
    }

    /// Does what is due, mails among it.
    pub async fn work(&self) {
        self.engine.run_due().await.unwrap();
    }

    /// Calls a mutation with the rights that the person has now, and leaves the jobs for later.
    pub async fn call(&self, person: &Viewer, mutation: &str, input: Value) -> Value {
        // Mails of one moment have no order.
        self.campus.clock.advance(TimeDelta::seconds(1));
        let variables = json!({ "input": input });
        self.ask(person, &query(mutation), variables).await[mutation].clone()
    }

    /// The error codes with which a mutation is denied.
    pub async fn denied(&self, person: &Viewer, mutation: &str, input: Value) -> Vec<String> {
        let person = self.campus.again(person).await;
        let variables = json!({ "input": input });
        self.desk.codes(&person, &query(mutation), variables).await
    }

    /// What somebody is answered with the rights that they have now.
    pub async fn ask(&self, person: &Viewer, query: &str, variables: Value) -> Value {
        let person = self.campus.again(person).await;
        self.desk.data(&person, query, variables).await.0
    }

    /// As [`Frontend::call`], for what must be allowed, and with the jobs that are due: the object that was changed.
    pub async fn done(&self, person: &Viewer, mutation: &str, input: Value) -> Value {
        let answer = self.call(person, mutation, input).await;
        assert_eq!(answer["userErrors"], json!([]), "{mutation}");
        self.work().await;
        let changed = answer.as_object().unwrap();
        changed
            .iter()
            .find(|(field, _)| *field != "userErrors")
            .unwrap()
            .1
            .clone()
    }

    /// The code with which something is refused, and the sentence.
    pub async fn refusal(&self, person: &Viewer, mutation: &str, input: Value) -> (String, String) {
        let answer = self.call(person, mutation, input).await;
        let error = &answer["userErrors"][0];
        let text = |name: &str| {
            let text = error[name].as_str();
            text.unwrap_or_else(|| panic!("{mutation} was allowed: {answer}"))
                .to_owned()
        };
        (text("code"), text("message"))
    }

    /// The code with which something is refused.
    pub async fn refused(&self, person: &Viewer, mutation: &str, input: Value) -> String {
        self.refusal(person, mutation, input).await.0
    }

    /// A published event in a week, made by GraphQL.
    pub async fn event(&self, title: &str, changes: Value) -> Model {
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

    /// The operator changes an event as it is now.
    pub async fn update(&self, event: &Model, changes: Value) -> Value {
        let version = self.campus.event_now(event.id).await.version;
        let mut input = json!({ "eventId": event.id, "version": version });
        for (field, value) in changes.as_object().unwrap() {
            input[field] = value.clone();
        }
        self.done(&self.campus.operator, "updateEvent", input).await
    }

    pub async fn book(&self, person: &Viewer, event: &Model) -> Value {
        self.done(person, "bookEvent", json!({ "eventId": event.id }))
            .await
    }

    /// Books for all of them, in order.
    pub async fn book_all(&self, people: &[Viewer], event: &Model) -> Vec<Value> {
        let mut booked = Vec::with_capacity(people.len());
        for person in people {
            booked.push(self.book(person, event).await);
        }
        booked
    }

    pub async fn cancel(&self, person: &Viewer, booking: &Value) -> Value {
        let input = json!({ "bookingId": booking["id"] });
        self.done(person, "cancelBooking", input).await
    }

    /// How somebody stands at an event, and their position in its queue, as they see it.
    pub async fn standing(&self, person: &Viewer, event: &Model) -> (String, Option<i64>) {
        let query = "query($id: ID!) { node(id: $id) { ... on Event { viewerBooking { state waitingPosition } } } }";
        let seen = self.ask(person, query, json!({ "id": event.id })).await;
        let own = &seen["node"]["viewerBooking"];
        let state = own["state"].as_str().unwrap_or("NONE").to_owned();
        (state, own["waitingPosition"].as_i64())
    }

    /// How a booking stands, as whoever manages the event sees it.
    pub async fn state(&self, booking: &Value) -> String {
        let query = "query($id: ID!) { node(id: $id) { ... on Booking { state } } }";
        let operator = &self.campus.operator;
        let seen = self
            .ask(operator, query, json!({ "id": booking["id"] }))
            .await;
        seen["node"]["state"].as_str().unwrap().to_owned()
    }

    /// The state of an event.
    pub async fn event_state(&self, event: &Model) -> String {
        let query = "query($id: ID!) { node(id: $id) { ... on Event { state } } }";
        let operator = &self.campus.operator;
        let seen = self.ask(operator, query, json!({ "id": event.id })).await;
        seen["node"]["state"].as_str().unwrap().to_owned()
    }

    /// The mails that somebody was sent, in the order of their arrival.
    pub async fn mails(&self, person: &Viewer) -> Vec<Mail> {
        let account = user::Entity::find_by_id(person.user_id().unwrap())
            .one(self.campus.store.reader())
            .await
            .unwrap()
            .unwrap();
        let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let received = self.bed.mail().received();
        received
            .iter()
            .filter(|mail| mail.to.contains(&account.email))
            .map(|mail| {
                let parsed = MessageParser::default().parse(&mail.raw).unwrap();
                Mail {
                    subject: on_one_line(parsed.subject().unwrap()),
                    text: on_one_line(&parsed.body_text(0).unwrap()),
                }
            })
            .collect()
    }

    /// The subjects of the mails that somebody was sent with these words in them.
    pub async fn count(&self, person: &Viewer, words: &str) -> usize {
        let mails = self.mails(person).await;
        mails
            .iter()
            .filter(|mail| mail.subject.contains(words))
            .count()
    }

    /// The last mail to somebody.
    pub async fn last_mail(&self, person: &Viewer) -> Mail {
        self.mails(person).await.pop().unwrap()
    }

    /// Lets time go by, and does what has become due.
    pub async fn until(&self, moment: DateTime<Utc>) {
        self.campus.clock.set(moment);
        self.work().await;
    }
}

//! The programs as they are delivered, by the machine's clock: `mycareer` with two `mycareer-worker` on PostgreSQL and
//! Redis, and `mycareer` alone on SQLite.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Store,
    clock::{Clock, SystemClock},
    live::NoSignals,
};
use serde_json::{Value, json};
use support::{Client, Column, OwnRedis, Process, TestBed, on_both_columns, until};

const PATIENCE: Duration = Duration::from_secs(30);
/// How long a free place may stay free while Redis is away.
const WITHOUT_REDIS: Duration = Duration::from_secs(10);

const CREATE: &str = "mutation($input: CreateEventInput!) {
    createEvent(input: $input) { event { id } userErrors { code message } } }";
const PUBLISH: &str = "mutation($id: ID!) {
    publishEvent(input: { eventId: $id }) { event { state } userErrors { code message } } }";
const BOOK: &str = "mutation($id: ID!) {
    bookEvent(input: { eventId: $id }) {
        booking { id state waitingPosition ticketCode } userErrors { code message } } }";
const CANCEL: &str = "mutation($id: ID!) {
    cancelBooking(input: { bookingId: $id }) { booking { state } userErrors { code message } } }";
const OWN: &str = "query($id: ID!) { node(id: $id) { ... on Event { viewerBooking { state } } } }";
const CHECK_IN: &str = "mutation($code: String!) {
    checkIn(input: { ticketCode: $code }) { booking { state } userErrors { code message } } }";
const CLOSE: &str = "mutation($id: ID!) {
    closeRegister(input: { eventId: $id }) { event { state } userErrors { code message } } }";

fn address(mailbox: &str) -> String {
    format!("{mailbox}@{}", api::demo::DOMAIN)
}

/// The running programs, and the way in.
pub struct Delivered {
    /// A client that isn't signed in.
    pub nobody: Client,
    processes: Vec<Process>,
}

impl Delivered {
    /// Started on this bed, with the demo data and further settings.
    pub async fn start(bed: &TestBed, settings: &[(&str, &str)]) -> Self {
        let clock = Arc::new(SystemClock);
        let store = Store::connect(bed.database().url(), 2, clock, Arc::new(NoSignals))
            .await
            .unwrap();
        assert!(api::demo::load(&store).await.unwrap());
        let mut processes = vec![bed.start_api(settings)];
        if bed.column() == Column::PostgresRedis {
            processes.extend([bed.start_worker(settings), bed.start_worker(settings)]);
        }
        let address = processes[0].address().await;
        for process in &mut processes {
            process.ready().await;
        }
        Self {
            nobody: Client::new(address),
            processes,
        }
    }

    async fn sign_in(&self, mailbox: &str) -> Client {
        self.nobody
            .sign_in(&address(mailbox), api::demo::PASSWORD)
            .await
    }

    /// An event with this many places that begins after `ahead`.
    async fn event(&self, operator: &Client, places: i32, ahead: TimeDelta) -> String {
        let starts_at: DateTime<Utc> = SystemClock.now() + ahead;
        let input = json!({
            "title": "Mock assessment centre",
            "kind": "WORKSHOP",
            "startsAt": starts_at.to_rfc3339(),
            "endsAt": (starts_at + TimeDelta::hours(1)).to_rfc3339(),
            "capacity": places,
        });
        let created = operator.data(CREATE, json!({ "input": input })).await;
        let id = created["createEvent"]["event"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{created}"))
            .to_owned();
        let published = operator.data(PUBLISH, json!({ "id": id })).await;
        assert_eq!(
            published["publishEvent"]["event"]["state"], "PUBLISHED",
            "{published}"
        );
        id
    }

    /// Stops them as a service manager would.
    pub async fn stop(mut self) {
        for process in &mut self.processes {
            process.terminate().await;
        }
    }
}

async fn book(student: &Client, event: &str) -> Value {
    let mut booked = student.data(BOOK, json!({ "id": event })).await;
    assert_eq!(booked["bookEvent"]["userErrors"], json!([]));
    booked["bookEvent"]["booking"].take()
}

async fn until_booked(student: &Client, event: &str, limit: Duration) {
    until(limit, "the first who waited has the place", async || {
        let own = student.data(OWN, json!({ "id": event })).await;
        (own["node"]["viewerBooking"]["state"] == "BOOKED").then_some(())
    })
    .await;
}

on_both_columns! {
    async fn a_free_place_finds_the_first_who_waits_and_a_mail_says_so(bed: TestBed) {
        let programs = Delivered::start(&bed, &[]).await;
        let operator = programs.sign_in("operator").await;
        let event = programs.event(&operator, 1, TimeDelta::days(7)).await;
        let (first, second) = (programs.sign_in("student1").await, programs.sign_in("student2").await);
        let placed = book(&first, &event).await;
        assert_eq!(book(&second, &event).await["waitingPosition"], 1);
        first.data(CANCEL, json!({ "id": placed["id"] })).await;
        until_booked(&second, &event, PATIENCE).await;
        until(PATIENCE, "a mail says so", async || {
            (!told(&bed, "You have a place").is_empty()).then_some(())
        })
        .await;
        programs.stop().await;
        assert_eq!(told(&bed, "You have a place"), [address("student2")], "nobody else is told, and nobody twice");
    }

    async fn whoever_did_not_come_is_contacted_once_and_nobody_else(bed: TestBed) {
        let programs = Delivered::start(&bed, &[]).await;
        let operator = programs.sign_in("operator").await;
        let (came, missed) = (programs.sign_in("student1").await, programs.sign_in("student2").await);
        // Long enough for two to book, short enough to wait for.
        let event = programs.event(&operator, 2, TimeDelta::seconds(8)).await;
        let ticket = book(&came, &event).await;
        book(&missed, &event).await;
        until(PATIENCE, "the event has begun and its register is closed", async || {
            let marked = operator.data(CHECK_IN, json!({ "code": ticket["ticketCode"] })).await;
            if marked["checkIn"]["booking"]["state"] != "ATTENDED" {
                return None;
            }
            let closed = operator.data(CLOSE, json!({ "id": event })).await;
            (closed["closeRegister"]["event"]["state"] == "PAST").then_some(())
        })
        .await;
        until(PATIENCE, "student 2 is contacted", async || {
            (!told(&bed, "We missed you").is_empty()).then_some(())
        })
        .await;
        programs.stop().await;
        assert_eq!(told(&bed, "We missed you"), [address("student2")], "nobody else is contacted, and nobody twice");
    }
}

/// To whom mails went that have this in their subject.
pub fn told(bed: &TestBed, subject: &str) -> Vec<String> {
    let parser = mail_parser::MessageParser::default();
    let has_subject = |raw: &[u8]| {
        let mail = parser.parse(raw);
        mail.is_some_and(|mail| mail.subject().is_some_and(|found| found.contains(subject)))
    };
    let received = bed.mail().received();
    received
        .iter()
        .filter(|mail| has_subject(&mail.raw))
        .flat_map(|mail| mail.to.clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_are_passed_on_while_redis_is_away() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let mut redis = OwnRedis::start().await;
    let url = redis.url();
    let programs = Delivered::start(&bed, &[("REDIS_URL", &url)]).await;
    let operator = programs.sign_in("operator").await;
    let event = programs.event(&operator, 1, TimeDelta::days(7)).await;
    let (first, second) = (
        programs.sign_in("student1").await,
        programs.sign_in("student2").await,
    );
    let placed = book(&first, &event).await;
    book(&second, &event).await;
    redis.stop();
    first.data(CANCEL, json!({ "id": placed["id"] })).await;
    until_booked(&second, &event, WITHOUT_REDIS).await;
}

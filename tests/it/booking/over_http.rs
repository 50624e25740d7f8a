//! Events and bookings as frontends meet them: over HTTP, with the worker running and mail going out.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, System, TestBed, on_both_columns, until};

const PATIENCE: Duration = Duration::from_secs(20);

const CREATE: &str = "mutation($input: CreateEventInput!) {
    createEvent(input: $input) { event { id state placesLeft } userErrors { code field message } } }";
const PUBLISH: &str = "mutation($id: ID!) {
    publishEvent(input: { eventId: $id }) { event { state } userErrors { code } } }";
const BOOK: &str = "mutation($id: ID!) {
    bookEvent(input: { eventId: $id }) {
        booking { id state waitingPosition ticketCode } userErrors { code field message } } }";
const CANCEL: &str = "mutation($id: ID!) {
    cancelBooking(input: { bookingId: $id }) { booking { state } userErrors { code } } }";
const OWN: &str =
    "{ bookings(first: 1) { totalCount nodes { id state waitingPosition event { title } } } }";

fn workshop(bed: &TestBed) -> Value {
    use domain::clock::Clock;
    let starts_at: DateTime<Utc> = bed.clock().now() + TimeDelta::days(7);
    json!({
        "title": "Mock assessment centre",
        "kind": "WORKSHOP",
        "startsAt": starts_at.to_rfc3339(),
        "endsAt": (starts_at + TimeDelta::hours(2)).to_rfc3339(),
        "capacity": 2,
    })
}

/// An event with two places that the demo operator has published.
async fn published(bed: &TestBed, operator: &Client) -> String {
    let created = operator
        .data(CREATE, json!({ "input": workshop(bed) }))
        .await;
    assert_eq!(created["createEvent"]["userErrors"], json!([]));
    let id = created["createEvent"]["event"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let published = operator.data(PUBLISH, json!({ "id": id })).await;
    assert_eq!(published["publishEvent"]["event"]["state"], "PUBLISHED");
    id
}

async fn students(system: &System, number: usize) -> Vec<Client> {
    let mut students = Vec::with_capacity(number);
    for at in 1..=number {
        students.push(system.demo_client(&format!("student{at}")).await);
    }
    students
}

/// Books and answers the booking.
async fn book(student: &Client, event: &str) -> Value {
    let mut booked = student.data(BOOK, json!({ "id": event })).await;
    assert_eq!(booked["bookEvent"]["userErrors"], json!([]));
    booked["bookEvent"]["booking"].take()
}

/// How many mails with this in their subject went to that demo account.
fn mails(bed: &TestBed, mailbox: &str, subject: &str) -> usize {
    let address = format!("{mailbox}@{}", api::demo::DOMAIN);
    bed.mail()
        .received()
        .iter()
        .filter(|mail| mail.to.contains(&address) && subject_of(&mail.raw).contains(subject))
        .count()
}

fn subject_of(content: &[u8]) -> String {
    mail_parser::MessageParser::default()
        .parse(content)
        .and_then(|mail| mail.subject().map(str::to_owned))
        .unwrap_or_default()
}

on_both_columns! {
    async fn a_place_that_comes_free_goes_to_the_first_and_the_missing_one_is_contacted(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let event = published(&bed, &operator).await;
        let four = students(&system, 4).await;
        let mut booked = Vec::new();
        for student in &four {
            booked.push(book(student, &event).await);
        }
        let seen: Vec<(&str, Option<i64>)> = booked
            .iter()
            .map(|b| (b["state"].as_str().unwrap(), b["waitingPosition"].as_i64()))
            .collect();
        assert_eq!(seen, [("BOOKED", None), ("BOOKED", None), ("WAITING", Some(1)), ("WAITING", Some(2))]);

        let cancelled = four[0].data(CANCEL, json!({ "id": booked[0]["id"] })).await;
        assert_eq!(cancelled["cancelBooking"]["booking"]["state"], "CANCELLED");
        until(PATIENCE, "the first who waited has the place, and a mail says so", async || {
            let own = four[2].data(OWN, json!({})).await;
            let has_place = own["bookings"]["nodes"][0]["state"] == "BOOKED";
            (has_place && mails(&bed, "student3", "You have a place") == 1).then_some(())
        })
        .await;
        let fourth = four[3].data(OWN, json!({})).await;
        assert_eq!(fourth["bookings"]["nodes"][0]["state"], "WAITING");
        assert_eq!(fourth["bookings"]["nodes"][0]["waitingPosition"], 1);

        // The day comes: student 2 is there, student 3 is not.
        bed.clock().advance(TimeDelta::days(7));
        let operator = system.demo_client("operator").await;
        let marked = operator
            .data(
                "mutation($code: String!) { checkIn(input: { ticketCode: $code }) {
                    booking { state person { name } } userErrors { code message } } }",
                json!({ "code": booked[1]["ticketCode"] }),
            )
            .await;
        assert_eq!(marked["checkIn"]["booking"]["state"], "ATTENDED");
        let closed = operator
            .data(
                "mutation($id: ID!) { closeRegister(input: { eventId: $id }) {
                    event { state bookings { nodes { state person { email } } } } userErrors { code message } } }",
                json!({ "id": event }),
            )
            .await;
        let event = &closed["closeRegister"]["event"];
        assert_eq!(event["state"], "PAST", "{closed}");
        assert_eq!(event["bookings"]["nodes"].as_array().unwrap().len(), 4);
        until(PATIENCE, "student 3 is contacted", async || {
            (mails(&bed, "student3", "We missed you") == 1).then_some(())
        })
        .await;
        system.stop().await;
        let missed: usize = (1..=4).map(|at| mails(&bed, &format!("student{at}"), "We missed you")).sum();
        assert_eq!(missed, 1, "nobody else is contacted, and nobody twice");
    }

    async fn students_see_their_own_bookings_and_nobody_elses(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let event = published(&bed, &operator).await;
        let two = students(&system, 2).await;
        let booking = book(&two[0], &event).await;

        let node = "query($id: ID!) { node(id: $id) { id } }";
        let hidden = two[1].data(node, json!({ "id": booking["id"] })).await;
        assert_eq!(hidden["node"], Value::Null);

        let of_event = "query($id: ID!) { node(id: $id) { ... on Event {
            placesLeft waitingCount viewerBooking { state } bookings { nodes { id } } } } }";
        let own = two[0].graphql(of_event, json!({ "id": event })).await;
        assert_eq!(own.codes(), ["FORBIDDEN"]);
        let seen = &own.data["node"];
        assert_eq!((&seen["placesLeft"], &seen["bookings"]), (&json!(1), &Value::Null));
        assert_eq!(seen["viewerBooking"]["state"], "BOOKED");
        let all = operator.data(of_event, json!({ "id": event })).await;
        assert_eq!(all["node"]["bookings"]["nodes"], json!([{ "id": booking["id"] }]));

        let of_booking = "query($id: ID!) { node(id: $id) { ... on Booking { person { name email } } } }";
        let mine = two[0].graphql(of_booking, json!({ "id": booking["id"] })).await;
        assert_eq!(mine.codes(), ["FORBIDDEN"]);
        assert_eq!(mine.data["node"]["person"]["email"], Value::Null);
        let theirs = operator.data(of_booking, json!({ "id": booking["id"] })).await;
        let address = format!("student1@{}", api::demo::DOMAIN);
        assert_eq!(theirs["node"]["person"]["email"], address);
        system.stop().await;
    }

    async fn bad_input_has_a_code_and_a_sentence_and_changes_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let before = operator.data("{ events(first: 1) { totalCount } }", json!({})).await;
        for (field, value, code) in [
            ("title", json!(" "), "REQUIRED"),
            ("endsAt", workshop(&bed)["startsAt"].clone(), "ENDS_BEFORE_START"),
            ("capacity", json!(0), "INVALID"),
            ("startsAt", json!("2020-01-01T09:00:00Z"), "IN_THE_PAST"),
            ("organisationIds", json!(["org_01h455vb4pex5vsknk084sn02q"]), "NOT_FOUND"),
        ] {
            let mut input = workshop(&bed);
            input[field] = value;
            let answer = operator.graphql(CREATE, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), [code], "{field}");
            let error = &answer.data["createEvent"]["userErrors"][0];
            assert_eq!(error["field"], field);
            assert!(error["message"].as_str().unwrap().ends_with('.'), "{error}");
        }
        let after = operator.data("{ events(first: 1) { totalCount } }", json!({})).await;
        assert_eq!(before, after);

        let student = system.demo_client("student1").await;
        let unknown = student.graphql(BOOK, json!({ "id": "evt_01h455vb4pex5vsknk084sn02q" })).await;
        assert_eq!(unknown.refusals(), ["NOT_FOUND"]);
        for wrong in ["org_01h455vb4pex5vsknk084sn02q", "17", ""] {
            let answer = student.graphql(BOOK, json!({ "id": wrong })).await;
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{wrong}");
        }
        let draft = operator.data(CREATE, json!({ "input": workshop(&bed) })).await;
        let draft = draft["createEvent"]["event"]["id"].clone();
        let answer = student.graphql(BOOK, json!({ "id": draft })).await;
        assert_eq!(answer.refusals(), ["NOT_FOUND"]);
        let denied = student.graphql(PUBLISH, json!({ "id": draft })).await;
        assert_eq!(denied.codes()[0], "FORBIDDEN");
        let nobody = system.client().graphql(BOOK, json!({ "id": draft })).await;
        assert!(!nobody.errors.is_empty());
        system.stop().await;
    }

    async fn whoever_waits_is_told_when_the_queue_moves(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let event = published(&bed, &operator).await;
        let four = students(&system, 4).await;
        let mut booked = Vec::new();
        for student in &four {
            booked.push(book(student, &event).await);
        }
        let query = format!("subscription {{ bookingChanged(eventId: {event:?}) {{ id state waitingPosition }} }}");
        let mut stream = four[3]
            .request(Method::POST, "/graphql/stream")
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": query }))
            .send()
            .await
            .unwrap();
        // Somebody who is nearer to a place leaves the queue.
        four[2].data(CANCEL, json!({ "id": booked[2]["id"] })).await;
        let mut told = String::new();
        let moved = async {
            while !told.contains("\"waitingPosition\":1") {
                let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
                told.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        tokio::time::timeout(PATIENCE, moved).await.unwrap();
        assert!(told.contains(booked[3]["id"].as_str().unwrap()), "{told}");
        assert!(!told.contains(booked[2]["id"].as_str().unwrap()), "what others do is not told: {told}");
        drop(stream);
        system.stop().await;
    }
}

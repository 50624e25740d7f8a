//! Sharing across faculties: opening an event to another faculty's students needs that faculty's operator to agree
//! (policy 2.4).

use chrono::{DateTime, TimeDelta, Utc};
use domain::{RefusalCode, Viewer, event as events, event_sharing};
use entity::ids::FacultyId;
use serde_json::{Value, json};
use support::{Desk, TestBed, on_both_columns};

use crate::campus::{Campus, codes};

const CREATE: &str = "mutation($input: CreateEventInput!) { createEvent(input: $input) {
    event { id audience { faculty { name } } } userErrors { code field message } } }";
const UPDATE: &str = "mutation($input: UpdateEventInput!) { updateEvent(input: $input) {
    event { audience { faculty { name } } } userErrors { code field message } } }";
const REQUEST: &str =
    "mutation($input: RequestEventSharingInput!) { requestEventSharing(input: $input) {
    request { id state title } userErrors { code field } } }";
const ANSWER: &str =
    "mutation($input: AnswerEventSharingInput!) { answerEventSharing(input: $input) {
    request { state answer } userErrors { code field } } }";
const REQUESTS: &str = "{ eventSharingRequests { totalCount nodes { id title state event { id } faculty { name } } } }";

/// Two faculties, with an operator each, and an event of the first one.
struct Two {
    campus: Campus,
    desk: Desk,
    law: FacultyId,
    music: FacultyId,
    lawyer: Viewer,
    musician: Viewer,
    event: Value,
}

impl Two {
    async fn new(bed: &TestBed) -> Self {
        let (campus, desk) = (Campus::new(bed).await, Desk::open(bed).await);
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let lawyer = campus.operator_of("lara", law).await;
        let musician = campus.operator_of("mia", music).await;
        let input = json!({ "input": workshop(&campus, law) });
        let (created, _) = desk.data(&lawyer, CREATE, input).await;
        let event = created["createEvent"]["event"].clone();
        Self {
            campus,
            desk,
            law,
            music,
            lawyer,
            musician,
            event,
        }
    }

    async fn ask(&self) -> Value {
        let input = json!({ "eventId": self.event["id"], "facultyId": self.music, "message": "Ten places are free." });
        let (asked, _) = self
            .desk
            .data(&self.lawyer, REQUEST, json!({ "input": input }))
            .await;
        asked["requestEventSharing"].clone()
    }

    async fn answer(
        &self,
        viewer: &Viewer,
        request: &Value,
        agree: bool,
        answer: Option<&str>,
    ) -> Value {
        let input = json!({ "sharingRequestId": request["request"]["id"], "agree": agree, "answer": answer });
        let (answered, _) = self
            .desk
            .data(viewer, ANSWER, json!({ "input": input }))
            .await;
        answered["answerEventSharing"].clone()
    }

    async fn publish(&self) {
        let id = self.event["id"].as_str().unwrap().parse().unwrap();
        self.campus
            .change(async |tx| events::publish(tx, &self.lawyer, id).await)
            .await
            .unwrap();
    }

    /// Whether a student of music can book.
    async fn is_open_to_music(&self, name: &str) -> bool {
        let student = self.campus.student_of(name, self.music).await;
        let id = self.event["id"].as_str().unwrap().parse().unwrap();
        match self.campus.book(&student, id).await {
            Ok(_) => true,
            refused => {
                assert_eq!(codes(refused), [RefusalCode::NotEligible]);
                false
            }
        }
    }
}

fn workshop(campus: &Campus, faculty: FacultyId) -> Value {
    let starts_at: DateTime<Utc> = campus.store.now() + TimeDelta::days(30);
    json!({
        "title": "Reading a contract",
        "kind": "WORKSHOP",
        "facultyId": faculty,
        "startsAt": starts_at.to_rfc3339(),
        "endsAt": (starts_at + TimeDelta::hours(1)).to_rfc3339(),
        "capacity": 10,
    })
}

on_both_columns! {
    async fn the_audience_grows_only_when_the_other_faculty_agrees(bed: TestBed) {
        let two = Two::new(&bed).await;
        assert_eq!(two.event["audience"], json!([{ "faculty": { "name": "Law" } }]), "left out, it is one's own faculty");
        two.publish().await;
        let request = two.ask().await;
        assert_eq!(request["request"]["state"], "REQUESTED", "{request}");
        assert_eq!(two.campus.mails_to(&two.musician).await, ["event_sharing_requested"]);
        assert!(!two.is_open_to_music("mo").await, "nobody has agreed yet");

        let (asked, _) = two.desk.data(&two.musician, REQUESTS, json!({})).await;
        assert_eq!(asked["eventSharingRequests"]["nodes"][0]["title"], "Reading a contract");
        let answered = two.answer(&two.musician, &request, true, None).await;
        assert_eq!(answered["request"]["state"], "AGREED", "{answered}");
        assert_eq!(two.campus.mails_to(&two.lawyer).await, ["event_sharing_answered"]);
        assert!(two.is_open_to_music("max").await);

        let twice = two.answer(&two.musician, &request, false, Some("After all, no.")).await;
        assert_eq!(twice["userErrors"][0]["code"], "WRONG_STATE");
        assert!(two.is_open_to_music("mel").await);
    }

    async fn a_faculty_that_declines_says_why_and_its_students_stay_out(bed: TestBed) {
        let two = Two::new(&bed).await;
        two.publish().await;
        let request = two.ask().await;
        assert_eq!(two.ask().await["userErrors"][0]["code"], "TAKEN", "it has been asked");
        let silent = two.answer(&two.musician, &request, false, None).await;
        assert_eq!(silent["userErrors"], json!([{ "code": "REQUIRED", "field": "answer" }]));
        let declined = two.answer(&two.musician, &request, false, Some("We have a concert.")).await;
        assert_eq!(declined["request"], json!({ "state": "DECLINED", "answer": "We have a concert." }));
        assert!(!two.is_open_to_music("mo").await);
        let letters = two.campus.letters().await;
        let letter = letters.iter().find(|letter| letter.template == "event_sharing_answered").unwrap();
        assert_eq!(letter.fields["answer"], "We have a concert.");
        assert_eq!(two.ask().await["userErrors"], json!([]), "it may be asked again");
    }

    async fn only_the_faculty_that_is_asked_answers(bed: TestBed) {
        let two = Two::new(&bed).await;
        let request = two.ask().await;
        let chemistry = two.campus.faculty("Chemistry").await;
        let chemist = two.campus.operator_of("carl", chemistry).await;
        let stranger = two.answer(&chemist, &request, true, None).await;
        assert_eq!(stranger["userErrors"][0]["code"], "NOT_FOUND");
        let (none, _) = two.desk.data(&chemist, REQUESTS, json!({})).await;
        assert_eq!(none["eventSharingRequests"], json!({ "totalCount": 0, "nodes": [] }));
        let id = request["request"]["id"].as_str().unwrap().parse().unwrap();
        let own = two.campus.change(async |tx| event_sharing::answer(tx, &two.lawyer, id, true, None).await).await;
        assert!(matches!(own, Err(domain::Error::Forbidden(_))), "{own:?}");
        // A draft: the one who is asked knows its title, and nothing else of it.
        let (asked, _) = two.desk.data(&two.musician, REQUESTS, json!({})).await;
        let asked = &asked["eventSharingRequests"]["nodes"][0];
        assert_eq!((&asked["title"], &asked["event"]), (&json!("Reading a contract"), &Value::Null));
    }

    async fn a_request_that_nobody_answers_expires(bed: TestBed) {
        let two = Two::new(&bed).await;
        two.publish().await;
        let request = two.ask().await;
        let asked_at = two.campus.store.now();
        let expires = asked_at + TimeDelta::days(event_sharing::ANSWER_DAYS);
        two.campus.later(expires - TimeDelta::seconds(1)).await;
        assert_eq!(two.campus.mails_to(&two.lawyer).await, [""; 0]);
        two.campus.later(expires).await;
        assert_eq!(two.campus.mails_to(&two.lawyer).await, ["event_sharing_answered"]);
        let late = two.answer(&two.musician, &request, true, None).await;
        assert_eq!(late["userErrors"][0]["code"], "WRONG_STATE");
        assert!(!two.is_open_to_music("mo").await);
    }

    async fn students_of_another_faculty_are_not_invited_directly(bed: TestBed) {
        let two = Two::new(&bed).await;
        for audience in [json!([{ "facultyId": two.music }]), json!([{ "level": "UNDERGRADUATE" }]), json!([])] {
            let input = json!({ "eventId": two.event["id"], "version": 1, "audience": audience });
            let (refused, _) = two.desk.data(&two.lawyer, UPDATE, json!({ "input": input })).await;
            let error = &refused["updateEvent"]["userErrors"][0];
            assert_eq!((&error["code"], &error["field"]), (&json!("NEEDS_AGREEMENT"), &json!("audience")), "{audience}");
            assert!(error["message"].as_str().unwrap().contains("requestEventSharing"), "{error}");
        }
        let mut foreign = workshop(&two.campus, two.law);
        foreign["audience"] = json!([{ "facultyId": two.law }, { "facultyId": two.music }]);
        let (refused, _) = two.desk.data(&two.lawyer, CREATE, json!({ "input": foreign })).await;
        assert_eq!(refused["createEvent"]["userErrors"][0]["code"], "NEEDS_AGREEMENT");
        // The Careers Centre manages the events of the whole campus.
        let (direct, _) = two.desk.data(&two.campus.operator, CREATE, json!({ "input": foreign })).await;
        assert_eq!(direct["createEvent"]["userErrors"], json!([]));
    }

    async fn what_was_agreed_stands_when_the_organiser_changes_the_event(bed: TestBed) {
        let two = Two::new(&bed).await;
        let request = two.ask().await;
        two.answer(&two.musician, &request, true, None).await;
        let input = json!({ "eventId": two.event["id"], "version": 2, "title": "Reading a better contract" });
        let (renamed, _) = two.desk.data(&two.lawyer, UPDATE, json!({ "input": input })).await;
        assert_eq!(renamed["updateEvent"]["userErrors"], json!([]));
        assert_eq!(renamed["updateEvent"]["event"]["audience"].as_array().unwrap().len(), 2);
        let both = json!([{ "facultyId": two.music }, { "facultyId": two.law, "level": "UNDERGRADUATE" }]);
        let input = json!({ "eventId": two.event["id"], "version": 3, "audience": both });
        let (narrowed, _) = two.desk.data(&two.lawyer, UPDATE, json!({ "input": input })).await;
        assert_eq!(narrowed["updateEvent"]["userErrors"], json!([]), "one's own is one's own, the other was agreed");
        // A version before the agreement is no longer what is changed.
        let input = json!({ "eventId": two.event["id"], "version": 1, "title": "Old" });
        let (stale, _) = two.desk.data(&two.lawyer, UPDATE, json!({ "input": input })).await;
        assert_eq!(stale["updateEvent"]["userErrors"][0]["code"], "STALE");
    }
}

//! Training: courses that open permissions, sessions that are booked and attended (policy 3).

mod rules;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    RefusalCode,
    clock::Clock,
    operator_access::LapseAccess,
    training_course::{self as courses, CourseChanges},
};
use entity::{access_grant::Permission, operator_access::AccessState};
use serde_json::{Value, json};
use support::{Client, on_both_columns, until};

use crate::{
    campus::{Campus, codes},
    operator_access::office::{
        BOOK, CHECK_IN, GRANT, PATIENCE, accept_everything, account, permission, session, state,
    },
};

const CREATE: &str = "mutation($input: CreateTrainingCourseInput!) { createTrainingCourse(input: $input) {
    trainingCourse { id title permissions validityDays agreements { title } } userErrors { code field } } }";
const UPDATE: &str =
    "mutation($input: UpdateTrainingCourseInput!) { updateTrainingCourse(input: $input) {
    userErrors { code field } } }";
const LINK: &str = "mutation($event: ID!, $course: ID!) {
    linkTrainingSession(input: { eventId: $event, trainingCourseId: $course }) {
        trainingCourse { nextSessions { id } } userErrors { code field } } }";
const CREATE_EVENT: &str = "mutation($input: CreateEventInput!) {
    createEvent(input: $input) { event { id } userErrors { code field message } } }";
const PUBLISH: &str =
    "mutation($id: ID!) { publishEvent(input: { eventId: $id }) { userErrors { code } } }";
const CANCEL: &str = "mutation($id: ID!) {
    cancelBooking(input: { bookingId: $id }) { booking { state } userErrors { code } } }";

fn event(kind: &str, starts_at: DateTime<Utc>) -> Value {
    json!({
        "title": "An afternoon",
        "kind": kind,
        "startsAt": starts_at.to_rfc3339(),
        "endsAt": (starts_at + TimeDelta::hours(2)).to_rfc3339(),
        "capacity": 1,
    })
}

/// The demo agreements of these kinds.
async fn agreements_of(client: &Client, kinds: &[&str]) -> Vec<Value> {
    let data = client
        .data("{ agreements { nodes { id kind } } }", json!({}))
        .await;
    let nodes = data["agreements"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .filter(|node| kinds.contains(&node["kind"].as_str().unwrap()))
        .map(|node| node["id"].clone())
        .collect()
}

on_both_columns! {
    async fn a_training_course_lists_the_permissions_it_opens(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let terms = agreements_of(&admin, &["OPERATOR_TERMS", "DATA_PROTECTION"]).await;
        let input = json!({
            "title": "Reports and exports", "permissions": ["READ_REPORT", "EXPORT_CONTACTS"], "agreementIds": terms,
        });
        let made = admin.data(CREATE, json!({ "input": input })).await;
        let course = &made["createTrainingCourse"]["trainingCourse"];
        assert_eq!(course["permissions"], json!(["READ_REPORT", "EXPORT_CONTACTS"]));
        assert_eq!(course["validityDays"], 365, "a year by default");

        // It is one of those that lead there.
        let untrained = system.demo_client("untrained").await;
        let status = permission(&untrained, "READ_REPORT").await;
        let titles: Vec<_> = status["trainingCourses"].as_array().unwrap().iter().map(|c| &c["title"]).collect();
        assert_eq!(titles, ["Reading reports", "Reports and exports"]);
        assert!(status["reason"].as_str().unwrap().contains("Reports and exports"), "{status}");

        let again = admin.graphql(CREATE, json!({ "input": input })).await;
        assert_eq!(again.refusals(), ["TAKEN"]);
        let empty = json!({ "title": " ", "permissions": [], "validityDays": 0 });
        let wrong = admin.graphql(CREATE, json!({ "input": empty })).await;
        assert_eq!(wrong.refusals(), ["REQUIRED", "REQUIRED", "INVALID"]);
        for other in ["operator", "superuser", "student1"] {
            let refused = system.demo_client(other).await.graphql(CREATE, json!({ "input": input })).await;
            assert_eq!(refused.codes()[0], "FORBIDDEN", "{other}");
        }
        system.stop().await;
    }

    async fn its_sessions_are_events_of_the_kind_training_booked_attended_and_waited_for_like_any_other(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let courses = admin.data("{ trainingCourses(first: 1) { nodes { id title } } }", json!({})).await;
        let course = courses["trainingCourses"]["nodes"][0]["id"].clone();
        let starts_at = bed.clock().now() + TimeDelta::days(2);

        let made = admin.data(CREATE_EVENT, json!({ "input": event("WORKSHOP", starts_at) })).await;
        let workshop = &made["createEvent"]["event"]["id"];
        let refused = admin.graphql(LINK, json!({ "event": workshop, "course": course })).await;
        assert_eq!(refused.refusals(), ["WRONG_STATE"]);

        let made = admin.data(CREATE_EVENT, json!({ "input": event("TRAINING", starts_at) })).await;
        let training = made["createEvent"]["event"]["id"].clone();
        let linked = admin.data(LINK, json!({ "event": training, "course": course })).await;
        assert_eq!(linked["linkTrainingSession"]["userErrors"], json!([]));
        admin.data(PUBLISH, json!({ "id": training })).await;

        let (untrained, superuser) = (system.demo_client("untrained").await, system.demo_client("superuser").await);
        let first = superuser.data(BOOK, json!({ "id": training })).await;
        assert_eq!(first["bookEvent"]["booking"]["state"], "BOOKED");
        let second = untrained.data(BOOK, json!({ "id": training })).await;
        assert_eq!(second["bookEvent"]["booking"]["state"], "WAITING");
        let id = account(&system, "untrained").await.id;
        assert_eq!(state(&untrained, id).await, "TRAINING_BOOKED", "whoever waits for training is on the way");
        let student = system.demo_client("student1").await;
        assert_eq!(student.graphql(BOOK, json!({ "id": training })).await.refusals(), ["NOT_ELIGIBLE"]);

        superuser.data(CANCEL, json!({ "id": first["bookEvent"]["booking"]["id"] })).await;
        until(PATIENCE, "the place goes to who waits", async || {
            let own = untrained.data("{ bookings(first: 1) { nodes { state } } }", json!({})).await;
            (own["bookings"]["nodes"][0]["state"] == "BOOKED").then_some(())
        })
        .await;
        bed.clock().set(starts_at);
        let admin = system.demo_client("admin").await;
        let marked = admin.data(CHECK_IN, json!({ "id": second["bookEvent"]["booking"]["id"] })).await;
        assert_eq!(marked["checkIn"]["booking"]["state"], "ATTENDED");
        assert_eq!(state(&admin, id).await, "TRAINED");
        let query = "query($id: ID!) { operatorAccess(filter: { userId: $id }) {
            nodes { training { course { id } session { id } attendedAt validUntil } } } }";
        let seen = admin.data(query, json!({ "id": id })).await;
        let record = &seen["operatorAccess"]["nodes"][0]["training"][0];
        assert_eq!((&record["course"]["id"], &record["session"]["id"]), (&course, &training));
        let moment = |field: &str| record[field].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        assert_eq!(moment("validUntil"), moment("attendedAt") + TimeDelta::days(365));
        system.stop().await;
    }

    async fn attendance_feeds_access_at_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let id = account(&system, "untrained").await.id;
        let untrained = system.demo_client("untrained").await;
        let input = json!({ "userId": id, "permission": "EDIT_ORGANISATION" });
        let granted = admin.data(GRANT, json!({ "input": input })).await;
        let given = &granted["grantAccess"]["operatorAccess"];
        assert_eq!((&given["state"], &given["grants"][0]["counts"]), (&json!("INVITED"), &json!(false)));
        accept_everything(&untrained).await;
        assert_eq!(state(&admin, id).await, "INVITED", "terms alone open nothing");

        let (training, starts_at) = session(&untrained, "MyCareer essentials").await;
        let booked = untrained.data(BOOK, json!({ "id": training })).await;
        assert_eq!(state(&admin, id).await, "TRAINING_BOOKED");
        bed.clock().set(starts_at);
        let (admin, untrained) = (system.demo_client("admin").await, system.demo_client("untrained").await);
        assert_eq!(permission(&untrained, "EDIT_ORGANISATION").await["held"], false);
        admin.data(CHECK_IN, json!({ "id": booked["bookEvent"]["booking"]["id"] })).await;
        assert_eq!(permission(&untrained, "EDIT_ORGANISATION").await["held"], true, "at their next request");
        assert_eq!(state(&admin, id).await, "ACTIVE");
        let made = untrained
            .data(r#"mutation { createTag(input: { name: "Green energy" }) { tag { name } userErrors { code } } }"#, json!({}))
            .await;
        assert_eq!(made["createTag"]["tag"]["name"], "Green energy");
        system.stop().await;
    }

    async fn a_grant_counts_only_with_training_not_older_than_its_validity(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        campus.train(&admin, course.id, &sid).await;
        campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
        assert!(campus.may(&sid, Permission::ReadReport).await);

        let attended = campus.store.now();
        campus.clock.set(attended + TimeDelta::days(365) - TimeDelta::seconds(1));
        assert!(campus.may(&sid, Permission::ReadReport).await);
        campus.clock.advance(TimeDelta::seconds(1));
        assert!(!campus.may(&sid, Permission::ReadReport).await);
        // What is stored is not what decides: nobody has looked yet.
        assert_eq!(campus.stands(&sid).await, AccessState::Active);
        campus.change(async |tx| tx.enqueue(&LapseAccess {}, None).await).await.unwrap();
        campus.run_jobs().await;
        assert_eq!(campus.stands(&sid).await, AccessState::Lapsed);
        let why = campus.again(&sid).await.why_not(Permission::ReadReport);
        assert!(why.contains(&course.title), "{why}");

        campus.train(&admin, course.id, &sid).await;
        assert!(campus.may(&sid, Permission::ReadReport).await, "a refresher gives it back");
        assert_eq!(campus.stands(&sid).await, AccessState::Active);
    }

    async fn another_validity_holds_for_those_who_have_attended(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (admin, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        campus.train(&admin, course.id, &sid).await;
        campus.grant(&admin, &sid, Permission::ReadReport).await.unwrap();
        campus.clock.advance(TimeDelta::days(40));
        let shorter = CourseChanges { validity_days: Some(30), ..CourseChanges::default() };
        campus.change(async |tx| courses::update(tx, &admin, course.id, shorter).await).await.unwrap();
        assert!(!campus.may(&sid, Permission::ReadReport).await);
        assert_eq!(campus.stands(&sid).await, AccessState::Lapsed);
        let longer = CourseChanges { validity_days: Some(400), ..CourseChanges::default() };
        campus.change(async |tx| courses::update(tx, &admin, course.id, longer).await).await.unwrap();
        assert!(campus.may(&sid, Permission::ReadReport).await);
        assert_eq!(campus.stands(&sid).await, AccessState::Active);
    }

    async fn a_register_that_is_open_names_no_course(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let admin = campus.administrator("ada").await;
        let course = campus.course(&admin, Permission::ReadReport, Vec::new()).await;
        let event = campus.event_with(5, |draft| draft.kind = entity::event::EventKind::Training).await;
        campus.clock.set(event.starts_at);
        let late = campus.change(async |tx| courses::link_session(tx, &admin, event.id, course.id).await).await;
        assert_eq!(codes(late), [RefusalCode::WrongState]);
    }

    async fn a_course_names_the_terms_and_data_protection_and_for_bulk_email_the_guidance(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let input = |title: &str, permission: &str, agreements: &[Value]| {
            json!({ "input": { "title": title, "permissions": [permission], "agreementIds": agreements } })
        };
        let all = ["OPERATOR_TERMS", "DATA_PROTECTION", "BULK_EMAIL_GUIDANCE"];
        for without in ["OPERATOR_TERMS", "DATA_PROTECTION"] {
            let kinds: Vec<&str> = all.into_iter().filter(|kind| *kind != without).collect();
            let some = agreements_of(&admin, &kinds).await;
            let refused = admin.graphql(CREATE, input("Reports", "READ_REPORT", &some)).await;
            assert_eq!(refused.refusals(), ["REQUIRED"], "{without}");
            let field = &refused.data["createTrainingCourse"]["userErrors"][0]["field"];
            assert!(field.to_string().contains("agreementIds"), "{field}");
        }
        let two = agreements_of(&admin, &all[..2]).await;
        let refused = admin.graphql(CREATE, input("Mailing", "SEND_BULK_EMAIL", &two)).await;
        assert_eq!(refused.refusals(), ["REQUIRED"], "bulk e-mail needs the guidance, too");
        let three = agreements_of(&admin, &all).await;
        admin.data(CREATE, input("Mailing", "SEND_BULK_EMAIL", &three)).await;
        let made = admin.data(CREATE, input("Reports", "READ_REPORT", &two)).await;

        let id = made["createTrainingCourse"]["trainingCourse"]["id"].clone();
        for change in [json!({ "agreementIds": [] }), json!({ "agreementIds": two[..1] }), json!({ "permissions": ["SEND_BULK_EMAIL"] })] {
            let mut input = change.clone();
            input["trainingCourseId"] = id.clone();
            let refused = admin.graphql(UPDATE, json!({ "input": input })).await;
            assert_eq!(refused.refusals(), ["REQUIRED"], "{change}");
        }
        system.stop().await;
    }
}

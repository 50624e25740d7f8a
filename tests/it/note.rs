//! Notes: staff record engagements with employers, and nobody else reads them.

use chrono::TimeDelta;
use domain::clock::Clock;
use entity::contact;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{System, on_both_columns};

const ADD: &str = "mutation($input: AddNoteInput!) {
    addNote(input: $input) {
        note { body authorName organisation { name } contact { name } } userErrors { code field message } } }";

async fn by_name(system: &System, name: &str) -> contact::Model {
    contact::Entity::find()
        .filter(contact::Column::Name.eq(name))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

on_both_columns! {
    async fn an_engagement_shows_on_the_organisation_the_latest_first(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        bed.clock().advance(TimeDelta::minutes(1));
        let input = json!({
            "organisationId": erin.organisation_id, "contactId": erin.id, "kind": "VISIT", "body": "Saw the workshop.",
        });
        let data = operator.data(ADD, json!({ "input": input })).await;
        assert_eq!(
            data["addNote"]["note"],
            json!({
                "body": "Saw the workshop.", "authorName": "Oliver Hughes",
                "organisation": { "name": "Aire Valley Robotics Ltd" }, "contact": { "name": "Erin Doyle" },
            })
        );
        let query = "query($id: ID!) { node(id: $id) { ... on Organisation { notes(first: 1) { kind body } } } }";
        let data = operator.data(query, json!({ "id": erin.organisation_id })).await;
        assert_eq!(data["node"]["notes"], json!([{ "kind": "VISIT", "body": "Saw the workshop." }]));
        let query = "query($id: ID!) { notes(filter: { contactId: $id }) { totalCount nodes { kind } } }";
        let data = operator.data(query, json!({ "id": erin.id })).await;
        assert_eq!(data["notes"]["totalCount"], 2);
        assert_eq!(data["notes"]["nodes"][0]["kind"], "VISIT");
    }

    async fn what_can_not_be_so_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        let imogen = by_name(&system, "Imogen Moss").await;
        let now = bed.clock().now();
        let note = |changes: Value| {
            let mut input = json!({ "organisationId": erin.organisation_id, "kind": "CALL", "body": "Talked." });
            input.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            json!({ "input": input })
        };
        for (changes, expected) in [
            (json!({ "body": " \n " }), vec!["REQUIRED"]),
            (json!({ "happenedAt": now + TimeDelta::minutes(1) }), vec!["INVALID"]),
            (json!({ "contactId": imogen.id }), vec!["NOT_FOUND"]),
            (json!({ "nextActionDueAt": now + TimeDelta::days(1) }), vec!["REQUIRED"]),
            (json!({ "nextAction": "Call", "nextActionDueAt": now - TimeDelta::days(1) }), vec!["ENDS_BEFORE_START"]),
            (json!({ "organisationId": "org_01h455vb4pex5vsknk084sn02q" }), vec!["NOT_FOUND"]),
        ] {
            let answer = operator.graphql(ADD, note(changes.clone())).await;
            assert_eq!(answer.refusals(), expected, "{changes}");
        }
        let data = operator.data("{ notes { totalCount } }", json!({})).await;
        assert_eq!(data["notes"]["totalCount"], 11);
    }

    async fn only_staff_read_notes_and_only_the_trained_write_them(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let query = "{ notes { totalCount nodes { body } } }";
        for mailbox in ["student1", "employer"] {
            let answer = system.demo_client(mailbox).await.graphql(query, json!({})).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
            assert!(answer.data.is_null() || answer.data["notes"].is_null(), "{answer:?}");
        }
        let untrained = system.demo_client("untrained").await;
        assert_eq!(untrained.data(query, json!({})).await["notes"]["totalCount"], 11);
        let erin = by_name(&system, "Erin Doyle").await;
        let input = json!({ "organisationId": erin.organisation_id, "kind": "CALL", "body": "Talked." });
        let answer = untrained.graphql(ADD, json!({ "input": input })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
        assert!(format!("{:?}", answer.errors).contains("MyCareer essentials"));
    }
}

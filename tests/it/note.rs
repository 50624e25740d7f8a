//! Notes: staff record engagements with employers, and nobody else reads them.

use std::time::Duration;

use chrono::TimeDelta;
use domain::clock::Clock;
use entity::{contact, faculty};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns, until};

use crate::{delivered::told, super_user_group::account};

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

    async fn whoever_wrote_what_is_to_be_done_is_reminded_the_day_before_unless_it_is_done(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        let profile = operator.data("{ viewer { profile { version } } }", json!({})).await;
        let version = &profile["viewer"]["profile"]["version"];
        let at_once = "mutation($version: Int!) { updateProfile(input: {
            version: $version, notices: [{ topic: ENGAGEMENT, channel: MAIL_AT_ONCE }] }) { userErrors { code } } }";
        assert_eq!(operator.graphql(at_once, json!({ "version": version })).await.refusals(), [""; 0]);
        let add = async |action: &str| {
            // Notes of one moment are in no order.
            bed.clock().advance(TimeDelta::minutes(1));
            let due = (bed.clock().now() + TimeDelta::days(3)).to_rfc3339();
            let input = json!({ "organisationId": erin.organisation_id, "kind": "CALL", "body": "Talked.",
                "nextAction": action, "nextActionDueAt": due });
            let query = "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { code } } }";
            operator.data(query, json!({ "input": input })).await["addNote"]["note"]["id"].clone()
        };
        let (first, second) = (add("Send the dates.").await, add("Send the map.").await);
        let to_do = async |client: &Client| {
            let query = "{ notes(filter: { hasNextAction: true, isMine: true }, first: 2) { nodes { id nextActionDoneAt } } }";
            client.data(query, json!({})).await["notes"]["nodes"].clone()
        };
        assert_eq!(to_do(&operator).await[0]["id"], second);
        let complete = "mutation($id: ID!) { completeNextAction(input: { noteId: $id }) { note { nextActionDoneAt } userErrors { code } } }";
        let untrained = system.demo_client("untrained").await;
        assert_eq!(untrained.graphql(complete, json!({ "id": first })).await.codes(), ["FORBIDDEN"]);
        let done = operator.data(complete, json!({ "id": first })).await;
        assert!(done["completeNextAction"]["note"]["nextActionDoneAt"].is_string(), "{done}");
        assert_eq!(to_do(&operator).await[0]["id"], second, "the other one is still to be done");

        bed.clock().advance(TimeDelta::days(2));
        let reminded = || told(&bed, "To be done: Aire Valley Robotics Ltd").len();
        until(Duration::from_secs(30), "the reminder", async || (reminded() > 0).then_some(())).await;
        // Both jobs have run by now, or run before the next question is answered: what is done isn't told.
        let mut tx = system.store().begin().await.unwrap();
        assert!(!domain::note::remind(&mut tx, first.as_str().unwrap().parse().unwrap()).await.unwrap());
        drop(tx);
        assert_eq!(reminded(), 1);
    }

    async fn who_took_part_is_named_once_and_the_note_shows_with_each_of_them(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (erin, paul) = (by_name(&system, "Erin Doyle").await, by_name(&system, "Paul Sykes").await);
        bed.clock().advance(TimeDelta::minutes(1));
        let admin = system.demo_client("admin").await.data("{ viewer { id } }", json!({})).await;
        let admin = admin["viewer"]["id"].clone();
        let me = operator.data("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
        let add = "mutation($input: AddNoteInput!) { addNote(input: $input) {
            note { id contact { name } participants { name } colleagues { id } } userErrors { code field } } }";
        let input = |participants: Value, colleagues: Value| json!({ "input": {
            "organisationId": erin.organisation_id, "contactId": erin.id, "kind": "OTHER", "body": "We met.",
            "participantIds": participants, "colleagueIds": colleagues,
        } });
        let data = operator.data(add, input(json!([paul.id, erin.id, paul.id]), json!([admin, me, admin]))).await;
        let note = &data["addNote"]["note"];
        assert_eq!(note["participants"], json!([{ "name": "Paul Sykes" }]), "{data}");
        assert_eq!(note["colleagues"], json!([{ "id": admin }]));
        let query = "query($id: ID!) { notes(filter: { contactId: $id }, first: 1) { nodes { id } } }";
        for contact in [&erin, &paul] {
            let found = operator.data(query, json!({ "id": contact.id })).await;
            assert_eq!(found["notes"]["nodes"][0]["id"], note["id"], "{}", contact.name);
        }
        let stranger = by_name(&system, "Imogen Moss").await;
        let student = json!("usr_01h455vb4pex5vsknk084sn02q");
        for (input, field) in [
            (input(json!([stranger.id]), json!([])), "participantIds"),
            (input(json!([]), json!([student])), "colleagueIds"),
        ] {
            let answer = operator.graphql(add, input).await;
            assert_eq!(answer.data["addNote"]["userErrors"][0], json!({ "code": "NOT_FOUND", "field": field }));
        }
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

    async fn a_note_shows_on_the_organisation_and_on_every_contact_in_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (erin, paul) = (by_name(&system, "Erin Doyle").await, by_name(&system, "Paul Sykes").await);
        bed.clock().advance(TimeDelta::minutes(1));
        let input = json!({ "organisationId": erin.organisation_id, "kind": "VISIT", "body": "Saw the workshop." });
        operator.data(ADD, json!({ "input": input })).await;
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) {
            ... on Organisation { notes(first: 1) { body } } ... on Contact { notes(first: 1) { body } } } }";
        let other = by_name(&system, "Imogen Moss").await;
        let ids = json!([erin.organisation_id, erin.id, paul.id, other.id]);
        let data = operator.data(query, json!({ "ids": ids })).await;
        let seen: Vec<bool> = data["nodes"].as_array().unwrap().iter()
            .map(|node| node["notes"][0]["body"] == "Saw the workshop.").collect();
        assert_eq!(seen, [true, true, true, false], "{data}");
        let answer = system.demo_client("employer").await.graphql(query, json!({ "ids": ids })).await;
        assert!(answer.codes().iter().all(|code| *code == "FORBIDDEN"), "{answer:?}");
    }

    async fn a_note_for_a_faculty_is_read_by_its_staff_alone_on_every_path(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        bed.clock().advance(TimeDelta::minutes(1));
        let input = |kind: &str| json!({
            "organisationId": erin.organisation_id, "contactId": erin.id, "kind": kind, "body": "Quernstones for our museum.",
            "visibility": "FACULTY",
        });
        let answer = operator.graphql(ADD, json!({ "input": input("GUIDANCE_ON_CONTACT") })).await;
        assert!(answer.refusals().contains(&"INVALID"), "guidance is for everybody: {answer:?}");
        let admin = system.demo_client("admin").await;
        let answer = admin.graphql(ADD, json!({ "input": input("CALL") })).await;
        assert_eq!(answer.refusals(), ["INVALID"], "they are of no faculty");
        operator.data(ADD, json!({ "input": input("CALL") })).await;

        let counts = async |client: &Client| {
            let query = "query($id: ID!) { notes { totalCount } node(id: $id) { ... on Organisation { notes(first: 1) { body visibility } } }
                search(text: \"quernstones\", first: 5) { nodes { __typename } } }";
            let data = client.data(query, json!({ "id": erin.organisation_id })).await;
            let first = data["node"]["notes"][0]["body"] == "Quernstones for our museum.";
            (data["notes"]["totalCount"].as_u64().unwrap(), first, data["search"]["nodes"].as_array().unwrap().len())
        };
        // The untrained member of staff is of the same faculty, until they go to another.
        let untrained = system.demo_client("untrained").await;
        for client in [&operator, &admin, &untrained] {
            assert_eq!(counts(client).await, (12, true, 1));
        }
        let mine = account(&system, "operator").await.faculty_id;
        let other = faculty::Entity::find()
            .filter(faculty::Column::Id.ne(mine.unwrap()))
            .one(system.store().reader())
            .await
            .unwrap()
            .unwrap();
        let mut row = account(&system, "untrained").await.into_active_model();
        row.faculty_id = Set(Some(other.id));
        row.update(system.store().reader()).await.unwrap();
        assert_eq!(counts(&untrained).await, (11, false, 0));
        let activity = "{ activity(first: 50) { totalCount nodes { __typename } } }";
        let seen = async |client: &Client| {
            client.data(activity, json!({})).await["activity"]["totalCount"].as_u64().unwrap()
        };
        assert_eq!(seen(&operator).await, seen(&untrained).await + 1);
        let note = operator.data("{ notes(first: 1) { nodes { id } } }", json!({})).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Note { body } } }";
        let id = json!({ "id": note["notes"]["nodes"][0]["id"] });
        assert!(operator.data(query, id.clone()).await["node"]["body"].is_string());
        assert_eq!(untrained.data(query, id).await["node"], Value::Null);
    }
}

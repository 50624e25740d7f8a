//! Employers keep the contacts of their own organisation.

use entity::{contact, organisation, organisation::OrganisationState};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::json;
use support::on_both_columns;

use super::{by_name, list, names};

const ADD: &str = "mutation($input: CreateOwnContactInput!) { createOwnContact(input: $input) {
    contact { id version visibleToStudents organisation { name } } userErrors { code field message } } }";
const CHANGE: &str = "mutation($input: UpdateOwnContactInput!) { updateOwnContact(input: $input) {
    contact { version state jobTitle } userErrors { code field message } } }";

on_both_columns! {
    async fn an_employer_keeps_the_contacts_of_its_own_organisation(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (employer, operator) = (system.demo_client("employer").await, system.demo_client("operator").await);
        let input = json!({ "name": "Ivy Brook", "jobTitle": "Buyer", "email": "Ivy.Brook@airevalley.test" });
        let data = employer.data(ADD, json!({ "input": input })).await;
        let added = &data["createOwnContact"]["contact"];
        assert_eq!(added["organisation"]["name"], "Aire Valley Robotics Ltd");
        assert_eq!(added["visibleToStudents"], false, "that is asked of her");
        assert_eq!(names(&list(&operator, json!({ "search": "Ivy" })).await["nodes"]), ["Ivy Brook"], "live at once");
        assert_eq!(employer.graphql(ADD, json!({ "input": input })).await.refusals(), ["TAKEN"]);
        let wrong = json!({ "name": " ", "email": "ivy@" });
        assert_eq!(employer.graphql(ADD, json!({ "input": wrong })).await.refusals(), ["INVALID", "REQUIRED"]);

        let input = json!({ "id": added["id"], "version": 1, "jobTitle": "Head of Buying", "state": "INACTIVE" });
        let data = employer.data(CHANGE, json!({ "input": input })).await;
        assert_eq!(data["updateOwnContact"]["contact"], json!({ "version": 2, "state": "INACTIVE", "jobTitle": "Head of Buying" }));
        assert_eq!(employer.graphql(CHANGE, json!({ "input": input })).await.refusals(), ["STALE"]);
        // The change stands in the record's history by who made it.
        let history = "query($id: ID!) { node(id: $id) { ... on Contact { history(first: 1) { by { name } } } } }";
        let data = operator.data(history, json!({ "id": added["id"] })).await;
        assert_eq!(data["node"]["history"][0]["by"]["name"], "Erin Doyle");
    }

    async fn what_a_person_alone_can_say_is_not_said_by_a_colleague(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let employer = system.demo_client("employer").await;
        let paul = by_name(&system, "Paul Sykes").await;
        let change = async |change: serde_json::Value, version: i32| {
            let mut input = change;
            (input["id"], input["version"]) = (json!(paul.id), json!(version));
            let answer = employer.graphql(CHANGE, json!({ "input": input })).await;
            answer.refusals().iter().map(|code| (*code).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(change(json!({ "visibleToStudents": true }), 1).await, ["NEEDS_AGREEMENT"]);
        assert_eq!(change(json!({ "bulkOptedOut": true }), 1).await, [""; 0]);
        assert_eq!(change(json!({ "bulkOptedOut": false }), 2).await, ["NEEDS_AGREEMENT"]);
        // Of oneself it can be said.
        let erin = by_name(&system, "Erin Doyle").await;
        for (at, visible) in [(1, false), (2, true)] {
            let input = json!({ "id": erin.id, "version": at, "visibleToStudents": visible });
            assert_eq!(employer.graphql(CHANGE, json!({ "input": input })).await.refusals(), [""; 0]);
        }
        // Whoever signs in keeps their own record, and other organisations have theirs.
        let mut account = entity::user::Entity::find()
            .filter(entity::user::Column::Email.eq("student20@demo.mycareer.test"))
            .one(system.store().reader()).await.unwrap().unwrap().into_active_model();
        account.kind = Set(entity::user::UserKind::Employer);
        account.contact_id = Set(Some(paul.id));
        account.update(system.store().reader()).await.unwrap();
        assert_eq!(change(json!({ "name": "P. Sykes" }), 2).await, ["WRONG_STATE"]);
        let rhys = by_name(&system, "Rhys Morgan").await;
        let input = json!({ "id": rhys.id, "version": 1, "name": "R. Morgan" });
        assert_eq!(employer.graphql(CHANGE, json!({ "input": input })).await.refusals(), ["NOT_FOUND"]);
        let (student, operator) = (system.demo_client("student1").await, system.demo_client("operator").await);
        for client in [student, operator] {
            let answer = client.graphql(ADD, json!({ "input": { "name": "Eve" } })).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
        }
        assert_eq!(by_name(&system, "Paul Sykes").await.name, "Paul Sykes");
    }

    async fn an_employer_whose_organisation_is_suspended_changes_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let employer = system.demo_client("employer").await;
        let paul = by_name(&system, "Paul Sykes").await;
        let db = system.store().reader();
        let mut own = organisation::Entity::find_by_id(paul.organisation_id).one(db).await.unwrap().unwrap().into_active_model();
        own.state = Set(OrganisationState::Suspended);
        own.update(db).await.unwrap();
        let answer = employer.graphql(ADD, json!({ "input": { "name": "Ivy Brook" } })).await;
        assert_eq!(answer.refusals(), ["WRONG_STATE"]);
        let input = json!({ "id": paul.id, "version": 1, "jobTitle": "Founder" });
        assert_eq!(employer.graphql(CHANGE, json!({ "input": input })).await.refusals(), ["WRONG_STATE"]);
        let left = contact::Entity::find_by_id(paul.id).one(db).await.unwrap().unwrap();
        assert_eq!(left.version, 1);
    }
}

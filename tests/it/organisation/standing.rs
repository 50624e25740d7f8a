//! What becomes of a record: put away, fetched again, and its history.

use chrono::TimeDelta;
use entity::{audit_entry, contact, organisation};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

use super::{create, names};
use crate::key_account::office::Office;

const ARCHIVE: &str =
    "mutation($input: ArchiveOrganisationInput!) { archiveOrganisation(input: $input) {
    organisation { state stateReason version } userErrors { code message } } }";

const RESTORE: &str =
    "mutation($input: RestoreOrganisationInput!) { restoreOrganisation(input: $input) {
    organisation { state stateReason version } userErrors { code message } } }";

const HISTORY: &str = "query($id: ID!) { node(id: $id) { ... on Organisation {
    history { at by { name } action fields { field before after } } } } }";

const CONTACT_HISTORY: &str = "query($id: ID!) { node(id: $id) { ... on Contact {
    history { action fields { field before after } } } } }";

/// An organisation of the demo data, as an operator finds it.
async fn found(client: &Client, name: &str) -> Value {
    let query = "query($search: String!) { organisations(filter: { search: $search }) { nodes { id version state } } }";
    let data = client.data(query, json!({ "search": name })).await;
    data["organisations"]["nodes"][0].clone()
}

/// What the organisation of a contact is called.
async fn organisation_of(system: &System, row: &contact::Model) -> String {
    let found = organisation::Entity::find_by_id(row.organisation_id);
    let found = found.one(system.store().reader()).await.unwrap();
    found.unwrap().name
}

async fn contact_named(system: &System, name: &str) -> contact::Model {
    contact::Entity::find()
        .filter(contact::Column::Name.eq(name))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

on_both_columns! {
    async fn what_is_archived_is_gone_for_students_and_stands_again_where_it_stood(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let student = system.demo_client("student1").await;
        let organisation = found(&admin, "Brightwater").await;
        assert_eq!(names(&student, json!({ "search": "Brightwater" })).await.1, 1);

        let input = json!({ "id": organisation["id"], "version": organisation["version"], "reason": "Closed down." });
        let data = admin.data(ARCHIVE, json!({ "input": input })).await;
        let archived = &data["archiveOrganisation"]["organisation"];
        assert_eq!(archived["state"], "ARCHIVED");
        assert_eq!(archived["stateReason"], "Closed down.");
        assert_eq!(names(&student, json!({ "search": "Brightwater" })).await.1, 0);
        assert_eq!(names(&admin, json!({ "state": "ARCHIVED" })).await.0, ["Brightwater Energy plc"]);

        // Twice is once too often, and a stale version is one.
        let again = json!({ "id": organisation["id"], "version": archived["version"] });
        assert_eq!(admin.graphql(ARCHIVE, json!({ "input": again })).await.refusals(), ["WRONG_STATE"]);
        let stale = json!({ "id": organisation["id"], "version": organisation["version"] });
        let answer = admin.graphql(RESTORE, json!({ "input": stale })).await;
        assert_eq!(answer.refusals(), ["STALE"]);
        let message = answer.data["restoreOrganisation"]["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("(state, stateReason)"), "{message}");

        let data = admin.data(RESTORE, json!({ "input": again })).await;
        assert_eq!(data["restoreOrganisation"]["organisation"]["state"], "APPROVED");
        assert_eq!(data["restoreOrganisation"]["organisation"]["stateReason"], Value::Null);
        assert_eq!(names(&student, json!({ "search": "Brightwater" })).await.1, 1);
        let restored = json!({ "id": organisation["id"], "version": found(&admin, "Brightwater").await["version"] });
        assert_eq!(admin.graphql(RESTORE, json!({ "input": restored })).await.refusals(), ["WRONG_STATE"]);
    }

    async fn a_head_office_is_not_archived_before_its_divisions(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let head = create(&admin, json!({ "name": "Forge Group" })).await;
        let division = create(&admin, json!({ "name": "Castings", "parentId": head["id"] })).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Organisation { divisions { name parent { name } } } } }";
        let data = admin.data(query, json!({ "id": head["id"] })).await;
        assert_eq!(data["node"]["divisions"], json!([{ "name": "Castings", "parent": { "name": "Forge Group" } }]));

        let of = |id: &Value| json!({ "input": { "id": id, "version": 1 } });
        assert_eq!(admin.graphql(ARCHIVE, of(&head["id"])).await.refusals(), ["WRONG_STATE"]);
        assert_eq!(admin.graphql(ARCHIVE, of(&division["id"])).await.refusals(), [""; 0]);
        assert_eq!(admin.graphql(ARCHIVE, of(&head["id"])).await.refusals(), [""; 0]);
    }

    async fn names_that_an_organisation_trades_under_are_found(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        create(&operator, json!({ "name": "Forge Group", "tradingNames": ["Hammer & Tongs"] })).await;
        assert_eq!(names(&operator, json!({ "search": "hammer tongs" })).await.0, ["Forge Group"]);
    }

    async fn the_history_of_a_record_says_who_changed_what(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let added = create(&operator, json!({ "name": "Kirkstall Forge", "tradingNames": ["The Forge", "KF"] })).await;
        bed.clock().advance(TimeDelta::seconds(1));
        let input = json!({ "id": added["id"], "version": 1, "sector": "Engineering", "tradingNames": ["KF"] });
        operator.data(super::UPDATE, json!({ "input": input })).await;

        let data = operator.data(HISTORY, json!({ "id": added["id"] })).await;
        let history = data["node"]["history"].as_array().unwrap();
        let [update, creation] = &history[..] else { panic!("{history:?}") };
        assert_eq!(update["action"], "organisation.update");
        assert_eq!(update["fields"], json!([
            { "field": "sector", "before": null, "after": "Engineering" },
            { "field": "tradingNames", "before": "The Forge, KF", "after": "KF" },
        ]));
        assert!(update["by"]["name"].is_string() && update["at"].is_string(), "{update}");
        assert_eq!(creation["action"], "organisation.create");

        // Nobody but staff reads it.
        for mailbox in ["student1", "employer"] {
            let client = system.demo_client(mailbox).await;
            let own = names(&client, json!({})).await;
            assert!(!own.0.is_empty());
            let query = "{ organisations(first: 1) { nodes { history { action } } } }";
            let answer = client.graphql(query, json!({})).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"]);
            assert_eq!(answer.data["organisations"]["nodes"][0]["history"], Value::Null);
        }
    }

    async fn nobody_lifts_a_hold_without_a_reason_but_a_new_address_ends_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let row = contact_named(&system, "Paul Sykes").await;
        let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) {
            contact { onHoldAt version } userErrors { code field } } }";
        let change = async |version: i32, changed: Value| {
            let mut input = json!({ "id": row.id, "version": version });
            input.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
            operator.data(update, json!({ "input": input })).await["updateContact"].clone()
        };
        let held = change(row.version, json!({ "onHold": true })).await;
        assert!(held["contact"]["onHoldAt"].is_string(), "{held}");
        let version = row.version + 1;
        let freed = change(version, json!({ "onHold": false, "jobTitle": "Head" })).await;
        assert_eq!(freed["userErrors"], json!([{ "code": "REQUIRED", "field": "onHold" }]));
        let other = change(version, json!({ "jobTitle": "Head" })).await;
        assert!(other["contact"]["onHoldAt"].is_string(), "a change of something else leaves the hold: {other}");
        let moved = change(version + 1, json!({ "email": "paul@somewhere.example" })).await;
        assert_eq!(moved["contact"], json!({ "onHoldAt": null, "version": version + 2 }), "the bounces were another address's");
    }

    async fn an_address_that_is_changed_away_and_back_is_still_on_hold_whoever_has_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let row = contact_named(&system, "Paul Sykes").await;
        let change = async |version: i32, changed: Value| {
            let mut input = json!({ "id": row.id, "version": version });
            input.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
            let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) {
                contact { onHoldAt version } userErrors { code field } } }";
            let updated = operator.data(update, json!({ "input": input })).await["updateContact"].clone();
            assert_eq!(updated["userErrors"], json!([]), "{changed}");
            updated["contact"]["onHoldAt"].clone()
        };
        let found = operator.data("{ organisations(first: 50) { nodes { id } } }", json!({})).await;
        let all = found["organisations"]["nodes"].as_array().unwrap();
        let elsewhere = all.iter().map(|node| &node["id"]).find(|id| **id != json!(row.organisation_id)).unwrap();
        let create = async |email: &str| {
            let input = json!({ "organisationId": elsewhere, "name": "Somebody else", "email": email });
            let create = "mutation($input: CreateContactInput!) { createContact(input: $input) { contact { onHoldAt } userErrors { code } } }";
            operator.data(create, json!({ "input": input })).await["createContact"]["contact"]["onHoldAt"].clone()
        };
        let (email, version) = (row.email.clone().unwrap(), row.version);
        let held = change(version, json!({ "onHold": true })).await;
        assert!(held.is_string());
        assert_eq!(change(version + 1, json!({ "email": "paul@somewhere.example" })).await, Value::Null);
        bed.clock().advance(TimeDelta::minutes(1));
        assert_eq!(create(&email).await, held, "it is the address that is held");
        assert_eq!(create("other@somewhere.example").await, Value::Null);
        assert_eq!(change(version + 2, json!({ "email": email.to_uppercase() })).await, held, "and since when");
        let lift = "mutation($input: LiftContactHoldInput!) { liftContactHold(input: $input) { contact { onHoldAt } userErrors { code } } }";
        let input = json!({ "id": row.id, "version": version + 3, "reason": "They made room." });
        assert_eq!(operator.data(lift, json!({ "input": input })).await["liftContactHold"]["userErrors"], json!([]));
        // The control: a hold that was lifted doesn't come back with the address.
        assert_eq!(change(version + 4, json!({ "email": "paul@somewhere.example" })).await, Value::Null);
        assert_eq!(change(version + 5, json!({ "email": email })).await, Value::Null);
    }

    async fn a_hold_is_lifted_with_a_reason_that_the_log_keeps(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, untrained) = (system.demo_client("operator").await, system.demo_client("untrained").await);
        let row = contact_named(&system, "Paul Sykes").await;
        let lift = "mutation($input: LiftContactHoldInput!) { liftContactHold(input: $input) {
            contact { onHoldAt version } userErrors { code field } } }";
        let input = |version: i32, reason: &str| json!({ "input": { "id": row.id, "version": version, "reason": reason } });
        let not_held = operator.graphql(lift, input(row.version, "It arrives.")).await;
        assert_eq!(not_held.refusals(), ["WRONG_STATE"]);
        let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
        operator.data(update, json!({ "input": { "id": row.id, "version": row.version, "onHold": true } })).await;
        let version = row.version + 1;
        assert_eq!(operator.graphql(lift, input(row.version, "It arrives.")).await.refusals(), ["STALE"]);
        assert_eq!(operator.graphql(lift, input(version, " ")).await.refusals(), ["REQUIRED"]);
        assert_eq!(untrained.graphql(lift, input(version, "It arrives.")).await.codes(), ["FORBIDDEN"]);
        let lifted = operator.data(lift, input(version, "They made room in their mailbox.")).await;
        assert_eq!(lifted["liftContactHold"], json!({
            "contact": { "onHoldAt": null, "version": version + 1 }, "userErrors": [],
        }));
        let entry = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("contact.hold_lifted"))
            .one(system.store().reader()).await.unwrap().unwrap();
        assert_eq!(entry.after.unwrap()["reason"], "They made room in their mailbox.");
        assert_eq!(entry.subject, row.id.to_string());
    }

    async fn a_hold_begins_and_ends_for_all_records_with_the_address(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let row = contact_named(&system, "Paul Sykes").await;
        let email = row.email.clone().unwrap();
        let elsewhere = found(&operator, "Calder").await["id"].clone();
        let create = async |name: &str, email: &str| {
            let input = json!({ "organisationId": elsewhere, "name": name, "email": email });
            let create = "mutation($input: CreateContactInput!) { createContact(input: $input) { contact { id } userErrors { code } } }";
            operator.data(create, json!({ "input": input })).await["createContact"]["contact"]["id"].clone()
        };
        let (also, not) = (create("P. Sykes", &email).await, create("P. Other", "other@airevalley.test").await);
        let held = async |id: &Value| {
            let query = "query($id: ID!) { node(id: $id) { ... on Contact { onHoldAt version history(first: 1) { action fields { field before after } } } } }";
            operator.data(query, json!({ "id": id })).await["node"].clone()
        };
        let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { contact { version } userErrors { code } } }";
        let hold = async |id: &Value, version: &Value| {
            let input = json!({ "id": id, "version": version, "onHold": true });
            assert_eq!(operator.graphql(update, json!({ "input": input })).await.refusals(), [""; 0]);
        };
        bed.clock().advance(TimeDelta::seconds(1));
        hold(&json!(row.id), &json!(row.version)).await;
        let told = held(&also).await;
        assert!(told["onHoldAt"].is_string(), "the hold is the address's: {told}");
        assert_eq!(told["history"][0]["fields"], json!([{ "field": "onHold", "before": "false", "after": "true" }]));
        assert_eq!(held(&not).await["onHoldAt"], Value::Null, "the control: another address");

        // Mail to the address goes again when it is lifted at either record, and the answer says at which else.
        let lift = "mutation($input: LiftContactHoldInput!) { liftContactHold(input: $input) {
            contact { name onHoldAt } alsoLifted { name organisation { name } onHoldAt } userErrors { code } } }";
        let input = json!({ "id": also, "version": told["version"], "reason": "They made room." });
        let lifted = operator.data(lift, json!({ "input": input })).await;
        assert_eq!(lifted["liftContactHold"], json!({
            "contact": { "name": "P. Sykes", "onHoldAt": null },
            "alsoLifted": [{ "name": "Paul Sykes", "organisation": { "name": organisation_of(&system, &row).await }, "onHoldAt": null }],
            "userErrors": [],
        }));
        assert_eq!(held(&json!(row.id)).await["onHoldAt"], Value::Null);
        let mut told: Vec<_> = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("contact.hold_lifted"))
            .all(system.store().reader()).await.unwrap()
            .into_iter()
            .map(|entry| (entry.subject, entry.actor_id.is_some(), entry.after.unwrap()["reason"].clone()))
            .collect();
        told.sort_by_key(|(_, by_somebody, _)| *by_somebody);
        assert_eq!(told, [
            (row.id.to_string(), false, Value::Null),
            (also.as_str().unwrap().to_owned(), true, json!("They made room.")),
        ], "what was said of one isn't told at the other");
    }

    async fn whoever_must_liaise_first_is_not_told_whose_address_was_on_hold(bed: TestBed) {
        let office = Office::open(&bed).await;
        // Jo Lennox is a key account contact of the operator's; the administrator has no agreement.
        let (admin, operator) = (office.client("admin").await, office.client("operator").await);
        let both = ["Jo Lennox", "Joanna Lennox"];
        let elsewhere = found(&operator, "Calder").await["id"].clone();
        let create = "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code } } }";
        let input = json!({ "organisationId": elsewhere, "name": both[1], "email": office.contact(both[0]).await.email });
        assert_eq!(admin.graphql(create, json!({ "input": input })).await.refusals(), [""; 0]);
        let hold = async || {
            let row = office.contact(both[0]).await;
            let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
            let input = json!({ "id": row.id, "version": row.version, "onHold": true });
            assert_eq!(operator.graphql(update, json!({ "input": input })).await.refusals(), [""; 0]);
            assert!(office.contact(both[1]).await.on_hold_at.is_some());
        };
        let lift = async |name: &str| {
            let row = office.contact(name).await;
            let lift = "mutation($input: LiftContactHoldInput!) { liftContactHold(input: $input) {
                contact { name onHoldAt } alsoLifted { name } userErrors { code } } }";
            let input = json!({ "id": row.id, "version": row.version, "reason": "Jo says that it arrives." });
            let lifted = admin.data(lift, json!({ "input": input })).await["liftContactHold"].clone();
            assert_eq!(lifted["contact"], json!({ "name": name, "onHoldAt": null }), "{lifted}");
            for name in both {
                assert_eq!(office.contact(name).await.on_hold_at, None, "mail goes to {name} again, told or not");
            }
            lifted["alsoLifted"].clone()
        };
        for name in both {
            hold().await;
            assert_eq!(lift(name).await, json!([]), "{name}");
        }
        // The history of the other record tells neither who did it nor what they said.
        let lines = async |action: &str, name: &str| -> Vec<(bool, bool)> {
            let id = office.contact(name).await.id.to_string();
            let lines = audit_entry::Entity::find()
                .filter(audit_entry::Column::Action.eq(action))
                .filter(audit_entry::Column::Subject.eq(id))
                .all(office.system.store().reader()).await.unwrap();
            let mut told: Vec<_> = lines
                .into_iter()
                .map(|line| (line.actor_id.is_some(), line.after.unwrap()["reason"].is_string()))
                .collect();
            told.sort_unstable();
            told
        };
        for name in both {
            assert_eq!(lines("contact.hold_lifted", name).await, [(false, false), (true, true)], "{name}");
        }
        assert_eq!(lines("contact.update", both[1]).await, [(false, false); 2]);

        // The control: whoever has an agreement is told.
        let request = office.request("admin", both[0], "Ask her to speak.").await;
        office.answer("operator", &request, true).await;
        for (name, other) in [(both[0], both[1]), (both[1], both[0])] {
            hold().await;
            assert_eq!(lift(name).await, json!([{ "name": other }]));
        }
    }

    async fn the_history_of_a_key_account_contact_withholds_what_the_contact_does(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let row = contact_named(&system, "Imogen Moss").await;
        let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
        let input = json!({
            "id": row.id, "version": row.version, "email": "imogen@new.example", "jobTitle": "Chair of the board",
        });
        assert_eq!(operator.graphql(update, json!({ "input": input })).await.refusals(), [""; 0]);
        let fields = async |client: &Client| {
            let data = client.data(CONTACT_HISTORY, json!({ "id": row.id })).await;
            let fields = data["node"]["history"][0]["fields"].as_array().unwrap().clone();
            fields.iter().map(|field| field["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(fields(&operator).await, ["email", "jobTitle"]);

        // The contact is the operator's key account contact: another operator liaises before they see the address.
        let other = system.demo_client("admin").await;
        assert_eq!(fields(&other).await, ["jobTitle"]);
        let untrained = system.demo_client("untrained").await;
        let answer = untrained.graphql(CONTACT_HISTORY, json!({ "id": row.id })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
    }
}

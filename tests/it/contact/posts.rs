//! Contacts at several organisations.

use entity::{contact, organisation};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

use super::{LIST, by_name, change, list, names};

const ADD: &str = "mutation($input: AddContactPostInput!) { addContactPost(input: $input) {
    contact { version posts { jobTitle organisation { name } } } userErrors { code field message } } }";
const END: &str = "mutation($input: EndContactPostInput!) { endContactPost(input: $input) {
    contact { version posts { jobTitle } } userErrors { code field message } } }";
const AT: &str = "query($id: ID!) { node(id: $id) { ... on Organisation {
    contacts { name } furtherContacts { name email posts { jobTitle organisation { name } } } } } }";

async fn organisation(system: &System, name: &str) -> organisation::Model {
    organisation::Entity::find()
        .filter(organisation::Column::Name.starts_with(name))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

/// Says that somebody works somewhere too; answers the refusals.
async fn works(
    client: &Client,
    who: &contact::Model,
    at: &organisation::Model,
    title: &str,
) -> Vec<String> {
    let input = json!({ "contactId": who.id, "version": who.version, "organisationId": at.id, "jobTitle": title });
    let answer = client.graphql(ADD, json!({ "input": input })).await;
    assert_eq!(answer.codes(), [""; 0], "{answer:?}");
    answer
        .refusals()
        .iter()
        .map(|code| (*code).to_owned())
        .collect()
}

/// The contacts of other organisations who work somewhere too.
async fn further(client: &Client, at: &organisation::Model) -> Value {
    client.data(AT, json!({ "id": at.id })).await["node"]["furtherContacts"].take()
}

on_both_columns! {
    async fn a_contact_is_a_person_at_one_or_more_organisations(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        let (own, trust) = (organisation(&system, "Aire").await, organisation(&system, "Dales").await);
        assert_eq!(works(&operator, &erin, &trust, "Trustee").await, [""; 0]);
        assert_eq!(works(&operator, &erin, &trust, "Chair").await, ["STALE"]);
        let erin = by_name(&system, "Erin Doyle").await;
        assert_eq!(works(&operator, &erin, &own, "Director").await, ["INVALID"], "her record is theirs");
        assert_eq!(works(&operator, &erin, &trust, &"x".repeat(121)).await, ["TOO_LONG"]);

        // She is found at both, and is one person.
        let at_trust = list(&operator, json!({ "organisationId": trust.id })).await;
        assert_eq!((names(&at_trust["nodes"]), &at_trust["totalCount"]), (vec!["Erin Doyle", "Rhys Morgan"], &json!(2)));
        let further = further(&operator, &trust).await;
        assert_eq!(further[0]["posts"], json!([{ "jobTitle": "Trustee", "organisation": { "name": "Dales Heritage Trust" } }]));
        assert_eq!(further[0]["email"], "erin.doyle@airevalley.test");
        assert_eq!(list(&operator, json!({ "search": "Erin" })).await["totalCount"], 1);

        // What staff recorded with her there is recorded there.
        let note = "mutation($input: AddNoteInput!) { addNote(input: $input) { userErrors { code field } } }";
        let input = json!({ "organisationId": trust.id, "contactId": erin.id, "kind": "CALL", "body": "About the summer." });
        assert_eq!(operator.graphql(note, json!({ "input": input })).await.refusals(), [""; 0]);
        let tom = by_name(&system, "Tom Ellery").await;
        let input = json!({ "organisationId": trust.id, "contactId": tom.id, "kind": "CALL", "body": "About the summer." });
        assert_eq!(operator.graphql(note, json!({ "input": input })).await.refusals(), ["NOT_FOUND"], "he doesn't work there");

        // Her history tells of it, and it ends.
        let history = "query($id: ID!) { node(id: $id) { ... on Contact { history(first: 1) { action fields { field after } } } } }";
        let data = operator.data(history, json!({ "id": erin.id })).await;
        assert_eq!(data["node"]["history"][0]["action"], "contact.change_posts");
        let input = json!({ "contactId": erin.id, "version": erin.version, "organisationId": trust.id });
        assert_eq!(operator.graphql(END, json!({ "input": input })).await.refusals(), [""; 0]);
        assert_eq!(list(&operator, json!({ "organisationId": trust.id })).await["totalCount"], 1);
        let erin = by_name(&system, "Erin Doyle").await;
        let input = json!({ "contactId": erin.id, "version": erin.version, "organisationId": trust.id });
        assert_eq!(operator.graphql(END, json!({ "input": input })).await.refusals(), ["NOT_FOUND"]);
    }

    async fn a_post_is_shown_to_students_where_that_organisation_agreed_too_and_to_no_other_employer(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (student, employer) = (system.demo_client("student1").await, system.demo_client("employer").await);
        let (aire, trust, water) = (
            organisation(&system, "Aire").await, organisation(&system, "Dales").await, organisation(&system, "Brightwater").await,
        );
        // Erin agreed, and so did her organisation and the trust; Brightwater did not.
        for at in [&trust, &water] {
            let erin = by_name(&system, "Erin Doyle").await;
            assert_eq!(works(&operator, &erin, at, "Adviser").await, [""; 0]);
        }
        // Rhys works for the employer's organisation too: his details are his own employer's.
        let rhys = by_name(&system, "Rhys Morgan").await;
        assert_eq!(works(&operator, &rhys, &aire, "Guide").await, [""; 0]);

        assert_eq!(further(&student, &trust).await[0]["name"], "Erin Doyle");
        assert_eq!(further(&student, &water).await, json!([]));
        assert_eq!(list(&student, json!({ "organisationId": water.id })).await["totalCount"], 0);
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { posts { organisation { name } } } } }";
        let erin = by_name(&system, "Erin Doyle").await;
        let data = student.data(query, json!({ "id": erin.id })).await;
        assert_eq!(data["node"]["posts"], json!([{ "organisation": { "name": "Dales Heritage Trust" } }]));
        change(&system, erin.id, json!({ "visibleToStudents": false })).await;
        assert_eq!(further(&student, &trust).await, json!([]), "consent is hers, wherever she works");

        assert_eq!(further(&employer, &aire).await, json!([]));
        assert_eq!(names(&list(&employer, json!({ "organisationId": aire.id })).await["nodes"]), ["Erin Doyle", "Paul Sykes"]);
        let data = employer.data(query, json!({ "id": erin.id })).await;
        assert_eq!(data["node"]["posts"], json!([]));
        assert_eq!(employer.data(query, json!({ "id": rhys.id })).await["node"], Value::Null);
        let input = json!({ "contactId": erin.id, "version": 1, "organisationId": trust.id });
        assert_eq!(employer.graphql(END, json!({ "input": input })).await.codes(), ["FORBIDDEN"]);
    }

    async fn a_contact_who_is_held_is_held_wherever_they_work(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        // The operator holds Imogen Moss, of Calder & Moss; she works for the trust too.
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let trust = organisation(&system, "Dales").await;
        let imogen = by_name(&system, "Imogen Moss").await;
        assert_eq!(works(&admin, &imogen, &trust, "Trustee").await, [""; 0]);
        let found = further(&admin, &trust).await;
        assert_eq!((&found[0]["name"], &found[0]["email"]), (&json!("Imogen Moss"), &Value::Null));
        assert!(further(&operator, &trust).await[0]["email"].is_string());
        let found = admin.data(LIST, json!({ "filter": { "organisationId": trust.id } })).await;
        let nodes = found["contacts"]["nodes"].as_array().unwrap();
        assert!(nodes.iter().any(|node| node["name"] == "Imogen Moss" && node["email"].is_null()), "{nodes:?}");

        // A claim on the other organisation can name her there, when nobody holds her; and the post stays while it does.
        let claim = "mutation($input: ClaimKeyAccountInput!) { claimKeyAccount(input: $input) { userErrors { code } } }";
        let named = |who: &contact::Model| json!({ "input": {
            "organisationId": trust.id, "contacts": [{ "contactId": who.id, "guidance": "Write first." }],
        } });
        assert_eq!(admin.graphql(claim, named(&imogen)).await.refusals(), ["TAKEN"]);
        let erin = by_name(&system, "Erin Doyle").await;
        assert_eq!(admin.graphql(claim, named(&erin)).await.refusals(), ["NOT_FOUND"]);
        assert_eq!(works(&admin, &erin, &trust, "Trustee").await, [""; 0]);
        assert_eq!(admin.graphql(claim, named(&erin)).await.refusals(), [""; 0]);
        let erin = by_name(&system, "Erin Doyle").await;
        let input = json!({ "contactId": erin.id, "version": erin.version, "organisationId": trust.id });
        assert_eq!(admin.graphql(END, json!({ "input": input })).await.refusals(), ["WRONG_STATE"]);
    }

    async fn contacts_are_found_by_what_they_have_to_do_with_the_university(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        change(&system, erin.id, json!({ "subscriberType": "RECRUITMENT" })).await;
        let found = list(&operator, json!({ "subscriberType": "RECRUITMENT" })).await;
        assert_eq!((names(&found["nodes"]), &found["totalCount"]), (vec!["Erin Doyle"], &json!(1)));
        let student = system.demo_client("student1").await;
        let answer = student.graphql(LIST, json!({ "filter": { "subscriberType": "RECRUITMENT" } })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
    }
}

//! Contacts: their details reach a student only where person and organisation agree, and another employer never.

mod own;
mod posts;

use entity::{contact, ids::ContactId, organisation};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

const LIST: &str = "query($filter: ContactFilter) {
    contacts(filter: $filter, first: 100) { totalCount nodes { id name jobTitle email telephone } } }";

const CREATE: &str = "mutation($input: CreateContactInput!) {
    createContact(input: $input) { contact { id name email telephone } userErrors { code field message } } }";

const UPDATE: &str = "mutation($input: UpdateContactInput!) {
    updateContact(input: $input) { contact { version } userErrors { code field message } } }";

/// Those of the demo data who agreed, at organisations that agreed.
const AGREEING: [&str; 5] = [
    "Erin Doyle",
    "Imogen Moss",
    "Jo Lennox",
    "Rhys Morgan",
    "Sana Iqbal",
];

async fn list(client: &Client, filter: Value) -> Value {
    client.data(LIST, json!({ "filter": filter })).await["contacts"].take()
}

fn names(nodes: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = nodes
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names
}

async fn by_name(system: &System, name: &str) -> contact::Model {
    contact::Entity::find()
        .filter(contact::Column::Name.eq(name))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

/// Changes a contact as the operator.
async fn change(system: &System, id: ContactId, mut input: Value) {
    let row = contact::Entity::find_by_id(id)
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap();
    input["id"] = json!(id);
    input["version"] = json!(row.version);
    let operator = system.demo_client("operator").await;
    let answer = operator.graphql(UPDATE, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0]);
}

on_both_columns! {
    async fn a_student_finds_those_who_agreed_and_nobody_else_by_any_path(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;

        let all = list(&student, json!({})).await;
        assert_eq!(names(&all["nodes"]), AGREEING);
        assert_eq!(all["totalCount"], 5);
        for node in all["nodes"].as_array().unwrap() {
            assert!(node["email"].is_string() && node["telephone"].is_string(), "{node}");
        }

        // Paul Sykes did not agree; for Nadia Hussain her organisation did not.
        for hidden in ["Paul Sykes", "Nadia Hussain"] {
            let row = by_name(&system, hidden).await;
            assert_eq!(list(&student, json!({ "search": hidden })).await["totalCount"], 0);
            let at_organisation = list(&student, json!({ "organisationId": row.organisation_id })).await;
            assert!(!names(&at_organisation["nodes"]).contains(&hidden));

            let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { name email } } }";
            let absent = "con_01h455vb4pex5vsknk084sn02q";
            let data = student.data(query, json!({ "ids": [row.id, absent] })).await;
            assert_eq!(data["nodes"], json!([null, null]));

            let query = "query($id: ID!) { node(id: $id) { ... on Organisation { contactCount contacts { name } } } }";
            let data = student.data(query, json!({ "id": row.organisation_id })).await;
            let nested = &data["node"];
            assert!(!names(&nested["contacts"]).contains(&hidden));
            assert_eq!(nested["contactCount"], nested["contacts"].as_array().unwrap().len());
        }
        // Searching by address would tell whether somebody has it.
        let answer = student.graphql(LIST, json!({ "filter": { "email": "paul.sykes@airevalley.test" } })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
    }

    async fn a_new_contact_is_compared_as_it_is_kept(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let create = "mutation($input: CreateContactInput!) { createContact(input: $input) {
            contact { email } likelyDuplicates { one { name } other { name } } userErrors { code field } } }";
        let add = async |colleague: &str, name: &str, email: &str, telephone: &str| {
            let input = json!({
                "organisationId": by_name(&system, colleague).await.organisation_id, "name": name, "email": email,
                "telephone": telephone, "jobTitle": "HR Manager",
            });
            operator.data(create, json!({ "input": input })).await["createContact"].clone()
        };
        add("Imogen Moss", "Robert Illingworth", "rob@looms.test", "0113 496 0771").await;
        // Neither the name nor the number is written alike: it is the address that leads to the other.
        let again = add("Rhys Morgan", "Robert Ilingworth", "  ROB@Looms.TEST ", "+44 113 4960771").await;
        assert_eq!(again["contact"]["email"], "rob@looms.test");
        let told = again["likelyDuplicates"].as_array().unwrap();
        assert_eq!(told.len(), 1, "{again}");
        let (one, other) = (&told[0]["one"]["name"], &told[0]["other"]["name"]);
        assert!(one == "Robert Illingworth" || other == "Robert Illingworth", "{again}");

        // What can't be asked of PostgreSQL is refused before it is.
        let refused = add("Imogen Moss", "Ann\u{0} Lee", "ann\u{0}@looms.test", "0113 496 0772").await;
        assert_eq!(refused["userErrors"], json!([
            { "code": "INVALID", "field": "email" }, { "code": "INVALID", "field": "name" },
        ]));
    }

    async fn pages_tell_nothing_of_hidden_contacts(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let query = "query($after: String) { contacts(first: 1, after: $after) {
            nodes { name } pageInfo { hasNextPage endCursor } } }";
        let mut seen = Vec::new();
        let mut after = Value::Null;
        loop {
            let data = student.data(query, json!({ "after": after })).await;
            let page = &data["contacts"];
            seen.push(page["nodes"][0]["name"].as_str().unwrap().to_owned());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, AGREEING);
    }

    async fn consent_that_is_withdrawn_counts_at_the_next_request(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let erin = by_name(&system, "Erin Doyle").await;
        assert_eq!(list(&student, json!({ "search": "erin" })).await["totalCount"], 1);
        change(&system, erin.id, json!({ "visibleToStudents": false })).await;
        assert_eq!(list(&student, json!({ "search": "erin" })).await["totalCount"], 0);
        change(&system, erin.id, json!({ "visibleToStudents": true })).await;
        assert_eq!(list(&student, json!({ "search": "erin" })).await["totalCount"], 1);
        change(&system, erin.id, json!({ "state": "INACTIVE" })).await;
        assert_eq!(list(&student, json!({ "search": "erin" })).await["totalCount"], 0);
    }

    async fn an_employer_sees_its_own_contacts_and_nobody_elses(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let employer = system.demo_client("employer").await;
        let own = list(&employer, json!({})).await;
        assert_eq!(names(&own["nodes"]), ["Erin Doyle", "Paul Sykes"]);
        assert_eq!(own["totalCount"], 2);
        assert!(own["nodes"][1]["email"].is_string());

        let imogen = by_name(&system, "Imogen Moss").await;
        assert_eq!(list(&employer, json!({ "search": "Imogen" })).await["totalCount"], 0);
        assert_eq!(list(&employer, json!({ "organisationId": imogen.organisation_id })).await["totalCount"], 0);
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { name } } }";
        assert_eq!(employer.data(query, json!({ "id": imogen.id })).await["node"], Value::Null);
    }

    async fn untrained_staff_see_names_and_one_refusal_for_each_detail(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let nadia = by_name(&system, "Nadia Hussain").await;
        change(&system, nadia.id, json!({ "email": null })).await;
        let untrained = system.demo_client("untrained").await;
        let answer = untrained.graphql(LIST, json!({})).await;
        assert_eq!(answer.codes(), ["FORBIDDEN", "FORBIDDEN"]);
        let nodes = answer.data["contacts"]["nodes"].as_array().unwrap().clone();
        assert_eq!(nodes.len(), 8);
        for node in nodes {
            assert!(node["name"].is_string());
            let details = node.as_object().unwrap();
            assert_eq!(details["email"], Value::Null, "whether there is one doesn't show");
            assert_eq!(details["telephone"], Value::Null);
        }
        let trained = system.demo_client("operator").await;
        let found = list(&trained, json!({ "email": "Erin.Doyle@airevalley.test" })).await;
        assert_eq!(found["nodes"][0]["telephone"], "0113 496 0000");
    }

    async fn everything_that_is_wrong_with_a_contact_is_told_at_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let input = json!({
            "organisationId": "org_01h455vb4pex5vsknk084sn02q", "name": " ", "email": "ann@", "telephone": "call me",
        });
        let answer = operator.graphql(CREATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["INVALID", "INVALID", "REQUIRED", "NOT_FOUND"]);
        assert_eq!(list(&operator, json!({})).await["totalCount"], 8);
    }

    async fn an_address_belongs_to_one_contact_of_an_organisation(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        let input = json!({ "organisationId": erin.organisation_id, "name": "Ann Lee", "email": "ERIN.doyle@airevalley.test" });
        let answer = operator.graphql(CREATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["TAKEN"]);

        let other = organisation::Entity::find()
            .filter(organisation::Column::Id.ne(erin.organisation_id))
            .one(system.store().reader())
            .await
            .unwrap()
            .unwrap();
        let input = json!({ "organisationId": other.id, "name": "Ann Lee", "email": "ERIN.doyle@airevalley.test" });
        let answer = operator.graphql(CREATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0]);
        assert_eq!(answer.data["createContact"]["contact"]["email"], "erin.doyle@airevalley.test");
    }

    async fn a_stale_change_of_a_contact_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let erin = by_name(&system, "Erin Doyle").await;
        change(&system, erin.id, json!({ "jobTitle": "Director" })).await;
        let input = json!({ "id": erin.id, "version": 1, "name": "E. Doyle" });
        let answer = operator.graphql(UPDATE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["STALE"]);
        let message = answer.data["updateContact"]["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("jobTitle"), "{message}");
        assert_eq!(by_name(&system, "Erin Doyle").await.version, 2);
    }
}

//! Segments: searches that staff keep under a name, for themselves or for all (policy 2.2).

use chrono::TimeDelta;
use domain::clock::Clock;
use entity::{faculty, note, organisation, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

const SAVE: &str = "mutation($input: SaveSegmentInput!) { saveSegment(input: $input) {
    segment { id version name isShared isMine organisationCount sector allOfTags { name } engagedBy { name } lastContactedBefore }
    userErrors { code field } } }";
const LIST: &str = "{ segments(first: 50) { totalCount nodes { id name isMine organisationCount owner { name } } } }";

async fn save(client: &Client, input: Value) -> Value {
    let answer = client.graphql(SAVE, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0], "{input}: {answer:?}");
    answer.data["saveSegment"]["segment"].clone()
}

async fn refused(client: &Client, input: Value) -> Vec<String> {
    let answer = client.graphql(SAVE, json!({ "input": input })).await;
    assert_eq!(answer.codes(), [""; 0], "{answer:?}");
    answer
        .refusals()
        .iter()
        .map(|code| (*code).to_owned())
        .collect()
}

/// The names of the organisations that meet a filter; their number must be told alike.
async fn names(client: &Client, filter: Value) -> Vec<String> {
    let query = "query($filter: OrganisationFilter) { organisations(filter: $filter, first: 50) { totalCount nodes { name } } }";
    let found = client.data(query, json!({ "filter": filter })).await;
    let nodes = found["organisations"]["nodes"].as_array().unwrap();
    assert_eq!(found["organisations"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn titles(client: &Client) -> Vec<String> {
    let found = client.data(LIST, json!({})).await;
    let nodes = found["segments"]["nodes"].as_array().unwrap();
    assert_eq!(found["segments"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn all(system: &System) -> usize {
    organisation::Entity::find()
        .all(system.store().reader())
        .await
        .unwrap()
        .len()
}

on_both_columns! {
    async fn a_segment_is_whoever_meets_it_today_and_its_count_says_how_many(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let saved = save(&operator, json!({ "name": "Law", "filter": { "sector": "Law" } })).await;
        assert_eq!((&saved["organisationCount"], &saved["isShared"]), (&json!(1), &json!(false)));
        let filter = json!({ "segmentId": saved["id"] });
        assert_eq!(names(&operator, filter.clone()).await, ["Calder & Moss LLP"]);
        // Narrowed further, both must hold.
        assert_eq!(names(&operator, json!({ "segmentId": saved["id"], "search": "bright" })).await, [""; 0]);
        let admin = system.demo_client("admin").await;
        let create = "mutation($input: CreateOrganisationInput!) { createOrganisation(input: $input) { userErrors { code } } }";
        admin.data(create, json!({ "input": { "name": "Pargeter Solicitors", "sector": "Law" } })).await;
        assert_eq!(names(&operator, filter).await, ["Calder & Moss LLP", "Pargeter Solicitors"]);
        let listed = operator.data(LIST, json!({})).await;
        assert_eq!(listed["segments"]["nodes"][0]["organisationCount"], 2);
    }

    async fn a_private_segment_is_nobody_elses_and_a_shared_one_is_changed_by_its_owner(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, admin) = (system.demo_client("operator").await, system.demo_client("admin").await);
        let saved = save(&operator, json!({ "name": "Mine", "filter": { "sector": "Law" } })).await;
        assert_eq!(titles(&admin).await, [""; 0]);
        let query = "query($id: ID!) { node(id: $id) { ... on Segment { name } } }";
        assert_eq!(admin.data(query, json!({ "id": saved["id"] })).await["node"], Value::Null);
        let answer = admin.graphql("query($id: ID!) { organisations(filter: { segmentId: $id }) { totalCount } }", json!({ "id": saved["id"] })).await;
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "hidden and absent are alike: {answer:?}");
        let theirs = json!({ "id": saved["id"], "version": 1, "name": "Theirs", "filter": {} });
        assert_eq!(refused(&admin, theirs.clone()).await, ["NOT_FOUND"]);

        let input = json!({ "id": saved["id"], "version": saved["version"], "name": "Ours", "isShared": true, "filter": { "sector": "Law" } });
        let shared = save(&operator, input.clone()).await;
        assert_eq!(refused(&operator, input).await, ["STALE"]);
        assert_eq!(titles(&admin).await, ["Ours"]);
        let untrained = system.demo_client("untrained").await;
        assert_eq!(titles(&untrained).await, ["Ours"], "staff share it");
        for client in [&admin, &untrained] {
            let answer = client.graphql(SAVE, json!({ "input": theirs })).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"]);
        }
        for who in ["student1", "employer"] {
            let answer = system.demo_client(who).await.graphql(LIST, json!({})).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{who}: {answer:?}");
        }
        let delete = "mutation($input: DeleteSegmentInput!) { deleteSegment(input: $input) { segment { name } userErrors { code } } }";
        let input = json!({ "input": { "id": shared["id"] } });
        assert_eq!(admin.graphql(delete, input.clone()).await.codes(), ["FORBIDDEN"]);
        assert_eq!(operator.graphql(delete, input).await.refusals(), [""; 0]);
        assert_eq!(titles(&operator).await, [""; 0]);
    }

    async fn a_segment_that_makes_no_sense_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let saved = save(&operator, json!({ "name": "Law", "filter": { "sector": "Law" } })).await;
        assert_eq!(refused(&operator, json!({ "name": "LAW", "filter": {} })).await, ["TAKEN"]);
        assert_eq!(refused(&operator, json!({ "name": " ", "filter": {} })).await, ["REQUIRED"]);
        assert_eq!(refused(&operator, json!({ "name": "In it", "filter": { "segmentId": saved["id"] } })).await, ["INVALID"]);
        let no_tag = json!({ "name": "Tagged", "filter": { "allOfTags": ["tag_01h455vb4pex5vsknk084sn02q"] } });
        assert_eq!(refused(&operator, no_tag).await, ["NOT_FOUND"]);
        let nobody = json!({ "name": "Engaged", "filter": { "engagedBy": "fac_01h455vb4pex5vsknk084sn02q" } });
        assert_eq!(refused(&operator, nobody).await, ["NOT_FOUND"]);
        assert_eq!(refused(&operator, json!({ "id": saved["id"], "name": "Law", "filter": {} })).await, ["REQUIRED"], "the version");
    }

    async fn organisations_are_found_by_the_faculty_that_worked_with_them_and_by_when_anybody_did(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let admin = system.demo_client("admin").await;
        let today = bed.clock().now();
        let day = |days: i64| (today + TimeDelta::days(days)).date_naive().to_string();
        // The demo's notes are one, two, three weeks old, and so on; each organisation has its last.
        let tomorrow = names(&admin, json!({ "lastContactedBefore": day(1) })).await;
        assert_eq!(tomorrow.len(), all(&system).await, "nobody has been contacted tomorrow");
        let long_ago = names(&admin, json!({ "lastContactedBefore": day(-365) })).await;
        assert_eq!(long_ago, [""; 0], "all have been contacted within the year");
        let robotics = organisation::Entity::find().filter(organisation::Column::Name.starts_with("Aire")).one(store.reader()).await.unwrap().unwrap();
        let not_lately = names(&admin, json!({ "lastContactedBefore": day(-20) })).await;
        assert!(!not_lately.contains(&robotics.name), "{not_lately:?}");
        assert!(!not_lately.is_empty() && not_lately.len() < tomorrow.len(), "{not_lately:?}");
        // A note today takes one off the list; guidance on contacting somebody is no contact.
        let other = organisation::Entity::find().filter(organisation::Column::Name.eq(not_lately[0].as_str())).one(store.reader()).await.unwrap().unwrap();
        let add = "mutation($input: AddNoteInput!) { addNote(input: $input) { userErrors { code } } }";
        let guidance = json!({ "organisationId": other.id, "kind": "GUIDANCE_ON_CONTACT", "body": "By post." });
        admin.data(add, json!({ "input": guidance })).await;
        assert!(names(&admin, json!({ "lastContactedBefore": day(-20) })).await.contains(&other.name));
        let call = json!({ "organisationId": other.id, "kind": "CALL", "body": "We talked." });
        admin.data(add, json!({ "input": call })).await;
        assert!(!names(&admin, json!({ "lastContactedBefore": day(-20) })).await.contains(&other.name));

        // Whose staff wrote the notes: the operator's faculty has worked with those of the demo.
        let operator = user::Entity::find().filter(user::Column::Email.starts_with("operator@")).one(store.reader()).await.unwrap().unwrap();
        let own = operator.faculty_id.unwrap();
        let engaged = names(&admin, json!({ "engagedBy": own })).await;
        let noted = note::Entity::find().filter(note::Column::AuthorId.eq(operator.id)).one(store.reader()).await.unwrap();
        assert!(noted.is_some() && engaged.contains(&robotics.name), "{engaged:?}");
        let idle = faculty::Entity::find().all(store.reader()).await.unwrap();
        let mut least = engaged.len();
        for faculty in idle.iter().filter(|faculty| faculty.id != own) {
            least = least.min(names(&admin, json!({ "engagedBy": faculty.id })).await.len());
        }
        assert!(least < engaged.len(), "the control: another faculty has not worked with all of them");
        let student = system.demo_client("student1").await;
        for filter in ["engagedBy: \"fac_01h455vb4pex5vsknk084sn02q\"", "lastContactedBefore: \"2026-10-01\"", "segmentId: \"seg_01h455vb4pex5vsknk084sn02q\""] {
            let query = format!("{{ organisations(filter: {{ {filter} }}) {{ totalCount }} }}");
            assert_eq!(student.graphql(&query, json!({})).await.codes(), ["FORBIDDEN"], "{filter}");
        }
    }
}

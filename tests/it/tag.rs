//! Tags: putting them on many organisations at once, and finding organisations by them.

use entity::{audit_entry, organisation, organisation_tag};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

const CREATE: &str = "mutation($input: CreateTagInput!) {
    createTag(input: $input) { tag { id name } userErrors { code field message } } }";

const TAG: &str = "mutation($input: TagOrganisationsInput!) {
    tagOrganisations(input: $input) { tagged userErrors { code field message } } }";

const UNTAG: &str = "mutation($input: UntagOrganisationsInput!) {
    untagOrganisations(input: $input) { untagged userErrors { code field message } } }";

async fn create(client: &Client, name: &str) -> Value {
    let data = client
        .data(CREATE, json!({ "input": { "name": name } }))
        .await;
    assert_eq!(data["createTag"]["userErrors"], json!([]));
    data["createTag"]["tag"]["id"].clone()
}

async fn tag_id(client: &Client, name: &str) -> Value {
    let data = client
        .data(
            "query($s: String) { tags(filter: { search: $s }) { nodes { id } } }",
            json!({ "s": name }),
        )
        .await;
    data["tags"]["nodes"][0]["id"].clone()
}

async fn found(client: &Client, filter: Value) -> Vec<String> {
    let data = client
        .data(
            "query($f: OrganisationFilter) { organisations(filter: $f) { nodes { name } } }",
            json!({ "f": filter }),
        )
        .await;
    let nodes = data["organisations"]["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn organisation_ids(system: &System) -> Vec<Value> {
    let rows = organisation::Entity::find()
        .all(system.store().reader())
        .await
        .unwrap();
    rows.iter().map(|row| json!(row.id)).collect()
}

async fn tags_in_all(system: &System) -> u64 {
    organisation_tag::Entity::find()
        .count(system.store().reader())
        .await
        .unwrap()
}

on_both_columns! {
    async fn organisations_are_found_by_all_any_and_none_of_their_tags(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let engineering = tag_id(&operator, "Engineering").await;
        let scheme = tag_id(&operator, "Graduate scheme").await;
        let both = json!([engineering, scheme]);
        assert_eq!(found(&operator, json!({ "allOfTags": both })).await, ["Brightwater Energy plc"]);
        assert_eq!(
            found(&operator, json!({ "anyOfTags": both })).await,
            ["Aire Valley Robotics Ltd", "Brightwater Energy plc", "Calder & Moss LLP", "Northern Data Works Ltd"]
        );
        assert_eq!(found(&operator, json!({ "noneOfTags": both })).await, ["Dales Heritage Trust"]);
        assert_eq!(
            found(&operator, json!({ "anyOfTags": [scheme], "noneOfTags": [engineering] })).await,
            ["Calder & Moss LLP", "Northern Data Works Ltd"]
        );
    }

    async fn a_tag_goes_on_many_organisations_once_and_off_again(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (fair, talk) = (create(&operator, "Autumn fair").await, create(&operator, "Talk").await);
        let ids = organisation_ids(&system).await;
        let before = tags_in_all(&system).await;

        let input = json!({ "organisationIds": ids, "tagIds": [fair, talk] });
        let data = operator.data(TAG, json!({ "input": input })).await;
        assert_eq!(data["tagOrganisations"]["tagged"], 10);
        let data = operator.data(TAG, json!({ "input": input })).await;
        assert_eq!(data["tagOrganisations"]["tagged"], 0, "they have them already");
        assert_eq!(tags_in_all(&system).await, before + 10);

        let input = json!({ "filter": { "sector": "Law" }, "tagIds": [fair] });
        let data = operator.data(UNTAG, json!({ "input": input })).await;
        assert_eq!(data["untagOrganisations"]["untagged"], 1);
        assert_eq!(found(&operator, json!({ "allOfTags": [fair] })).await.len(), 4);

        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.is_in(["organisation.tag", "organisation.untag"]))
            .all(system.store().reader())
            .await
            .unwrap();
        let counts: Vec<usize> = lines
            .iter()
            .map(|line| line.after.as_ref().unwrap()["organisations"].as_array().unwrap().len())
            .collect();
        assert_eq!(counts.iter().sum::<usize>(), 11, "every tag that was put on or taken off is told");
    }

    async fn all_that_meet_a_filter_are_tagged_in_one_go(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let tag = create(&operator, "Everybody").await;
        let data = operator.data(TAG, json!({ "input": { "filter": {}, "tagIds": [tag] } })).await;
        assert_eq!(data["tagOrganisations"]["tagged"], 5);
    }

    async fn wrong_tagging_is_refused_and_changes_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let tag = create(&operator, "Autumn fair").await;
        let ids = organisation_ids(&system).await;
        let before = tags_in_all(&system).await;
        let (no_organisation, no_tag) = ("org_01h455vb4pex5vsknk084sn02q", "tag_01h455vb4pex5vsknk084sn02q");
        for (input, expected) in [
            (json!({ "organisationIds": [ids[0], no_organisation], "tagIds": [tag, no_tag] }), vec!["NOT_FOUND", "NOT_FOUND"]),
            (json!({ "organisationIds": [], "tagIds": [] }), vec!["REQUIRED", "REQUIRED"]),
            (json!({ "organisationIds": [ids[0]], "filter": {}, "tagIds": [tag] }), vec!["REQUIRED"]),
            (json!({ "tagIds": [tag] }), vec!["REQUIRED"]),
            (json!({ "filter": {}, "tagIds": vec![tag.clone(); 21] }), vec!["TOO_LONG"]),
        ] {
            let answer = operator.graphql(TAG, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), expected, "{input}");
        }
        assert_eq!(tags_in_all(&system).await, before);
    }

    async fn a_tag_out_of_use_stays_where_it_is_and_goes_nowhere_else(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let tag = tag_id(&operator, "Engineering").await;
        let archive = "mutation($input: ArchiveTagInput!) { archiveTag(input: $input) { tag { archivedAt } userErrors { code } } }";
        let data = operator.data(archive, json!({ "input": { "id": tag } })).await;
        assert!(data["archiveTag"]["tag"]["archivedAt"].is_string());

        assert_eq!(found(&operator, json!({ "allOfTags": [tag] })).await.len(), 2);
        let answer = operator.graphql(TAG, json!({ "input": { "filter": {}, "tagIds": [tag] } })).await;
        assert_eq!(answer.refusals(), ["WRONG_STATE"]);
        let data = operator.data("{ tags(filter: { search: \"engineering\" }) { totalCount } }", json!({})).await;
        assert_eq!(data["tags"]["totalCount"], 0);
    }

    async fn a_name_belongs_to_one_tag_in_whatever_case(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let answer = operator.graphql(CREATE, json!({ "input": { "name": " engineering " } })).await;
        assert_eq!(answer.refusals(), ["TAKEN"]);
        let answer = operator.graphql(CREATE, json!({ "input": { "name": "" } })).await;
        assert_eq!(answer.refusals(), ["REQUIRED"]);
    }

    async fn tags_are_the_words_of_staff(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let tag = tag_id(&operator, "Engineering").await;
        for mailbox in ["student1", "employer"] {
            let client = system.demo_client(mailbox).await;
            let answer = client.graphql("{ tags { nodes { name } } }", json!({})).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
            let node = client.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": tag })).await;
            assert_eq!(node["node"], Value::Null);
        }
    }

    async fn tags_that_mean_the_same_become_one_on_organisations_and_in_segments(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (engineering, scheme) = (tag_id(&operator, "Engineering").await, tag_id(&operator, "Graduate scheme").await);
        let (robots, spare) = (create(&operator, "Robots").await, create(&operator, "Robotics").await);
        let ids = organisation_ids(&system).await;
        let input = json!({ "organisationIds": ids[..2], "tagIds": [robots] });
        operator.data(TAG, json!({ "input": input })).await;
        let save = "mutation($input: SaveSegmentInput!) { saveSegment(input: $input) { segment { id } userErrors { code } } }";
        let input = json!({ "name": "Machines", "filter": { "anyOfTags": [robots, spare], "noneOfTags": [scheme] } });
        let saved = operator.data(save, json!({ "input": input })).await;
        let segment = saved["saveSegment"]["segment"]["id"].clone();
        let before = found(&operator, json!({ "anyOfTags": [robots, engineering, spare] })).await;

        let merge = "mutation($input: MergeTagsInput!) { mergeTags(input: $input) { tag { name } userErrors { code field } } }";
        let into = async |id: &Value, others: Value| {
            let answer = operator.graphql(merge, json!({ "input": { "tagId": id, "otherIds": others } })).await;
            answer.refusals().iter().map(|code| (*code).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(into(&engineering, json!([])).await, ["REQUIRED"]);
        assert_eq!(into(&engineering, json!([engineering])).await, ["INVALID"]);
        assert_eq!(into(&engineering, json!(["tag_01h455vb4pex5vsknk084sn02q"])).await, ["NOT_FOUND"]);
        let student = system.demo_client("student1").await;
        let answer = student.graphql(merge, json!({ "input": { "tagId": engineering, "otherIds": [robots] } })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
        assert_eq!(into(&engineering, json!([robots, spare, robots])).await, [""; 0]);

        assert_eq!(found(&operator, json!({ "allOfTags": [engineering] })).await, before, "each once");
        assert_eq!(found(&operator, json!({ "anyOfTags": [robots, spare] })).await, [""; 0]);
        let listed = operator.data("{ tags(filter: { search: \"robot\" }) { totalCount } }", json!({})).await;
        assert_eq!(listed["tags"]["totalCount"], 0, "they are out of use");
        let query = "query($id: ID!) { node(id: $id) { ... on Segment { anyOfTags { name } noneOfTags { name } } } }";
        let kept = operator.data(query, json!({ "id": segment })).await;
        assert_eq!(kept["node"], json!({ "anyOfTags": [{ "name": "Engineering" }], "noneOfTags": [{ "name": "Graduate scheme" }] }));
        assert_eq!(into(&robots, json!([scheme])).await, ["WRONG_STATE"]);
    }
}

//! Tags: a controlled list in categories, out of which nothing goes that is in use somewhere.

use serde_json::{Value, json};
use support::{Client, on_both_columns};

use super::refused;
use crate::campaign::segments::done;

async fn named(client: &Client, filter: Value) -> Vec<(String, Value)> {
    let query = "query($filter: TagFilter) { tags(filter: $filter, first: 100) { totalCount nodes { name category } } }";
    let found = client.data(query, json!({ "filter": filter })).await;
    let nodes = found["tags"]["nodes"].as_array().unwrap();
    assert_eq!(found["tags"]["totalCount"], nodes.len());
    nodes
        .iter()
        .map(|node| {
            (
                node["name"].as_str().unwrap().to_owned(),
                node["category"].clone(),
            )
        })
        .collect()
}

on_both_columns! {
    async fn tags_stand_in_categories_and_are_made_by_those_who_may_alone(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let mut ids = Vec::new();
        for (name, category) in [("Hydrogen", "Technology"), ("Sensors", "Technology"), ("Sponsor", "Relationship")] {
            let made = done(&operator, "createTag", "tag { id }", json!({ "name": name, "category": category })).await;
            ids.push(made["tag"]["id"].clone());
        }
        let of = |name: &str, category: &str| (name.to_owned(), json!(category));
        let technology = json!({ "category": "Technology" });
        assert_eq!(named(&operator, technology.clone()).await, [of("Hydrogen", "Technology"), of("Sensors", "Technology")]);
        assert_eq!(named(&operator, json!({ "category": "Relationship" })).await, [of("Sponsor", "Relationship")]);
        assert!(named(&operator, json!({ "category": "Nothing" })).await.is_empty());

        done(&operator, "archiveTag", "tag { id }", json!({ "id": ids[0] })).await;
        assert_eq!(named(&operator, technology).await, [of("Sensors", "Technology")], "out of use");
        let with_archived = json!({ "category": "Technology", "archived": true });
        assert_eq!(named(&operator, with_archived).await.len(), 2, "and still known");
        assert_eq!(refused(&operator, "createTag", json!({ "name": "hydrogen" })).await, ["TAKEN"], "nor is it made twice");

        // The words are controlled: whoever isn't trained uses those that there are.
        let create = "mutation { createTag(input: { name: \"Fusion\" }) { userErrors { code } } }";
        for who in ["untrained", "employer", "student1"] {
            let answer = system.demo_client(who).await.graphql(create, json!({})).await;
            assert_eq!(answer.codes().first(), Some(&"FORBIDDEN"), "{who}");
        }
        assert!(named(&operator, json!({ "search": "Fusion" })).await.is_empty());
    }
}

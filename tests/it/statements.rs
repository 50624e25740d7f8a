//! The number of SQL statements of a query does not grow with the number of rows.

use api::demo;
use domain::{
    Store, Viewer,
    contact::{self, Profile as Person},
    organisation::{self, Profile},
    tag::{self, Which},
};
use entity::{ids::OrganisationId, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use support::{Desk, on_both_columns};

const WITH_RELATIONS: &str = r#"query($first: Int) { organisations(filter: { search: "Organisation" }, first: $first) { nodes {
    name contactCount contacts(first: 5) { name organisation { name } } tags { name } notes { body } events { title } } } }"#;

const ONE: &str = "query($id: ID!) { node(id: $id) { ... on Organisation {
    name contactCount contacts(first: 5) { name organisation { name } } tags { name } notes { body } events { title } } } }";

/// The operator of the demo data.
async fn operator(store: &Store) -> Viewer {
    demo::load(store).await.unwrap();
    let account = user::Entity::find()
        .filter(user::Column::Email.eq(format!("operator@{}", demo::DOMAIN)))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap();
    Viewer::load(store.reader(), account.id, None, store.now())
        .await
        .unwrap()
        .unwrap()
}

/// So many organisations, each with three contacts and two tags.
async fn organisations(store: &Store, count: usize) -> Vec<OrganisationId> {
    let system = Viewer::system();
    let mut tx = store.begin().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..count {
        let name = format!("Organisation {number:02}");
        let row = organisation::create(&mut tx, &system, Profile::named(name), true)
            .await
            .unwrap();
        for person in ["Ann", "Ben", "Cem"] {
            contact::create(&mut tx, &system, row.id, Person::named(person))
                .await
                .unwrap();
        }
        ids.push(row.id);
    }
    let mut tags = Vec::new();
    for name in ["One", "Two"] {
        tags.push(tag::create(&mut tx, &system, name, None).await.unwrap().id);
    }
    tag::tag_organisations(&mut tx, &system, &Which::These(ids.clone()), &tags)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    ids
}

on_both_columns! {
    async fn twenty_organisations_with_what_belongs_to_them_take_no_more_statements_than_two(bed: TestBed) {
        let desk = Desk::open(&bed).await;
        let ids = organisations(desk.store(), 20).await;
        let operator = operator(desk.store()).await;

        let (two, for_two) = desk.data(&operator, WITH_RELATIONS, json!({ "first": 2 })).await;
        let (twenty, for_twenty) = desk.data(&operator, WITH_RELATIONS, json!({ "first": 20 })).await;
        assert_eq!(two["organisations"]["nodes"].as_array().unwrap().len(), 2);
        let nodes = twenty["organisations"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 20);
        for node in nodes {
            assert_eq!(node["contactCount"], 3);
            assert_eq!(node["contacts"].as_array().unwrap().len(), 3);
            assert_eq!(node["contacts"][2]["organisation"]["name"], node["name"]);
            assert_eq!(node["tags"], json!([{ "name": "One" }, { "name": "Two" }]));
        }
        assert_eq!(for_two, for_twenty);
        assert!(
            for_twenty >= 6,
            "{for_twenty}: a list, its contacts, their number, tags, notes and events"
        );

        // The control: the same rows one by one, as a resolver without a loader would fetch them, are counted as more.
        let mut one_by_one = 0;
        for id in &ids {
            one_by_one += desk.data(&operator, ONE, json!({ "id": id })).await.1;
        }
        assert!(one_by_one >= 20 * 6, "{one_by_one}");
    }
}

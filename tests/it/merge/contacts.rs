//! Merging two records of one person.

use entity::{contact, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::on_both_columns;

use super::{
    snapshot,
    world::{UNDO, World},
};

const MERGE: &str = "mutation($input: MergeContactsInput!) { mergeContacts(input: $input) {
    outcome { merge { id } rows { table moved takenOut } values { field survivor merged kept } }
    userErrors { code field message } } }";

impl World {
    /// Adds a contact to the organisation that is left, and gives it.
    async fn contact(&self, input: Value) -> contact::Model {
        let mut all = input;
        all["organisationId"] = json!(self.survivor);
        let name = all["name"].as_str().unwrap().to_owned();
        self.done(
            "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code message } } }",
            all,
        )
        .await;
        self.contact_named(&name).await
    }

    async fn contact_named(&self, name: &str) -> contact::Model {
        contact::Entity::find()
            .filter(contact::Column::Name.eq(name))
            .one(self.system.store().reader())
            .await
            .unwrap()
            .unwrap()
    }
}

on_both_columns! {
    async fn two_contacts_become_one_that_nobody_writes_to_against_either_s_will(bed: TestBed) {
        let world = World::open(&bed).await;
        let one = world.contact(json!({ "name": "Ada Byron", "email": "ada@avr.example", "visibleToStudents": true })).await;
        let two = world.contact(json!({ "name": "A. Byron", "telephone": "0113 496 0000", "bulkOptedOut": true })).await;
        world.done(
            "mutation($input: AddNoteInput!) { addNote(input: $input) { userErrors { code } } }",
            json!({ "organisationId": world.survivor, "contactId": two.id, "kind": "CALL", "body": "Rang her." }),
        ).await;
        let before = world.snapshot().await;

        let input = json!({ "survivorId": one.id, "mergedId": two.id });
        let data = world.done(MERGE, input).await;
        let merge = data["mergeContacts"]["outcome"]["merge"]["id"].clone();
        let left = world.contact_named("Ada Byron").await;
        assert_eq!(left.telephone.as_deref(), Some("0113 496 0000"));
        assert!(!left.visible_to_students, "consent is both records' or nobody's");
        assert!(left.bulk_opted_out_at.is_some(), "whoever said no to one said no");
        let query = "query($id: ID!, $old: ID!) {
            notes(filter: { contactId: $id }) { totalCount }
            node(id: $old) { id }
            mergeOf(id: $old) { contact { name merges { kind } } } }";
        let data = world.admin.data(query, json!({ "id": one.id, "old": two.id })).await;
        assert_eq!(data["notes"]["totalCount"], 1);
        assert_eq!(data["node"], Value::Null);
        assert_eq!(data["mergeOf"]["contact"], json!({ "name": "Ada Byron", "merges": [{ "kind": "CONTACT" }] }));

        world.done(UNDO, json!({ "mergeId": merge })).await;
        let differences = snapshot::differences(&before, &world.snapshot().await);
        let goes_up = |difference: &String| difference.contains(".version") || difference.contains(".updated_at");
        assert!(differences.iter().all(goes_up), "{differences:#?}");
    }

    async fn an_employer_signs_in_as_the_contact_that_is_left(bed: TestBed) {
        let world = World::open(&bed).await;
        let erin = world.contact_named("Erin Doyle").await;
        let other = world.contacts.iter().find(|contact| contact.id != erin.id).unwrap();
        let input = json!({ "survivorId": other.id, "mergedId": erin.id });
        // The operator holds her as a key account contact: the administrator liaises first.
        let answer = world.admin.graphql(MERGE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), ["LIAISE_FIRST"]);
        let operator = world.system.demo_client("operator").await;
        let answer = operator.graphql(MERGE, json!({ "input": input })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        let account = user::Entity::find()
            .filter(user::Column::Email.eq("employer@demo.mycareer.test"))
            .one(world.system.store().reader())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(account.contact_id, Some(other.id));
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { displayName } } }";
        let data = operator.data(query, json!({ "id": other.id })).await;
        assert_eq!(data["node"]["displayName"], format!("{} *", other.name));
    }

    async fn contacts_of_two_organisations_are_not_merged(bed: TestBed) {
        let world = World::open(&bed).await;
        let (vic, other) = (world.contact_named("Vic Ward").await, world.contact_named("Nadia Hussain").await);
        for (input, code) in [
            (json!({ "survivorId": vic.id, "mergedId": other.id }), "INVALID"),
            (json!({ "survivorId": vic.id, "mergedId": vic.id }), "INVALID"),
            (json!({ "survivorId": vic.id, "mergedId": "con_01h455vb4pex5vsknk084sn02q" }), "NOT_FOUND"),
        ] {
            let answer = world.admin.graphql(MERGE, json!({ "input": input })).await;
            assert_eq!(answer.refusals(), [code], "{input}");
        }
    }

    async fn what_was_merged_is_forgotten_with_the_person(bed: TestBed) {
        let world = World::open(&bed).await;
        let one = world.contact(json!({ "name": "Ada Byron", "email": "ada@avr.example" })).await;
        let two = world.contact(json!({ "name": "A. K. Byron", "email": "augusta@home.example" })).await;
        let data = world.done(MERGE, json!({ "survivorId": one.id, "mergedId": two.id })).await;
        let merge = data["mergeContacts"]["outcome"]["merge"]["id"].clone();
        let store = world.system.store();
        let mut tx = store.begin().await.unwrap();
        let system = domain::Viewer::system();
        domain::data_protection::erase(&mut tx, &system, &one.id.to_string(), "She asked.", domain::data_protection::Run::Real).await.unwrap();
        tx.commit().await.unwrap();
        let kept = entity::merge_change::Entity::find().all(store.reader()).await.unwrap();
        assert!(kept.is_empty(), "{kept:?}");
        let answer = world.admin.graphql(UNDO, json!({ "input": { "mergeId": merge } })).await;
        assert_eq!(answer.refusals(), ["WRONG_STATE"]);
    }
}

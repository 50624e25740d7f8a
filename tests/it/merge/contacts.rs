//! Merging two records of one person.

use entity::{contact, ids::MailTopicId, mail_topic, topic_opt_out, user};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{on_both_columns, put};

use super::{
    snapshot,
    undoing::{Pair, undone_after},
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

const NOTE: &str =
    "mutation($input: AddNoteInput!) { addNote(input: $input) { userErrors { code message } } }";
const UPDATE: &str = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code message } } }";
const POST: &str = "mutation($input: AddContactPostInput!) { addContactPost(input: $input) { userErrors { code message } } }";
const END_POST: &str = "mutation($input: EndContactPostInput!) { endContactPost(input: $input) { userErrors { code message } } }";

impl World {
    /// Says that a contact works at an organisation too.
    async fn post(&self, who: &contact::Model, at: &str, title: &str) {
        let (row, at) = (
            self.contact_named(&who.name).await,
            self.organisation_named(at).await,
        );
        let input = json!({ "contactId": who.id, "version": row.version, "organisationId": at.id, "jobTitle": title });
        self.done(POST, input).await;
    }

    /// Two records of one person, with all that can belong to one: what both have, and what one has alone.
    async fn two(&self) -> [contact::Model; 2] {
        let one = self
            .contact(
                json!({ "name": "Ada Byron", "email": "ada@avr.example", "jobTitle": "Engineer" }),
            )
            .await;
        let two = self
            .contact(json!({ "name": "A. Byron", "telephone": "0113 496 0000", "subscriberType": "EVENTS", "bulkOptedOut": true }))
            .await;
        for (about, with) in [(&one, &two), (&two, &one)] {
            let input = json!({ "organisationId": self.survivor, "contactId": about.id, "participantIds": [with.id],
                "kind": "MEETING", "body": "They met." });
            self.done(NOTE, input).await;
        }
        let input = json!({ "organisationId": self.survivor, "participantIds": [two.id], "kind": "EVENT", "body": "She came." });
        self.done(NOTE, input).await;
        self.post(&one, "Brightwater Energy plc", "Trustee").await;
        self.post(&two, "Brightwater Energy plc", "Chair").await;
        self.post(&two, "Dales Heritage Trust", "Guide").await;
        let store = self.system.store();
        let mut topic = None;
        for name in ["News", "Fairs"] {
            let row = mail_topic::Model {
                id: MailTopicId::new_at(store.now()),
                name: name.to_owned(),
                name_key: name.to_lowercase(),
                description: None,
                archived_at: None,
                created_at: store.now(),
            };
            let id = row.id;
            put::<mail_topic::Entity>(store, row).await;
            for contact_id in [one.id, two.id] {
                // Both want no news; the second one wants nothing of fairs either.
                if topic.is_none() || contact_id == two.id {
                    let row = topic_opt_out::Model {
                        contact_id,
                        mail_topic_id: id,
                        opted_out_at: store.now(),
                    };
                    put::<topic_opt_out::Entity>(store, row).await;
                }
            }
            topic = Some(id);
        }
        [
            self.contact_named(&one.name).await,
            self.contact_named(&two.name).await,
        ]
    }

    /// One edit of the contact that is left, as an operator makes it.
    async fn edit_contact(&self, random: &mut StdRng, left: &contact::Model, number: usize) {
        let row = contact::Entity::find_by_id(left.id)
            .one(self.system.store().reader())
            .await
            .unwrap()
            .unwrap();
        let mut input = json!({ "id": left.id, "version": row.version });
        match random.random_range(0..6) {
            0 | 1 => {
                let (field, value) = [
                    ("name", json!(format!("Ada B{number}"))),
                    ("jobTitle", json!(format!("Post {number}"))),
                    ("telephone", json!(format!("0113 496 {number:04}"))),
                    ("email", json!(format!("ada{number}@avr.example"))),
                    (
                        "subscriberType",
                        json!(["GENERAL", "PLACEMENTS"][number % 2]),
                    ),
                    ("bulkOptedOut", json!(number.is_multiple_of(2))),
                ][random.random_range(0..6)]
                .clone();
                input[field] = value;
                self.done(UPDATE, input).await;
            }
            2 => {
                let input = json!({ "organisationId": self.survivor, "contactId": left.id, "kind": "CALL", "body": format!("Rang {number}.") });
                self.done(NOTE, input).await;
            }
            3 => {
                let input = json!({ "organisationId": self.survivor, "participantIds": [left.id], "kind": "VISIT", "body": format!("Saw {number}.") });
                self.done(NOTE, input).await;
            }
            4 => {
                self.contact(json!({ "name": format!("Nia {number}") }))
                    .await;
            }
            _ => {
                let names = [
                    "Brightwater Energy plc",
                    "Dales Heritage Trust",
                    "Northern Data Works Ltd",
                ];
                let at = self
                    .organisation_named(names[random.random_range(0..3)])
                    .await;
                let ends = random.random_bool(0.4);
                let input = if ends {
                    json!({ "contactId": left.id, "version": row.version, "organisationId": at.id })
                } else {
                    json!({ "contactId": left.id, "version": row.version, "organisationId": at.id, "jobTitle": format!("Chair {number}") })
                };
                // One that has ended can't end.
                let mutation = if ends { END_POST } else { POST };
                self.admin
                    .graphql(mutation, json!({ "input": input }))
                    .await;
            }
        }
    }
}

on_both_columns! {
    async fn a_merge_of_contacts_is_undone_table_by_table_also_after_fifty_edits(bed: TestBed) {
        let world = World::open(&bed).await;
        let [one, two] = world.two().await;
        let pair = Pair {
            table: "contact",
            column: "contact_id",
            survivor: one.id.uuid(),
            merged: two.id.uuid(),
        };
        let input = json!({ "survivorId": one.id, "mergedId": two.id, "take": ["NAME"] });
        for edits in [0, 50] {
            let mut random = StdRng::seed_from_u64(edits);
            let before = world.snapshot().await;
            let data = world.done(MERGE, input.clone()).await;
            let merge = data["mergeContacts"]["outcome"]["merge"]["id"].clone();
            let merged = world.snapshot().await;
            assert!(snapshot::differences(&before, &merged).len() > 5, "the merge did something");
            for number in 0..edits {
                let number = usize::try_from(number).unwrap();
                world.edit_contact(&mut random, &one, number).await;
            }
            undone_after(&world, &mut random, &pair, &merge, [before, merged]).await;
        }
    }

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
        // Nor does the administrator undo it, or is shown what that would do.
        let undo = json!({ "input": { "mergeId": answer.data["mergeContacts"]["outcome"]["merge"]["id"], "dryRun": true } });
        let refused = world.admin.graphql(UNDO, undo.clone()).await;
        assert_eq!((refused.refusals(), &refused.data["undoMerge"]["outcome"]), (vec!["LIAISE_FIRST"], &Value::Null));
        assert_eq!(operator.graphql(UNDO, undo).await.refusals(), [""; 0], "the control");
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

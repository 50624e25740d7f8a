//! Full-text search: everybody finds what exists for them, by what they may read of it (policy 2.2).

use chrono::TimeDelta;
use entity::{
    contact,
    ids::NoteId,
    note::{self, NoteVisibility},
    organisation,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, Column, System, on_both_columns};

use crate::super_user_group::account;

const SEARCH: &str = "query($text: String!, $kinds: [SearchKind!], $first: Int, $after: String) {
    search(text: $text, kinds: $kinds, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
        nodes { kind node { ... on Organisation { name } ... on Contact { name } ... on Note { body } } } } }";
const CREATE: &str = "mutation($input: CreateOrganisationInput!) {
    createOrganisation(input: $input) { organisation { id version } userErrors { code } } }";
const CONTACT: &str = "mutation($input: CreateContactInput!) {
    createContact(input: $input) { contact { id version } userErrors { code } } }";
const CHANGE: &str = "mutation($input: UpdateContactInput!) {
    updateContact(input: $input) { contact { version } userErrors { code } } }";
const NOTE: &str = "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { code } } }";

/// What staff find: names, and bodies of notes. Their number must be told alike.
async fn found(client: &Client, text: &str) -> Vec<String> {
    hits(client, SEARCH, text).await
}

/// What anybody finds, of whom most can't read notes.
async fn named(client: &Client, text: &str) -> Vec<String> {
    hits(client, &SEARCH.replace(" ... on Note { body }", ""), text).await
}

async fn hits(client: &Client, query: &str, text: &str) -> Vec<String> {
    let data = client
        .data(query, json!({ "text": text, "first": 100 }))
        .await;
    let found = &data["search"];
    let nodes = found["nodes"].as_array().unwrap();
    assert_eq!(found["totalCount"], nodes.len(), "{text}: {found}");
    nodes.iter().map(title).collect()
}

fn title(hit: &Value) -> String {
    let field = if hit["kind"] == "NOTE" {
        "body"
    } else {
        "name"
    };
    hit["node"][field].as_str().unwrap().to_owned()
}

async fn organisation(client: &Client, input: Value) -> Value {
    let answer = client.graphql(CREATE, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0]);
    answer.data["createOrganisation"]["organisation"].clone()
}

async fn contact(client: &Client, input: Value) -> Value {
    let answer = client.graphql(CONTACT, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0]);
    answer.data["createContact"]["contact"].clone()
}

async fn note(client: &Client, organisation: &Value, body: &str) {
    let input = json!({ "organisationId": organisation["id"], "kind": "CALL", "body": body });
    let answer = client.graphql(NOTE, json!({ "input": input })).await;
    assert_eq!(answer.refusals(), [""; 0]);
}

async fn of_name(system: &System, name: &str) -> organisation::Model {
    let rows = organisation::Entity::find().filter(organisation::Column::Name.eq(name));
    rows.one(system.store().reader()).await.unwrap().unwrap()
}

on_both_columns! {
    async fn a_word_finds_what_begins_with_it_and_the_nearest_name_comes_first(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let long = organisation(&admin, json!({ "name": "Accenture Consulting Partners plc" })).await;
        organisation(&admin, json!({ "name": "Accenture", "confirmNotDuplicate": true })).await;
        organisation(&admin, json!({ "name": "Estée Lauder", "tradingNames": ["Acclaim Beauty"] })).await;
        contact(&admin, json!({ "organisationId": long["id"], "name": "Ann Accrington" })).await;
        note(&admin, &long, "They accept placements.").await;
        assert_eq!(
            found(&admin, "acc").await,
            ["Accenture", "Accenture Consulting Partners plc", "Ann Accrington", "Estée Lauder", "They accept placements."]
        );
        assert_eq!(found(&admin, "partners ACCEN").await, ["Accenture Consulting Partners plc"], "in any order and case");
        for spelling in ["estee lauder", "ESTÉE", "Este\u{301}e", "esteelauder"] {
            assert_eq!(found(&admin, spelling).await, ["Estée Lauder"], "{spelling}");
        }
        organisation(&admin, json!({ "name": "J.P. Morgan" })).await;
        for spelling in ["jpmorgan", "J P Morgan", "j.p. morgan"] {
            assert_eq!(found(&admin, spelling).await, ["J.P. Morgan"], "{spelling}");
        }
    }

    async fn pages_of_hits_lead_from_one_to_the_next(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let owner = organisation(&admin, json!({ "name": "Zebra" })).await;
        for number in 0..5 {
            note(&admin, &owner, &format!("A zebra, number {number}.")).await;
            bed.clock().advance(TimeDelta::minutes(1));
        }
        let all = found(&admin, "zebra").await;
        assert_eq!(all.len(), 6);
        assert_eq!((all[0].as_str(), all[1].as_str()), ("Zebra", "A zebra, number 4."), "the latest note first");
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let data = admin.data(SEARCH, json!({ "text": "zebra", "first": 2, "after": after })).await;
            let page = &data["search"];
            seen.extend(page["nodes"].as_array().unwrap().iter().map(title));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, all);
        let notes = admin.data(SEARCH, json!({ "text": "zebra", "kinds": ["NOTE", "CONTACT"] })).await;
        assert_eq!(notes["search"]["totalCount"], 5);
    }

    async fn notes_that_do_not_exist_for_somebody_push_none_aside_that_does(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, untrained) = (system.demo_client("admin").await, system.demo_client("untrained").await);
        let owner = of_name(&system, "Dales Heritage Trust").await;
        note(&admin, &json!({ "id": owner.id }), "A heronry by the river.").await;
        let db = system.store().reader();
        let written = note::Entity::find().filter(note::Column::Body.eq("A heronry by the river."));
        let written = written.one(db).await.unwrap().unwrap();
        let operator = account(&system, "operator").await;
        let hidden = (1..=600).map(|number| {
            note::Model {
                id: NoteId::new_at(written.created_at + TimeDelta::seconds(number)),
                author_id: operator.id,
                visibility: NoteVisibility::Faculty,
                ..written.clone()
            }
            .into_active_model()
            .reset_all()
        });
        note::Entity::insert_many(hidden).exec_without_returning(db).await.unwrap();
        let mut row = account(&system, "untrained").await.into_active_model();
        row.faculty_id = Set(None);
        row.update(db).await.unwrap();
        assert_eq!(found(&untrained, "heronry").await, ["A heronry by the river."]);
        let data = admin.data(SEARCH, json!({ "text": "heronry", "first": 1 })).await;
        assert_eq!(data["search"]["totalCount"], 500, "the latest, for whom there are more");
    }

    async fn what_changes_is_found_as_it_is_from_the_change_on(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let owner = of_name(&system, "Dales Heritage Trust").await;
        let ann = contact(&admin, json!({ "organisationId": owner.id, "name": "Ann Quill", "jobTitle": "Curator" })).await;
        assert_eq!(found(&admin, "curator").await, ["Ann Quill"]);
        let input = json!({ "id": ann["id"], "version": ann["version"], "name": "Ann Featherstone", "jobTitle": null });
        admin.data(CHANGE, json!({ "input": input })).await;
        assert_eq!(found(&admin, "quill").await, [""; 0]);
        assert_eq!(found(&admin, "curator").await, [""; 0]);
        assert_eq!(found(&admin, "feather").await, ["Ann Featherstone"]);
        // A change that is given up leaves nothing in the index, and neither does a row that goes.
        let tx = system.store().begin().await.unwrap();
        let name = "UPDATE contact SET name = 'Ann Vellum' WHERE name = 'Ann Featherstone'";
        tx.conn().execute_unprepared(name).await.unwrap();
        drop(tx);
        assert_eq!(found(&admin, "vellum").await, [""; 0]);
        assert_eq!(found(&admin, "feather").await, ["Ann Featherstone"]);
        contact::Entity::delete_many()
            .filter(contact::Column::Name.eq("Ann Featherstone"))
            .exec(system.store().reader())
            .await
            .unwrap();
        assert_eq!(found(&admin, "feather").await, [""; 0]);
    }

    async fn signs_of_the_database_mean_nothing_in_a_search(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let control = found(&admin, "aire").await;
        assert!(control.contains(&"Aire Valley Robotics Ltd".to_owned()), "{control:?}");
        for text in ["", " ", "%", "_", "*", "\"", "'", "\\", "!|():*<->", "\u{0}"] {
            assert_eq!(found(&admin, text).await, [""; 0], "{text:?}");
        }
        for text in ["aire*", "\"aire", "'aire':*", "aire & !", "(aire", "-aire", "words:aire\u{0}", "aire OR zebra", "aire NOT valley", &"a".repeat(9_000)] {
            let answer = admin.graphql(SEARCH, json!({ "text": text })).await;
            assert_eq!(answer.codes(), [""; 0], "{text:?}: {answer:?}");
        }
        for query in ["organisations(filter: { search: \"'%_*\\\"(\" })", "contacts(filter: { search: \"'%_*\\\"(\" })"] {
            let data = admin.data(&format!("{{ {query} {{ totalCount }} }}"), json!({})).await;
            assert_eq!(data.as_object().unwrap().values().next().unwrap()["totalCount"], 0, "{query}");
        }
    }

    async fn students_and_employers_find_what_exists_for_them_and_no_note(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let hidden = organisation(&admin, json!({ "name": "Zebra Holdings" })).await;
        note(&admin, &hidden, "Zebra crossings are of no use to them.").await;
        let robotics = json!({ "id": of_name(&system, "Aire Valley Robotics Ltd").await.id });
        note(&admin, &robotics, "A zebra was seen at their office.").await;
        contact(&admin, json!({ "organisationId": hidden["id"], "name": "Zoe Zebra" })).await;
        let input = json!({ "input": { "id": hidden["id"], "version": hidden["version"], "reason": "Gone." } });
        let archive = "mutation($input: ArchiveOrganisationInput!) { archiveOrganisation(input: $input) { userErrors { code } } }";
        assert_eq!(admin.graphql(archive, input).await.refusals(), [""; 0]);
        assert_eq!(found(&admin, "zebra").await.len(), 4, "the control");

        for who in ["student1", "employer"] {
            let client = system.demo_client(who).await;
            assert_eq!(named(&client, "zebra").await, [""; 0], "{who}");
            let query = "{ search(text: \"zebra\", kinds: [NOTE]) { totalCount } }";
            assert_eq!(client.graphql(query, json!({})).await.codes(), ["FORBIDDEN"], "{who}");
        }
        let student = system.demo_client("student1").await;
        assert_eq!(named(&student, "aire valley").await, ["Aire Valley Robotics Ltd"]);
        assert_eq!(named(&student, "erin").await, ["Erin Doyle"], "who agreed to be shown");
        // Paul Sykes did not agree; for Nadia Hussain her organisation did not.
        for hidden in ["paul", "sykes", "nadia"] {
            assert_eq!(named(&student, hidden).await, [""; 0], "{hidden}");
            assert_eq!(found(&admin, hidden).await.len(), 1, "{hidden}, the control");
        }
        let employer = system.demo_client("employer").await;
        assert_eq!(named(&employer, "paul").await, ["Paul Sykes"], "their own");
        assert_eq!(named(&employer, "imogen").await, [""; 0]);
        assert_eq!(named(&employer, "brightwater").await, [""; 0]);
        let nobody = system.client().graphql(SEARCH, json!({ "text": "aire" })).await;
        assert!(!nobody.codes().is_empty(), "{nobody:?}");
    }

    async fn nobody_is_found_by_an_address_or_a_number(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        // Imogen Moss is a key account contact of the operator: the administrator hasn't liaised.
        let imogen = contact::Entity::find().filter(contact::Column::Name.eq("Imogen Moss"));
        let imogen = imogen.one(system.store().reader()).await.unwrap().unwrap();
        let (email, telephone) = (imogen.email.unwrap(), imogen.telephone.unwrap());
        for who in ["admin", "operator", "untrained", "student1", "employer"] {
            let client = system.demo_client(who).await;
            for text in [email.as_str(), email.split('@').next_back().unwrap(), telephone.as_str()] {
                let listed = client
                    .data("query($s: String) { contacts(filter: { search: $s }) { totalCount } }", json!({ "s": text }))
                    .await;
                assert_eq!(listed["contacts"]["totalCount"], 0, "{who} by {text}");
                let query = "query($s: String!) { search(text: $s, kinds: [CONTACT]) { totalCount nodes { kind } } }";
                let hits = client.data(query, json!({ "s": text })).await;
                assert_eq!(hits["search"], json!({ "totalCount": 0, "nodes": [] }), "{who} by {text}");
            }
        }
        let admin = system.demo_client("admin").await;
        assert_eq!(found(&admin, "imogen moss").await, ["Imogen Moss"], "the control");
    }

    async fn a_name_that_is_misspelt_is_found_where_the_database_can_tell(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let student = system.demo_client("student1").await;
        let control = found(&admin, "brightwater enrgy").await;
        if bed.column() == Column::SqliteMemory {
            assert_eq!(control, [""; 0]);
            return;
        }
        assert_eq!(control, ["Brightwater Energy plc"]);
        assert_eq!(found(&admin, "Hussein Nadia").await, ["Nadia Hussain"]);
        assert_eq!(named(&student, "Hussein Nadia").await, [""; 0], "she isn't shown to students");
        assert_eq!(named(&student, "brightwater enrgy").await, ["Brightwater Energy plc"]);
        assert_eq!(found(&admin, "xylophone").await, [""; 0]);
    }

    async fn what_was_there_before_the_index_is_found(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let before = found(&admin, "moss").await;
        assert_eq!(before, ["Calder & Moss LLP", "Imogen Moss"]);
        let connection = bed.database().connect().await;
        let later = Migrator::migrations()
            .iter()
            .rev()
            .position(|change| change.name() == "m20261128_000140_search")
            .unwrap();
        let steps = u32::try_from(later + 1).unwrap();
        Migrator::down(&connection, Some(steps)).await.unwrap();
        Migrator::up(&connection, None).await.unwrap();
        assert_eq!(found(&admin, "moss").await, before);
    }
}

//! Merging: two records of one organisation or person become one, and can be two again (policy 1).

mod contacts;
mod snapshot;
mod undoing;
pub(crate) mod world;

use std::collections::BTreeSet;

use domain::merge::{UNDECLARED, references_to};
use entity::{
    delivery,
    duplicate_pair::{self, DuplicatePairState},
    ids::MergeId,
    key_account_contact,
    merge::MergeKind,
    organisation, user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, SqlErr, Statement, TransactionTrait,
};
use serde_json::{Value, json};
use support::{Column, on_both_columns};

use self::world::{MERGE, UNDO, World};

/// Every foreign key that points at a table, as `table.column`.
async fn foreign_keys(db: &DatabaseConnection, to: &str) -> BTreeSet<String> {
    let query = match db.get_database_backend() {
        DbBackend::Sqlite => format!(
            "SELECT t.name || '.' || f.\"from\" FROM sqlite_master t, pragma_foreign_key_list(t.name) f
             WHERE t.type = 'table' AND f.\"table\" = '{to}'"
        ),
        _ => format!(
            "SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
             WHERE c.contype = 'f' AND c.confrelid = '{to}'::regclass"
        ),
    };
    let statement = Statement::from_string(db.get_database_backend(), query);
    let rows = db.query_all_raw(statement).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

on_both_columns! {
    async fn a_merge_knows_every_column_that_points_at_what_it_merges(bed: TestBed) {
        let db = bed.database().connect().await;
        for (kind, table) in [(MergeKind::Organisation, "organisation"), (MergeKind::Contact, "contact")] {
            let known: BTreeSet<String> = references_to(kind)
                .iter()
                .filter(|reference| !UNDECLARED.contains(&(reference.table, reference.column)))
                .map(|reference| format!("{}.{}", reference.table, reference.column))
                .collect();
            let found = foreign_keys(&db, table).await;
            assert!(found.len() > 3, "{found:?}");
            assert_eq!(known, found, "name a new column in domain/src/merge/references.rs");
        }
    }

    async fn a_dry_run_shows_what_would_move_and_which_values_would_win_and_does_nothing(bed: TestBed) {
        let world = World::open(&bed).await;
        let before = world.snapshot().await;
        let mut input = world.input();
        input["dryRun"] = json!(true);
        input["take"] = json!(["ADDRESS"]);
        let outcome = world.merged(&input).await;
        assert_eq!(world.snapshot().await, before);

        assert_eq!(outcome["merge"], Value::Null);
        let rows = outcome["rows"].as_array().unwrap();
        let of = |table: &str| {
            let found = rows.iter().find(|rows| rows["table"] == table);
            found.map(|rows| (rows["moved"].as_i64().unwrap(), rows["takenOut"].as_i64().unwrap()))
        };
        assert_eq!(of("contact"), Some((i64::try_from(world.contacts.len()).unwrap(), 0)));
        assert_eq!(of("organisation"), Some((1, 0)), "its division");
        assert_eq!(of("key_account"), Some((1, 0)));
        let (tags_moved, tags_taken_out) = of("organisation_tag").unwrap();
        assert!(tags_moved > 0 && tags_taken_out == 1, "{rows:?}");
        let value = |field: &str| {
            let values = outcome["values"].as_array().unwrap();
            values.iter().find(|value| value["field"] == field).cloned().unwrap()
        };
        assert_eq!(value("name")["kept"], "Aire Valley Robotics plc");
        assert_eq!(value("address"), json!({
            "field": "address", "survivor": "1 Forge Lane, Leeds", "merged": "Leeds", "kept": "Leeds",
        }));
        assert_eq!(value("sector")["survivor"], Value::Null);
        assert_eq!(value("sector")["kept"], value("sector")["merged"]);
        assert_eq!(value("tradingNames")["kept"], "AVR");
    }

    async fn a_merge_moves_everything_and_the_old_id_leads_to_what_is_left(bed: TestBed) {
        let world = World::open(&bed).await;
        world.dismiss_pair_with("Brightwater").await;
        let outcome = world.merged(&world.input()).await;
        assert!(outcome["merge"]["id"].as_str().unwrap().starts_with("mrg_"), "{outcome}");

        let db = world.system.store().reader();
        assert_eq!(organisation::Entity::find_by_id(world.merged).one(db).await.unwrap(), None);
        let query = "query($id: ID!, $old: ID!) {
            node(id: $old) { id }
            left: node(id: $id) { ... on Organisation {
                sector tradingNames contacts(first: 100) { name } notes { body } divisions { name } tags { name }
                keyAccounts { id } merges { mergedName mergedId canBeUndoneUntil } history { action }
            } }
            mergeOf(id: $old) { mergedName organisation { name } }
        }";
        let ids = json!({ "id": world.survivor, "old": world.merged });
        let data = world.admin.data(query, ids.clone()).await;
        assert_eq!(data["node"], Value::Null, "what was merged answers like what is absent");
        let left = &data["left"];
        assert_eq!(left["contacts"].as_array().unwrap().len(), world.contacts.len() + 1);
        assert!(left["notes"].to_string().contains("Talked about robots."), "{left}");
        assert_eq!(left["divisions"], json!([{ "name": "Robot Castings" }]));
        assert_eq!(left["keyAccounts"].as_array().unwrap().len(), 1);
        assert_eq!(left["merges"][0]["mergedName"], "Aire Valley Robotics Ltd");
        assert!(left["history"].to_string().contains("organisation.merge"), "{left}");
        assert_eq!(data["mergeOf"]["organisation"]["name"], "Aire Valley Robotics plc");

        // The employer signs in for what is left now, and their contact is still liaised about first.
        let employer = world.system.demo_client("employer").await;
        let own = employer.data("{ organisations { nodes { id } } }", json!({})).await;
        assert_eq!(own["organisations"]["nodes"], json!([{ "id": world.survivor }]));
        let erin = world.contacts.iter().find(|contact| contact.name == "Erin Doyle").unwrap();
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { displayName email detailsWithheld } } }";
        let data = world.admin.data(query, json!({ "id": erin.id })).await;
        assert_eq!(data["node"]["displayName"], "Erin Doyle *");
        assert_eq!(data["node"]["email"], Value::Null);
        assert!(data["node"]["detailsWithheld"].is_string());

        // That the other was no duplicate of a third holds for what is left.
        let third = duplicate_pair::Entity::find()
            .filter(duplicate_pair::Column::State.eq(DuplicatePairState::Dismissed))
            .all(db)
            .await
            .unwrap();
        assert_eq!(third.len(), 1);
        assert!([third[0].one_id, third[0].other_id].contains(&world.survivor));

        // A student is told nothing of merges.
        let student = world.system.demo_client("student1").await;
        let answer = student.graphql("query($id: ID!) { mergeOf(id: $id) { id } }", json!({ "id": world.merged })).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
    }

    async fn consent_counts_after_a_merge_when_both_records_have_it(bed: TestBed) {
        let world = World::open(&bed).await;
        let student = world.system.demo_client("student1").await;
        let shown = "query($name: String!) { contacts(filter: { search: $name }) { totalCount } }";
        let data = student.data(shown, json!({ "name": "Erin Doyle" })).await;
        assert_eq!(data["contacts"]["totalCount"], 1);
        let outcome = world.merged(&world.input()).await;
        assert!(outcome["notes"].to_string().contains("will not be shown"), "{outcome}");
        let data = student.data(shown, json!({ "name": "Erin Doyle" })).await;
        assert_eq!(data["contacts"]["totalCount"], 0);
    }

    async fn what_can_not_be_merged_is_refused_and_nothing_is_changed(bed: TestBed) {
        let world = World::open(&bed).await;
        let untrained = world.system.demo_client("untrained").await;
        let before = world.snapshot().await;
        let itself = json!({ "survivorId": world.survivor, "mergedId": world.survivor });
        let unknown = json!({ "survivorId": world.survivor, "mergedId": "org_01h455vb4pex5vsknk084sn02q" });
        let mut stale = world.input();
        stale["mergedVersion"] = json!(99);
        // Calder & Moss is another's key account, and so is Aire Valley Robotics.
        let calder = world.organisation_named("Calder & Moss LLP").await;
        let claimed = json!({ "survivorId": calder.id, "mergedId": world.merged });
        for (input, code) in [(itself, "INVALID"), (unknown, "NOT_FOUND"), (stale, "STALE"), (claimed, "WRONG_STATE")] {
            let answer = world.admin.graphql(MERGE, json!({ "input": input })).await;
            assert!(answer.refusals().iter().all(|refusal| *refusal == code), "{input}: {answer:?}");
            assert!(!answer.refusals().is_empty(), "{input}");
        }
        let answer = untrained.graphql(MERGE, json!({ "input": world.input() })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
        assert_eq!(world.snapshot().await, before);
    }

    async fn a_head_office_that_goes_into_its_division_leaves_no_circle(bed: TestBed) {
        let world = World::open(&bed).await;
        let castings = world.organisation_named("Robot Castings").await;
        assert_eq!(castings.parent_id, Some(world.merged), "the control");
        world.merged(&json!({ "survivorId": castings.id, "mergedId": world.merged })).await;
        assert_eq!(world.organisation_named("Robot Castings").await.parent_id, None);
    }

    async fn of_two_who_merge_the_same_record_at_once_one_finds_it_gone(bed: TestBed) {
        let world = World::open(&bed).await;
        let other = world.create(json!({ "name": "Wharfe Robotics", "confirmNotDuplicate": true })).await;
        let into_other = json!({ "survivorId": other, "mergedId": world.merged });
        let (one, two) = tokio::join!(
            world.admin.graphql(MERGE, json!({ "input": world.input() })),
            world.admin.graphql(MERGE, json!({ "input": into_other })),
        );
        let mut refusals = [one.refusals(), two.refusals()].concat();
        refusals.sort_unstable();
        assert_eq!(refusals, ["NOT_FOUND"], "{one:?} {two:?}");
        let merges = entity::merge::Entity::find().count(world.system.store().reader()).await.unwrap();
        assert_eq!(merges, 1);
    }

    /// The control: both read the record without its lock and both see it there. Only the index stops the second then, with
    /// a fault instead of an answer. On SQLite there is one writer at a time anyway.
    async fn without_the_lock_both_would_see_the_record(bed: TestBed) {
        if bed.column() == Column::SqliteMemory {
            return;
        }
        let world = World::open(&bed).await;
        let store = world.system.store();
        let (one, two) = (store.reader().begin().await.unwrap(), store.reader().begin().await.unwrap());
        for tx in [&one, &two] {
            let found = organisation::Entity::find_by_id(world.merged).one(tx).await.unwrap();
            assert!(found.is_some(), "each sees it");
        }
        let record = || entity::merge::Model {
            id: MergeId::new_at(store.now()),
            kind: MergeKind::Organisation,
            survivor_id: world.survivor.uuid(),
            merged_id: world.merged.uuid(),
            merged_name: None,
            source_key: None,
            merged_by: None,
            merged_at: store.now(),
            undone_by: None,
            undone_at: None,
        }
        .into_active_model()
        .reset_all();
        record().insert(&one).await.unwrap();
        one.commit().await.unwrap();
        let second = record().insert(&two).await.unwrap_err();
        assert!(matches!(second.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{second}");
    }

    async fn an_import_knows_a_merged_organisation_by_its_old_key(bed: TestBed) {
        use domain::{Viewer, import::{Import, Row}, organisation::{Profile, import::{OrganisationRow, Organisations}}};

        let world = World::open(&bed).await;
        let store = world.system.store();
        let says = || OrganisationRow { source_key: Some("K-17".to_owned()), profile: Profile::named("Kirkstall Forge") };
        let row = || Row { line: 2, says: says() };
        let import = async || {
            let mut tx = store.begin().await.unwrap();
            let mut import = Organisations::default();
            import.add(&mut tx, vec![row()]).await.unwrap();
            let outcome = import.finish(&mut tx, &Viewer::system(), "forges.csv").await.unwrap();
            tx.commit().await.unwrap();
            (outcome.created, outcome.unchanged)
        };
        assert_eq!(import().await, (1, 0));
        let imported = world.organisation_named("Kirkstall Forge").await;
        world.merged(&json!({ "survivorId": world.survivor, "mergedId": imported.id })).await;
        assert_eq!(import().await, (0, 1));
    }

    async fn the_key_account_operator_is_told_of_a_merge_and_of_its_undoing_and_nobody_else(bed: TestBed) {
        let world = World::open(&bed).await;
        let db = world.system.store().reader();
        let told = async || {
            let letters = delivery::Entity::find()
                .filter(delivery::Column::Template.eq("key_account_merged"))
                .order_by_asc(delivery::Column::Id)
                .all(db)
                .await
                .unwrap();
            let told = letters.into_iter().map(|letter| (letter.address, letter.fields["is_undone"].clone()));
            told.collect::<Vec<_>>()
        };
        let mut tried = world.input();
        tried["dryRun"] = json!(true);
        world.merged(&tried).await;
        assert!(told().await.is_empty(), "a dry run tells nobody");
        let merge = world.merged(&world.input()).await["merge"]["id"].clone();
        let operator = "operator@demo.mycareer.test".to_owned();
        assert_eq!(told().await, [(operator.clone(), json!(false))]);
        support::until(std::time::Duration::from_secs(30), "the mail", async || {
            let mails = crate::delivered::told(&bed, "Key account merged: Aire Valley Robotics Ltd and Aire Valley Robotics plc");
            (mails.len() == 1).then_some(())
        })
        .await;
        bed.clock().advance(chrono::TimeDelta::minutes(1));
        let undone = world.admin.data(UNDO, json!({ "input": { "mergeId": merge } })).await;
        assert_eq!(undone["undoMerge"]["outcome"]["isUndone"], true, "{undone}");
        assert_eq!(told().await, [(operator.clone(), json!(false)), (operator, json!(true))]);
    }

    async fn a_claim_and_its_guidance_go_with_the_contacts(bed: TestBed) {
        let world = World::open(&bed).await;
        let db = world.system.store().reader();
        let held = key_account_contact::Entity::find().count(db).await.unwrap();
        world.merged(&world.input()).await;
        assert_eq!(key_account_contact::Entity::find().count(db).await.unwrap(), held);
        let account = user::Entity::find()
            .filter(user::Column::Email.eq("employer@demo.mycareer.test"))
            .one(db)
            .await
            .unwrap()
            .unwrap();
        assert!(account.contact_id.is_some());
    }
}

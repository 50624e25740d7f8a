//! Subject access and erasure, held against a scan of all tables that knows nothing of the declarations.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Store, Viewer, audit,
    data_protection::{self, Person, Run},
};
use entity::{
    booking::{self, BookingState},
    delivery::{self, DeliveryState},
    job::{self, JobState},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    Statement,
};
use serde_json::json;
use support::{System, keep_values_of, on_both_columns, until};

const CANCEL: &str = "mutation($id: ID!) {
    cancelBooking(input: { bookingId: $id }) { booking { state } userErrors { code message } } }";
const RENAME: &str = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code message } } }";
const NOTE: &str = "mutation($input: AddNoteInput!) {
    addNote(input: $input) { note { id } userErrors { code field message } } }";

/// The columns of every table.
async fn tables(store: &Store) -> BTreeMap<String, Vec<String>> {
    let query = match store.backend() {
        DbBackend::Sqlite => {
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> 'seaql_migrations'
             AND t.name NOT GLOB 'search_*'"
        }
        _ => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name <> 'seaql_migrations'"
        }
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let statement = Statement::from_string(store.backend(), query);
    for row in store.reader().query_all_raw(statement).await.unwrap() {
        let table = row.try_get_by_index(0).unwrap();
        tables
            .entry(table)
            .or_default()
            .push(row.try_get_by_index(1).unwrap());
    }
    tables
}

async fn count(store: &Store, table: &str, condition: &str) -> i64 {
    let query = format!("SELECT COUNT(*) FROM \"{table}\" WHERE {condition}");
    let statement = Statement::from_string(store.backend(), query);
    let row = store
        .reader()
        .query_one_raw(statement)
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}

/// In how many rows of which table a column is one of these ids or texts.
pub async fn rows_with(store: &Store, person: &Person) -> BTreeMap<String, usize> {
    let uuids = person.accounts.iter().map(|row| row.id.uuid());
    let uuids = uuids.chain(person.contacts.iter().map(|row| row.id.uuid()));
    let ids: Vec<String> = if store.backend() == DbBackend::Sqlite {
        uuids
            .map(|id| format!("hex(#) = '{}'", id.simple().to_string().to_uppercase()))
            .collect()
    } else {
        uuids
            .map(|id| format!("CAST(# AS TEXT) = '{id}'"))
            .collect()
    };
    let texts = person.addresses().into_iter().chain(person.written_ids());
    let conditions: Vec<String> = ids
        .into_iter()
        .chain(texts.map(|text| format!("CAST(# AS TEXT) = '{text}'")))
        .collect();
    let mut found = BTreeMap::new();
    for (table, columns) in tables(store).await {
        let any: Vec<String> = columns
            .iter()
            .flat_map(|column| {
                conditions
                    .iter()
                    .map(move |c| c.replace('#', &format!("\"{column}\"")))
            })
            .collect();
        let rows = count(store, &table, &any.join(" OR ")).await;
        if rows > 0 {
            found.insert(table, usize::try_from(rows).unwrap());
        }
    }
    found
}

/// The columns in which any of these values stands.
pub async fn columns_with(store: &Store, values: &[String]) -> Vec<String> {
    let find = if store.backend() == DbBackend::Sqlite {
        "instr"
    } else {
        "strpos"
    };
    let mut found = Vec::new();
    for (table, columns) in tables(store).await {
        for column in columns {
            let any: Vec<String> = values
                .iter()
                .map(|value| {
                    format!(
                        "{find}(lower(CAST(\"{column}\" AS TEXT)), '{}') > 0",
                        value.to_lowercase()
                    )
                })
                .collect();
            if count(store, &table, &any.join(" OR ")).await > 0 {
                found.push(format!("{table}.{column}"));
            }
        }
    }
    found
}

/// Waits until every job that is due is done and every mail is sent: what comes later would change what a test counts.
pub async fn nothing_is_on_its_way(store: &Store) {
    until(
        Duration::from_secs(30),
        "all work is done and all mail sent",
        async || {
            let due = job::Column::RunAt.lte(store.now());
            let waits = job::Column::State.eq(JobState::Queued).and(due);
            let jobs = job::Entity::find()
                .filter(job::Column::State.eq(JobState::Running).or(waits))
                .count(store.reader())
                .await
                .unwrap();
            let mails = delivery::Entity::find()
                .filter(
                    delivery::Column::State.is_in([DeliveryState::Queued, DeliveryState::Sending]),
                )
                .count(store.reader())
                .await
                .unwrap();
            (jobs + mails == 0).then_some(())
        },
    )
    .await;
}

/// The employer is written about, the student gives up what they booked.
async fn prepare(system: &System) {
    let operator = system.demo_client("operator").await;
    let employer = Person::find(system.store().reader(), "employer@demo.mycareer.test")
        .await
        .unwrap();
    let contact = &employer.contacts[0];
    let input = json!({
        "organisationId": contact.organisation_id, "contactId": contact.id, "kind": "CALL",
        "body": format!("{} asked us to write to {}.", contact.name, employer.addresses()[0]),
    });
    let told = operator.data(NOTE, json!({ "input": input })).await;
    assert_eq!(told["addNote"]["userErrors"], json!([]));
    // The audit log keeps what the contact's name was.
    let input = json!({ "id": contact.id, "version": contact.version, "name": format!("{} Byrne", contact.name) });
    let renamed = operator.data(RENAME, json!({ "input": input })).await;
    assert_eq!(renamed["updateContact"]["userErrors"], json!([]));

    let student = Person::find(system.store().reader(), "student1@demo.mycareer.test")
        .await
        .unwrap();
    let client = system.demo_client("student1").await;
    let live = booking::Entity::find()
        .filter(booking::Column::UserId.eq(student.accounts[0].id))
        .filter(booking::Column::State.is_in([
            BookingState::Booked,
            BookingState::Waiting,
            BookingState::Offered,
        ]))
        .all(system.store().reader())
        .await
        .unwrap();
    for row in live {
        client.data(CANCEL, json!({ "id": row.id })).await;
    }
    nothing_is_on_its_way(system.store()).await;
}

on_both_columns! {
    async fn the_export_of_a_person_has_every_row_and_no_other_person(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        prepare(&system).await;
        let store = system.store();
        for mailbox in ["student1", "employer", "operator"] {
            let email = format!("{mailbox}@demo.mycareer.test");
            let person = Person::find(store.reader(), &email).await.unwrap();
            let expected = rows_with(store, &person).await;
            let mut tx = store.begin().await.unwrap();
            let export = data_protection::export(&mut tx, &Viewer::system(), &email).await.unwrap();
            drop(tx);
            let mut found: BTreeMap<String, usize> = export
                .tables
                .iter()
                .map(|part| (part.table.to_owned(), part.about_them.len() + part.by_them.len()))
                .collect();
            // Known by the session, and by the hash of the address.
            found.remove("refresh_token");
            found.remove("suppression");
            found.remove("held_address");
            assert_eq!(found, expected, "{mailbox}");

            let text = serde_json::to_string(&export).unwrap().to_lowercase();
            assert!(text.contains(&email));
            for other in ["student1", "employer", "operator", "superuser"] {
                let address = format!("{other}@demo.mycareer.test");
                assert!(other == mailbox || !text.contains(&address), "{other} in that of {mailbox}");
            }
            assert!(!text.contains("argon2"), "a password's hash");
        }
    }

    async fn somebody_else_gets_no_export_and_erases_nobody(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let operator = Person::find(store.reader(), "operator@demo.mycareer.test").await.unwrap();
        let viewer = Viewer::load(store.reader(), operator.accounts[0].id, None, store.now())
            .await
            .unwrap()
            .unwrap();
        let mut tx = store.begin().await.unwrap();
        let student = "student1@demo.mycareer.test";
        assert!(data_protection::export(&mut tx, &viewer, student).await.is_err());
        assert!(data_protection::erase(&mut tx, &viewer, student, "asked", Run::Real).await.is_err());
        let own = "operator@demo.mycareer.test";
        assert!(data_protection::export(&mut tx, &viewer, own).await.is_ok());
    }

    async fn after_erasure_no_table_has_their_values_and_the_log_says_so(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        prepare(&system).await;
        let store = system.store();
        let bookings = booking::Entity::find().count(store.reader()).await.unwrap();
        for mailbox in ["student1", "employer", "operator"] {
            let email = format!("{mailbox}@demo.mycareer.test");
            let values = Person::find(store.reader(), &email).await.unwrap().values();
            assert!(values.len() >= 2, "{values:?}");
            // The scan would find them.
            assert!(columns_with(store, &values).await.len() >= 2);

            let mut tx = store.begin().await.unwrap();
            let dry = data_protection::erase(&mut tx, &Viewer::system(), &email, "asked", Run::Dry).await.unwrap();
            drop(tx);
            assert!(columns_with(store, &values).await.len() >= 2, "a dry run changes nothing");

            keep_values_of(store.reader()).await;
            let mut tx = store.begin().await.unwrap();
            let done = data_protection::erase(&mut tx, &Viewer::system(), &email, "asked", Run::Real).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(done, dry);
            assert_eq!(columns_with(store, &values).await, [""; 0], "{mailbox}");
            assert!(Person::find(store.reader(), &email).await.is_err());
        }
        assert_eq!(booking::Entity::find().count(store.reader()).await.unwrap(), bookings);
        let mut tx = store.begin().await.unwrap();
        audit::seal(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        let report = audit::verify(store, None).await.unwrap();
        assert!(report.fault.is_none(), "{report:?}");
        assert!(report.erased > 0, "the audit log named them: {report:?}");
    }
}

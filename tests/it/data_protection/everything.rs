//! Somebody who touched everything: their copy has every row, and after erasure nothing has their values. Which tables and
//! columns that are, the declarations say, so that a new one without a row here fails.

mod rows;

use std::collections::BTreeMap;

use domain::{
    Store, Viewer, audit,
    data_protection::{self, Person, Run},
    suppression::AddressKey,
};
use entity::{
    contact,
    ids::{ContactId, SessionId, UserId},
    personal_data::{ALL, Erased, Holding, Holds, Key},
    session, user,
};
use sea_orm::{ColumnType, ConnectionTrait, DbBackend, EntityTrait, Statement, Value as Bound};
use support::{keep_values_of, on_both_columns, put};
use uuid::Uuid;

pub use self::rows::rows;
use super::person::{columns_with, nothing_is_on_its_way, rows_with};

const NAME: &str = "Zebedee Quillfeather";
const EMAIL: &str = "zebedee.quillfeather@everything.test";
const TELEPHONE: &str = "0113 496 7351";

/// Who they are in the tables.
struct Everybody {
    account: Uuid,
    contact: Uuid,
    session: Uuid,
    address_hash: String,
    written: String,
}

impl Everybody {
    /// An operator who is also a contact at an employer: one address, one person.
    async fn appear(store: &Store) -> Self {
        let like = user::Entity::find()
            .all(store.reader())
            .await
            .unwrap()
            .into_iter()
            .find(|account| account.email.starts_with("operator@"))
            .unwrap();
        let account = user::Model {
            id: UserId::new_at(store.now()),
            email: EMAIL.to_owned(),
            name: NAME.to_owned(),
            ..like
        };
        let like = contact::Entity::find()
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let contact = contact::Model {
            id: ContactId::new_at(store.now()),
            name: NAME.to_owned(),
            email: Some(EMAIL.to_owned()),
            telephone: Some(TELEPHONE.to_owned()),
            ..like
        };
        let session = session::Model {
            id: SessionId::new_at(store.now()),
            user_id: account.id,
            created_at: store.now(),
            expires_at: store.now(),
            ended_at: None,
            end_reason: None,
            last_used_at: None,
            device: None,
            network: None,
        };
        let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
        let hash = key.hash(EMAIL).unwrap();
        let everybody = Self {
            account: account.id.into(),
            contact: contact.id.into(),
            session: session.id.into(),
            address_hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            written: account.id.to_string(),
        };
        put::<user::Entity>(store, account).await;
        put::<contact::Entity>(store, contact).await;
        put::<session::Entity>(store, session).await;
        everybody
    }

    /// What makes a column theirs; none when it is nobody's.
    fn value(&self, column: &str, holds: Holds, kind: &ColumnType) -> Option<Bound> {
        let words = format!("{column}: {NAME}, {EMAIL}, {TELEPHONE}");
        let text = || match kind {
            ColumnType::Json | ColumnType::JsonBinary => {
                serde_json::json!({ "said": words }).into()
            }
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => {
                words.clone().into_bytes().into()
            }
            _ => words.clone().into(),
        };
        match holds {
            Holds::Nothing | Holds::Secret(_) | Holds::Sealed | Holds::Value(Erased::Stays) => None,
            Holds::Subject(Key::Account) | Holds::Hand => Some(self.account.into()),
            Holds::Subject(Key::Contact) => Some(self.contact.into()),
            Holds::Subject(Key::Session) => Some(self.session.into()),
            Holds::Subject(Key::Address) => Some(EMAIL.into()),
            Holds::Subject(Key::AddressHash) => Some(self.address_hash.clone().into()),
            Holds::Subject(Key::Written) => Some(self.written.clone().into()),
            Holds::Value(_) | Holds::Words => Some(text()),
        }
    }
}

/// The tables that hold something of somebody, but for those that are the person.
fn tables() -> impl Iterator<Item = &'static Holding> {
    ALL.iter().copied().filter(|holding| {
        let personal = |(_, holds): (_, Holds)| !matches!(holds, Holds::Nothing | Holds::Secret(_));
        !["user_account", "contact", "session", "audit_entry"].contains(&holding.table)
            && holding.columns().any(personal)
    })
}

/// Makes one row of a table theirs, with their values wherever there can be any.
async fn touch(store: &Store, holding: &Holding, person: &Everybody) {
    let types: BTreeMap<_, _> = (holding.types)().into_iter().collect();
    let mut values = Vec::new();
    let mut set = Vec::new();
    for (column, holds) in holding.columns() {
        if let Some(value) = person.value(column, holds, &types[column]) {
            values.push(value);
            set.push(format!("\"{column}\" = ${}", values.len()));
        }
    }
    let place = if store.backend() == DbBackend::Sqlite {
        "rowid"
    } else {
        "ctid"
    };
    let table = holding.table;
    let text = format!(
        "UPDATE \"{table}\" SET {} WHERE {place} = (SELECT {place} FROM \"{table}\" LIMIT 1)",
        set.join(", ")
    );
    let statement = Statement::from_sql_and_values(store.backend(), text.clone(), values);
    let changed = store
        .reader()
        .execute_raw(statement)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(
        changed.rows_affected(),
        1,
        "{table} has no row that could be theirs: let `rows` below make one"
    );
}

on_both_columns! {
    async fn the_copy_of_a_person_who_touched_everything_has_every_row_and_after_erasure_nothing_has_their_values(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        nothing_is_on_its_way(store).await;
        rows(&system, store).await;
        let everybody = Everybody::appear(store).await;
        let mut empty = Vec::new();
        for holding in tables() {
            let count = Statement::from_string(store.backend(), format!("SELECT 1 FROM \"{}\" LIMIT 1", holding.table));
            if store.reader().query_one_raw(count).await.unwrap().is_none() {
                empty.push(holding.table);
            }
        }
        assert_eq!(empty, [""; 0], "nobody can have touched these: let `rows` make a row");
        for holding in tables() {
            touch(store, holding, &everybody).await;
        }
        let settled = "UPDATE booking SET state = 'ATTENDED' WHERE state IN ('BOOKED', 'WAITING', 'OFFERED')";
        store.reader().execute_unprepared(settled).await.unwrap();
        // The audit log is written, never changed.
        let person = Person::find(store.reader(), EMAIL).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let by = Viewer::load(store.reader(), person.accounts[0].id, None, store.now()).await.unwrap().unwrap();
        let words = serde_json::json!({ "name": NAME, "email": EMAIL, "telephone": TELEPHONE });
        tx.audit(&by, "test.by_them", "elsewhere", None, Some(words.clone())).await.unwrap();
        tx.audit(&Viewer::system(), "test.about_them", person.accounts[0].id, Some(words), None).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let export = data_protection::export(&mut tx, &Viewer::system(), EMAIL).await.unwrap();
        drop(tx);
        let mut found: BTreeMap<String, usize> = export
            .tables
            .iter()
            .map(|part| (part.table.to_owned(), part.about_them.len() + part.by_them.len()))
            .collect();
        for holding in ALL {
            let theirs = holding.columns().any(|(_, holds)| matches!(holds, Holds::Subject(_) | Holds::Hand));
            assert!(!theirs || found.contains_key(holding.table), "{} is missing in the copy", holding.table);
        }
        // Known by the session, and by the hash of the address.
        found.remove("refresh_token");
        found.remove("suppression");
        found.remove("held_address");
        assert_eq!(found, rows_with(store, &person).await);

        let values = person.values();
        for value in [NAME, EMAIL, TELEPHONE] {
            assert!(values.iter().any(|known| known == value), "{value}");
        }
        // Each table had them, as a scan says that knows nothing of the declarations.
        let before = columns_with(store, &values).await;
        for holding in tables() {
            let can = |(_, holds): (_, Holds)| {
                matches!(holds, Holds::Words | Holds::Value(Erased::Null | Erased::Word | Erased::EmptyObject | Erased::Unique))
            };
            let has = before.iter().any(|column| column.starts_with(&format!("{}.", holding.table)));
            assert!(has || !holding.columns().any(can), "{} did not have their values", holding.table);
        }

        keep_values_of(store.reader()).await;
        let mut tx = store.begin().await.unwrap();
        let erased = data_protection::erase(&mut tx, &Viewer::system(), EMAIL, "asked", Run::Real).await.unwrap();
        tx.commit().await.unwrap();
        assert!(erased.len() > 20, "{erased:?}");
        assert_eq!(columns_with(store, &values).await, [""; 0], "tables");
        let mut log = String::new();
        let (viewer, everything) = (Viewer::system(), audit::Filter::default());
        let mut tx = store.begin().await.unwrap();
        let last = audit::begin_export(&mut tx, &viewer, &everything).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let mut after = None;
        loop {
            let page = audit::next_lines(store.reader(), &viewer, &everything, after, last).await.unwrap();
            let Some(end) = page.last() else { break };
            after = Some(end.id);
            for entry in &page {
                log.push_str(&audit::line(&viewer, entry).to_string());
            }
        }
        let written = person.written_ids().join(" ");
        assert!(log.contains("test.by_them") && log.contains(&written), "the pseudonym stays");
        for value in &values {
            assert!(!log.to_lowercase().contains(&value.to_lowercase()), "the log has {value}");
        }
        // Whoever is left has nothing of them in their own copy.
        for other in ["admin", "operator", "employer", "student1"] {
            let email = format!("{other}@demo.mycareer.test");
            let mut tx = store.begin().await.unwrap();
            let copy = data_protection::export(&mut tx, &Viewer::system(), &email).await.unwrap();
            drop(tx);
            let copy = serde_json::to_string(&copy).unwrap().to_lowercase();
            for value in &values {
                assert!(!copy.contains(&value.to_lowercase()), "the copy of {other} has {value}");
            }
        }
        let mut tx = store.begin().await.unwrap();
        audit::seal(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(audit::verify(store, None).await.unwrap().fault, None);
    }
}

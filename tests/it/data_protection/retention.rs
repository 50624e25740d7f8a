//! Retention periods act by themselves (domain, "Data protection"): on either side of each one that is declared.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Store, Viewer, audit, data_protection};
use entity::{
    audit_entry,
    contact::{self, ContactState},
    credential, delivery,
    ids::{ContactId, UserId},
    personal_data::{ALL, Erasure, Holds, Until},
    user::{self, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, Statement, sea_query::Expr,
};
use serde_json::json;
use support::{keep_values_of, on_both_columns};

use super::{everything::rows, person::nothing_is_on_its_way};

const CHANGE: &str = "mutation($input: UpdateContactInput!) { updateContact(input: $input) {
    userErrors { code field message } } }";

/// The tables whose rows or values go after a time: after how many days, and counted from which column.
fn periods() -> impl Iterator<Item = (&'static str, u16, &'static str)> {
    ALL.iter()
        .filter_map(|holding| match holding.retention.until {
            Until::RowFor(days, after)
            | Until::ValuesFor(days, after)
            | Until::LapsesFor(days, after, _) => Some((holding.table, days, after)),
            // Nobody can make a line of the audit log older: it has a test of its own.
            Until::DetailsFor(..)
            | Until::Always
            | Until::Erasure
            | Until::OwnRule(_)
            | Until::RowByState(..) => None,
        })
}

/// The tables whose rows go, with how many they have.
async fn rows_that_go(store: &Store) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for holding in ALL {
        if matches!(holding.retention.until, Until::RowFor(..)) {
            let text = format!("SELECT COUNT(*) AS count FROM \"{}\"", holding.table);
            let found = store
                .reader()
                .query_one_raw(Statement::from_string(store.backend(), text))
                .await
                .unwrap()
                .unwrap();
            counts.insert(holding.table, found.try_get("", "count").unwrap());
        }
    }
    counts
}

/// Everything with a period becomes as old as that, give or take a second.
async fn age(store: &Store, by: impl Fn(DateTime<Utc>) -> DateTime<Utc>) {
    for (table, days, after) in periods() {
        let limit = store.now() - TimeDelta::days(days.into());
        let statement = Statement::from_sql_and_values(
            store.backend(),
            format!("UPDATE \"{table}\" SET \"{after}\" = $1"),
            [by(limit).into()],
        );
        store.reader().execute_raw(statement).await.unwrap();
    }
}

/// Somebody has signed in with their password just now.
async fn signed_in(store: &Store, id: UserId) {
    credential::Entity::update_many()
        .col_expr(credential::Column::LastUsedAt, Expr::value(store.now()))
        .filter(credential::Column::UserId.eq(id))
        .exec(store.reader())
        .await
        .unwrap();
}

/// As the job does it: again, while there may be more to do.
async fn apply(store: &Store) {
    loop {
        let mut tx = store.begin().await.unwrap();
        let applied = data_protection::apply_retention(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        if !applied.is_more {
            return;
        }
    }
}

async fn name_of(store: &Store, id: ContactId) -> String {
    let found = contact::Entity::find_by_id(id)
        .one(store.reader())
        .await
        .unwrap();
    found.unwrap().name
}

/// How many lines about this subject tell what was before or after.
async fn told_of(store: &Store, subject: &str) -> usize {
    let lines = audit_entry::Entity::find()
        .filter(audit_entry::Column::Subject.eq(subject))
        .all(store.reader())
        .await
        .unwrap();
    let tells = |line: &&audit_entry::Model| line.before.is_some() || line.after.is_some();
    lines.iter().filter(tells).count()
}

/// The audit log is whole, whatever went.
async fn whole(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    while audit::seal(&mut tx).await.unwrap() > 0 {}
    tx.commit().await.unwrap();
    let report = audit::verify(store, None).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
}

/// Contacts that nobody signs in as.
async fn without_account(store: &Store) -> Vec<contact::Model> {
    let contacts = contact::Entity::find()
        .order_by_asc(contact::Column::Id)
        .all(store.reader())
        .await
        .unwrap();
    let accounts = user::Entity::find().all(store.reader()).await.unwrap();
    contacts
        .into_iter()
        .filter(|contact| {
            accounts
                .iter()
                .all(|account| account.contact_id != Some(contact.id))
        })
        .collect()
}

/// Two contacts, of an organisation each, with the same address.
async fn two_contacts(store: &Store, address: &str) -> (ContactId, ContactId) {
    let system = Viewer::system();
    let mut tx = store.begin().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..2 {
        let profile = domain::organisation::Profile::named(format!("Organisation {number}"));
        let organisation = domain::organisation::create(&mut tx, &system, profile, true)
            .await
            .unwrap();
        let mut person = domain::contact::Profile::named(format!("Person {number}"));
        person.email = Some(address.to_owned());
        let made = domain::contact::create(&mut tx, &system, organisation.id, person)
            .await
            .unwrap();
        ids.push(made.id);
    }
    tx.commit().await.unwrap();
    (ids[0], ids[1])
}

async fn leave(store: &Store, id: ContactId) {
    let found = contact::Entity::find_by_id(id).one(store.reader()).await;
    let mut row = found.unwrap().unwrap().into_active_model();
    row.state = Set(ContactState::Inactive);
    row.updated_at = Set(store.now());
    row.update(store.reader()).await.unwrap();
}

/// Nothing is kept of people without saying until when or why: a table that only says "always" has reasons of its own.
#[test]
fn every_table_with_people_in_it_says_how_long_it_is_kept_or_why() {
    for holding in ALL.iter().filter(|holding| holding.what.is_some()) {
        let why = holding.retention.why;
        assert!(why.split(' ').count() >= 4, "{}: {why:?}", holding.table);
        let has_rows_of_somebody = holding
            .columns()
            .any(|(_, holds)| matches!(holds, Holds::Subject(_)));
        let for_ever = holding.retention.until == Until::Always;
        // Who is the subject of a row that stays is taken out of it: by their record's lapse or their erasure.
        assert!(
            !(for_ever && has_rows_of_somebody && holding.erasure == Erasure::Delete),
            "{} says that it is kept always and that it goes",
            holding.table
        );
    }
}

on_both_columns! {
    async fn what_was_kept_long_enough_goes_by_itself_and_what_was_not_stays(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        rows(&system, store).await;
        nothing_is_on_its_way(store).await;
        let contacts = without_account(store).await;
        let (inactive, active) = (contacts[0].clone(), contacts[1].clone());
        let mut row = inactive.clone().into_active_model();
        row.state = Set(ContactState::Inactive);
        row.update(store.reader()).await.unwrap();
        let mails = delivery::Entity::find().all(store.reader()).await.unwrap();
        let before = rows_that_go(store).await;
        assert!(before.values().all(|count| *count > 0), "{before:?}");

        keep_values_of(store.reader()).await;

        age(store, |limit| limit + TimeDelta::seconds(1)).await;
        apply(store).await;
        assert_eq!(rows_that_go(store).await, before, "nothing goes a second too early");
        assert_eq!(name_of(store, inactive.id).await, inactive.name);

        age(store, |limit| limit - TimeDelta::seconds(1)).await;
        apply(store).await;
        let after = rows_that_go(store).await;
        assert!(after.values().all(|count| *count == 0), "{after:?}");
        assert_ne!(name_of(store, inactive.id).await, inactive.name);
        assert_eq!(name_of(store, active.id).await, active.name, "only the values of inactive contacts go");
        let mut left = delivery::Entity::find().all(store.reader()).await.unwrap();
        // Accounts that nobody has used as long are closed meanwhile, and their people told.
        left.retain(|mail| mail.template != "account_closed");
        assert_eq!(left.len(), mails.len(), "mails are counted for ever");
        assert!(left.iter().all(|mail| mails.iter().all(|before| before.address != mail.address)));
        system.stop().await;
    }

    async fn the_record_of_a_contact_who_left_goes_with_its_details_in_the_audit_log(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = &system.store().clone();
        let operator = system.demo_client("operator").await;
        let contacts = without_account(store).await;
        let (leaver, other) = (contacts[0].clone(), contacts[1].clone());
        for (person, address) in [(&leaver, "leaver@left.test"), (&other, "other@left.test")] {
            let input = json!({ "id": person.id, "version": person.version, "email": address });
            assert_eq!(operator.data(CHANGE, json!({ "input": input })).await["updateContact"]["userErrors"], json!([]));
        }
        // Another's line that has the address in it.
        let mut tx = store.begin().await.unwrap();
        let what = Some(json!({ "to": "Leaver@Left.test" }));
        tx.audit(&Viewer::system(), "test.mention", "elsewhere", None, what).await.unwrap();
        tx.commit().await.unwrap();
        let input = json!({ "id": leaver.id, "version": leaver.version + 1, "state": "INACTIVE" });
        assert_eq!(operator.data(CHANGE, json!({ "input": input })).await["updateContact"]["userErrors"], json!([]));
        nothing_is_on_its_way(store).await;
        keep_values_of(store.reader()).await;
        // Nothing but what is called here runs while years go by.
        system.stop().await;
        let details = async |subject: &str| told_of(store, subject).await;
        let (of_leaver, of_other) = (details(&leaver.id.to_string()).await, details(&other.id.to_string()).await);
        assert!(of_leaver >= 2 && of_other >= 1);

        bed.clock().advance(TimeDelta::days(3 * 365 - 1));
        apply(store).await;
        assert_eq!(name_of(store, leaver.id).await, leaver.name, "nothing goes a day too early");
        assert_eq!(details(&leaver.id.to_string()).await, of_leaver);

        bed.clock().advance(TimeDelta::days(2));
        apply(store).await;
        assert_eq!(name_of(store, leaver.id).await, "[erased]");
        assert_eq!(details(&leaver.id.to_string()).await, 0);
        assert_eq!(details("elsewhere").await, 0, "a line that has their address, however it is written");
        assert_eq!((name_of(store, other.id).await, details(&other.id.to_string()).await), (other.name, of_other), "the control");
        whole(store).await;
        // A second run finds nothing more to do for them.
        let mut tx = store.begin().await.unwrap();
        let again = data_protection::apply_retention(&mut tx).await.unwrap();
        assert!(again.rows.iter().all(|(table, _)| *table != "contact"), "{again:?}");
        drop(tx);
    }

    async fn an_address_that_another_record_has_is_left_where_it_stands(bed: TestBed) {
        let store = bed.store().await;
        let (leaver, other) = two_contacts(&store, "shared@left.test").await;
        let mut tx = store.begin().await.unwrap();
        let what = Some(json!({ "to": "shared@left.test" }));
        tx.audit(&Viewer::system(), "test.mention", "elsewhere", None, what).await.unwrap();
        tx.commit().await.unwrap();
        leave(&store, leaver).await;
        bed.clock().advance(TimeDelta::days(3 * 365 + 1));
        apply(&store).await;
        assert_eq!(name_of(&store, leaver).await, "[erased]");
        assert_eq!(name_of(&store, other).await, "Person 1");
        assert_eq!(told_of(&store, "elsewhere").await, 1);
    }

    async fn a_contact_whose_account_is_in_use_does_not_lapse_and_a_closed_account_does(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = &system.store().clone();
        let account = super::super::super_user_group::account(&system, "employer").await;
        let student = super::super::super_user_group::account(&system, "student1").await;
        let contact = account.contact_id.unwrap();
        leave(store, contact).await;
        nothing_is_on_its_way(store).await;
        keep_values_of(store.reader()).await;
        system.stop().await;
        let name = name_of(store, contact).await;
        bed.clock().advance(TimeDelta::days(3 * 365 + 1));
        signed_in(store, account.id).await;
        apply(store).await;
        assert_eq!(name_of(store, contact).await, name, "who still signs in hasn't left");

        let mut row = account.clone().into_active_model();
        row.state = Set(UserState::Suspended);
        row.updated_at = Set(store.now());
        row.update(store.reader()).await.unwrap();
        let credentials = async || {
            credential::Entity::find()
                .filter(credential::Column::UserId.eq(account.id))
                .count(store.reader())
                .await
                .unwrap()
        };
        assert!(credentials().await > 0);
        apply(store).await;
        assert_eq!(name_of(store, contact).await, "[erased]", "the contact's time was over");
        let closed = user::Entity::find_by_id(account.id).one(store.reader()).await.unwrap().unwrap();
        assert!(closed.name == "[erased]" && closed.email.ends_with("@erased.invalid"), "{}", closed.name);
        assert_eq!(credentials().await, 0, "and what let them in");

        // Staff and students are no contacts: theirs lapses by itself, three years after it was closed.
        let mut row = student.clone().into_active_model();
        row.state = Set(UserState::Suspended);
        row.updated_at = Set(store.now());
        row.update(store.reader()).await.unwrap();
        let name = async || user::Entity::find_by_id(student.id).one(store.reader()).await.unwrap().unwrap().name;
        bed.clock().advance(TimeDelta::days(3 * 365 - 1));
        apply(store).await;
        assert_eq!(name().await, student.name);
        bed.clock().advance(TimeDelta::days(2));
        apply(store).await;
        assert_eq!(name().await, "[erased]");
        whole(store).await;
    }

    async fn an_account_that_nobody_uses_is_closed_and_lapses_in_its_time(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = &system.store().clone();
        let mut people = Vec::new();
        for mailbox in ["student1", "student2", "operator", "admin", "superuser"] {
            people.push(super::super::super_user_group::account(&system, mailbox).await);
        }
        nothing_is_on_its_way(store).await;
        keep_values_of(store.reader()).await;
        system.stop().await;
        let states = async || {
            let mut states = Vec::new();
            for account in &people {
                let row = user::Entity::find_by_id(account.id).one(store.reader()).await.unwrap().unwrap();
                states.push(row.state == UserState::Active);
            }
            states
        };
        bed.clock().advance(TimeDelta::days(2 * 365 - 1));
        signed_in(store, people[1].id).await;
        apply(store).await;
        assert_eq!(states().await, [true; 5], "not a day too early");
        bed.clock().advance(TimeDelta::days(2));
        apply(store).await;
        assert_eq!(states().await, [false, true, false, true, true], "who signs in stays, and so do those who look after the system");
        let told: Vec<_> = delivery::Entity::find()
            .filter(delivery::Column::UserId.eq(people[0].id))
            .all(store.reader())
            .await
            .unwrap()
            .into_iter()
            .filter(|letter| letter.template == "account_closed")
            .collect();
        assert_eq!(told.len(), 1);
        bed.clock().advance(TimeDelta::days(3 * 365 + 1));
        apply(store).await;
        let row = user::Entity::find_by_id(people[0].id).one(store.reader()).await.unwrap().unwrap();
        assert_eq!(row.name, "[erased]");
    }

    async fn the_details_of_a_line_go_after_six_years_and_the_line_stays_in_its_chain(bed: TestBed) {
        let store = bed.store().await;
        let write = async |subject: &str| {
            let mut tx = store.begin().await.unwrap();
            let what = Some(json!({ "name": "Ada Lovelace" }));
            tx.audit(&Viewer::system(), "test.change", subject, what.clone(), what).await.unwrap();
            tx.commit().await.unwrap();
        };
        write("old").await;
        bed.clock().advance(TimeDelta::days(2));
        write("new").await;
        bed.clock().advance(TimeDelta::days(6 * 365 - 3));
        apply(&store).await;
        assert_eq!((told_of(&store, "old").await, told_of(&store, "new").await), (1, 1), "nothing goes too early");
        bed.clock().advance(TimeDelta::days(2));
        apply(&store).await;
        assert_eq!((told_of(&store, "old").await, told_of(&store, "new").await), (0, 1));
        whole(&store).await;
    }
}

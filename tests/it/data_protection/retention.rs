//! Retention periods act by themselves (domain, "Data protection"): on either side of each one that is declared.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Store, data_protection};
use entity::{
    contact::{self, ContactState},
    delivery,
    ids::ContactId,
    personal_data::{ALL, Until},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel, Statement,
};
use support::{keep_values_of, on_both_columns};

use super::{everything::rows, person::nothing_is_on_its_way};

/// The tables whose rows or values go after a time: after how many days, and counted from which column.
fn periods() -> impl Iterator<Item = (&'static str, u16, &'static str)> {
    ALL.iter()
        .filter_map(|holding| match holding.retention.until {
            Until::RowFor(days, after)
            | Until::ValuesFor(days, after)
            | Until::ValuesForWhere(days, after, _) => Some((holding.table, days, after)),
            Until::Always | Until::Erasure | Until::OwnRule(_) | Until::RowByState(..) => None,
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

async fn apply(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    data_protection::apply_retention(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn name_of(store: &Store, id: ContactId) -> String {
    let found = contact::Entity::find_by_id(id)
        .one(store.reader())
        .await
        .unwrap();
    found.unwrap().name
}

on_both_columns! {
    async fn what_was_kept_long_enough_goes_by_itself_and_what_was_not_stays(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        rows(&system, store).await;
        nothing_is_on_its_way(store).await;
        let contacts = contact::Entity::find().all(store.reader()).await.unwrap();
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
        let left = delivery::Entity::find().all(store.reader()).await.unwrap();
        assert_eq!(left.len(), mails.len(), "mails are counted for ever");
        assert!(left.iter().all(|mail| mails.iter().all(|before| before.address != mail.address)));
        system.stop().await;
    }
}

//! Whoever changes several records at once locks them in the order of their ids: of two who do, one waits for the other, and
//! neither for both. On SQLite there is one writer at a time anyhow.

use std::{pin::Pin, time::Duration};

use domain::{Store, Tx, Viewer, contact as contacts, organisation as organisations};
use entity::{
    contact,
    ids::{ContactId, OrganisationId},
    organisation,
};
use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, PrimaryKeyTrait, QuerySelect, Statement,
    sea_query::{LockBehavior, LockType},
};
use serde_json::json;
use support::{Column, TestBed, until};

use super::at_once::make;

const PATIENCE: Duration = Duration::from_secs(30);

type Changing = Pin<Box<dyn Future<Output = Tx> + Send>>;

/// Whether nobody has locked a row.
async fn is_free<E: EntityTrait>(
    store: &Store,
    id: impl Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
) -> bool {
    E::find_by_id(id)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .one(store.reader())
        .await
        .unwrap()
        .is_some()
}

/// The number of the session that a change is made in.
async fn session(tx: &Tx) -> i32 {
    let row = tx
        .conn()
        .query_one_raw(Statement::from_string(
            DbBackend::Postgres,
            "SELECT pg_backend_pid()",
        ))
        .await
        .unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Whether another session waits for that one.
async fn is_waited_for(store: &Store, pid: i32) -> bool {
    let waiting = "SELECT COUNT(*) > 0 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, waiting, [pid.into()]);
    let row = store.reader().query_one_raw(statement).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// That a change of two rows, while somebody has the first of them, waits for it and has not locked the second.
async fn assert_in_order<E, I>(store: &Store, first: I, second: I, changing: Changing)
where
    E: EntityTrait,
    I: Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType> + Copy,
{
    let somebody = store.begin().await.unwrap();
    let locked = E::find_by_id(first).lock_exclusive().one(somebody.conn());
    assert!(locked.await.unwrap().is_some());
    let pid = session(&somebody).await;
    let changing = tokio::spawn(changing);
    until(
        PATIENCE,
        "the change waits, or didn't have to",
        async || (changing.is_finished() || is_waited_for(store, pid).await).then_some(()),
    )
    .await;
    assert!(!changing.is_finished(), "it needs the first");
    assert!(
        is_free::<E>(store, second).await,
        "it has the second and waits for the first"
    );
    drop(somebody);
    let changed = changing.await.unwrap();
    assert!(
        !is_free::<E>(store, second).await,
        "the control: it has the second by now"
    );
    changed.commit().await.unwrap();
}

#[tokio::test]
async fn a_division_is_locked_after_its_head_office_where_that_is_older() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let system = bed.system_with_demo_data().await;
    let operator = system.demo_client("operator").await;
    let head: OrganisationId = make(
        &operator,
        "createOrganisation",
        "organisation",
        json!({ "name": "Forge Group" }),
    )
    .await;
    bed.clock().advance(chrono::TimeDelta::minutes(1));
    let division: OrganisationId = make(
        &operator,
        "createOrganisation",
        "organisation",
        json!({ "name": "Castings" }),
    )
    .await;
    assert!(head < division);
    let store = system.store();
    let dividing = |[division, head]: [OrganisationId; 2]| -> Changing {
        let store = store.clone();
        Box::pin(async move {
            let mut tx = store.begin().await.unwrap();
            let belongs = |profile: &mut organisations::Profile| profile.parent_id = Some(head);
            organisations::update(&mut tx, &Viewer::system(), division, 1, belongs)
                .await
                .unwrap();
            tx
        })
    };
    assert_in_order::<organisation::Entity, _>(store, head, division, dividing([division, head]))
        .await;
    // The other way round, the division comes first.
    let patterns: OrganisationId = make(
        &operator,
        "createOrganisation",
        "organisation",
        json!({ "name": "Patterns" }),
    )
    .await;
    bed.clock().advance(chrono::TimeDelta::minutes(1));
    let newer: OrganisationId = make(
        &operator,
        "createOrganisation",
        "organisation",
        json!({ "name": "Patterns Group" }),
    )
    .await;
    assert_in_order::<organisation::Entity, _>(store, patterns, newer, dividing([patterns, newer]))
        .await;
}

#[tokio::test]
async fn a_hold_of_an_address_locks_its_contacts_by_their_ids() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let system = bed.system_with_demo_data().await;
    let operator = system.demo_client("operator").await;
    let at: OrganisationId = make(
        &operator,
        "createOrganisation",
        "organisation",
        json!({ "name": "Otley Presses" }),
    )
    .await;
    let elsewhere: OrganisationId = make(
        &operator,
        "createOrganisation",
        "organisation",
        json!({ "name": "Ilkley Wheels" }),
    )
    .await;
    let mut ids: Vec<ContactId> = Vec::new();
    for at in [at, elsewhere] {
        let contact =
            json!({ "organisationId": at, "name": "Ann Lee", "email": "ann@freelance.test" });
        ids.push(make(&operator, "createContact", "contact", contact).await);
        bed.clock().advance(chrono::TimeDelta::minutes(1));
    }
    let [older, newer] = ids.try_into().unwrap();
    assert!(older < newer);
    let store = system.store();
    let holding = store.clone();
    let begins: Changing = Box::pin(async move {
        let mut tx = holding.begin().await.unwrap();
        let hold = |profile: &mut contacts::Profile| profile.on_hold = true;
        contacts::update(&mut tx, &Viewer::system(), newer, 1, hold)
            .await
            .unwrap();
        tx
    });
    assert_in_order::<contact::Entity, _>(store, older, newer, begins).await;
    let lifting = store.clone();
    let ends: Changing = Box::pin(async move {
        let mut tx = lifting.begin().await.unwrap();
        let lifted = contacts::lift_hold(&mut tx, &Viewer::system(), newer, 2, "She wrote to us")
            .await
            .unwrap();
        assert_eq!(lifted.others.len(), 1);
        tx
    });
    assert_in_order::<contact::Entity, _>(store, older, newer, ends).await;
}

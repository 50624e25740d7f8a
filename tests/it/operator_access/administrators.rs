//! Somebody always administers.

use domain::{Error, RefusalCode, Viewer, account, operator_access as access, session};
use entity::{access_grant::Permission, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, TransactionTrait};
use serde_json::json;
use support::{Column, on_both_columns, operator};

use super::office::{RESTORE, SUSPEND, account as account_of};
use crate::campus::{Campus, codes};

async fn administrators(campus: &Campus) -> u64 {
    user::Entity::find()
        .filter(user::Column::IsAdministrator.eq(true))
        .count(campus.store.reader())
        .await
        .unwrap()
}

async fn remove(campus: &Campus, by: &Viewer, whom: &Viewer) -> Result<user::Model, Error> {
    let id = whom.user_id().unwrap();
    campus
        .change(async |tx| account::remove_administrator(tx, by, id).await)
        .await
}

on_both_columns! {
    async fn a_last_administrator_cannot_be_removed(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (ada, sid) = (campus.administrator("ada").await, campus.staff("sid").await);
        assert_eq!(codes(remove(&campus, &ada, &ada).await), [RefusalCode::LastAdministrator]);
        let id = ada.user_id().unwrap();
        let closed = campus.change(async |tx| account::suspend(tx, &ada, id, "She has left.").await).await;
        assert_eq!(codes(closed), [RefusalCode::LastAdministrator]);

        let by = sid.user_id().unwrap();
        let refused = campus.change(async |tx| account::make_administrator(tx, &sid, by).await).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        campus.change(async |tx| account::make_administrator(tx, &ada, by).await).await.unwrap();
        remove(&campus, &ada, &ada).await.unwrap();
        assert!(campus.again(&sid).await.is_administrator());
        assert!(!campus.again(&ada).await.is_administrator());
        // One whose account is closed administers nothing.
        let sid = campus.again(&sid).await;
        let ben = campus.administrator("ben").await.user_id().unwrap();
        campus.change(async |tx| account::suspend(tx, &sid, ben, "He has left.").await).await.unwrap();
        assert_eq!(codes(remove(&campus, &sid, &sid).await), [RefusalCode::LastAdministrator]);
    }

    async fn of_two_administrators_who_remove_each_other_one_stays(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        for round in 0..20 {
            let (ada, ben) = (
                campus.administrator(&format!("ada{round}")).await,
                campus.administrator(&format!("ben{round}")).await,
            );
            let (one, other) = tokio::join!(remove(&campus, &ada, &ben), remove(&campus, &ben, &ada));
            assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1, "{one:?} {other:?}");
            let left = if one.is_ok() { &ada } else { &ben };
            assert_eq!(administrators(&campus).await, 1);
            let id = left.user_id().unwrap();
            user::Entity::update_many()
                .col_expr(user::Column::IsAdministrator, sea_orm::sea_query::Expr::value(false))
                .filter(user::Column::Id.eq(id))
                .exec(campus.store.reader())
                .await
                .unwrap();
        }
    }

    /// The control: the same two steps without the hold leave nobody. On SQLite there is one writer at a time anyway.
    async fn without_waiting_for_each_other_they_would_leave_nobody(bed: TestBed) {
        if bed.column() == Column::SqliteMemory {
            return;
        }
        let campus = Campus::new(&bed).await;
        let people = [campus.administrator("ada").await, campus.administrator("ben").await];
        let reader = campus.store.reader();
        let one = reader.begin().await.unwrap();
        let other = reader.begin().await.unwrap();
        for (tx, person) in [(&one, &people[0]), (&other, &people[1])] {
            let others = user::Entity::find()
                .filter(user::Column::IsAdministrator.eq(true))
                .filter(user::Column::Id.ne(person.user_id().unwrap()))
                .count(tx)
                .await
                .unwrap();
            assert_eq!(others, 1, "each sees the other");
        }
        for (tx, person) in [(&one, &people[0]), (&other, &people[1])] {
            let removal = user::Entity::update_many()
                .col_expr(user::Column::IsAdministrator, sea_orm::sea_query::Expr::value(false))
                .filter(user::Column::Id.eq(person.user_id().unwrap()));
            removal.exec(tx).await.unwrap();
        }
        one.commit().await.unwrap();
        other.commit().await.unwrap();
        assert_eq!(administrators(&campus).await, 0);
    }

    async fn suspending_an_account_ends_its_sessions_at_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, operator) = (system.demo_client("admin").await, system.demo_client("operator").await);
        let id = account_of(&system, "operator").await.id;
        let suspend = r#"mutation($id: ID!) { suspendAccount(input: { userId: $id, reason: "He has left." }) {
            person { name } userErrors { code } } }"#;
        let suspended = admin.data(suspend, json!({ "id": id })).await;
        assert_eq!(suspended["suspendAccount"]["userErrors"], json!([]));
        let answer = operator.graphql("{ viewer { name } }", json!({})).await;
        assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
        let signing_in = system
            .client()
            .graphql(
                "mutation($input: SignInInput!) { signIn(input: $input) { userErrors { code } } }",
                json!({ "input": { "email": format!("operator@{}", api::demo::DOMAIN), "password": api::demo::PASSWORD } }),
            )
            .await;
        assert_eq!(signing_in.refusals(), ["WRONG_CREDENTIALS"]);
        let restore = "mutation($id: ID!) { restoreAccount(input: { userId: $id }) { person { name } userErrors { code } } }";
        admin.data(restore, json!({ "id": id })).await;
        system.demo_client("operator").await;
        for other in ["superuser", "operator"] {
            let refused = system.demo_client(other).await.graphql(suspend, json!({ "id": id })).await;
            assert_eq!(refused.codes()[0], "FORBIDDEN", "{other}");
        }
        system.stop().await;
    }

    /// What the command line makes rests on nothing: somebody must hold the first training.
    async fn the_first_administrator_can_hold_the_first_training(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let id = campus
            .change(async |tx| {
                session::create_administrator(tx, "first@university.test", "Fay First", "a long enough password".to_owned()).await
            })
            .await
            .unwrap();
        let first = Viewer::load(campus.store.reader(), id, None, campus.store.now()).await.unwrap().unwrap();
        assert!(first.has(Permission::ManageEvent) && first.has(Permission::GrantAccess));
        assert!(!first.has(Permission::SendBulkEmail));
    }

    async fn suspended_access_withholds_the_marks_of_administrators_and_super_users(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, superuser) = (system.demo_client("admin").await, system.demo_client("superuser").await);
        let id = account_of(&system, "superuser").await.id;
        let make = "mutation($id: ID!) { makeAdministrator(input: { userId: $id }) { userErrors { code } } }";
        admin.data(make, json!({ "id": id })).await;
        let marks = "{ viewer { isSuperUser isAdministrator } }";
        let jobs = "{ jobs(first: 1) { nodes { id } } }";
        let both = json!({ "viewer": { "isSuperUser": true, "isAdministrator": true } });
        assert_eq!(superuser.data(marks, json!({})).await, both);
        assert!(superuser.graphql(jobs, json!({})).await.codes().is_empty());

        admin.data(SUSPEND, json!({ "id": id })).await;
        let neither = json!({ "viewer": { "isSuperUser": false, "isAdministrator": false } });
        assert_eq!(superuser.data(marks, json!({})).await, neither);
        assert_eq!(superuser.graphql(jobs, json!({})).await.codes()[0], "FORBIDDEN");
        assert_eq!(superuser.graphql(make, json!({ "id": id })).await.codes()[0], "FORBIDDEN");
        admin.data(RESTORE, json!({ "id": id })).await;
        assert_eq!(superuser.data(marks, json!({})).await, both);
        system.stop().await;
    }

    async fn the_access_of_the_last_administrator_cannot_be_suspended(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let (ada, ben) = (campus.administrator("ada").await, campus.administrator("ben").await);
        let (gus, lou) = (campus.staff("gus").await, campus.staff("lou").await);
        operator::grant(&campus.store, gus.user_id().unwrap(), Permission::GrantAccess, None).await;
        operator::grant(&campus.store, lou.user_id().unwrap(), Permission::GrantAccess, Some(law)).await;
        let (gus, lou) = (campus.again(&gus).await, campus.again(&lou).await);
        let suspend = async |by: &Viewer, whom: &Viewer| {
            let id = whom.user_id().unwrap();
            campus.change(async |tx| access::suspend(tx, by, id, "A complaint.").await).await
        };
        user::Entity::update_many()
            .col_expr(user::Column::FacultyId, sea_orm::sea_query::Expr::value(law))
            .filter(user::Column::Id.eq(ben.user_id().unwrap()))
            .exec(campus.store.reader())
            .await
            .unwrap();
        let refused = suspend(&lou, &ben).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "whoever grants for a faculty takes no mark: {refused:?}");
        suspend(&gus, &ben).await.unwrap();
        assert!(!campus.again(&ben).await.is_administrator());
        assert_eq!(codes(suspend(&gus, &ada).await), [RefusalCode::LastAdministrator]);
        assert_eq!(codes(remove(&campus, &ada, &ada).await), [RefusalCode::LastAdministrator], "nor removed");
        let id = ben.user_id().unwrap();
        campus.change(async |tx| access::restore(tx, &ada, id).await).await.unwrap();
        suspend(&gus, &ada).await.unwrap();
    }
}

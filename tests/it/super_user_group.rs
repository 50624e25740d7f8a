//! The Super User Group: one representative and one disseminator of each faculty, coverage in sight, nobody appoints
//! themselves.

use std::time::Duration;

use domain::{Store, Viewer, super_user_group as group};
use entity::{
    faculty, faculty_role,
    faculty_role::FacultyRoleKind,
    ids::{FacultyId, UserId},
    user::{self, UserKind, UserState},
};
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};
use tokio::{task::JoinSet, time::timeout};

use crate::operator_access::grants::ended;

const ADD: &str = "mutation($input: AddSuperUserInput!) {
    addSuperUser(input: $input) { member { person { name } faculty { name } } userErrors { code field message } } }";
const REMOVE: &str = "mutation($input: RemoveSuperUserInput!) {
    removeSuperUser(input: $input) { superUserGroup { members { person { name } } } userErrors { code field } } }";
const SET: &str = "mutation($input: SetDisseminatorInput!) {
    setDisseminator(input: $input) { coverage { disseminator { name } } userErrors { code field message } } }";
const COVERAGE: &str = "{ superUserGroup {
    members { person { name } faculty { name } }
    coverage { faculty { name } representative { name } disseminator { name } } } }";

pub async fn account(system: &System, mailbox: &str) -> user::Model {
    user::Entity::find()
        .filter(user::Column::Email.eq(format!("{mailbox}@demo.mycareer.test")))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

pub async fn faculty(system: &System, name: &str) -> FacultyId {
    faculty::Entity::find()
        .filter(faculty::Column::Name.eq(name))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
        .id
}

/// Adds so many staff of a faculty.
pub async fn add_staff(store: &Store, faculty_id: FacultyId, number: usize) -> Vec<UserId> {
    let now = store.now();
    let rows: Vec<user::Model> = (0..number)
        .map(|at| user::Model {
            id: UserId::new_at(now),
            email: format!("staff-{at}-{}@university.test", rand::random::<u32>()),
            name: format!("Member {at:03}"),
            kind: UserKind::Staff,
            is_super_user: false,
            is_administrator: false,
            state: UserState::Active,
            faculty_id: Some(faculty_id),
            programme_id: None,
            year_of_study: None,
            contact_id: None,
            email_verified_at: Some(now),
            session_version: 1,
            booking_blocked_at: None,
            created_at: now,
            updated_at: now,
        })
        .collect();
    let ids = rows.iter().map(|row| row.id).collect();
    user::Entity::insert_many(
        rows.into_iter()
            .map(sea_orm::IntoActiveModel::into_active_model),
    )
    .exec_without_returning(store.reader())
    .await
    .unwrap();
    ids
}

async fn covered(client: &Client, name: &str) -> Value {
    let data = client.data(COVERAGE, json!({})).await;
    let all = data["superUserGroup"]["coverage"].as_array().unwrap();
    let found = all
        .iter()
        .find(|covered| covered["faculty"]["name"] == name);
    found.unwrap().clone()
}

on_both_columns! {
    async fn a_faculty_without_a_representative_is_shown(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let staff = system.demo_client("untrained").await;
        let data = staff.data(COVERAGE, json!({})).await;
        assert_eq!(
            data["superUserGroup"]["coverage"],
            json!([
                {
                    "faculty": { "name": "Arts, Humanities and Cultures" },
                    "representative": { "name": "Tolu Adeyemi" }, "disseminator": null,
                },
                {
                    "faculty": { "name": "Biological Sciences" },
                    "representative": null, "disseminator": { "name": "Maeve Keane" },
                },
                {
                    "faculty": { "name": "Business" },
                    "representative": { "name": "Nana Osei" }, "disseminator": { "name": "Rut Lindqvist" },
                },
                {
                    "faculty": { "name": "Engineering and Physical Sciences" },
                    "representative": { "name": "Sandra Byrne" }, "disseminator": { "name": "Oliver Hughes" },
                },
                { "faculty": { "name": "Environment" }, "representative": null, "disseminator": null },
            ])
        );
        let members = data["superUserGroup"]["members"].as_array().unwrap();
        assert_eq!(members.len(), 4);
        assert_eq!(members[0], json!({ "person": { "name": "Alex Morgan" }, "faculty": null }), "of the Careers Centre");
        // Whoever may not sign in any more stands for nobody.
        let mut nana = account(&system, "n.osei").await.into_active_model();
        nana.state = sea_orm::ActiveValue::Set(UserState::Suspended);
        sea_orm::ActiveModelTrait::update(nana, system.store().reader()).await.unwrap();
        assert_eq!(covered(&staff, "Business").await["representative"], json!(null));
    }

    async fn a_faculty_has_one_representative_who_is_of_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let (business, biology) = (faculty(&system, "Business").await, faculty(&system, "Biological Sciences").await);
        let rut = account(&system, "r.lindqvist").await.id;
        let maeve = account(&system, "m.keane").await.id;
        let add = |user: UserId, faculty: Option<FacultyId>| json!({ "input": { "userId": user, "facultyId": faculty } });

        assert_eq!(admin.graphql(ADD, add(rut, Some(business))).await.refusals(), ["TAKEN"]);
        assert_eq!(admin.graphql(ADD, add(rut, Some(biology))).await.refusals(), ["INVALID"]);
        let student = account(&system, "student1").await.id;
        assert_eq!(admin.graphql(ADD, add(student, None)).await.refusals(), ["NOT_FOUND"]);

        let added = admin.data(ADD, add(maeve, Some(biology))).await;
        assert_eq!(
            added["addSuperUser"]["member"],
            json!({ "person": { "name": "Maeve Keane" }, "faculty": { "name": "Biological Sciences" } })
        );
        assert!(account(&system, "m.keane").await.is_super_user);
        assert_eq!(covered(&admin, "Biological Sciences").await["representative"]["name"], "Maeve Keane");

        let nana = account(&system, "n.osei").await.id;
        let removed = admin.data(REMOVE, json!({ "input": { "userId": nana } })).await;
        assert_eq!(removed["removeSuperUser"]["userErrors"], json!([]));
        assert!(!account(&system, "n.osei").await.is_super_user);
        assert_eq!(covered(&admin, "Business").await["representative"], json!(null));
        assert_eq!(admin.graphql(REMOVE, json!({ "input": { "userId": nana } })).await.refusals(), ["NOT_FOUND"]);
        let added = admin.data(ADD, add(rut, Some(business))).await;
        assert_eq!(added["addSuperUser"]["userErrors"], json!([]));
    }

    async fn nobody_appoints_themselves_and_only_administrators_appoint(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let engineering = faculty(&system, "Engineering and Physical Sciences").await;
        let admin = system.demo_client("admin").await;
        let own = account(&system, "admin").await.id;
        for (mutation, input) in [
            (ADD, json!({ "userId": own })),
            (SET, json!({ "facultyId": engineering, "userId": own })),
        ] {
            let answer = admin.graphql(mutation, json!({ "input": input })).await;
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{answer:?}");
            assert!(format!("{:?}", answer.errors).contains("Nobody appoints themselves"), "{answer:?}");
        }
        let other = account(&system, "untrained").await.id;
        for mailbox in ["superuser", "operator", "student1", "employer"] {
            let client = system.demo_client(mailbox).await;
            let answer = client.graphql(ADD, json!({ "input": { "userId": other } })).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{mailbox}: {answer:?}");
        }
        assert!(!account(&system, "untrained").await.is_super_user);
    }

    async fn what_the_group_may_ends_with_the_membership(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, superuser) = (system.demo_client("admin").await, system.demo_client("superuser").await);
        let jobs = "{ jobs { totalCount } }";
        assert!(superuser.graphql(jobs, json!({})).await.errors.is_empty());
        let id = account(&system, "superuser").await.id;
        admin.data(REMOVE, json!({ "input": { "userId": id } })).await;
        assert!(superuser.graphql(jobs, json!({})).await.codes().contains(&"FORBIDDEN"));
    }

    async fn a_disseminator_gives_way_to_the_next(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let engineering = faculty(&system, "Engineering and Physical Sciences").await;
        let untrained = account(&system, "untrained").await.id;
        let set = |user: Option<UserId>| json!({ "input": { "facultyId": engineering, "userId": user } });
        let data = admin.data(SET, set(Some(untrained))).await;
        assert_eq!(data["setDisseminator"]["coverage"]["disseminator"]["name"], "Uma Shah");
        let rut = account(&system, "r.lindqvist").await.id;
        assert_eq!(admin.graphql(SET, set(Some(rut))).await.refusals(), ["INVALID"], "she is of another faculty");
        let data = admin.data(SET, set(None)).await;
        assert_eq!(data["setDisseminator"]["coverage"]["disseminator"], json!(null));
    }

    async fn a_faculty_has_one_disseminator_however_many_are_set_at_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let environment = faculty(&system, "Environment").await;
        let candidates = add_staff(store, environment, 12).await;
        let admin = account(&system, "admin").await.id;
        let admin = Viewer::load(store.reader(), admin, None, store.now()).await.unwrap().unwrap();
        let mut setting = JoinSet::new();
        for candidate in candidates.clone() {
            let (store, admin) = (store.clone(), admin.clone());
            setting.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                group::set_disseminator(&mut tx, &admin, environment, Some(candidate)).await.unwrap();
                tx.commit().await.unwrap();
            });
        }
        setting.join_all().await;
        let roles = faculty_role::Entity::find()
            .filter(faculty_role::Column::FacultyId.eq(environment))
            .all(store.reader())
            .await
            .unwrap();
        assert_eq!(roles.len(), 1, "{roles:?}");
        assert!(candidates.contains(&roles[0].user_id));

        // Behind the lock the database keeps the rule by itself.
        let other = candidates.iter().find(|id| **id != roles[0].user_id).unwrap();
        let second = faculty_role::Model {
            faculty_id: environment,
            role: FacultyRoleKind::Disseminator,
            user_id: *other,
            since: store.now(),
        };
        let second = faculty_role::Entity::insert(second.into_active_model());
        assert!(second.exec_without_returning(store.reader()).await.is_err());
    }

    async fn two_who_are_added_at_once_for_one_faculty_are_not_both_taken(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let environment = faculty(&system, "Environment").await;
        let candidates = add_staff(store, environment, 8).await;
        let admin = account(&system, "admin").await.id;
        let admin = Viewer::load(store.reader(), admin, None, store.now()).await.unwrap().unwrap();
        let mut adding = JoinSet::new();
        for candidate in candidates {
            let (store, admin) = (store.clone(), admin.clone());
            adding.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let added = group::add_super_user(&mut tx, &admin, candidate, Some(environment)).await;
                if added.is_ok() {
                    tx.commit().await.unwrap();
                }
                added.is_ok()
            });
        }
        let taken = adding.join_all().await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 1);
        let members = group::members(store.reader()).await.unwrap();
        assert_eq!(members.iter().filter(|member| member.faculty_id == Some(environment)).count(), 1);
    }

    async fn the_open_subscription_of_a_removed_super_user_ends_at_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, superuser) = (system.demo_client("admin").await, system.demo_client("superuser").await);
        let mut stream = superuser
            .request(Method::POST, "/graphql/stream")
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": "subscription { jobChanged { id } }" }))
            .send()
            .await
            .unwrap();
        assert!(stream.status().is_success());
        // The control: as long as nothing happens to them it goes on.
        let quiet = timeout(Duration::from_millis(300), ended(&mut stream)).await;
        assert!(quiet.is_err(), "{quiet:?}");

        let id = account(&system, "superuser").await.id;
        let removed = admin.data(REMOVE, json!({ "input": { "userId": id } })).await;
        assert_eq!(removed["removeSuperUser"]["userErrors"], json!([]));
        // A second is promised; by itself a connection looks after ten.
        let told = timeout(Duration::from_secs(1), ended(&mut stream)).await.expect("the stream goes on");
        assert!(told.contains("FORBIDDEN"), "{told}");
        system.stop().await;
    }
}

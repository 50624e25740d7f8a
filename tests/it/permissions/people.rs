//! Somebody for every role, and an operator for every permission, scope and state of access.

use std::sync::Arc;

use domain::{
    Store, Viewer,
    policy::{PERMISSIONS, permission_token},
    viewer::BY_FACULTY,
};
use entity::{
    access_grant::{self, GrantState, Permission},
    faculty,
    ids::{FacultyId, GrantId, UserId},
    user::{self, UserKind},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use support::{TestBed, put};
use uuid::Uuid;

use super::states;

/// How far the grants of somebody reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// There are none that count.
    Nothing,
    /// The whole campus.
    Campus,
    /// The faculty that the test is about.
    OwnFaculty,
    /// Another one.
    AnotherFaculty,
}

/// Somebody who asks.
pub struct Person {
    /// What they are, for people.
    pub name: String,
    /// Their rights, as the database has them.
    pub viewer: Arc<Viewer>,
    /// The permission that was given to them.
    pub permission: Option<Permission>,
    /// How far it reaches.
    pub scope: Scope,
}

/// Everybody, made out of the demo data.
pub struct People {
    /// All of them.
    pub all: Vec<Person>,
    /// The faculty that the test is about.
    pub faculty: FacultyId,
}

impl People {
    pub async fn assemble(bed: &TestBed, store: &Store) -> Self {
        let faculties = faculty::Entity::find()
            .order_by_asc(faculty::Column::Name)
            .all(store.reader())
            .await
            .unwrap();
        let (own, other) = (faculties[0].id, faculties[1].id);
        let mut people = Self {
            all: vec![Person {
                name: "nobody".to_owned(),
                viewer: Arc::new(Viewer::anonymous()),
                permission: None,
                scope: Scope::Nothing,
            }],
            faculty: own,
        };
        for (name, kind) in [
            ("a student", UserKind::Student),
            ("a graduate", UserKind::Graduate),
            ("an employer", UserKind::Employer),
            ("staff", UserKind::Staff),
        ] {
            let like = user::Entity::find()
                .filter(user::Column::Kind.eq(match kind {
                    UserKind::Graduate => UserKind::Student,
                    other => other,
                }))
                .filter(user::Column::IsSuperUser.eq(false))
                .filter(user::Column::IsAdministrator.eq(false))
                .order_by_asc(user::Column::Email)
                .one(store.reader())
                .await
                .unwrap()
                .unwrap();
            let account = account(like, |account| account.kind = kind);
            people.add(store, name, account, &[]).await;
        }
        let staff = untrained(store).await;
        let super_user = account(staff.clone(), |account| account.is_super_user = true);
        people.add(store, "a super user", super_user, &[]).await;
        let administrator = account(staff.clone(), |account| account.is_administrator = true);
        people
            .add(store, "an administrator", administrator, &[])
            .await;
        for permission in PERMISSIONS {
            for (scope, faculty) in [
                (Scope::AnotherFaculty, Some(other)),
                (Scope::OwnFaculty, Some(own)),
                (Scope::Campus, None),
            ] {
                let grant = Grant {
                    permission,
                    faculty,
                };
                people.add_holder(store, &staff, scope, grant).await;
            }
        }
        for (name, id) in states::everybody(bed, store, &staff).await {
            people.look_at(store, &name, id).await;
        }
        people
    }

    async fn add_holder(&mut self, store: &Store, staff: &user::Model, scope: Scope, grant: Grant) {
        let name = format!("{} for {scope:?}", permission_token(grant.permission));
        // policy 3: what is about no faculty counts for none.
        let counts = scope == Scope::Campus || BY_FACULTY.contains(&grant.permission);
        let scope = if counts { scope } else { Scope::Nothing };
        let account = account(staff.clone(), |_| {});
        let person = self.add(store, &name, account, &[grant]).await;
        person.scope = scope;
        person.permission = Some(grant.permission);
        assert_eq!(
            person.viewer.has(grant.permission),
            scope != Scope::Nothing,
            "{name}"
        );
    }

    async fn add(
        &mut self,
        store: &Store,
        name: &str,
        account: user::Model,
        grants: &[Grant],
    ) -> &mut Person {
        let id = account.id;
        put::<user::Entity>(store, account).await;
        for grant in grants {
            grant.give(store, id).await;
        }
        self.look_at(store, name, id).await
    }

    async fn look_at(&mut self, store: &Store, name: &str, id: UserId) -> &mut Person {
        let viewer = Viewer::load(store.reader(), id, None, store.now())
            .await
            .unwrap()
            .unwrap();
        self.all.push(Person {
            name: name.to_owned(),
            viewer: Arc::new(viewer),
            permission: None,
            scope: Scope::Nothing,
        });
        self.all.last_mut().unwrap()
    }
}

/// The demo person who is staff and nothing more.
async fn untrained(store: &Store) -> user::Model {
    user::Entity::find()
        .filter(user::Column::Email.eq("untrained@demo.mycareer.test"))
        .one(store.reader())
        .await
        .unwrap()
        .unwrap()
}

/// A new account like another one.
pub fn account(like: user::Model, change: impl FnOnce(&mut user::Model)) -> user::Model {
    let id = UserId(Uuid::new_v4());
    let mut account = user::Model {
        email: format!("{id}@example.test"),
        id,
        ..like
    };
    change(&mut account);
    account
}

/// A grant to be given.
#[derive(Clone, Copy)]
struct Grant {
    permission: Permission,
    faculty: Option<FacultyId>,
}

impl Grant {
    async fn give(self, store: &Store, to: UserId) {
        let like = access_grant::Entity::find()
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let grant = access_grant::Model {
            id: GrantId(Uuid::new_v4()),
            user_id: to,
            permission: self.permission,
            faculty_id: self.faculty,
            state: GrantState::Active,
            training_course_id: None,
            ..like
        };
        put::<access_grant::Entity>(store, grant).await;
    }
}

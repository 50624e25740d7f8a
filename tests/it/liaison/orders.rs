//! Whatever is claimed, asked, answered, handed over, released and lapsed, and in whatever order: nobody reaches a contact
//! without agreement.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Store, Viewer, contact,
    key_account::{self, Named},
    liaison::{self, Answer},
};
use entity::{
    access_grant::{self, GrantState, Permission},
    ids::{ContactId, GrantId, KeyAccountId, LiaisonRequestId, OrganisationId, UserId},
    key_account::KeyAccountState,
    liaison_request::{self, LiaisonState},
    user,
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::Expr,
};
use support::on_both_columns;

/// How many steps are taken, from each of so many starts.
const STEPS: usize = 60;
const STARTS: u64 = 20;

/// Who holds whom and what was agreed, kept by the simplest means.
#[derive(Default)]
struct Model {
    holder: HashMap<ContactId, UserId>,
    agreed: HashMap<(ContactId, UserId), DateTime<Utc>>,
}

struct World {
    store: Store,
    people: Vec<UserId>,
    organisation: OrganisationId,
    contacts: Vec<ContactId>,
}

impl World {
    async fn new(store: Store) -> Self {
        let system = Viewer::system();
        let mut tx = store.begin().await.unwrap();
        let mut profile = domain::organisation::Profile::named("Lovelace & Sons");
        profile.multiple_touch_points = true;
        let organisation = domain::organisation::create(&mut tx, &system, profile, true)
            .await
            .unwrap()
            .id;
        let mut contacts = Vec::new();
        for name in ["Ann", "Ben", "Cem"] {
            let mut profile = contact::Profile::named(name);
            profile.email = Some(format!("{name}@lovelace.test"));
            contacts.push(
                contact::create(&mut tx, &system, organisation, profile)
                    .await
                    .unwrap()
                    .id,
            );
        }
        tx.commit().await.unwrap();
        let mut people = Vec::new();
        for name in ["olga", "otto", "oona"] {
            people.push(add_operator(&store, name).await);
        }
        Self {
            store,
            people,
            organisation,
            contacts,
        }
    }

    async fn viewer(&self, id: UserId) -> Viewer {
        Viewer::load(self.store.reader(), id, None, self.store.now())
            .await
            .unwrap()
            .unwrap()
    }

    /// Sets whether the permission of somebody counts.
    async fn set_access(&self, id: UserId, state: GrantState) {
        access_grant::Entity::update_many()
            .col_expr(access_grant::Column::State, Expr::val(state))
            .filter(access_grant::Column::UserId.eq(id))
            .filter(access_grant::Column::Permission.eq(Permission::ClaimKeyAccount))
            .exec(self.store.reader())
            .await
            .unwrap();
    }

    async fn account_of(&self, id: UserId) -> Option<KeyAccountId> {
        let found = entity::key_account::Entity::find()
            .filter(entity::key_account::Column::OperatorId.eq(id))
            .filter(entity::key_account::Column::State.eq(KeyAccountState::Live))
            .one(self.store.reader())
            .await;
        found.unwrap().map(|account| account.id)
    }

    async fn operator_of(&self, id: KeyAccountId) -> UserId {
        let found = entity::key_account::Entity::find_by_id(id)
            .one(self.store.reader())
            .await;
        found.unwrap().unwrap().operator_id
    }

    /// What the system says: who may reach whom.
    async fn reached(&self) -> HashSet<(ContactId, UserId)> {
        let mut reached = HashSet::new();
        for id in &self.people {
            let viewer = self.viewer(*id).await;
            let standings = key_account::standings(
                self.store.reader(),
                &viewer,
                self.store.now(),
                &self.contacts,
            )
            .await
            .unwrap();
            for contact in &self.contacts {
                let withheld = standings
                    .iter()
                    .any(|standing| standing.contact_id == *contact && standing.must_liaise);
                if !withheld {
                    reached.insert((*contact, *id));
                }
            }
        }
        reached
    }

    /// Answers some request that waits.
    async fn answer(&self, model: &mut Model, random: &mut StdRng, who: UserId) -> String {
        let mut tx = self.store.begin().await.unwrap();
        let waiting: Vec<liaison_request::Model> = liaison_request::Entity::find()
            .filter(liaison_request::Column::State.eq(LiaisonState::Requested))
            .order_by_asc(liaison_request::Column::Id)
            .all(tx.conn())
            .await
            .unwrap();
        let Some(request) = waiting.choose(random) else {
            return "nobody waits".to_owned();
        };
        let id: LiaisonRequestId = request.id;
        // Mostly by whom it is asked of, and sometimes by somebody else.
        let asked_of = self.operator_of(request.key_account_id).await;
        let answers = if random.random_bool(0.8) {
            asked_of
        } else {
            who
        };
        let viewer = self.viewer(answers).await;
        let agree = random.random_bool(0.7);
        let until = self.store.now() + TimeDelta::days(random.random_range(1..30));
        let answer = Answer {
            agree,
            words: Some("So be it.".to_owned()),
            until: agree.then_some(until),
        };
        let answered = liaison::answer(&mut tx, &viewer, id, answer).await;
        if answered.is_ok() {
            tx.commit().await.unwrap();
            if agree {
                model
                    .agreed
                    .insert((request.contact_id, request.requested_by), until);
            }
        }
        format!("{answers} answers {id}")
    }

    /// One step of any kind, and what the model makes of it. Refusals change nothing in either.
    async fn step(&self, model: &mut Model, random: &mut StdRng) -> String {
        let who = *self.people.choose(random).unwrap();
        let other = *self.people.choose(random).unwrap();
        let contact_id = *self.contacts.choose(random).unwrap();
        let viewer = self.viewer(who).await;
        let mut tx = self.store.begin().await.unwrap();
        let named = || {
            vec![Named {
                contact_id,
                guidance: "Ring first.".to_owned(),
            }]
        };
        match random.random_range(0..12) {
            0..=2 => {
                let done = match self.account_of(who).await {
                    Some(id) => key_account::add_contacts(&mut tx, &viewer, id, named()).await,
                    None => key_account::claim(&mut tx, &viewer, self.organisation, named()).await,
                };
                if done.is_ok() {
                    tx.commit().await.unwrap();
                    model.holder.insert(contact_id, who);
                }
                format!("{who} claims {contact_id}")
            }
            3..=5 => {
                let asked = liaison::request(&mut tx, &viewer, contact_id, "Ask.").await;
                if asked.is_ok() {
                    tx.commit().await.unwrap();
                }
                format!("{who} asks about {contact_id}")
            }
            6..=8 => {
                drop(tx);
                self.answer(model, random, who).await
            }
            9 => {
                if let Some(id) = self.account_of(who).await {
                    let handed = key_account::hand_over_one(&mut tx, &viewer, id, other).await;
                    if handed.is_ok() && who != other {
                        tx.commit().await.unwrap();
                        for (contact, holder) in &mut model.holder {
                            if *holder == who {
                                *holder = other;
                                model.agreed.remove(&(*contact, other));
                            }
                        }
                    }
                }
                format!("{who} hands over to {other}")
            }
            10 => {
                if let Some(id) = self.account_of(who).await
                    && key_account::release(&mut tx, &viewer, id).await.is_ok()
                {
                    tx.commit().await.unwrap();
                    model.drop_of(who);
                }
                format!("{who} releases")
            }
            _ => {
                drop(tx);
                self.set_access(who, GrantState::Revoked).await;
                model.drop_of(who);
                assert_eq!(
                    self.reached().await,
                    model.reached(self),
                    "{who} lapses, before any job"
                );
                let mut tx = self.store.begin().await.unwrap();
                key_account::look_after(&mut tx).await.unwrap();
                tx.commit().await.unwrap();
                self.set_access(who, GrantState::Active).await;
                format!("{who} lapses")
            }
        }
    }
}

impl Model {
    /// Whatever somebody held is everybody's, and what they had agreed to is void.
    fn drop_of(&mut self, who: UserId) {
        let held: Vec<ContactId> = self
            .holder
            .iter()
            .filter(|(_, holder)| **holder == who)
            .map(|(contact, _)| *contact)
            .collect();
        for contact in held {
            self.holder.remove(&contact);
            self.agreed.retain(|(agreed, _), _| *agreed != contact);
        }
    }

    fn reached(&self, world: &World) -> HashSet<(ContactId, UserId)> {
        let mut reached = HashSet::new();
        for contact in &world.contacts {
            for person in &world.people {
                let free = self
                    .holder
                    .get(contact)
                    .is_none_or(|holder| holder == person);
                let until = self.agreed.get(&(*contact, *person));
                if free || until.is_some_and(|until| *until > world.store.now()) {
                    reached.insert((*contact, *person));
                }
            }
        }
        reached
    }
}

pub(super) async fn add_operator(store: &Store, name: &str) -> UserId {
    let (id, now) = (UserId::new_at(store.now()), store.now());
    let row = user::Model {
        id,
        email: format!("{name}@university.test"),
        name: name.to_owned(),
        kind: user::UserKind::Staff,
        is_super_user: false,
        is_administrator: false,
        state: user::UserState::Active,
        faculty_id: None,
        programme_id: None,
        year_of_study: None,
        contact_id: None,
        email_verified_at: Some(now),
        session_version: 0,
        booking_blocked_at: None,
        created_at: now,
        updated_at: now,
    };
    user::Entity::insert(row.into_active_model())
        .exec_without_returning(store.reader())
        .await
        .unwrap();
    for permission in [Permission::ClaimKeyAccount, Permission::RecordEngagement] {
        let grant = access_grant::Model {
            id: GrantId::new_at(now),
            user_id: id,
            permission,
            faculty_id: None,
            training_course_id: None,
            state: GrantState::Active,
            granted_by: None,
            granted_at: now,
        };
        access_grant::Entity::insert(grant.into_active_model())
            .exec_without_returning(store.reader())
            .await
            .unwrap();
    }
    id
}

on_both_columns! {
    async fn no_order_of_claims_requests_answers_lapses_and_hand_overs_leaves_a_contact_reachable_without_agreement(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (mut withheld, mut agreed) = (0, 0);
        let mut model = Model::default();
        for start in 0..STARTS {
            let mut random = StdRng::seed_from_u64(start);
            let mut steps = Vec::new();
            for _ in 0..STEPS {
                // Most agreements see many steps, and some run out between two of them, before any job has looked.
                let passes = if random.random_bool(0.1) { TimeDelta::days(random.random_range(1..10)) } else { TimeDelta::minutes(1) };
                bed.clock().advance(passes);
                steps.push(world.step(&mut model, &mut random).await);
                let expected = model.reached(&world);
                assert_eq!(world.reached().await, expected, "start {start}: {steps:#?}");
                withheld += 9 - expected.len();
                agreed += model.agreed.values().filter(|until| **until > world.store.now()).count();
            }
        }
        assert!(withheld > 50 && agreed > 20, "the steps meet what they are about: {withheld} {agreed}");
    }
}

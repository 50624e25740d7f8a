//! Every order of so many steps, in one transaction that is taken back step by step: nobody reaches a contact without agreement.
//!
//! A step that is refused changes nothing, so that what follows it is followed elsewhere; every other one is gone on from, and
//! undone by a savepoint. Beside the model that the system must agree with there are some that have each forgotten one rule. An
//! order in which the system agreed with all of them would have tested nothing: each must be contradicted.

use std::{future::Future, pin::Pin};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Store, Tx, Viewer, contact,
    key_account::{self, Named},
    liaison::{self, Answer},
};
use entity::{
    access_grant::{self, GrantState, Permission},
    ids::{ContactId, KeyAccountId, OrganisationId, UserId},
    key_account::KeyAccountState,
    liaison_request::{self, LiaisonState},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};
use support::on_both_columns;

use super::orders::add_operator;

/// How many steps an order has.
const STEPS: usize = 5;
/// How long an agreement lasts, and how much time passes at once.
const AGREED_FOR: TimeDelta = TimeDelta::days(7);
const PASSES: TimeDelta = TimeDelta::days(8);

/// Olga and Otto may hold key accounts; Oona only asks.
const PEOPLE: usize = 3;

/// What somebody does. Who loses access is Olga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Claim(usize),
    Ask(usize),
    Agree,
    Decline,
    /// Whoever asked agrees with themselves.
    AnswerOneself,
    HandOver,
    Release,
    LoseAccess,
    RegainAccess,
    LookAfter,
    TimePasses,
}

const ALL: [Step; 14] = [
    Step::Claim(0),
    Step::Claim(1),
    Step::Ask(0),
    Step::Ask(1),
    Step::Ask(2),
    Step::Agree,
    Step::Decline,
    Step::AnswerOneself,
    Step::HandOver,
    Step::Release,
    Step::LoseAccess,
    Step::RegainAccess,
    Step::LookAfter,
    Step::TimePasses,
];

/// A rule that a model has forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forgets {
    Nothing,
    ThatAClaimNeedsAccess,
    ThatAgreementsEndWithTheClaim,
    ThatAgreementsRunOut,
    ThatAClaimIsHandedOver,
    ThatADeclineIsNoAgreement,
}

const MODELS: [Forgets; 6] = [
    Forgets::Nothing,
    Forgets::ThatAClaimNeedsAccess,
    Forgets::ThatAgreementsEndWithTheClaim,
    Forgets::ThatAgreementsRunOut,
    Forgets::ThatAClaimIsHandedOver,
    Forgets::ThatADeclineIsNoAgreement,
];

/// Who holds the contact and what was agreed, kept by the simplest means.
#[derive(Clone, Debug)]
struct Model {
    forgets: Forgets,
    holder: Option<usize>,
    olga_lost_access: bool,
    agreed: [Option<DateTime<Utc>>; PEOPLE],
}

impl Model {
    fn new(forgets: Forgets) -> Self {
        Self {
            forgets,
            holder: None,
            olga_lost_access: false,
            agreed: [None; PEOPLE],
        }
    }

    /// Who holds the contact by a claim that counts.
    fn counts(&self) -> Option<usize> {
        let lost = self.olga_lost_access && self.forgets != Forgets::ThatAClaimNeedsAccess;
        self.holder.filter(|holder| !(lost && *holder == 0))
    }

    fn reaches(&self, now: DateTime<Utc>) -> [bool; PEOPLE] {
        let holder = self.counts();
        std::array::from_fn(|who| {
            let runs_out = self.forgets != Forgets::ThatAgreementsRunOut;
            let agreed = self.agreed[who].is_some_and(|until| !runs_out || until > now);
            holder.is_none_or(|holder| holder == who) || agreed
        })
    }

    fn end_claim(&mut self) {
        self.holder = None;
        if self.forgets != Forgets::ThatAgreementsEndWithTheClaim {
            self.agreed = [None; PEOPLE];
        }
    }

    /// What a step that was taken makes of it.
    fn take(&mut self, step: Step, asker: Option<usize>, now: DateTime<Utc>) {
        match step {
            Step::Claim(who) => {
                self.end_claim();
                self.holder = Some(who);
            }
            Step::Agree => {
                if let Some(asker) = asker {
                    self.agreed[asker] = Some(now + AGREED_FOR);
                }
            }
            Step::Decline => {
                if let (Some(asker), Forgets::ThatADeclineIsNoAgreement) = (asker, self.forgets) {
                    self.agreed[asker] = Some(now + AGREED_FOR);
                }
            }
            Step::HandOver => {
                if let (Some(holder), true) =
                    (self.holder, self.forgets != Forgets::ThatAClaimIsHandedOver)
                {
                    let heir = 1 - holder;
                    self.holder = Some(heir);
                    self.agreed[heir] = None;
                }
            }
            Step::Release => self.end_claim(),
            Step::LoseAccess => self.olga_lost_access = true,
            Step::RegainAccess => self.olga_lost_access = false,
            Step::LookAfter => {
                if self.holder.is_some() && self.counts().is_none() {
                    self.end_claim();
                }
            }
            Step::TimePasses => {
                for until in self.agreed.iter_mut().flatten() {
                    *until -= PASSES;
                }
            }
            Step::Ask(_) | Step::AnswerOneself => {}
        }
    }
}

struct World {
    tx: Tx,
    people: [UserId; PEOPLE],
    viewers: [Viewer; PEOPLE],
    organisation: OrganisationId,
    contact: ContactId,
    email: String,
    /// The steps so far.
    order: Vec<Step>,
    /// How many orders were looked at.
    orders: usize,
    /// How often each model was contradicted.
    contradicted: [usize; MODELS.len()],
    /// How often somebody was kept from the contact, and how often agreement let them through.
    withheld: usize,
    agreed: usize,
}

impl World {
    async fn new(store: &Store) -> Self {
        let system = Viewer::system();
        let mut people = Vec::new();
        for name in ["olga", "otto", "oona"] {
            people.push(add_operator(store, name).await);
        }
        let people: [UserId; PEOPLE] = people.try_into().unwrap();
        let mut tx = store.begin().await.unwrap();
        let profile = domain::organisation::Profile::named("Lovelace & Sons");
        let organisation = domain::organisation::create(&mut tx, &system, profile, true)
            .await
            .unwrap()
            .id;
        let email = "ann@lovelace.test".to_owned();
        let mut profile = contact::Profile::named("Ann");
        profile.email = Some(email.clone());
        let contact = contact::create(&mut tx, &system, organisation, profile)
            .await
            .unwrap()
            .id;
        let mut viewers = Vec::new();
        for id in people {
            let viewer = Viewer::load(tx.conn(), id, None, tx.now()).await.unwrap();
            viewers.push(viewer.unwrap());
        }
        Self {
            tx,
            people,
            viewers: viewers.try_into().unwrap(),
            organisation,
            contact,
            email,
            order: Vec::new(),
            orders: 0,
            contradicted: [0; MODELS.len()],
            withheld: 0,
            agreed: 0,
        }
    }

    async fn run(&self, sql: &str) {
        self.tx.conn().execute_unprepared(sql).await.unwrap();
    }

    /// Who is the system's operator of the contact's organisation, whether the claim counts or not.
    async fn account(&self) -> Option<(KeyAccountId, usize)> {
        let found = entity::key_account::Entity::find()
            .filter(entity::key_account::Column::OrganisationId.eq(self.organisation))
            .filter(entity::key_account::Column::State.eq(KeyAccountState::Live))
            .one(self.tx.conn())
            .await
            .unwrap()?;
        let who = self.person(found.operator_id);
        Some((found.id, who))
    }

    fn person(&self, id: UserId) -> usize {
        self.people.iter().position(|known| *known == id).unwrap()
    }

    /// The first request that waits.
    async fn waiting(&self) -> Option<liaison_request::Model> {
        liaison_request::Entity::find()
            .filter(liaison_request::Column::State.eq(LiaisonState::Requested))
            .order_by_asc(liaison_request::Column::Id)
            .one(self.tx.conn())
            .await
            .unwrap()
    }

    async fn viewer(&self, who: usize) -> Viewer {
        Viewer::load(self.tx.conn(), self.people[who], None, self.tx.now())
            .await
            .unwrap()
            .unwrap()
    }

    /// What the system says: who reaches the contact. By its fields and by looking for the address, which must agree.
    async fn reaches(&self) -> [bool; PEOPLE] {
        let mut reaches = [false; PEOPLE];
        for (who, viewer) in self.viewers.iter().enumerate() {
            let (db, now) = (self.tx.conn(), self.tx.now());
            let standings = key_account::standings(db, viewer, now, &[self.contact])
                .await
                .unwrap();
            reaches[who] = !standings.iter().any(|standing| standing.must_liaise);
            let filter = contact::Filter {
                email: Some(self.email.clone()),
                ..contact::Filter::default()
            };
            let found = contact::count(db, viewer, now, &filter).await.unwrap();
            assert_eq!(found == 1, reaches[who], "{:?}", self.order);
        }
        reaches
    }

    async fn answer(&mut self, agree: bool, oneself: bool) -> (bool, Option<usize>) {
        let Some(request) = self.waiting().await else {
            return (false, None);
        };
        let asker = self.person(request.requested_by);
        let operator = match (oneself, self.account().await) {
            (true, _) | (_, None) => asker,
            (false, Some((_, operator))) => operator,
        };
        let viewer = self.viewer(operator).await;
        let answer = Answer {
            agree,
            words: Some("So be it.".to_owned()),
            until: agree.then(|| self.tx.now() + AGREED_FOR),
        };
        let answered = liaison::answer(&mut self.tx, &viewer, request.id, answer).await;
        (answered.is_ok(), Some(asker))
    }

    /// Takes a step. Answers whether it changed something, and whose request it was about.
    async fn take(&mut self, step: Step) -> (bool, Option<usize>) {
        let done = match step {
            Step::Claim(who) => {
                let viewer = self.viewer(who).await;
                let named = vec![Named {
                    contact_id: self.contact,
                    guidance: "Ring first.".to_owned(),
                }];
                key_account::claim(&mut self.tx, &viewer, self.organisation, named)
                    .await
                    .is_ok()
            }
            Step::Ask(who) => {
                let viewer = self.viewer(who).await;
                liaison::request(&mut self.tx, &viewer, self.contact, "Ask.")
                    .await
                    .is_ok()
            }
            Step::Agree => return self.answer(true, false).await,
            Step::Decline => return self.answer(false, false).await,
            Step::AnswerOneself => return self.answer(true, true).await,
            Step::HandOver => match self.account().await {
                Some((id, holder)) => {
                    let (viewer, heir) = (self.viewer(holder).await, self.people[1 - holder]);
                    key_account::hand_over_one(&mut self.tx, &viewer, id, heir)
                        .await
                        .is_ok()
                }
                None => false,
            },
            Step::Release => match self.account().await {
                Some((id, holder)) => {
                    let viewer = self.viewer(holder).await;
                    key_account::release(&mut self.tx, &viewer, id)
                        .await
                        .is_ok()
                }
                None => false,
            },
            Step::LoseAccess => {
                self.set_access(GrantState::Active, GrantState::Revoked)
                    .await
            }
            Step::RegainAccess => {
                self.set_access(GrantState::Revoked, GrantState::Active)
                    .await
            }
            Step::LookAfter => {
                let ended = key_account::look_after(&mut self.tx).await.unwrap();
                ended != (0, 0)
            }
            Step::TimePasses => self.pass_time().await,
        };
        (done, None)
    }

    /// A transaction has one time; so what was to last ends that much earlier, which is the same.
    async fn pass_time(&self) -> bool {
        let all = liaison_request::Entity::find()
            .all(self.tx.conn())
            .await
            .unwrap();
        for request in &all {
            liaison_request::Entity::update_many()
                .col_expr(
                    liaison_request::Column::ExpiresAt,
                    Expr::val(request.expires_at - PASSES),
                )
                .filter(liaison_request::Column::Id.eq(request.id))
                .exec(self.tx.conn())
                .await
                .unwrap();
        }
        !all.is_empty() && self.order.last() != Some(&Step::TimePasses)
    }

    async fn set_access(&self, from: GrantState, to: GrantState) -> bool {
        let changed = access_grant::Entity::update_many()
            .col_expr(access_grant::Column::State, Expr::val(to))
            .filter(access_grant::Column::UserId.eq(self.people[0]))
            .filter(access_grant::Column::Permission.eq(Permission::ClaimKeyAccount))
            .filter(access_grant::Column::State.eq(from))
            .exec(self.tx.conn())
            .await
            .unwrap();
        changed.rows_affected > 0
    }

    /// Every step from here, and every one after it.
    fn explore<'w>(
        &'w mut self,
        models: &'w [Model; MODELS.len()],
        left: usize,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'w>> {
        Box::pin(async move {
            for step in ALL {
                let savepoint = format!("step_{left}");
                self.run(&format!("SAVEPOINT {savepoint}")).await;
                let (done, asker) = self.take(step).await;
                self.order.push(step);
                self.orders += 1;
                if done {
                    let after = self.judge(models, step, asker).await;
                    if left > 1 {
                        self.explore(&after, left - 1).await;
                    }
                }
                self.order.pop();
                self.run(&format!("ROLLBACK TO SAVEPOINT {savepoint}"))
                    .await;
                self.run(&format!("RELEASE SAVEPOINT {savepoint}")).await;
            }
        })
    }

    /// Compares the system with the models after a step that was taken.
    async fn judge(
        &mut self,
        models: &[Model; MODELS.len()],
        step: Step,
        asker: Option<usize>,
    ) -> [Model; MODELS.len()] {
        let now = self.tx.now();
        let held = models[0].counts();
        match step {
            Step::Claim(_) => assert_eq!(held, None, "claimed twice: {:?}", self.order),
            Step::Ask(who) => assert!(
                held.is_some_and(|holder| holder != who),
                "nobody to ask: {:?}",
                self.order
            ),
            Step::Agree | Step::Decline => {
                assert!(held.is_some(), "nobody answers: {:?}", self.order);
            }
            Step::AnswerOneself => panic!("they answered themselves: {:?}", self.order),
            _ => {}
        }
        let mut after = models.clone();
        for model in &mut after {
            model.take(step, asker, now);
        }
        let found = self.reaches().await;
        assert_eq!(after[0].reaches(now), found, "{:?}", self.order);
        for (at, model) in after.iter().enumerate() {
            self.contradicted[at] += usize::from(model.reaches(now) != found);
        }
        self.withheld += found.iter().filter(|reaches| !**reaches).count();
        let holder = after[0].counts();
        let others = (0..PEOPLE).filter(|who| holder.is_some_and(|holder| holder != *who));
        self.agreed += others.filter(|who| found[*who]).count();
        after
    }
}

on_both_columns! {
    async fn no_order_of_five_steps_leaves_a_contact_reachable_without_agreement(bed: TestBed) {
        let store = bed.store().await;
        let mut world = World::new(&store).await;
        world.explore(&MODELS.map(Model::new), STEPS).await;
        assert!(world.orders > 5_000, "thousands of orders: {}", world.orders);
        assert!(world.withheld > 500 && world.agreed > 50, "{} {}", world.withheld, world.agreed);
        // The control: forgetting any of the rules is noticed.
        for (forgets, contradicted) in MODELS.iter().zip(world.contradicted) {
            assert_eq!(contradicted > 0, *forgets != Forgets::Nothing, "{forgets:?}: {contradicted}");
        }
        drop(world);
        let claims = entity::key_account::Entity::find().count(store.reader()).await.unwrap();
        assert_eq!(claims, 0, "all of it was taken back");
    }
}

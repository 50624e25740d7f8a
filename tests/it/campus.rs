//! A faculty or two, students, operators and events, for the tests of events and bookings below HTTP.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Error, RefusalCode, Result, Store, Tx, Viewer,
    agreement::TellOfVersion,
    booking as bookings,
    clock::ManualClock,
    coming_events::DigestComingEvents,
    event::{
        self as events, EventChanges, EventDraft, RemindOfEvent, TellOfCancellation, TellOfMove,
    },
    event_sharing::ExpireEventSharing,
    feedback::AskForFeedback,
    operator_access::{LapseAccess, RemindOperators},
    register::{CloseRegister, ContactNoShows},
    waiting_list::{self, ExpireOffer, LookAfterQueues, PromoteWaiting},
};
use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    delivery,
    event::{self, EventKind},
    faculty,
    ids::{BookingId, EventId, FacultyId, UserId},
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::Expr,
};
use support::{TestBed, operator};
use worker::{
    engine::{Engine, EngineConfig, EngineSignals, Registry},
    services::Services,
};

/// A campus in the database of one test.
pub struct Campus {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    /// May manage every event.
    pub operator: Viewer,
}

impl Campus {
    pub async fn new(bed: &TestBed) -> Self {
        let store = bed.store().await;
        let operator = add_person(&store, "olga", UserKind::Staff, None).await;
        add_grant(&store, operator, None).await;
        Self {
            operator: viewer(&store, operator).await,
            store,
            clock: Arc::clone(bed.clock()),
        }
    }

    pub async fn faculty(&self, name: &str) -> FacultyId {
        let row = faculty::Model {
            id: FacultyId::new_at(self.store.now()),
            name: name.to_owned(),
            created_at: self.store.now(),
        };
        let id = row.id;
        faculty::Entity::insert(row.into_active_model())
            .exec_without_returning(self.store.reader())
            .await
            .unwrap();
        id
    }

    /// An operator whose permission is for one faculty.
    pub async fn operator_of(&self, name: &str, faculty: FacultyId) -> Viewer {
        let id = add_person(&self.store, name, UserKind::Staff, Some(faculty)).await;
        add_grant(&self.store, id, Some(faculty)).await;
        viewer(&self.store, id).await
    }

    /// An administrator, who was granted nothing.
    pub async fn administrator(&self, name: &str) -> Viewer {
        let id = add_person(&self.store, name, UserKind::Staff, None).await;
        user::Entity::update_many()
            .col_expr(user::Column::IsAdministrator, Expr::value(true))
            .filter(user::Column::Id.eq(id))
            .exec(self.store.reader())
            .await
            .unwrap();
        viewer(&self.store, id).await
    }

    /// A member of staff without any permission.
    pub async fn staff(&self, name: &str) -> Viewer {
        let id = add_person(&self.store, name, UserKind::Staff, None).await;
        viewer(&self.store, id).await
    }

    pub async fn student(&self, name: &str) -> Viewer {
        let id = add_person(&self.store, name, UserKind::Student, None).await;
        viewer(&self.store, id).await
    }

    pub async fn student_of(&self, name: &str, faculty: FacultyId) -> Viewer {
        let id = add_person(&self.store, name, UserKind::Student, Some(faculty)).await;
        viewer(&self.store, id).await
    }

    pub async fn students(&self, number: usize) -> Vec<Viewer> {
        let mut students = Vec::with_capacity(number);
        for at in 1..=number {
            students.push(self.student(&format!("student{at}")).await);
        }
        students
    }

    /// The same person with the rights and the marks they have now.
    pub async fn again(&self, person: &Viewer) -> Viewer {
        viewer(&self.store, person.user_id().unwrap()).await
    }

    /// A published event in a week, with so many places.
    pub async fn event(&self, capacity: i32) -> event::Model {
        self.event_with(capacity, |_| {}).await
    }

    pub async fn event_with(
        &self,
        capacity: i32,
        edit: impl FnOnce(&mut EventDraft),
    ) -> event::Model {
        let mut draft = self.draft(capacity);
        edit(&mut draft);
        let event = self
            .change(async |tx| events::create(tx, &self.operator, draft).await)
            .await
            .unwrap();
        self.change(async |tx| events::publish(tx, &self.operator, event.id).await)
            .await
            .unwrap()
    }

    pub fn draft(&self, capacity: i32) -> EventDraft {
        let starts_at = self.store.now() + TimeDelta::days(7);
        EventDraft {
            // Those who want to see reminders say so.
            reminder_minutes: Vec::new(),
            ..EventDraft::new(
                "CV workshop",
                EventKind::Workshop,
                starts_at,
                starts_at + TimeDelta::hours(2),
                capacity,
            )
        }
    }

    /// Does something in a transaction, and commits it unless it was refused.
    pub async fn change<T>(&self, act: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> Result<T> {
        let mut tx = self.store.begin().await.unwrap();
        let done = act(&mut tx).await;
        if done.is_ok() {
            tx.commit().await.unwrap();
        }
        done
    }

    /// The operator changes an event as it is now.
    pub async fn update(&self, event: &event::Model, changes: EventChanges) -> event::Model {
        let version = self.event_now(event.id).await.version;
        self.change(async |tx| events::update(tx, &self.operator, event.id, version, changes).await)
            .await
            .unwrap()
    }

    pub async fn book(&self, person: &Viewer, event: EventId) -> Result<booking::Model> {
        self.change(async |tx| bookings::book(tx, person, event).await)
            .await
    }

    pub async fn cancel(&self, person: &Viewer, booking: BookingId) -> Result<booking::Model> {
        self.change(async |tx| bookings::cancel(tx, person, booking, None).await)
            .await
    }

    pub async fn event_now(&self, id: EventId) -> event::Model {
        let found = event::Entity::find_by_id(id).one(self.store.reader()).await;
        found.unwrap().unwrap()
    }

    pub async fn booking_now(&self, id: BookingId) -> booking::Model {
        let found = booking::Entity::find_by_id(id)
            .one(self.store.reader())
            .await;
        found.unwrap().unwrap()
    }

    pub async fn state(&self, id: BookingId) -> BookingState {
        self.booking_now(id).await.state
    }

    /// The position of a booking in its queue.
    pub async fn position(&self, id: BookingId) -> Option<i64> {
        let positions = waiting_list::positions(self.store.reader(), &[id])
            .await
            .unwrap();
        positions.get(&id).copied()
    }

    /// The templates of the mails to somebody, in alphabetical order: those of one moment have no other.
    pub async fn mails_to(&self, person: &Viewer) -> Vec<String> {
        let id = person.user_id().unwrap();
        let mut templates: Vec<String> = self
            .letters()
            .await
            .into_iter()
            .filter(|letter| letter.user_id == Some(id))
            .map(|letter| letter.template)
            .collect();
        templates.sort();
        templates
    }

    /// Every mail of the ledger.
    pub async fn letters(&self) -> Vec<delivery::Model> {
        delivery::Entity::find()
            .order_by_asc(delivery::Column::CreatedAt)
            .order_by_asc(delivery::Column::Id)
            .all(self.store.reader())
            .await
            .unwrap()
    }

    /// Runs the jobs of events that are due, until none is left. Mails stay in the ledger.
    pub async fn run_jobs(&self) {
        let registry = Registry::default()
            .with::<AskForFeedback>()
            .with::<CloseRegister>()
            .with::<ContactNoShows>()
            .with::<DigestComingEvents>()
            .with::<ExpireEventSharing>()
            .with::<ExpireOffer>()
            .with::<LapseAccess>()
            .with::<LookAfterQueues>()
            .with::<PromoteWaiting>()
            .with::<RemindOfEvent>()
            .with::<RemindOperators>()
            .with::<TellOfCancellation>()
            .with::<TellOfMove>()
            .with::<TellOfVersion>();
        let engine = Engine::new(
            self.store.clone(),
            EngineSignals::memory(),
            registry,
            Services::default(),
            EngineConfig::default(),
        );
        engine.run_due().await.unwrap();
    }

    /// Moves the clock and runs what has become due.
    pub async fn later(&self, moment: DateTime<Utc>) {
        self.clock.set(moment);
        self.run_jobs().await;
    }
}

/// The codes of a refusal.
pub fn codes<T: std::fmt::Debug>(result: Result<T>) -> Vec<RefusalCode> {
    match result {
        Err(Error::Refused(refusals)) => refusals.iter().map(|refusal| refusal.code).collect(),
        other => panic!("no refusal: {other:?}"),
    }
}

/// The fields that a refusal names.
pub fn fields<T: std::fmt::Debug>(result: Result<T>) -> Vec<&'static str> {
    match result {
        Err(Error::Refused(refusals)) => refusals.iter().filter_map(|r| r.field).collect(),
        other => panic!("no refusal: {other:?}"),
    }
}

async fn viewer(store: &Store, id: UserId) -> Viewer {
    Viewer::load(store.reader(), id, None, store.now())
        .await
        .unwrap()
        .unwrap()
}

async fn add_person(
    store: &Store,
    name: &str,
    kind: UserKind,
    faculty_id: Option<FacultyId>,
) -> UserId {
    let (id, now) = (UserId::new_at(store.now()), store.now());
    let row = user::Model {
        id,
        email: format!("{name}@university.test"),
        name: name.to_owned(),
        kind,
        is_super_user: false,
        is_administrator: false,
        state: UserState::Active,
        faculty_id,
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
    id
}

async fn add_grant(store: &Store, user_id: UserId, faculty_id: Option<FacultyId>) {
    operator::grant(store, user_id, Permission::ManageEvent, faculty_id).await;
}

//! Somebody in every state of access, who got there as people do: by a course, a session, a mark in the register, accepted
//! agreements and grants, all through `domain`.

use chrono::TimeDelta;
use domain::{
    Result, Store, Tx, Viewer, agreement as agreements,
    booking::{self as bookings, Ticket},
    clock::ManualClock,
    event::{self as events, EventDraft},
    operator_access::{self as access, NewGrant},
    policy::PERMISSIONS,
    training_course::{self as courses, Course},
};
use entity::{
    agreement,
    event::{self, EventKind},
    ids::{BookingId, EventId, TrainingCourseId, UserId},
    operator_access::AccessState,
    user,
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use support::TestBed;

use super::people::account;

/// The names of those in every state, and of one whose grants were taken back. Each was granted everything but the one whose
/// terms are accepted already for what they were not granted.
pub async fn everybody(bed: &TestBed, store: &Store, staff: &user::Model) -> Vec<(String, UserId)> {
    use AccessState::{Active, Invited, Lapsed, Suspended, TermsAccepted, Trained, TrainingBooked};
    let office = Office::open(bed, store).await;
    let (short, long) = (
        office.course("A day's training", 1).await,
        office.course("A year's training", 365).await,
    );
    let mut people = Vec::new();
    for state in [
        Invited,
        TrainingBooked,
        Trained,
        TermsAccepted,
        Active,
        Lapsed,
    ] {
        people.push((state, office.person(staff, |_| {}).await));
    }
    let marked = |account: &mut user::Model| {
        account.is_super_user = true;
        account.is_administrator = true;
    };
    people.push((Suspended, office.person(staff, marked).await));
    let who = |wanted: AccessState| people.iter().find(|(state, _)| *state == wanted).unwrap().1;

    office.attend(short, &[who(Lapsed)]).await;
    office.accept(who(Lapsed)).await;
    office.grant_everything(who(Lapsed), short).await;
    office.clock.advance(TimeDelta::days(1));
    office.change(async |tx| access::lapse(tx).await).await;

    let revoked = office.person(staff, |_| {}).await;
    let trained = [
        who(Trained),
        who(TermsAccepted),
        who(Active),
        who(Suspended),
        revoked,
    ];
    office.attend(long, &trained).await;
    for id in [who(TermsAccepted), who(Active), who(Suspended), revoked] {
        office.accept(id).await;
    }
    for state in [Invited, TrainingBooked, Trained, Active, Suspended] {
        office.grant_everything(who(state), long).await;
    }
    office.grant_everything(who(TermsAccepted), short).await;
    office.grant_everything(revoked, long).await;
    let grants = access::grants_of(store.reader(), &[revoked], store.now())
        .await
        .unwrap();
    assert_eq!(grants.len(), PERMISSIONS.len());
    for grant in grants {
        let administrator = &office.administrator;
        office
            .change(async |tx| access::revoke(tx, administrator, grant.row.id).await)
            .await;
    }
    let session = office.session(long).await;
    office.book(who(TrainingBooked), session.id).await;
    let administrator = &office.administrator;
    office
        .change(async |tx| {
            access::suspend(tx, administrator, who(Suspended), "It is looked into.").await
        })
        .await;

    for (state, id) in &people {
        let standing = access::find_all(store.reader(), &Viewer::system(), &[*id])
            .await
            .unwrap();
        assert_eq!(standing[0].state, *state);
        let viewer = office.viewer(*id).await;
        for permission in PERMISSIONS {
            assert_eq!(
                viewer.has(permission),
                *state == Active,
                "{state:?}: {permission:?}"
            );
        }
        assert!(
            !viewer.is_super_user() && !viewer.is_administrator(),
            "{state:?}"
        );
    }
    let mut named: Vec<(String, UserId)> = people
        .into_iter()
        .map(|(state, id)| (format!("somebody whose access is {}", state.to_value()), id))
        .collect();
    named.push(("somebody whose grants were taken back".to_owned(), revoked));
    named
}

struct Office<'a> {
    store: &'a Store,
    clock: &'a ManualClock,
    administrator: Viewer,
}

impl<'a> Office<'a> {
    async fn open(bed: &'a TestBed, store: &'a Store) -> Self {
        let administrator = user::Entity::find()
            .filter(user::Column::Email.eq("admin@demo.mycareer.test"))
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let loaded = Viewer::load(store.reader(), administrator.id, None, store.now()).await;
        Self {
            store,
            clock: bed.clock(),
            administrator: loaded.unwrap().unwrap(),
        }
    }

    async fn change<T>(&self, act: impl AsyncFnOnce(&mut Tx) -> Result<T>) -> T {
        let mut tx = self.store.begin().await.unwrap();
        let done = act(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        done
    }

    async fn viewer(&self, id: UserId) -> Viewer {
        let loaded = Viewer::load(self.store.reader(), id, None, self.store.now()).await;
        loaded.unwrap().unwrap()
    }

    async fn person(&self, like: &user::Model, change: impl FnOnce(&mut user::Model)) -> UserId {
        let row = account(like.clone(), change);
        let id = row.id;
        user::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(self.store.reader())
            .await
            .unwrap();
        id
    }

    /// A course that opens everything and names every agreement.
    async fn course(&self, title: &str, validity_days: i32) -> TrainingCourseId {
        let agreements = agreement::Entity::find()
            .all(self.store.reader())
            .await
            .unwrap();
        let course = Course {
            title: title.to_owned(),
            permissions: PERMISSIONS.to_vec(),
            validity_days,
            agreement_ids: agreements
                .into_iter()
                .map(|agreement| agreement.id)
                .collect(),
        };
        self.change(async |tx| courses::create(tx, &self.administrator, course).await)
            .await
            .id
    }

    /// A session of a course, tomorrow.
    async fn session(&self, course: TrainingCourseId) -> event::Model {
        let starts_at = self.store.now() + TimeDelta::days(1);
        let ends_at = starts_at + TimeDelta::hours(2);
        let draft = EventDraft::new("Training", EventKind::Training, starts_at, ends_at, 20);
        let by = &self.administrator;
        self.change(async |tx| {
            let event = events::create(tx, by, draft).await?;
            courses::link_session(tx, by, event.id, course).await?;
            events::publish(tx, by, event.id).await
        })
        .await
    }

    async fn book(&self, id: UserId, event: EventId) -> BookingId {
        let person = self.viewer(id).await;
        self.change(async |tx| bookings::book(tx, &person, event).await)
            .await
            .id
    }

    /// Has people attend a session of a course, which takes until tomorrow.
    async fn attend(&self, course: TrainingCourseId, people: &[UserId]) {
        let session = self.session(course).await;
        let mut booked = Vec::new();
        for id in people {
            booked.push(self.book(*id, session.id).await);
        }
        self.clock.set(session.starts_at);
        for booking in booked {
            let ticket = Ticket::Booking(booking);
            self.change(async |tx| bookings::check_in(tx, &self.administrator, ticket).await)
                .await;
        }
    }

    async fn accept(&self, id: UserId) {
        let person = self.viewer(id).await;
        for agreement in agreement::Entity::find()
            .all(self.store.reader())
            .await
            .unwrap()
        {
            let version = agreements::current_version(self.store.reader(), agreement.id).await;
            let version = version.unwrap().unwrap();
            self.change(async |tx| agreements::accept(tx, &person, version.id).await)
                .await;
        }
    }

    async fn grant_everything(&self, user_id: UserId, course: TrainingCourseId) {
        for permission in PERMISSIONS {
            let new = NewGrant {
                user_id,
                permission,
                faculty_id: None,
                training_course_id: Some(course),
            };
            self.change(async |tx| access::grant(tx, &self.administrator, new).await)
                .await;
        }
    }
}

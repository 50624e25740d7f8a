//! Training and access as people meet them over HTTP, and as rules below it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Viewer,
    agreement::{self as agreements, NewVersion, Of},
    event::EventDraft,
    operator_access::{self as access, NewGrant, Standing},
    training_course::{self as courses, Course},
};
use entity::{
    access_grant::Permission,
    agreement::{self, AgreementKind},
    event::EventKind,
    ids::{AgreementId, BookingId, TrainingCourseId, UserId},
    operator_access::AccessState,
    training_course, user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, TestBed};

use crate::campus::Campus;

/// What the titles of the agreements begin with that a course can't do without.
const NEEDED: &str = "Needed:";

pub const PATIENCE: Duration = Duration::from_secs(20);

pub const GRANT: &str = "mutation($input: GrantAccessInput!) { grantAccess(input: $input) {
    operatorAccess { state grants { id permission counts isTrained isAccepted faculty { name } } }
    userErrors { code field message } } }";
pub const REVOKE: &str = "mutation($id: ID!) { revokeAccess(input: { grantId: $id }) {
    operatorAccess { state } userErrors { code field } } }";
pub const SUSPEND: &str = r#"mutation($id: ID!) { suspendAccess(input: { userId: $id, reason: "A complaint is looked into." }) {
    operatorAccess { state suspendedBecause } userErrors { code field } } }"#;
pub const RESTORE: &str = "mutation($id: ID!) { restoreAccess(input: { userId: $id }) {
    operatorAccess { state suspendedBecause } userErrors { code field } } }";
pub const BOOK: &str = "mutation($id: ID!) { bookEvent(input: { eventId: $id }) {
    booking { id state } userErrors { code message } } }";
pub const CHECK_IN: &str = "mutation($id: ID!) { checkIn(input: { bookingId: $id }) {
    booking { state } userErrors { code message } } }";

/// Somebody of the demo data.
pub async fn account(system: &System, mailbox: &str) -> user::Model {
    user::Entity::find()
        .filter(user::Column::Email.eq(format!("{mailbox}@{}", api::demo::DOMAIN)))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

/// The session of a demo course: its id and when it starts.
pub async fn session(client: &Client, course: &str) -> (String, DateTime<Utc>) {
    let query = "{ trainingCourses { nodes { title nextSessions(withFreePlaces: true) { id startsAt } } } }";
    let data = client.data(query, json!({})).await;
    let nodes = data["trainingCourses"]["nodes"].as_array().unwrap().clone();
    let course = nodes.iter().find(|node| node["title"] == course).unwrap();
    let session = &course["nextSessions"][0];
    let starts_at = session["startsAt"].as_str().unwrap().parse().unwrap();
    (session["id"].as_str().unwrap().to_owned(), starts_at)
}

/// Accepts every agreement in its current version.
pub async fn accept_everything(client: &Client) {
    let query = "{ agreements { nodes { currentVersion { id } } } }";
    let data = client.data(query, json!({})).await;
    for node in data["agreements"]["nodes"].as_array().unwrap() {
        let accepted = client
            .data(
                "mutation($id: ID!) { acceptAgreement(input: { agreementVersionId: $id }) {
                    agreement { viewerAcceptance { version { number } } } userErrors { code } } }",
                json!({ "id": node["currentVersion"]["id"] }),
            )
            .await;
        assert_eq!(accepted["acceptAgreement"]["userErrors"], json!([]));
    }
}

/// Where somebody stands, as `client` sees it; null when it is not theirs to see.
pub async fn state(client: &Client, id: UserId) -> Value {
    let query = "query($id: ID!) { operatorAccess(filter: { userId: $id }) { nodes { state } } }";
    let mut data = client.data(query, json!({ "id": id })).await;
    data["operatorAccess"]["nodes"][0]["state"].take()
}

/// What `permissions` answers for one of them.
pub async fn permission(client: &Client, name: &str) -> Value {
    let query = "{ permissions { permission held reason isCampusWide faculties { name }
        trainingCourses { title nextSessions { title placesLeft } } agreementsToAccept { title } } }";
    let data = client.data(query, json!({})).await;
    let all = data["permissions"].as_array().unwrap();
    all.iter()
        .find(|one| one["permission"] == name)
        .unwrap()
        .clone()
}

/// How many mails with this in their subject went to that demo account.
pub fn mails(bed: &TestBed, mailbox: &str, subject: &str) -> usize {
    let address = format!("{mailbox}@{}", api::demo::DOMAIN);
    let parser = mail_parser::MessageParser::default;
    bed.mail()
        .received()
        .iter()
        .filter(|mail| mail.to.contains(&address))
        .filter_map(|mail| {
            parser()
                .parse(&mail.raw)
                .and_then(|mail| mail.subject().map(str::to_owned))
        })
        .filter(|found| found.contains(subject))
        .count()
}

impl Campus {
    /// The agreements that a course can't do without; made by the first who asks.
    async fn needed_agreements(&self, administrator: &Viewer) -> Vec<AgreementId> {
        let mut ids = Vec::new();
        for kind in [
            AgreementKind::OperatorTerms,
            AgreementKind::DataProtection,
            AgreementKind::BulkEmailGuidance,
        ] {
            let title = format!("{NEEDED} {kind:?}");
            let known = agreement::Entity::find()
                .filter(agreement::Column::Title.eq(title.as_str()))
                .one(self.store.reader())
                .await
                .unwrap();
            let id = if let Some(known) = known {
                known.id
            } else {
                let new = NewVersion {
                    of: Of::New { kind, title },
                    text: "I work with care.".to_owned(),
                    grace_days: 0,
                };
                self.change(async |tx| agreements::publish(tx, administrator, new).await)
                    .await
                    .unwrap()
                    .id
            };
            ids.push(id);
        }
        ids
    }

    /// Has somebody accept the agreements that a course can't do without.
    async fn accept_needed(&self, person: &Viewer) {
        let needed = agreement::Entity::find()
            .filter(agreement::Column::Title.starts_with(NEEDED))
            .all(self.store.reader())
            .await
            .unwrap();
        for agreement in needed {
            let version = agreements::current_version(self.store.reader(), agreement.id)
                .await
                .unwrap()
                .unwrap();
            self.change(async |tx| agreements::accept(tx, person, version.id).await)
                .await
                .unwrap();
        }
    }

    /// A course that opens a permission. Besides these agreements it names those that no course can do without, which
    /// whoever is trained accepts.
    pub async fn course(
        &self,
        administrator: &Viewer,
        permission: Permission,
        mut agreement_ids: Vec<AgreementId>,
    ) -> training_course::Model {
        agreement_ids.extend(self.needed_agreements(administrator).await);
        let course = Course {
            title: format!("Course for {permission:?}"),
            permissions: vec![permission],
            validity_days: 365,
            agreement_ids,
        };
        self.change(async |tx| courses::create(tx, administrator, course).await)
            .await
            .unwrap()
    }

    /// Has somebody accept what every course needs, then book, attend and be marked at a session of a course, a week from now.
    pub async fn train(
        &self,
        administrator: &Viewer,
        course: TrainingCourseId,
        person: &Viewer,
    ) -> BookingId {
        self.accept_needed(person).await;
        let event = self
            .event_with(5, |draft: &mut EventDraft| draft.kind = EventKind::Training)
            .await;
        self.change(async |tx| courses::link_session(tx, administrator, event.id, course).await)
            .await
            .unwrap();
        let booking = self.book(person, event.id).await.unwrap();
        self.clock.set(event.starts_at + TimeDelta::hours(2));
        let ticket = domain::booking::Ticket::Booking(booking.id);
        self.change(async |tx| domain::booking::check_in(tx, &self.operator, ticket).await)
            .await
            .unwrap();
        booking.id
    }

    /// Grants a permission for the campus.
    pub async fn grant(
        &self,
        granter: &Viewer,
        person: &Viewer,
        permission: Permission,
    ) -> domain::Result<Standing> {
        let new = NewGrant {
            user_id: person.user_id().unwrap(),
            permission,
            faculty_id: None,
            training_course_id: None,
        };
        self.change(async |tx| access::grant(tx, granter, new).await)
            .await
    }

    /// Where somebody stands, as it is stored.
    pub async fn stands(&self, person: &Viewer) -> AccessState {
        let id = person.user_id().unwrap();
        let found = access::find_all(self.store.reader(), &Viewer::system(), &[id]).await;
        found.unwrap().pop().unwrap().state
    }

    /// Whether somebody holds a permission at this moment.
    pub async fn may(&self, person: &Viewer, permission: Permission) -> bool {
        self.again(person).await.has(permission)
    }
}

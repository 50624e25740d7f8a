//! The types of operator access.

use std::collections::HashMap;

use async_graphql::{Context, Enum, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::operator_access::{self as access, Grant, Standing};
use entity::{
    ids::{GrantId, UserId},
    operator_access::AccessState as State,
};

use crate::graphql::{
    agreement::{AgreementAcceptance, acceptances_of},
    id::Id,
    person::{self, Person},
    rows::{LoadError, Rows, rows},
    training_course::{self, TrainingCourse, TrainingRecord, records_of},
    university::{self, Faculty},
    viewer::Permission,
};

/// Where a member of staff stands.
#[derive(Clone, Debug)]
pub struct OperatorAccess(Standing);

impl From<Standing> for OperatorAccess {
    fn from(standing: Standing) -> Self {
        Self(standing)
    }
}

/// Where a member of staff stands on the way to operator access, and what carries it (policy 3).
#[Object]
impl OperatorAccess {
    /// The member of staff.
    async fn person(&self) -> Option<Person> {
        Some(self.0.person.clone().into())
    }

    /// Where they stand.
    async fn state(&self) -> Option<AccessState> {
        Some(self.0.state.into())
    }

    /// Since when; null while nothing has happened.
    async fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.0.changed_at
    }

    /// Why it is suspended; null when it isn't.
    async fn suspended_because(&self) -> Option<&str> {
        self.0.suspended_because.as_deref()
    }

    /// What was granted to them and not taken back.
    async fn grants(&self, ctx: &Context<'_>) -> Option<Result<Vec<AccessGrant>>> {
        let is_suspended = self.0.state == State::Suspended;
        let found = async {
            let grants = rows(ctx)?.load_one(GrantsOf(self.0.person.id)).await?;
            Ok(grants
                .unwrap_or_default()
                .into_iter()
                .map(|grant| AccessGrant {
                    grant,
                    is_suspended,
                })
                .collect())
        };
        Some(found.await)
    }

    /// The training they attended, the latest first.
    async fn training(&self, ctx: &Context<'_>) -> Option<Result<Vec<TrainingRecord>>> {
        let found = records_of(ctx, self.0.person.id).await;
        Some(found.map(|records| records.into_iter().map(TrainingRecord).collect()))
    }

    /// What they accepted, the newest first.
    async fn acceptances(&self, ctx: &Context<'_>) -> Option<Result<Vec<AgreementAcceptance>>> {
        let found = acceptances_of(ctx, self.0.person.id).await;
        Some(found.map(|all| {
            all.into_iter()
                .map(|(acceptance, version)| AgreementAcceptance {
                    acceptance,
                    version,
                })
                .collect()
        }))
    }
}

/// A grant.
#[derive(Clone, Debug)]
pub struct AccessGrant {
    grant: Grant,
    is_suspended: bool,
}

/// A permission given to a member of staff, for the campus or for one faculty (policy 3).
#[Object]
impl AccessGrant {
    /// Its id.
    async fn id(&self) -> Option<Id<GrantId>> {
        Some(Id(self.grant.row.id))
    }

    /// What it allows.
    async fn permission(&self) -> Option<Permission> {
        Some(self.grant.row.permission.into())
    }

    /// The faculty it is limited to; null for the whole campus.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.grant.row.faculty_id?)
            .await
            .transpose()
    }

    /// The training it rests on; null for the first administrator's, which rests on nothing.
    async fn training_course(&self, ctx: &Context<'_>) -> Option<Result<TrainingCourse>> {
        training_course::find(ctx, self.grant.row.training_course_id?)
            .await
            .transpose()
    }

    /// Whether it counts at this moment: the training opens it still, was attended and not too long ago, its agreements are
    /// accepted, access is not suspended.
    async fn counts(&self) -> Option<bool> {
        Some(!self.is_suspended && self.grant.has_grounds())
    }

    /// Whether the training it rests on was attended, and not too long ago.
    async fn is_trained(&self) -> Option<bool> {
        Some(self.grant.is_trained)
    }

    /// Whether the agreements that this training names were accepted.
    async fn is_accepted(&self) -> Option<bool> {
        Some(self.grant.is_accepted)
    }

    /// Who gave it; null for the first administrator's.
    async fn granted_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.grant.row.granted_by?)
            .await
            .transpose()
    }

    /// When it was given.
    async fn granted_at(&self) -> Option<DateTime<Utc>> {
        Some(self.grant.row.granted_at)
    }
}

/// A stage on the way to operator access (policy 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum AccessState {
    /// Training is offered, as to everybody on the staff.
    Invited,
    /// A training session is booked, or waited for.
    TrainingBooked,
    /// Training was attended, and its agreements are still to be accepted.
    Trained,
    /// Training was attended and its agreements were accepted; no grant rests on it yet.
    TermsAccepted,
    /// At least one grant counts.
    Active,
    /// The training is too old, or a new version of an agreement was not accepted in time.
    Lapsed,
    /// It is withheld.
    Suspended,
}

/// What was granted to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GrantsOf(UserId);

impl Loader<GrantsOf> for Rows {
    type Value = Vec<Grant>;
    type Error = LoadError;

    async fn load(&self, keys: &[GrantsOf]) -> Result<HashMap<GrantsOf, Vec<Grant>>, LoadError> {
        let people: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let now = self.store.now();
        let mut found: HashMap<GrantsOf, Vec<Grant>> = HashMap::new();
        for grant in access::grants_of(self.store.reader(), &people, now).await? {
            found
                .entry(GrantsOf(grant.row.user_id))
                .or_default()
                .push(grant);
        }
        Ok(found)
    }
}

//! Who asks, and what they may do.

use async_graphql::{Context, Enum, Object, Result};
use chrono::{DateTime, Utc};
use domain::{
    calendar::feed,
    viewer::{Reach, SignedIn},
};
use entity::{
    access_grant::Permission as HeldPermission,
    ids::{ContactId, FacultyId, OrganisationId, ProgrammeId, UserId},
    user::UserKind as Kind,
};
use futures_util::future::try_join_all;
use sea_orm::Iterable;

use super::{
    agreement::{self, Agreement},
    id::Id,
    profile::{self, Profile},
    rows::rows,
    store,
    training_course::{self, TrainingCourse},
    university::Faculty,
    viewer,
};

/// Queries about the person who asks.
#[derive(Debug, Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The person who is signed in; null when nobody is.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Result<Viewer>> {
        viewer(ctx)
            .map(|viewer| viewer.person().cloned().map(Viewer))
            .transpose()
    }

    /// What the viewer may do, and for what not: why, and which training leads there (policy 3).
    async fn permissions(&self) -> Vec<PermissionStatus> {
        HeldPermission::iter().map(PermissionStatus).collect()
    }
}

/// The person who is signed in.
#[derive(Debug)]
pub struct Viewer(SignedIn);

/// The person who is signed in.
#[Object]
impl Viewer {
    /// The id of the account.
    async fn id(&self) -> Id<UserId> {
        Id(self.0.id)
    }

    /// The name as shown.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The address they sign in with.
    async fn email(&self) -> &str {
        &self.0.email
    }

    /// What kind of person it is.
    async fn kind(&self) -> UserKind {
        self.0.kind.into()
    }

    /// Whether they are an operator: staff with at least one permission (policy 3).
    async fn is_operator(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(viewer(ctx)?.is_operator())
    }

    /// Whether they are in the Super User Group (policy 3).
    async fn is_super_user(&self) -> bool {
        self.0.is_super_user
    }

    /// Whether they administer the system.
    async fn is_administrator(&self) -> bool {
        self.0.is_administrator
    }

    /// The faculty of a student or of a member of staff.
    async fn faculty_id(&self) -> Option<Id<FacultyId>> {
        self.0.faculty_id.map(Id)
    }

    /// The programme a student is on.
    async fn programme_id(&self) -> Option<Id<ProgrammeId>> {
        self.0.programme_id.map(Id)
    }

    /// The contact an employer is.
    async fn contact_id(&self) -> Option<Id<ContactId>> {
        self.0.contact_id.map(Id)
    }

    /// The organisation an employer signs in for.
    async fn organisation_id(&self) -> Option<Id<OrganisationId>> {
        self.0.organisation_id.map(Id)
    }

    /// Whether booking is blocked after missed events, until a Careers operator lifts it (policy 2.4).
    async fn booking_is_blocked(&self) -> bool {
        self.0.booking_blocked_at.is_some()
    }

    /// What they say of themselves, and which notices reach them how (policy 1).
    async fn profile(&self, ctx: &Context<'_>) -> Option<Result<Profile>> {
        Some(profile::own(ctx).await)
    }

    /// When they made the secret address of their own calendar; null when they have none.
    async fn calendar_feed_created_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime<Utc>>> {
        let made_at = feed::made_at(store(ctx).ok()?.reader(), viewer(ctx).ok()?).await;
        made_at.map_err(Into::into).transpose()
    }
}

/// Whether the viewer holds a permission.
#[derive(Debug)]
pub struct PermissionStatus(HeldPermission);

/// Whether the viewer holds a permission, how far it reaches, and otherwise what leads there (policy 3).
#[Object]
impl PermissionStatus {
    /// The permission.
    async fn permission(&self) -> Permission {
        self.0.into()
    }

    /// Whether it is held, for the campus or for a faculty.
    async fn held(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(viewer(ctx)?.has(self.0))
    }

    /// Whether it is held for the whole campus.
    async fn is_campus_wide(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(viewer(ctx)?.reach(self.0) == Reach::Campus)
    }

    /// The faculties it is held for, when it isn't for the whole campus.
    async fn faculties(&self, ctx: &Context<'_>) -> Result<Vec<Faculty>> {
        let Reach::Faculties(ids) = viewer(ctx)?.reach(self.0) else {
            return Ok(Vec::new());
        };
        let mut found = rows(ctx)?.load_many(ids.clone()).await?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// Why it isn't held, and which training leads there; null when it is.
    async fn reason(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        viewer(ctx)
            .map(|viewer| (!viewer.has(self.0)).then(|| viewer.why_not(self.0)))
            .transpose()
    }

    /// The training that leads there, with its next sessions.
    async fn training_courses(&self, ctx: &Context<'_>) -> Option<Result<Vec<TrainingCourse>>> {
        let courses = training_course::opening(ctx, self.0).await;
        Some(courses.map(|courses| courses.into_iter().map(Into::into).collect()))
    }

    /// The agreements of this training whose current version the viewer has not accepted yet.
    async fn agreements_to_accept(&self, ctx: &Context<'_>) -> Option<Result<Vec<Agreement>>> {
        Some(agreements_to_accept(ctx, self.0).await)
    }
}

async fn agreements_to_accept(
    ctx: &Context<'_>,
    permission: HeldPermission,
) -> Result<Vec<Agreement>> {
    let courses = training_course::opening(ctx, permission).await?;
    let named = try_join_all(
        courses
            .iter()
            .map(|course| training_course::agreements_of(ctx, course.id)),
    )
    .await?;
    let mut named: Vec<_> = named.into_iter().flatten().collect();
    named.sort_by(|one, other| (&one.title, one.id).cmp(&(&other.title, other.id)));
    named.dedup_by_key(|agreement| agreement.id);
    let accepted =
        try_join_all(named.iter().map(|row| agreement::is_accepted(ctx, row.id))).await?;
    Ok(named
        .into_iter()
        .zip(accepted)
        .filter(|(_, accepted)| !accepted)
        .map(|(row, _)| row.into())
        .collect())
}

/// What kind of person an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum UserKind {
    /// A student.
    Student,
    /// A graduate.
    Graduate,
    /// A contact who signs in for an organisation.
    Employer,
    /// A member of staff; permissions make an operator of them.
    Staff,
}

/// What a grant allows (policy 2.5 and 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "HeldPermission")]
pub enum Permission {
    /// Record engagements with employers: notes.
    RecordEngagement,
    /// Create and edit organisations, contacts and tags.
    EditOrganisation,
    /// Delete and merge organisations.
    DeleteOrganisation,
    /// Claim key accounts.
    ClaimKeyAccount,
    /// Organise events.
    ManageEvent,
    /// Approve and decline vacancies.
    ModerateVacancy,
    /// Send bulk e-mail to employer contacts.
    SendBulkEmail,
    /// Read reports.
    ReadReport,
    /// Export contacts.
    ExportContacts,
    /// Manage work placements.
    ManagePlacement,
    /// Give and take grants.
    GrantAccess,
}

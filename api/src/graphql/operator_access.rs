//! Operator access: who may do what, what it rests on, and how it is given and taken back (policy 3).

mod overview;
mod types;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use domain::operator_access::{self as access, Filter, HandedOver, NewGrant, Standing};
use entity::ids::{FacultyId, GrantId, TrainingCourseId, UserId};

pub use self::overview::TrainingOverview;
pub use self::types::{AccessGrant, AccessState, OperatorAccess};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    store, viewer,
    viewer::Permission,
};

/// Queries about operator access.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperatorAccessQuery;

/// Mutations of operator access.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperatorAccessMutation;

/// What a list of operators is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct OperatorAccessFilter {
    /// One member of staff.
    user_id: Option<Id<UserId>>,
    /// Those of this faculty.
    faculty_id: Option<Id<FacultyId>>,
    /// Those who stand there.
    state: Option<AccessState>,
}

impl From<OperatorAccessFilter> for Filter {
    fn from(given: OperatorAccessFilter) -> Self {
        Self {
            user_id: given.user_id.map(|id| id.0),
            faculty_id: given.faculty_id.map(|id| id.0),
            state: given.state.map(Into::into),
        }
    }
}

/// What is granted to whom.
#[derive(Debug, InputObject)]
pub struct GrantAccessInput {
    /// A member of staff, and not oneself.
    user_id: Id<UserId>,
    /// What they may do.
    permission: Permission,
    /// The faculty it is limited to; left out, it is for the whole campus.
    faculty_id: Option<Id<FacultyId>>,
    /// The training it is to rest on; left out, one that they have attended, or the first that opens the permission.
    training_course_id: Option<Id<TrainingCourseId>>,
}

/// A grant to be taken back.
#[derive(Debug, InputObject)]
pub struct RevokeAccessInput {
    /// The grant: `OperatorAccess.grants.id`.
    grant_id: Id<GrantId>,
}

/// Whose access is to be withheld, and why.
#[derive(Debug, InputObject)]
pub struct SuspendAccessInput {
    /// The member of staff.
    user_id: Id<UserId>,
    /// Why, which they read.
    reason: String,
}

/// Whose access is no longer withheld.
#[derive(Debug, InputObject)]
pub struct RestoreAccessInput {
    /// The member of staff.
    user_id: Id<UserId>,
}

/// Who leaves, and who takes over.
#[derive(Debug, InputObject)]
pub struct HandOverInput {
    /// The member of staff who leaves.
    from_user_id: Id<UserId>,
    /// The member of staff who takes over, and holds the permissions for what they take.
    to_user_id: Id<UserId>,
    /// Whether it is only counted, and nothing changes.
    #[graphql(default)]
    dry_run: bool,
}

/// What went from one person to another, and what ended.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct HandOver {
    /// Events that are still to come, and drafts of events.
    events: u64,
    /// Campaigns that are not over.
    campaigns: u64,
    /// Key accounts; both sides are told.
    key_accounts: u64,
    /// Grants that ended.
    grants: u64,
    /// Sessions that ended.
    sessions: u64,
    /// Marks that ended: of a member of the Super User Group, a faculty's representative, its disseminator. Whom they stood for is
    /// shown as not covered, until an administrator appoints somebody.
    marks: u64,
    /// Whether it was only counted.
    is_dry_run: bool,
}

impl From<HandedOver> for HandOver {
    fn from(handed: HandedOver) -> Self {
        Self {
            events: handed.events,
            campaigns: handed.campaigns,
            key_accounts: handed.key_accounts,
            grants: handed.grants,
            sessions: handed.sessions,
            marks: handed.marks,
            is_dry_run: handed.is_dry_run,
        }
    }
}

payload! {
    /// What became of handing over.
    HandOverPayload {
        /// What was handed over.
        hand_over: HandOver,
    }
}

payload! {
    /// What became of granting access.
    GrantAccessPayload {
        /// Where the person stands now.
        operator_access: OperatorAccess,
    }
}

payload! {
    /// What became of taking a grant back.
    RevokeAccessPayload {
        /// Where the person stands now.
        operator_access: OperatorAccess,
    }
}

payload! {
    /// What became of suspending access.
    SuspendAccessPayload {
        /// Where the person stands now.
        operator_access: OperatorAccess,
    }
}

payload! {
    /// What became of restoring access.
    RestoreAccessPayload {
        /// Where the person stands now.
        operator_access: OperatorAccess,
    }
}

#[Object]
impl OperatorAccessQuery {
    /// Where members of staff stand on the way to operator access, by name: oneself, and whom one oversees.
    async fn operator_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<OperatorAccessFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<OperatorAccess>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }

    /// How many of the staff are trained in each course, by faculty.
    async fn training_overview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only the staff of this faculty.")] faculty_id: Option<Id<FacultyId>>,
    ) -> Option<Result<Vec<TrainingOverview>>> {
        Some(overview(ctx, faculty_id.map(|id| id.0)).await)
    }
}

async fn overview(ctx: &Context<'_>, faculty: Option<FacultyId>) -> Result<Vec<TrainingOverview>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let cells = access::overview(store.reader(), viewer, faculty, store.now()).await?;
    Ok(cells.into_iter().map(TrainingOverview::from).collect())
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    page: &PageArgs,
) -> Result<Connection<OperatorAccess>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "operatorAccess",
        page,
        async |page| access::list(store.reader(), viewer, &filter, &page).await,
        |row: &Standing| (row.person.name.clone(), row.person.id),
        OperatorAccess::from,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { access::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl OperatorAccessMutation {
    /// Gives a permission to a member of staff. Until they have attended the training and accepted what it names, it does
    /// not count, and a letter tells them the way.
    async fn grant_access(
        &self,
        ctx: &Context<'_>,
        input: GrantAccessInput,
    ) -> Result<GrantAccessPayload> {
        let mut tx = begin(ctx).await?;
        let new = NewGrant {
            user_id: input.user_id.0,
            permission: input.permission.into(),
            faculty_id: input.faculty_id.map(|id| id.0),
            training_course_id: input.training_course_id.map(|id| id.0),
        };
        let granted = access::grant(&mut tx, viewer(ctx)?, new).await;
        GrantAccessPayload::commit(tx, granted).await
    }

    /// Takes a permission back. It is gone at the holder's next request, and their subscriptions end.
    async fn revoke_access(
        &self,
        ctx: &Context<'_>,
        input: RevokeAccessInput,
    ) -> Result<RevokeAccessPayload> {
        let mut tx = begin(ctx).await?;
        let revoked = access::revoke(&mut tx, viewer(ctx)?, input.grant_id.0).await;
        RevokeAccessPayload::commit(tx, revoked).await
    }

    /// Withholds everything that was granted to somebody, until it is restored.
    async fn suspend_access(
        &self,
        ctx: &Context<'_>,
        input: SuspendAccessInput,
    ) -> Result<SuspendAccessPayload> {
        let mut tx = begin(ctx).await?;
        let (id, reason) = (input.user_id.0, &input.reason);
        let suspended = access::suspend(&mut tx, viewer(ctx)?, id, reason).await;
        SuspendAccessPayload::commit(tx, suspended).await
    }

    /// Ends a suspension. What counts then is what training and terms still carry.
    async fn restore_access(
        &self,
        ctx: &Context<'_>,
        input: RestoreAccessInput,
    ) -> Result<RestoreAccessPayload> {
        let mut tx = begin(ctx).await?;
        let restored = access::restore(&mut tx, viewer(ctx)?, input.user_id.0).await;
        RestoreAccessPayload::commit(tx, restored).await
    }

    /// When somebody leaves: their events and drafts go to another, and their grants and sessions end.
    async fn hand_over(&self, ctx: &Context<'_>, input: HandOverInput) -> Result<HandOverPayload> {
        let mut tx = begin(ctx).await?;
        let (from, to) = (input.from_user_id.0, input.to_user_id.0);
        let handed = access::hand_over(&mut tx, viewer(ctx)?, from, to, input.dry_run).await;
        HandOverPayload::commit(tx, handed).await
    }
}

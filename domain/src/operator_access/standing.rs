//! Who stands where, for those who oversee it (policy 3).

use chrono::{DateTime, Utc};
use entity::{
    access_grant::{self, GrantState, Permission},
    ids::{FacultyId, UserId},
    operator_access::{self, AccessState},
    user::{self, UserKind},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, Order,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select, sea_query::Expr,
};

use super::{counting, stage::access_of_user};
use crate::{
    error::Result,
    page::{Page, Slice},
    viewer::{Reach, Viewer},
};

/// A member of staff and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub person: user::Model,
    /// Where they stand.
    pub state: AccessState,
    /// Since when; none while nothing has happened.
    pub changed_at: Option<DateTime<Utc>>,
    /// Why it is suspended, when it is.
    pub suspended_because: Option<String>,
}

impl From<(user::Model, Option<operator_access::Model>)> for Standing {
    fn from((person, access): (user::Model, Option<operator_access::Model>)) -> Self {
        Self {
            person,
            state: access
                .as_ref()
                .map_or(AccessState::Invited, |access| access.state),
            changed_at: access.as_ref().map(|access| access.changed_at),
            suspended_because: access.and_then(|access| access.suspended_because),
        }
    }
}

/// A grant, and what it still lacks.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Grant {
    /// The grant.
    #[sea_orm(nested)]
    pub row: access_grant::Model,
    /// Whether the training that it rests on opens its permission still.
    pub is_opened: bool,
    /// Whether the training that it rests on was attended, and not too long ago.
    pub is_trained: bool,
    /// Whether the agreements that this training names were accepted.
    pub is_accepted: bool,
}

impl Grant {
    /// Whether it counts, as long as access is not suspended.
    #[must_use]
    pub fn has_grounds(&self) -> bool {
        self.is_opened && self.is_trained && self.is_accepted
    }
}

/// What a list of standings is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One member of staff.
    pub user_id: Option<UserId>,
    /// Those of this faculty.
    pub faculty_id: Option<FacultyId>,
    /// Those who stand there.
    pub state: Option<AccessState>,
}

impl Filter {
    fn condition(&self) -> Condition {
        let state = self.state.map(|state| {
            let there = operator_access::Column::State.eq(state);
            if state == AccessState::Invited {
                Condition::any()
                    .add(there)
                    .add(operator_access::Column::UserId.is_null())
            } else {
                Condition::all().add(there)
            }
        });
        Condition::all()
            .add_option(self.user_id.map(|id| user::Column::Id.eq(id)))
            .add_option(self.faculty_id.map(|id| user::Column::FacultyId.eq(id)))
            .add_option(state)
    }
}

/// Whose access exists for `viewer`, as a condition on accounts: their own; everybody's for administrators and the Super
/// User Group; and for whoever grants access in a faculty its staff and those who hold something there.
#[must_use]
pub fn overseen_by(viewer: &Viewer) -> Condition {
    let everybody = viewer.is_administrator() || viewer.is_super_user();
    let own = viewer.user_id().map(|id| user::Column::Id.eq(id));
    let nobody = user::Column::Id.is_null();
    match viewer.reach(Permission::GrantAccess) {
        _ if everybody => Condition::all(),
        Reach::Campus => Condition::all(),
        Reach::Nothing => Condition::any().add(nobody).add_option(own),
        Reach::Faculties(faculties) => {
            let holders = access_grant::Entity::find()
                .select_only()
                .column(access_grant::Column::UserId)
                .filter(access_grant::Column::FacultyId.is_in(faculties.iter().copied()))
                .filter(access_grant::Column::State.ne(GrantState::Revoked))
                .into_query();
            Condition::any()
                .add(user::Column::FacultyId.is_in(faculties))
                .add(user::Column::Id.in_subquery(holders))
                .add_option(own)
        }
    }
}

fn visible(viewer: &Viewer) -> Select<user::Entity> {
    user::Entity::find()
        .join(JoinType::LeftJoin, access_of_user())
        .filter(user::Column::Kind.eq(UserKind::Staff))
        .filter(overseen_by(viewer))
}

/// One page of the staff whose access exists for `viewer`, by name.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<(String, UserId)>,
) -> Result<Slice<Standing>> {
    let columns = [user::Column::Name.into_expr(), user::Column::Id.into_expr()];
    let query = visible(viewer).filter(filter.condition());
    let rows = page
        .narrow(query, columns, Order::Asc)
        .select_also(operator_access::Entity)
        .all(db)
        .await?;
    let page = page.slice(rows);
    Ok(Slice {
        rows: page.rows.into_iter().map(Into::into).collect(),
        has_previous: page.has_previous,
        has_next: page.has_next,
    })
}

/// How many they are.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(visible(viewer).filter(filter.condition()).count(db).await?)
}

/// Where these people stand, as far as their access exists for `viewer`.
pub async fn find_all(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[UserId],
) -> Result<Vec<Standing>> {
    let rows = visible(viewer)
        .filter(user::Column::Id.is_in(ids.iter().copied()))
        .select_also(operator_access::Entity)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What was granted to each of these people and not taken back, and what it lacks. Whoever calls this has the people from
/// [`list`] or [`find_all`].
pub async fn grants_of(
    db: &impl ConnectionTrait,
    ids: &[UserId],
    now: DateTime<Utc>,
) -> Result<Vec<Grant>> {
    let opened: Expr = counting::grant_is_opened();
    let trained: Expr = counting::grant_is_trained(now);
    let accepted: Expr = counting::grant_is_accepted(now);
    Ok(access_grant::Entity::find()
        .expr_as(opened, "is_opened")
        .expr_as(trained, "is_trained")
        .expr_as(accepted, "is_accepted")
        .filter(access_grant::Column::UserId.is_in(ids.iter().copied()))
        .filter(counting::is_given())
        .order_by_asc(access_grant::Column::Permission)
        .order_by_asc(access_grant::Column::Id)
        .into_model::<Grant>()
        .all(db)
        .await?)
}

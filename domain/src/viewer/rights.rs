//! What was granted to somebody, how much of it counts, and what stands in the way of the rest (policy 3).

use chrono::{DateTime, Utc};
use entity::{
    access_grant::{self, Permission},
    ids::{FacultyId, TrainingCourseId, UserId},
    training_course,
    user::{self, UserState},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::SelectStatement,
};

use super::permission_name;
use crate::{error::Result, operator_access::counting};

/// The permissions that can be given for one faculty: they are about what belongs to a faculty, or to the campus.
///
/// All others are about what belongs to no faculty (organisations and their contacts, tags, notes, vacancies, key accounts,
/// bulk e-mail, exports), and count for the whole campus or not at all.
pub const BY_FACULTY: [Permission; 4] = [
    Permission::ManageEvent,
    Permission::GrantAccess,
    Permission::ReadReport,
    Permission::ManagePlacement,
];

/// What stands between a member of staff and a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It was not granted; these courses lead there, by title.
    Grant {
        /// Their titles.
        courses: Vec<String>,
    },
    /// It was granted, and counts once this course is attended, or attended again.
    Training {
        /// Its title.
        course: String,
    },
    /// It was granted, and counts once the agreements that this course names are accepted.
    Agreements {
        /// Its title.
        course: String,
    },
    /// It was granted for having attended this course, which no longer opens it.
    Course {
        /// Its title.
        course: String,
    },
    /// Operator access is suspended as a whole.
    Suspended,
}

/// A grant as it was given, and what of it holds.
#[derive(FromQueryResult)]
pub(super) struct GivenGrant {
    pub(super) permission: Permission,
    pub(super) faculty_id: Option<FacultyId>,
    pub(super) training_course_id: Option<TrainingCourseId>,
    pub(super) is_opened: bool,
    pub(super) is_trained: bool,
    pub(super) is_accepted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeldGrant {
    pub(super) permission: Permission,
    pub(super) faculty_id: Option<FacultyId>,
}

/// How far a permission reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is not held.
    Nothing,
    /// What belongs to one of these faculties.
    Faculties(Vec<FacultyId>),
    /// Everything on the campus.
    Campus,
}

/// What was given to somebody and not taken back, with what of it holds at `now`.
pub(super) async fn given(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<GivenGrant>> {
    Ok(access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::Permission)
        .column(access_grant::Column::FacultyId)
        .column(access_grant::Column::TrainingCourseId)
        .expr_as(counting::grant_is_opened(), "is_opened")
        .expr_as(counting::grant_is_trained(now), "is_trained")
        .expr_as(counting::grant_is_accepted(now), "is_accepted")
        .filter(access_grant::Column::UserId.eq(user_id))
        .filter(counting::is_given())
        .into_model::<GivenGrant>()
        .all(db)
        .await?)
}

/// The accounts that may be used and hold `permission` at `now`, as [`super::Viewer::load`] and [`super::Viewer::has`] would find them
/// one by one.
pub(crate) fn holders(permission: Permission, now: DateTime<Utc>) -> SelectStatement {
    let usable = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::State.eq(UserState::Active));
    access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::UserId)
        .filter(access_grant::Column::Permission.eq(permission))
        .filter(counting::counts(now))
        .filter(access_grant::Column::UserId.in_subquery(usable.into_query()))
        .into_query()
}

/// What stands between a member of staff and each permission that they don't hold.
pub(super) async fn lacking(
    db: &impl ConnectionTrait,
    held: &[HeldGrant],
    given: &[GivenGrant],
    suspended: bool,
) -> Result<Vec<(Permission, Lack)>> {
    let courses = training_course::Entity::find()
        .order_by_asc(training_course::Column::Title)
        .all(db)
        .await?;
    let title = |id: Option<TrainingCourseId>| {
        courses
            .iter()
            .find(|course| Some(course.id) == id)
            .map_or_else(String::new, |course| course.title.clone())
    };
    let lack = |permission: Permission| {
        let given = given.iter().find(|grant| grant.permission == permission);
        match given {
            _ if suspended => Lack::Suspended,
            Some(grant) if !grant.is_opened => Lack::Course {
                course: title(grant.training_course_id),
            },
            Some(grant) if !grant.is_trained => Lack::Training {
                course: title(grant.training_course_id),
            },
            Some(grant) => Lack::Agreements {
                course: title(grant.training_course_id),
            },
            None => {
                let name = permission_name(permission);
                let opening = courses
                    .iter()
                    .filter(|course| course.permissions.0.contains(&name));
                Lack::Grant {
                    courses: opening.map(|course| course.title.clone()).collect(),
                }
            }
        }
    };
    Ok(Permission::iter()
        .filter(|permission| !held.iter().any(|grant| grant.permission == *permission))
        .map(|permission| (permission, lack(permission)))
        .collect())
}

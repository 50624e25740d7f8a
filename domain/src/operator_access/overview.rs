//! Who is trained for what, by faculty (policy 3).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    faculty,
    ids::{FacultyId, TrainingCourseId},
    training_course, training_record,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType,
    QuerySelect, QueryTrait,
    sea_query::{Alias, Expr, Query, SelectStatement},
};

use super::{overseen_by, upkeep::REMINDERS};
use crate::{
    error::Result,
    viewer::{Reach, Viewer},
};

/// The most names that one cell has.
const MOST_NAMES: usize = 100;

/// The latest training of each person in each course.
const LATEST: &str = "latest";

/// How somebody stands to a course.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trained {
    /// Trained for longer than the next thirty days.
    Trained,
    /// Trained, for less than that.
    Lapsing,
    /// Trained once, too long ago.
    Lapsed,
    /// Never trained.
    Never,
}

impl Trained {
    fn condition(self, now: DateTime<Utc>) -> Expr {
        let until = || Expr::col((Alias::new(LATEST), training_record::Column::ValidUntil));
        let soon = now + TimeDelta::days(REMINDERS[0]);
        match self {
            Self::Trained => until().gt(soon),
            Self::Lapsing => until().gt(now).and(until().lte(soon)),
            Self::Lapsed => until().lte(now),
            Self::Never => until().is_null(),
        }
    }
}

/// How many of the staff of a faculty are trained in a course.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Cell {
    /// The faculty; none for staff of no faculty, as in the Careers Centre.
    pub faculty_id: Option<FacultyId>,
    faculty_name: Option<String>,
    /// The course.
    pub course_id: TrainingCourseId,
    course_title: String,
    /// Trained for longer than the next thirty days.
    pub trained: i64,
    /// Trained, for less than that.
    pub lapsing: i64,
    /// Trained once, too long ago.
    pub lapsed: i64,
    /// Never trained.
    pub never: i64,
}

/// A cell whose people are asked for.
pub type CellKey = (Option<FacultyId>, TrainingCourseId, Trained);

/// Whose training is counted for `viewer`: everybody's for administrators, the Super User Group and those who grant access or
/// read reports for the campus; the staff's of their faculties for the others of these.
fn surveyed_by(viewer: &Viewer) -> Condition {
    if viewer.is_administrator() || viewer.is_super_user() {
        return Condition::all();
    }
    let mut any = Condition::any().add(user::Column::Id.is_null());
    for permission in [Permission::GrantAccess, Permission::ReadReport] {
        match viewer.reach(permission) {
            Reach::Campus => return Condition::all(),
            Reach::Faculties(faculties) => any = any.add(user::Column::FacultyId.is_in(faculties)),
            Reach::Nothing => {}
        }
    }
    any
}

/// Every active member of staff beside every course, with their latest training in it.
fn survey() -> SelectStatement {
    let latest = training_record::Entity::find()
        .select_only()
        .column(training_record::Column::UserId)
        .column(training_record::Column::TrainingCourseId)
        .expr_as(
            training_record::Column::ValidUntil.into_expr().max(),
            "valid_until",
        )
        .group_by(training_record::Column::UserId)
        .group_by(training_record::Column::TrainingCourseId)
        .into_query();
    let of_latest = |column: training_record::Column| Expr::col((Alias::new(LATEST), column));
    Query::select()
        .from(user::Entity)
        .join(
            JoinType::InnerJoin,
            training_course::Entity,
            Condition::all().add(Expr::cust("1 = 1")),
        )
        .join_subquery(
            JoinType::LeftJoin,
            latest,
            Alias::new(LATEST),
            Condition::all()
                .add(of_latest(training_record::Column::UserId).eq(user::Column::Id.into_expr()))
                .add(
                    of_latest(training_record::Column::TrainingCourseId)
                        .eq(training_course::Column::Id.into_expr()),
                ),
        )
        .and_where(user::Column::Kind.eq(UserKind::Staff))
        .and_where(user::Column::State.eq(UserState::Active))
        .take()
}

/// How many are trained in each course, by faculty, in one statement.
pub async fn overview(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    faculty: Option<FacultyId>,
    now: DateTime<Utc>,
) -> Result<Vec<Cell>> {
    let count = |trained: Trained| {
        let counted: Expr = Expr::case(trained.condition(now), Expr::cust("1"))
            .finally(Expr::cust("0"))
            .into();
        counted.sum()
    };
    let mut query = survey();
    query
        .expr_as(user::Column::FacultyId.into_expr(), "faculty_id")
        .expr_as(faculty::Column::Name.into_expr(), "faculty_name")
        .expr_as(training_course::Column::Id.into_expr(), "course_id")
        .expr_as(training_course::Column::Title.into_expr(), "course_title")
        .expr_as(count(Trained::Trained), "trained")
        .expr_as(count(Trained::Lapsing), "lapsing")
        .expr_as(count(Trained::Lapsed), "lapsed")
        .expr_as(count(Trained::Never), "never")
        .join(
            JoinType::LeftJoin,
            faculty::Entity,
            Condition::all().add(
                faculty::Column::Id
                    .into_expr()
                    .eq(user::Column::FacultyId.into_expr()),
            ),
        )
        .cond_where(surveyed_by(viewer))
        .add_group_by([
            user::Column::FacultyId.into_expr(),
            faculty::Column::Name.into_expr(),
            training_course::Column::Id.into_expr(),
            training_course::Column::Title.into_expr(),
        ]);
    if let Some(faculty) = faculty {
        query.and_where(user::Column::FacultyId.eq(faculty));
    }
    let rows = db.query_all(&query).await?;
    let mut cells = rows
        .iter()
        .map(|row| Cell::from_query_result(row, ""))
        .collect::<Result<Vec<_>, _>>()?;
    let key = |cell: &Cell| {
        (
            cell.faculty_name.is_none(),
            cell.faculty_name.clone(),
            cell.course_title.clone(),
        )
    };
    cells.sort_by_key(key);
    Ok(cells)
}

/// Somebody in a cell.
#[derive(FromQueryResult)]
struct Named {
    course_id: TrainingCourseId,
    #[sea_orm(nested)]
    person: user::Model,
}

/// Who is in each of these cells, by name, as far as their access exists for `viewer`; at most a hundred each. It takes a
/// statement for each way to stand to a course.
pub async fn people_in(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    cells: &[CellKey],
    now: DateTime<Utc>,
) -> Result<HashMap<CellKey, Vec<user::Model>>> {
    let mut found: HashMap<CellKey, Vec<user::Model>> = HashMap::new();
    for trained in [
        Trained::Trained,
        Trained::Lapsing,
        Trained::Lapsed,
        Trained::Never,
    ] {
        let wanted: Vec<&CellKey> = cells.iter().filter(|cell| cell.2 == trained).collect();
        if wanted.is_empty() {
            continue;
        }
        let courses = wanted.iter().map(|cell| cell.1);
        let mut query = survey();
        query
            .exprs(all_of_user())
            .expr_as(training_course::Column::Id.into_expr(), "course_id")
            .and_where(training_course::Column::Id.is_in(courses))
            .and_where(trained.condition(now))
            .cond_where(overseen_by(viewer))
            .order_by_expr(user::Column::Name.into_expr(), sea_orm::Order::Asc)
            .order_by_expr(user::Column::Id.into_expr(), sea_orm::Order::Asc);
        for row in db.query_all(&query).await? {
            let Named { course_id, person } = Named::from_query_result(&row, "")?;
            let key = (person.faculty_id, course_id, trained);
            if wanted.contains(&&key) {
                let people = found.entry(key).or_default();
                if people.len() < MOST_NAMES {
                    people.push(person);
                }
            }
        }
    }
    Ok(found)
}

fn all_of_user() -> Vec<Expr> {
    use sea_orm::Iterable;
    user::Column::iter().map(ColumnTrait::into_expr).collect()
}

//! What the database counts for a report: a few grouped statements, however many rows it has.

use chrono::{DateTime, Utc};
use entity::{
    booking::{self, BookingState},
    event::{self, EventState},
    event_organisation, faculty, group_booking,
    group_booking::GroupBookingState,
    ids::EventId,
    programme, school, user,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, JoinType,
    QueryFilter, QuerySelect, QueryTrait, RelationDef, Select,
    prelude::Uuid,
    sea_query::{BinOper, CaseStatement, Expr, SimpleExpr},
};

use super::{Grouping, Question};
use crate::{error::Result, term::Term, viewer::Reach};

/// What is asked, and by whom.
pub(super) struct Asked<'a> {
    pub question: &'a Question,
    pub reach: &'a Reach,
    pub within: (DateTime<Utc>, DateTime<Utc>),
    pub terms: &'a [Term],
}

/// What a row is about: two of one name are two groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Group {
    id: Option<Uuid>,
    pub label: Option<String>,
    /// The faculty of a school or a programme.
    pub faculty: Option<String>,
}

/// Bookings of one group in one state.
pub(super) struct Counted {
    pub group: Group,
    pub state: BookingState,
    pub with_employers: bool,
    /// Whether the register is closed.
    pub closed: bool,
    pub number: i64,
    pub waited: i64,
    pub promoted: i64,
}

/// Bookings of one group that were made so many whole days before the event.
pub(super) struct DaysAhead {
    pub group: Group,
    pub days: i64,
    pub number: i64,
}

/// Classes of one group.
pub(super) struct Classes {
    pub group: Group,
    /// Whether they were counted, and the register is closed.
    pub counted: bool,
    pub places: i64,
    pub attended: i64,
}

/// The columns that say what a row is about.
const GROUP: [&str; 3] = ["report_group", "report_label", "report_faculty"];

type GroupRow = (Option<Uuid>, Option<String>, Option<String>);

impl From<GroupRow> for Group {
    fn from((id, label, faculty): GroupRow) -> Self {
        Self { id, label, faculty }
    }
}

/// The bookings, by group and state.
pub(super) async fn bookings(db: &impl ConnectionTrait, asked: &Asked<'_>) -> Result<Vec<Counted>> {
    type Found = (
        Option<Uuid>,
        Option<String>,
        Option<String>,
        BookingState,
        i32,
        i32,
        i64,
        i64,
        i64,
    );
    let (employers, closed) = ("with_employers", "register_is_closed");
    let takes_part = event_organisation::Entity::find()
        .select_only()
        .column(event_organisation::Column::EventId)
        .filter(
            Expr::col((
                event_organisation::Entity,
                event_organisation::Column::EventId,
            ))
            .eq(Expr::col((event::Entity, event::Column::Id))),
        )
        .into_query();
    let found: Vec<Found> = asked
        .of_bookings()
        .column(booking::Column::State)
        .expr_as(one_or_none(Expr::exists(takes_part)), employers)
        .expr_as(one_or_none(is_closed()), closed)
        .column_as(booking::Column::Id.count(), "number")
        .column_as(booking::Column::QueuePosition.count(), "waited")
        .column_as(booking::Column::PromotedAt.count(), "promoted")
        .group_by(booking::Column::State)
        .group_by(Expr::col(employers))
        .group_by(Expr::col(closed))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(
            |(id, label, faculty, state, with_employers, closed, number, waited, promoted)| {
                Counted {
                    group: (id, label, faculty).into(),
                    state,
                    with_employers: with_employers == 1,
                    closed: closed == 1,
                    number,
                    waited,
                    promoted,
                }
            },
        )
        .collect())
}

/// How long before the event the bookings were made. Whoever walked in didn't book ahead.
pub(super) async fn days_ahead(
    db: &impl ConnectionTrait,
    asked: &Asked<'_>,
) -> Result<Vec<DaysAhead>> {
    type Found = (Option<Uuid>, Option<String>, Option<String>, i64, i64);
    let days = "days_ahead";
    let between = match db.get_database_backend() {
        DbBackend::Postgres => {
            "CAST(FLOOR((FLOOR(EXTRACT(EPOCH FROM \"event\".\"starts_at\")) \
             - FLOOR(EXTRACT(EPOCH FROM \"booking\".\"booked_at\"))) / 86400) AS BIGINT)"
        }
        _ => "(unixepoch(\"event\".\"starts_at\") - unixepoch(\"booking\".\"booked_at\")) / 86400",
    };
    let booked_at = Expr::col((booking::Entity, booking::Column::BookedAt));
    let found: Vec<Found> = asked
        .of_bookings()
        .expr_as(Expr::cust(between), days)
        .column_as(booking::Column::Id.count(), "number")
        .filter(booked_at.lt(Expr::col((event::Entity, event::Column::StartsAt))))
        .group_by(Expr::col(days))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, label, faculty, days, number)| DaysAhead {
            group: (id, label, faculty).into(),
            days,
            number,
        })
        .collect())
}

/// The events that have begun and whose register is open, with the groups that have bookings for them.
pub(super) async fn left_out(
    db: &impl ConnectionTrait,
    asked: &Asked<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<(Group, EventId)>> {
    type Found = (Option<Uuid>, Option<String>, Option<String>, EventId);
    let found: Vec<Found> = asked
        .of_bookings()
        .column(booking::Column::EventId)
        .filter(event::Column::State.eq(EventState::Published))
        .filter(event::Column::StartsAt.lte(now))
        .group_by(booking::Column::EventId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, label, faculty, event_id)| ((id, label, faculty).into(), event_id))
        .collect())
}

/// The places of classes. Nobody knows who is in a class: it counts with the faculty that organises the event, and with no
/// school or programme.
pub(super) async fn classes(db: &impl ConnectionTrait, asked: &Asked<'_>) -> Result<Vec<Classes>> {
    type Found = (
        Option<Uuid>,
        Option<String>,
        Option<String>,
        i32,
        i64,
        Option<i64>,
    );
    let counted = "was_counted";
    let mut query = group_booking::Entity::find()
        .select_only()
        .join(
            JoinType::InnerJoin,
            group_booking::Entity::belongs_to(event::Entity)
                .from(group_booking::Column::EventId)
                .to(event::Column::Id)
                .into(),
        )
        .filter(group_booking::Column::State.eq(GroupBookingState::Booked))
        .filter(asked.events())
        .filter(asked.people(event::Column::FacultyId));
    if asked.question.by == Grouping::Faculty {
        query = query.join(
            JoinType::LeftJoin,
            event::Entity::belongs_to(faculty::Entity)
                .from(event::Column::FacultyId)
                .to(faculty::Column::Id)
                .into(),
        );
    }
    let group = match asked.question.by {
        Grouping::School | Grouping::Programme => nobody_knows(),
        _ => asked.group(),
    };
    let found: Vec<Found> = grouped(query, group)
        .expr_as(
            one_or_none(is_closed().and(group_booking::Column::Attended.is_not_null())),
            counted,
        )
        .column_as(group_booking::Column::Places.sum(), "places")
        .column_as(group_booking::Column::Attended.sum(), "came")
        .group_by(Expr::col(counted))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, label, faculty, counted, places, attended)| Classes {
            group: (id, label, faculty).into(),
            counted: counted == 1,
            places,
            attended: attended.unwrap_or(0),
        })
        .collect())
}

impl Asked<'_> {
    /// The bookings that it is about, grouped by what its rows are.
    fn of_bookings(&self) -> Select<booking::Entity> {
        let query = booking::Entity::find()
            .select_only()
            .join(JoinType::InnerJoin, to_event())
            .join(JoinType::InnerJoin, to_person())
            .filter(self.events())
            .filter(self.people(user::Column::FacultyId));
        let query = match self.question.by {
            Grouping::Kind | Grouping::Term => query,
            Grouping::Faculty => query.join(JoinType::LeftJoin, to_faculty()),
            Grouping::School | Grouping::Programme => query
                .join(JoinType::LeftJoin, to_programme())
                .join(JoinType::LeftJoin, to_school())
                .join(JoinType::LeftJoin, school_to_faculty()),
        };
        grouped(query, self.group())
    }

    /// The events that it is about. What was cancelled or is a draft is none of them.
    fn events(&self) -> Condition {
        Condition::all()
            .add(event::Column::State.is_in([EventState::Published, EventState::Past]))
            .add(event::Column::StartsAt.gte(self.within.0))
            .add(event::Column::StartsAt.lt(self.within.1))
            .add_option(self.question.kind.map(|kind| event::Column::Kind.eq(kind)))
    }

    /// The people that it is about, by the faculty that `column` has.
    fn people(&self, column: impl ColumnTrait) -> Condition {
        let reach = match self.reach {
            Reach::Campus => Condition::all(),
            Reach::Faculties(ids) => Condition::all().add(column.is_in(ids.iter().copied())),
            Reach::Nothing => Condition::any(),
        };
        reach.add_option(self.question.faculty_id.map(|id| column.eq(id)))
    }

    /// What a row is about, as it is written in the database: its id, its name, and its faculty where that isn't the name.
    fn group(&self) -> [SimpleExpr; 3] {
        let [no_id, no_name, no_faculty] = nobody_knows();
        let faculty_name = Expr::col((faculty::Entity, faculty::Column::Name));
        match self.question.by {
            Grouping::Faculty => [
                Expr::col((faculty::Entity, faculty::Column::Id)),
                faculty_name,
                no_faculty,
            ],
            Grouping::School => [
                Expr::col((school::Entity, school::Column::Id)),
                Expr::col((school::Entity, school::Column::Name)),
                faculty_name,
            ],
            Grouping::Programme => [
                Expr::col((programme::Entity, programme::Column::Id)),
                Expr::col((programme::Entity, programme::Column::Name))
                    .binary(BinOper::Custom("||"), Expr::cust("', '"))
                    .binary(
                        BinOper::Custom("||"),
                        Expr::col((school::Entity, school::Column::Name)),
                    ),
                faculty_name,
            ],
            Grouping::Kind => [
                no_id,
                Expr::col((event::Entity, event::Column::Kind)),
                no_faculty,
            ],
            Grouping::Term if self.terms.is_empty() => [no_id, no_name, no_faculty],
            Grouping::Term => {
                let cases = self.terms.iter().fold(CaseStatement::new(), |cases, term| {
                    let within = Condition::all()
                        .add(event::Column::StartsAt.gte(term.from))
                        .add(event::Column::StartsAt.lt(term.until));
                    cases.case(within, term.name())
                });
                [no_id, cases.into(), no_faculty]
            }
        }
    }
}

/// The columns of a group of which nothing is known.
fn nobody_knows() -> [SimpleExpr; 3] {
    ["uuid", "text", "text"].map(|kind| Expr::cust(format!("CAST(NULL AS {kind})")))
}

fn grouped<E: EntityTrait>(query: Select<E>, group: [SimpleExpr; 3]) -> Select<E> {
    GROUP
        .into_iter()
        .zip(group)
        .fold(query, |query, (name, expression)| {
            query.expr_as(expression, name).group_by(Expr::col(name))
        })
}

fn is_closed() -> SimpleExpr {
    event::Column::State.eq(EventState::Past)
}

fn one_or_none(condition: SimpleExpr) -> SimpleExpr {
    Expr::case(condition, Expr::cust("1"))
        .finally(Expr::cust("0"))
        .into()
}

fn to_event() -> RelationDef {
    booking::Entity::belongs_to(event::Entity)
        .from(booking::Column::EventId)
        .to(event::Column::Id)
        .into()
}

pub(super) fn to_person() -> RelationDef {
    booking::Entity::belongs_to(user::Entity)
        .from(booking::Column::UserId)
        .to(user::Column::Id)
        .into()
}

pub(super) fn to_faculty() -> RelationDef {
    user::Entity::belongs_to(faculty::Entity)
        .from(user::Column::FacultyId)
        .to(faculty::Column::Id)
        .into()
}

pub(super) fn to_programme() -> RelationDef {
    user::Entity::belongs_to(programme::Entity)
        .from(user::Column::ProgrammeId)
        .to(programme::Column::Id)
        .into()
}

fn to_school() -> RelationDef {
    programme::Entity::belongs_to(school::Entity)
        .from(programme::Column::SchoolId)
        .to(school::Column::Id)
        .into()
}

fn school_to_faculty() -> RelationDef {
    school::Entity::belongs_to(faculty::Entity)
        .from(school::Column::FacultyId)
        .to(faculty::Column::Id)
        .into()
}

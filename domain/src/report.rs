//! Reports on events: bookings, who came and who did not, by faculty, school, programme, kind and term (policy 2.4).
//!
//! Whoever reads reports of the campus reads of everybody; whoever reads those of a faculty, of the people of that faculty. A
//! report has numbers and never names.

pub mod employer;
mod link;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    booking::{self, BookingState},
    event::{self, EventKind, EventState},
    event_organisation, faculty,
    ids::FacultyId,
    programme, school, user,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, JoinType, QueryFilter,
    QuerySelect, QueryTrait, RelationDef, Select,
    sea_query::{BinOper, Expr, SimpleExpr},
};
use serde::{Deserialize, Serialize};

pub use self::link::{Link, PATH, Subject, link, open};
use crate::{
    error::{Error, RefusalCode, Result},
    event::days,
    spreadsheet,
    term::Term,
    viewer::{Reach, Viewer},
};

/// The longest time that a report is about: ten years.
const LONGEST: TimeDelta = TimeDelta::days(3_660);

/// How people and events of whom nothing is known are called.
const NOT_KNOWN: &str = "Not known";

/// What the rows of a report are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grouping {
    /// The faculty of those who booked.
    Faculty,
    /// Their school.
    School,
    /// Their programme.
    Programme,
    /// The kind of event.
    Kind,
    /// The term in which the event took place.
    Term,
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What its rows are about.
    pub by: Grouping,
    /// Events from this day, as days go at the university.
    pub from: NaiveDate,
    /// Events up to this day.
    pub to: NaiveDate,
    /// Only events of this kind.
    pub kind: Option<EventKind>,
    /// Only people of this faculty.
    pub faculty_id: Option<FacultyId>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub question: Question,
    /// Its rows, by their label; terms as they come.
    pub rows: Vec<Row>,
    /// All together.
    pub total: Row,
}

/// The numbers of one faculty, school, programme, kind or term.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What it is about.
    pub label: String,
    /// How many bookings there were, whatever became of them.
    pub bookings: i64,
    /// How many people have a place, at events whose register is open.
    pub booked: i64,
    /// How many came.
    pub attended: i64,
    /// How many did not come, at events without employers.
    pub no_shows: i64,
    /// How many did not come to events in which employers take part: they count apart, because employers came in vain.
    pub no_shows_with_employers: i64,
    /// How many did not come and had a reason.
    pub excused: i64,
    /// How many gave their place or an offer up in time. Those who never had one are those who waited and were not promoted.
    pub cancelled: i64,
    /// How many gave their place up too late for somebody else.
    pub late_cancelled: i64,
    /// How many were on a waiting list at some time.
    pub waited: i64,
    /// How many of those got a place or an offer.
    pub promoted: i64,
}

impl Row {
    /// How many were expected at events whose register is closed, or came.
    #[must_use]
    pub const fn expected(&self) -> i64 {
        self.attended + self.no_shows + self.no_shows_with_employers + self.excused
    }

    /// The share of those expected who came, from 0 to 1; none when nobody was expected.
    #[must_use]
    pub fn attendance_rate(&self) -> Option<f64> {
        rate(self.attended, self.expected())
    }

    /// The share of those expected who did not come and had no reason.
    #[must_use]
    pub fn no_show_rate(&self) -> Option<f64> {
        rate(
            self.no_shows + self.no_shows_with_employers,
            self.expected(),
        )
    }

    fn add(&mut self, counted: &Counted) {
        let Counted {
            state,
            with_employers,
            number,
            waited,
            promoted,
            ..
        } = counted;
        self.bookings += number;
        self.waited += waited;
        self.promoted += promoted;
        *match state {
            BookingState::Booked | BookingState::Offered => &mut self.booked,
            BookingState::Attended => &mut self.attended,
            BookingState::NoShow if *with_employers == 1 => &mut self.no_shows_with_employers,
            BookingState::NoShow => &mut self.no_shows,
            BookingState::Excused => &mut self.excused,
            BookingState::LateCancelled => &mut self.late_cancelled,
            BookingState::Cancelled | BookingState::OfferExpired => {
                self.cancelled += number - (waited - promoted);
                return;
            }
            // They are among those who waited.
            BookingState::Waiting => return,
        } += number;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is not finer than that")]
fn rate(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What the database counts.
struct Counted {
    label: Option<String>,
    state: BookingState,
    with_employers: i32,
    number: i64,
    waited: i64,
    promoted: i64,
}

/// Makes a report, for whoever may read reports.
pub async fn report(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    question: Question,
) -> Result<Report> {
    let whose = readable_by(viewer)?;
    let (from, until) = days(question.from, question.to)?;
    if until - from > LONGEST {
        return Err(Error::refused(
            RefusalCode::TooLong,
            "to",
            "A report is about ten years at most.",
        ));
    }
    let terms = terms(from, until);
    let counted = counted(db, &question, whose, (from, until), &terms).await?;
    let mut report = Report {
        rows: Vec::new(),
        total: Row {
            label: "All".to_owned(),
            ..Row::default()
        },
        question,
    };
    for some in &counted {
        let label = shown(report.question.by, some.label.as_deref());
        report.total.add(some);
        let known = report.rows.iter().position(|row| row.label == label);
        let at = known.unwrap_or_else(|| {
            report.rows.push(Row {
                label,
                ..Row::default()
            });
            report.rows.len() - 1
        });
        report.rows[at].add(some);
    }
    report.rows.sort_by_key(|row| {
        let term = terms.iter().position(|term| term.name() == row.label);
        (term, row.label == NOT_KNOWN, row.label.to_lowercase())
    });
    Ok(report)
}

/// Whose bookings `viewer` reads reports of, as a condition on `user_account`.
fn readable_by(viewer: &Viewer) -> Result<Condition> {
    match viewer.reach(Permission::ReadReport) {
        Reach::Campus => Ok(Condition::all()),
        Reach::Faculties(ids) => Ok(Condition::all().add(user::Column::FacultyId.is_in(ids))),
        Reach::Nothing => {
            viewer.signed_in()?;
            Err(Error::Forbidden(
                "Reports are for those who hold READ_REPORT.".to_owned(),
            ))
        }
    }
}

async fn counted(
    db: &impl ConnectionTrait,
    question: &Question,
    whose: Condition,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    terms: &[Term],
) -> Result<Vec<Counted>> {
    type Found = (Option<String>, BookingState, i32, i64, i64, i64);
    let (label, employers) = ("report_label", "with_employers");
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
    let with_employers: SimpleExpr = Expr::case(Expr::exists(takes_part), Expr::cust("1"))
        .finally(Expr::cust("0"))
        .into();
    let query = booking::Entity::find()
        .select_only()
        .expr_as(said(question.by, terms), label)
        .column(booking::Column::State)
        .expr_as(with_employers, employers)
        .column_as(booking::Column::Id.count(), "number")
        .column_as(booking::Column::QueuePosition.count(), "waited")
        .column_as(booking::Column::PromotedAt.count(), "promoted")
        .join(JoinType::InnerJoin, to_event())
        .join(JoinType::InnerJoin, to_person())
        .filter(event::Column::State.is_in([EventState::Published, EventState::Past]))
        .filter(event::Column::StartsAt.gte(from))
        .filter(event::Column::StartsAt.lt(until))
        .filter(whose)
        .filter(
            Condition::all()
                .add_option(question.kind.map(|kind| event::Column::Kind.eq(kind)))
                .add_option(question.faculty_id.map(|id| user::Column::FacultyId.eq(id))),
        );
    let found: Vec<Found> = joined(query, question.by)
        .group_by(Expr::col(label))
        .group_by(booking::Column::State)
        .group_by(Expr::col(employers))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(
            |(label, state, with_employers, number, waited, promoted)| Counted {
                label,
                state,
                with_employers,
                number,
                waited,
                promoted,
            },
        )
        .collect())
}

fn joined(query: Select<booking::Entity>, by: Grouping) -> Select<booking::Entity> {
    match by {
        Grouping::Kind | Grouping::Term => query,
        Grouping::Faculty => query.join(JoinType::LeftJoin, to_faculty()),
        Grouping::School | Grouping::Programme => query
            .join(JoinType::LeftJoin, to_programme())
            .join(JoinType::LeftJoin, to_school()),
    }
}

/// What a row is about, as it is written in the database. A programme is said with its school, because two schools may have
/// one of the same name.
fn said(by: Grouping, terms: &[Term]) -> SimpleExpr {
    match by {
        Grouping::Faculty => Expr::col((faculty::Entity, faculty::Column::Name)),
        Grouping::School => Expr::col((school::Entity, school::Column::Name)),
        Grouping::Programme => Expr::col((programme::Entity, programme::Column::Name))
            .binary(BinOper::Custom("||"), Expr::cust("', '"))
            .binary(
                BinOper::Custom("||"),
                Expr::col((school::Entity, school::Column::Name)),
            ),
        Grouping::Kind => Expr::col((event::Entity, event::Column::Kind)),
        Grouping::Term => terms
            .iter()
            .fold(sea_orm::sea_query::CaseStatement::new(), |cases, term| {
                let within = Condition::all()
                    .add(event::Column::StartsAt.gte(term.from))
                    .add(event::Column::StartsAt.lt(term.until));
                cases.case(within, term.name())
            })
            .into(),
    }
}

/// What a row is about, as people read it.
fn shown(by: Grouping, label: Option<&str>) -> String {
    let Some(label) = label else {
        return NOT_KNOWN.to_owned();
    };
    if by != Grouping::Kind {
        return label.to_owned();
    }
    let words = label.to_lowercase().replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn terms(from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Term> {
    let next = |term: &Term| (term.until > term.from).then(|| Term::of(term.until));
    std::iter::successors(Some(Term::of(from)), next)
        .take_while(|term| term.from < until)
        .collect()
}

fn to_event() -> RelationDef {
    booking::Entity::belongs_to(event::Entity)
        .from(booking::Column::EventId)
        .to(event::Column::Id)
        .into()
}

fn to_person() -> RelationDef {
    booking::Entity::belongs_to(user::Entity)
        .from(booking::Column::UserId)
        .to(user::Column::Id)
        .into()
}

fn to_faculty() -> RelationDef {
    user::Entity::belongs_to(faculty::Entity)
        .from(user::Column::FacultyId)
        .to(faculty::Column::Id)
        .into()
}

fn to_programme() -> RelationDef {
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

impl Report {
    /// What it is about, in a sentence.
    #[must_use]
    pub fn title(&self) -> String {
        let by = match self.question.by {
            Grouping::Faculty => "faculty",
            Grouping::School => "school",
            Grouping::Programme => "programme",
            Grouping::Kind => "kind of event",
            Grouping::Term => "term",
        };
        format!(
            "Bookings by {by}, events from {} to {}",
            self.question.from.format("%-d %B %Y"),
            self.question.to.format("%-d %B %Y"),
        )
    }

    /// The report as CSV, with the sum in the last line.
    pub fn csv(&self) -> Result<String> {
        let rows = self.rows.iter().chain([&self.total]);
        spreadsheet::csv(
            [
                "What",
                "Bookings",
                "Still to come",
                "Came",
                "Did not come, without employers",
                "Did not come, with employers",
                "Excused",
                "Cancelled",
                "Cancelled late",
                "Waited",
                "Promoted",
                "Attendance rate",
                "No-show rate",
            ],
            rows.map(|row| {
                let share =
                    |rate: Option<f64>| rate.map_or_else(String::new, |rate| format!("{rate:.4}"));
                [
                    row.label.clone(),
                    row.bookings.to_string(),
                    row.booked.to_string(),
                    row.attended.to_string(),
                    row.no_shows.to_string(),
                    row.no_shows_with_employers.to_string(),
                    row.excused.to_string(),
                    row.cancelled.to_string(),
                    row.late_cancelled.to_string(),
                    row.waited.to_string(),
                    row.promoted.to_string(),
                    share(row.attendance_rate()),
                    share(row.no_show_rate()),
                ]
            }),
        )
    }
}

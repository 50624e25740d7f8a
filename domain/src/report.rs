//! Reports on events: bookings, who came and who did not, by faculty, school, programme, kind and term (policy 2.4).
//!
//! Whoever reads reports of the campus reads of everybody; whoever reads those of a faculty, of the people of that faculty. A
//! report has numbers and never names.

mod counted;
pub mod employer;
mod link;
mod row;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{access_grant::Permission, event::EventKind, ids::FacultyId};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use self::counted::{Asked, Group};
pub use self::{
    link::{PATH, Subject, link, open},
    row::Row,
};
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

/// Makes a report, for whoever may read reports.
pub async fn report(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    question: Question,
    now: DateTime<Utc>,
) -> Result<Report> {
    let reach = readable_by(viewer)?;
    let (from, until) = days(question.from, question.to)?;
    if until - from > LONGEST {
        return Err(Error::refused(
            RefusalCode::TooLong,
            "to",
            "A report is about ten years at most.",
        ));
    }
    let terms = terms(from, until);
    let asked = Asked {
        question: &question,
        reach: &reach,
        within: (from, until),
        terms: &terms,
    };
    let mut table = Table::new(question.by);
    for some in counted::bookings(db, &asked).await? {
        table.put(&some.group, |row| row.add(&some));
    }
    for some in counted::days_ahead(db, &asked).await? {
        table.put(&some.group, |row| {
            row.add_days_ahead(some.days, some.number);
        });
    }
    for some in counted::classes(db, &asked).await? {
        table.put(&some.group, |row| row.add_classes(&some));
    }
    for (group, event_id) in counted::left_out(db, &asked, now).await? {
        table.put(&group, |row| {
            row.left_out.insert(event_id);
        });
    }
    let Table {
        mut rows, total, ..
    } = table;
    rows.sort_by_key(|row| {
        let term = terms.iter().position(|term| term.name() == row.label);
        let name = row.label.to_lowercase();
        (term, row.label == NOT_KNOWN, name, row.faculty.clone())
    });
    Ok(Report {
        question,
        rows,
        total,
    })
}

/// The rows of a report while they are filled.
struct Table {
    by: Grouping,
    rows: Vec<Row>,
    /// Where each group stands. Two schools of one name are two groups.
    at: HashMap<Group, usize>,
    total: Row,
}

impl Table {
    fn new(by: Grouping) -> Self {
        Self {
            by,
            rows: Vec::new(),
            at: HashMap::new(),
            total: Row {
                label: "All".to_owned(),
                ..Row::default()
            },
        }
    }

    fn put(&mut self, group: &Group, add: impl Fn(&mut Row)) {
        add(&mut self.total);
        let at = *self.at.entry(group.clone()).or_insert_with(|| {
            self.rows.push(Row {
                label: shown(self.by, group.label.as_deref()),
                faculty: group.faculty.clone(),
                ..Row::default()
            });
            self.rows.len() - 1
        });
        add(&mut self.rows[at]);
    }
}

/// Whose bookings `viewer` reads reports of.
fn readable_by(viewer: &Viewer) -> Result<Reach> {
    match viewer.reach(Permission::ReadReport) {
        Reach::Nothing => {
            viewer.signed_in()?;
            Err(Error::Forbidden(
                "Reports are for those who hold READ_REPORT.".to_owned(),
            ))
        }
        reach => Ok(reach),
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

impl Report {
    /// What it is about, in a sentence.
    #[must_use]
    pub fn title(&self) -> String {
        self.titled("Bookings")
    }

    /// What the picture of how long ahead people book is about, in a sentence.
    #[must_use]
    pub fn days_ahead_title(&self) -> String {
        self.titled("Days booked ahead")
    }

    fn titled(&self, what: &str) -> String {
        let by = match self.question.by {
            Grouping::Faculty => "faculty",
            Grouping::School => "school",
            Grouping::Programme => "programme",
            Grouping::Kind => "kind of event",
            Grouping::Term => "term",
        };
        format!(
            "{what} by {by}, events from {} to {}",
            self.question.from.format("%-d %B %Y"),
            self.question.to.format("%-d %B %Y"),
        )
    }

    /// What its rates leave out, in a sentence; none when they leave out nothing.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        match self.total.left_out.len() {
            0 => None,
            1 => Some("The register of 1 event that has begun is still open: it is left out of the rates.".to_owned()),
            number => Some(format!(
                "The registers of {number} events that have begun are still open: they are left out of the rates."
            )),
        }
    }

    /// The report as CSV, with the sum in the last line.
    pub fn csv(&self) -> Result<String> {
        let rows = self.rows.iter().chain([&self.total]);
        spreadsheet::csv(row::HEADINGS, rows.map(Row::cells))
    }
}

//! Reports on events: numbers, and where they can be had as CSV and as a picture (policy 2.4).

use async_graphql::{Context, Enum, Object, Result};
use domain::report::{self as reports, Grouping, Question, Subject, employer::link_to, link};
use entity::ids::{EventId, FacultyId};

use super::{event::EventKind, id::Id, scalars::Date, store, viewer};

/// Queries for reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReportQuery;

/// What the rows of a report are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Grouping")]
pub enum ReportGrouping {
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

/// A report on events.
#[derive(Clone, Debug)]
pub struct Report(reports::Report);

/// A report on events: numbers and no names. Whose permission is for a faculty reads of the people of that faculty.
#[Object]
impl Report {
    /// What it is about, in a sentence.
    async fn title(&self) -> Option<String> {
        Some(self.0.title())
    }

    /// What its rows are about.
    async fn by(&self) -> Option<ReportGrouping> {
        Some(self.0.question.by.into())
    }

    /// The first day of the events that it is about.
    async fn from(&self) -> Option<Date> {
        Some(Date(self.0.question.from))
    }

    /// The last day.
    async fn to(&self) -> Option<Date> {
        Some(Date(self.0.question.to))
    }

    /// Its rows, by their label; terms as they come.
    async fn rows(&self) -> Option<Vec<ReportRow>> {
        Some(self.0.rows.iter().cloned().map(ReportRow).collect())
    }

    /// All together.
    async fn total(&self) -> Option<ReportRow> {
        Some(ReportRow(self.0.total.clone()))
    }

    /// The path to get it from as CSV. It works for half an hour, as long as the viewer may read reports.
    async fn csv_url(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(self.path(ctx, Subject::Csv).await)
    }

    /// The path to get it from as a picture (SVG), in the same way.
    async fn chart_url(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(self.path(ctx, Subject::Chart).await)
    }

    /// The path to get a picture of how long ahead people book, in the same way.
    async fn days_ahead_chart_url(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(self.path(ctx, Subject::DaysAheadChart).await)
    }

    /// What its rates leave out, in a sentence: events whose register is still open. Null when they leave out nothing.
    async fn note(&self) -> Option<String> {
        self.0.note()
    }
}

impl Report {
    async fn path(&self, ctx: &Context<'_>, to: fn(Question) -> Subject) -> Result<String> {
        let subject = to(self.0.question.clone());
        Ok(link(store(ctx)?, viewer(ctx)?, subject).await?)
    }
}

/// The numbers of one row.
#[derive(Clone, Debug)]
pub struct ReportRow(reports::Row);

/// The numbers of one faculty, school, programme, kind or term. Events that were cancelled aren't counted.
#[Object]
impl ReportRow {
    /// What it is about.
    async fn label(&self) -> Option<&str> {
        Some(&self.0.label)
    }

    /// The faculty of a school or a programme; two of one name are two rows.
    async fn faculty(&self) -> Option<&str> {
        self.0.faculty.as_deref()
    }

    /// How many bookings there were, whatever became of them.
    async fn bookings(&self) -> Option<i64> {
        Some(self.0.bookings)
    }

    /// How many have a place or came, at events whose register is open.
    async fn booked(&self) -> Option<i64> {
        Some(self.0.booked)
    }

    /// How many came, to events whose register is closed.
    async fn attended(&self) -> Option<i64> {
        Some(self.0.attended)
    }

    /// How many did not come to events at which no employer takes part.
    async fn no_shows(&self) -> Option<i64> {
        Some(self.0.no_shows)
    }

    /// How many did not come to events at which employers take part, who came in vain.
    async fn no_shows_with_employers(&self) -> Option<i64> {
        Some(self.0.no_shows_with_employers)
    }

    /// How many did not come and had a reason.
    async fn excused(&self) -> Option<i64> {
        Some(self.0.excused)
    }

    /// How many gave up their place or their wait in time.
    async fn cancelled(&self) -> Option<i64> {
        Some(self.0.cancelled)
    }

    /// How many gave up their place too late for somebody else.
    async fn late_cancelled(&self) -> Option<i64> {
        Some(self.0.late_cancelled)
    }

    /// How many were on a waiting list at some time.
    async fn waited(&self) -> Option<i64> {
        Some(self.0.waited)
    }

    /// How many of those got a place or an offer.
    async fn promoted(&self) -> Option<i64> {
        Some(self.0.promoted)
    }

    /// The share of those expected who came, from 0 to 1; null while no register is closed.
    async fn attendance_rate(&self) -> Option<f64> {
        self.0.attendance_rate()
    }

    /// The share of those expected who did not come and had no reason, from 0 to 1; null while no register is closed.
    async fn no_show_rate(&self) -> Option<f64> {
        self.0.no_show_rate()
    }

    /// How many whole days before an event people book, in the middle: as many book earlier as book later. Whoever walks in
    /// isn't counted.
    async fn median_days_ahead(&self) -> Option<f64> {
        self.0.median_days_ahead()
    }

    /// How many whole days before an event people book, on average.
    async fn mean_days_ahead(&self) -> Option<f64> {
        self.0.mean_days_ahead()
    }

    /// How many places classes had. Nobody knows who is in a class: it counts with the faculty that organises the event.
    async fn class_places(&self) -> Option<i64> {
        Some(self.0.class_places)
    }

    /// How many came in classes, to events whose register is closed.
    async fn class_attended(&self) -> Option<i64> {
        Some(self.0.class_attended)
    }

    /// The share of the places of classes that were used, from 0 to 1, as far as they were counted; null while none was.
    async fn class_attendance_rate(&self) -> Option<f64> {
        self.0.class_attendance_rate()
    }

    /// How many events that have begun are left out of the rates, because their register is still open.
    async fn events_left_out(&self) -> Option<usize> {
        Some(self.0.left_out.len())
    }
}

#[Object]
impl ReportQuery {
    /// Bookings, attendance and missed events of a time, at most ten years, by faculty, school, programme, kind or term.
    async fn reports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the rows are about.")] by: ReportGrouping,
        #[graphql(desc = "Events from this day.")] from: Date,
        #[graphql(desc = "Events up to this day, which is part of it.")] to: Date,
        #[graphql(desc = "Only events of this kind.")] kind: Option<EventKind>,
        #[graphql(desc = "Only people of this faculty.")] faculty_id: Option<Id<FacultyId>>,
    ) -> Option<Result<Report>> {
        let question = Question {
            by: by.into(),
            from: from.0,
            to: to.0,
            kind: kind.map(Into::into),
            faculty_id: faculty_id.map(|id| id.0),
        };
        Some(report(ctx, question).await)
    }

    /// The path of the report on an event that its organiser hands to the employers who took part: a page to be printed, without
    /// names and small groups. It works for half an hour. Null while the register is open, and for others.
    async fn employer_report_url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event.")] event_id: Id<EventId>,
    ) -> Option<Result<String>> {
        printable(ctx, event_id.0).await.transpose()
    }
}

async fn printable(ctx: &Context<'_>, event_id: EventId) -> Result<Option<String>> {
    Ok(link_to(store(ctx)?, viewer(ctx)?, event_id).await?)
}

async fn report(ctx: &Context<'_>, question: Question) -> Result<Report> {
    let store = store(ctx)?;
    let made = reports::report(store.reader(), viewer(ctx)?, question, store.now()).await?;
    Ok(Report(made))
}

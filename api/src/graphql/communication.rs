//! The time chart on communication with employers, as data and as a picture (policy 2.5).

mod mails;
mod picture;

use async_graphql::{Context, Enum, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::communication::{self, By, Chart, Filter, Kind, Point, Question, Series, Span};
use entity::ids::{FacultyId, OrganisationId, UserId};

pub use self::{
    mails::{OrganisationMail, mails},
    picture::picture,
};
use super::{
    id::Id,
    organisation::{self, Organisation},
    person::{self, Person},
    store,
    university::{self, Faculty},
    viewer,
};

/// Queries about communication with employers.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommunicationQuery;

#[Object]
impl CommunicationQuery {
    /// Bulk mails and notes to employers over time, those that are planned among them: how many, by faculty, sender,
    /// organisation or kind. Who holds `READ_REPORT` for faculties alone is told of those.
    async fn communication_chart(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "From the span in which this moment lies; half a year ago when left out."
        )]
        since: Option<DateTime<Utc>>,
        #[graphql(desc = "To the span in which this moment lies; two months ahead when left out.")]
        until: Option<DateTime<Utc>>,
        #[graphql(
            default_with = "CommunicationSpan::Month",
            desc = "How long a span is, by the university's calendar. There are at most 120 of them."
        )]
        span: CommunicationSpan,
        #[graphql(default_with = "CommunicationBy::Kind", desc = "What is told apart.")]
        by: CommunicationBy,
        #[graphql(desc = "What is counted alone. Everything that is given must hold.")]
        filter: Option<CommunicationFilter>,
    ) -> Option<Result<CommunicationChart>> {
        let question = Question {
            since,
            until,
            span: span.into(),
            by: by.into(),
            filter: filter.map(Into::into).unwrap_or_default(),
        };
        Some(chart(ctx, question).await)
    }
}

async fn chart(ctx: &Context<'_>, question: Question) -> Result<CommunicationChart> {
    let chart = communication::chart(store(ctx)?, viewer(ctx)?, &question).await?;
    Ok(CommunicationChart { chart, question })
}

/// What a chart is narrowed by.
#[derive(Clone, Copy, Debug, Default, InputObject)]
pub struct CommunicationFilter {
    /// The faculty of whoever wrote.
    faculty_id: Option<Id<FacultyId>>,
    /// Whoever wrote.
    sender_id: Option<Id<UserId>>,
    /// The organisation that was written to.
    organisation_id: Option<Id<OrganisationId>>,
    /// The kind of communication.
    kind: Option<CommunicationKind>,
}

impl From<CommunicationFilter> for Filter {
    fn from(given: CommunicationFilter) -> Self {
        Self {
            faculty: given.faculty_id.map(|id| id.0),
            sender: given.sender_id.map(|id| id.0),
            organisation: given.organisation_id.map(|id| id.0),
            kind: given.kind.map(Into::into),
        }
    }
}

/// Communication with employers over time.
#[derive(Clone, Debug)]
pub struct CommunicationChart {
    chart: Chart,
    question: Question,
}

/// Communication with employers over time.
#[Object]
impl CommunicationChart {
    /// How long a span is.
    async fn span(&self) -> Option<CommunicationSpan> {
        Some(self.chart.span.into())
    }

    /// What is told apart.
    async fn by(&self) -> Option<CommunicationBy> {
        Some(self.chart.by.into())
    }

    /// The first moment of the first span.
    async fn since(&self) -> Option<DateTime<Utc>> {
        self.chart.borders.first().copied()
    }

    /// The first moment after the last span.
    async fn until(&self) -> Option<DateTime<Utc>> {
        self.chart.borders.last().copied()
    }

    /// What there was, by time; a span in which there was nothing has no point.
    async fn points(&self) -> Option<Vec<CommunicationPoint>> {
        Some(
            self.chart
                .points
                .iter()
                .copied()
                .map(CommunicationPoint)
                .collect(),
        )
    }

    /// The chart as a picture (SVG), on this server. It works for a day, while the viewer may see the chart: to be opened, or to
    /// be shown as an `img`.
    async fn svg_url(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        Some(svg_url(ctx, self.question).await)
    }
}

async fn svg_url(ctx: &Context<'_>, question: Question) -> Result<String> {
    Ok(communication::link(store(ctx)?, viewer(ctx)?, question).await?)
}

/// How much there was in a span of one of those that are told apart.
#[derive(Clone, Copy, Debug)]
pub struct CommunicationPoint(Point);

/// How much there was in a span of one of those that are told apart: of `faculty`, `sender`, `organisation` and `kind` at most
/// one is given, the one that was asked for.
#[Object]
impl CommunicationPoint {
    /// The first moment of the span.
    async fn from(&self) -> Option<DateTime<Utc>> {
        Some(self.0.from)
    }

    /// The first moment after it.
    async fn until(&self) -> Option<DateTime<Utc>> {
        Some(self.0.until)
    }

    /// Whether it is planned: mails that wait or that a campaign would send at its time, and what notes say is to be done next.
    async fn planned(&self) -> Option<bool> {
        Some(self.0.planned)
    }

    /// How many mails and notes.
    async fn count(&self) -> Option<u64> {
        Some(self.0.count)
    }

    /// The faculty of whoever wrote; null is the Careers Centre.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        let Series::Faculty(Some(id)) = self.0.series else {
            return None;
        };
        university::faculty(ctx, id).await.transpose()
    }

    /// Whoever wrote.
    async fn sender(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        let Series::Sender(id) = self.0.series else {
            return None;
        };
        person::person(ctx, id).await.transpose()
    }

    /// The organisation that was written to; null when it is no longer known.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        let Series::Organisation(Some(id)) = self.0.series else {
            return None;
        };
        organisation::find(ctx, id).await.transpose()
    }

    /// The kind of communication.
    async fn kind(&self) -> Option<CommunicationKind> {
        let Series::Kind(kind) = self.0.series else {
            return None;
        };
        Some(kind.into())
    }
}

/// How long a span is, by the university's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Span")]
pub enum CommunicationSpan {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month.
    Month,
}

/// What is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum CommunicationBy {
    /// The faculty of whoever wrote.
    Faculty,
    /// Whoever wrote.
    Sender,
    /// The organisation that was written to.
    Organisation,
    /// The kind of communication.
    Kind,
}

/// The kind of communication: a bulk mail, or what a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum CommunicationKind {
    /// A bulk mail to one contact.
    BulkMail,
    /// A note of a meeting.
    Meeting,
    /// A note of a telephone or video call.
    Call,
    /// A note of an exchange of mails.
    Email,
    /// A note of a visit.
    Visit,
    /// A note of an event they took part in.
    Event,
    /// A note of how a contact is to be approached.
    GuidanceOnContact,
    /// A note of anything else.
    Other,
}

//! The time chart on communication: bulk mails and notes to employers over time, those that are planned among them (policy
//! 2.5). It lets whoever plans a mail see what employers hear from the campus already.
//!
//! - [`chart()`]: how many there were, by faculty, sender, organisation or kind;
//! - [`link()`]: the same as a picture, at an address that works for one person;
//! - [`mails_of`]: what an organisation was sent, by whom, and what is planned.

mod buckets;
mod link;
mod mails;

use std::collections::BTreeMap;

use chrono::{DateTime, Months, Utc};
use entity::{
    access_grant::Permission,
    ids::{FacultyId, OrganisationId, UserId},
};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

pub use self::{
    link::{PATH, link, open},
    mails::{Mail, mails_of},
};
use crate::{
    campaign,
    error::Result,
    statement::Query,
    store::Store,
    viewer::{Reach, Viewer},
};

/// How far a chart goes back, and how far ahead, when nothing is said, in months.
const MONTHS_BACK: Months = Months::new(6);
const MONTHS_AHEAD: Months = Months::new(2);

/// How long a bar of the chart is, by the university's calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Span {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month.
    #[default]
    Month,
}

/// What is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum By {
    /// The faculty of whoever wrote.
    Faculty,
    /// Whoever wrote.
    Sender,
    /// The organisation that was written to.
    Organisation,
    /// The kind of communication.
    #[default]
    Kind,
}

/// The kind of communication: a bulk mail, or what a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
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

/// What a chart is narrowed by. Everything that is given must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The faculty of whoever wrote.
    pub faculty: Option<FacultyId>,
    /// Whoever wrote.
    pub sender: Option<UserId>,
    /// The organisation that was written to.
    pub organisation: Option<OrganisationId>,
    /// The kind of communication.
    pub kind: Option<Kind>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// From the span in which this moment lies; `None` is half a year ago.
    pub since: Option<DateTime<Utc>>,
    /// To the span in which this moment lies; `None` is two months ahead.
    pub until: Option<DateTime<Utc>>,
    /// How long a bar is.
    pub span: Span,
    /// What is told apart.
    pub by: By,
    /// What it is narrowed by.
    pub filter: Filter,
}

/// One of those that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// A faculty; none is the Careers Centre.
    Faculty(Option<FacultyId>),
    /// A sender.
    Sender(UserId),
    /// An organisation; none where the contact is no longer known.
    Organisation(Option<OrganisationId>),
    /// A kind.
    Kind(Kind),
}

/// How much communication there was in a span of one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The first moment of the span.
    pub from: DateTime<Utc>,
    /// The first moment of the next one.
    pub until: DateTime<Utc>,
    /// Whether it is planned, and did not take place yet.
    pub planned: bool,
    /// Of whom or what.
    pub series: Series,
    /// How many mails and notes.
    pub count: u64,
}

/// Mails and notes to employers over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// How long a bar is.
    pub span: Span,
    /// What is told apart.
    pub by: By,
    /// The first moments of the spans, and of the one after the last.
    pub borders: Vec<DateTime<Utc>>,
    /// What there was, by time; spans in which there was nothing have none.
    pub points: Vec<Point>,
}

/// Who may ask: those who send bulk mail, those who read reports, super users and administrators.
fn require(viewer: &Viewer) -> Result<()> {
    if viewer.is_super_user() || viewer.is_administrator() || viewer.has(Permission::ReadReport) {
        return Ok(());
    }
    viewer.require(Permission::SendBulkEmail)
}

/// The faculties whose senders the viewer may see; `None` is all of them.
fn scope(viewer: &Viewer) -> Option<Vec<FacultyId>> {
    if viewer.is_super_user() || viewer.is_administrator() || viewer.has(Permission::SendBulkEmail)
    {
        return None;
    }
    match viewer.reach(Permission::ReadReport) {
        Reach::Campus => None,
        Reach::Faculties(faculties) => Some(faculties),
        Reach::Nothing => Some(Vec::new()),
    }
}

/// Mails and notes to employers over time.
pub async fn chart(store: &Store, viewer: &Viewer, question: &Question) -> Result<Chart> {
    require(viewer)?;
    let now = store.now();
    let since = question.since.unwrap_or(now - MONTHS_BACK);
    let until = question.until.unwrap_or(now + MONTHS_AHEAD);
    let borders = buckets::borders(question.span, since, until)?;
    let within = Within {
        borders: &borders,
        question,
        scope: scope(viewer),
        now,
    };
    let mut counts = within.written(store.reader()).await?;
    within.scheduled(store, &mut counts).await?;
    let points = counts
        .into_iter()
        .map(|((bucket, planned, series), count)| Point {
            from: borders[bucket],
            until: borders[bucket + 1],
            planned,
            series,
            count,
        })
        .collect();
    Ok(Chart {
        span: question.span,
        by: question.by,
        borders,
        points,
    })
}

/// How many there were: in which span, whether they are planned, of whom or what.
type Counts = BTreeMap<(usize, bool, Series), u64>;

/// What is counted.
struct Within<'a> {
    borders: &'a [DateTime<Utc>],
    question: &'a Question,
    scope: Option<Vec<FacultyId>>,
    now: DateTime<Utc>,
}

impl Within<'_> {
    /// What stands in the ledger and among the notes, counted by one statement.
    async fn written(&self, db: &impl ConnectionTrait) -> Result<Counts> {
        let mut query = Query::default();
        let [first, .., last] = self.borders else {
            return Ok(Counts::new());
        };
        let (from, to, now) = (query.bind(*first), query.bind(*last), query.bind(self.now));
        let bucket: String = self.borders[1..]
            .iter()
            .enumerate()
            .map(|(nth, border)| format!("WHEN e.moment < {} THEN {nth} ", query.bind(*border)))
            .collect();
        let filter = self.filter(&mut query);
        let series = match self.question.by {
            By::Faculty => "u.faculty_id",
            By::Sender => "e.sender",
            By::Organisation => "e.organisation",
            By::Kind => "e.kind",
        };
        let mail = "COALESCE(c.scheduled_by, c.created_by) AS sender, k.organisation_id AS organisation, \
                    'BULK_MAIL' AS kind FROM delivery AS d JOIN campaign AS c ON c.id = d.campaign_id \
                    LEFT JOIN contact AS k ON k.id = d.contact_id";
        let note = "n.author_id AS sender, n.organisation_id AS organisation, n.kind AS kind FROM note AS n";
        query.sql = format!(
            "WITH contacted AS (\
               SELECT d.sent_at AS moment, 0 AS planned, {mail} \
               WHERE d.state = 'SENT' AND d.sent_at >= {from} AND d.sent_at < {to} \
               UNION ALL SELECT CASE WHEN d.next_attempt_at < {now} THEN {now} ELSE d.next_attempt_at END, 1, {mail} \
               WHERE d.state IN ('QUEUED', 'SENDING') AND c.state IN ('SENDING', 'PAUSED') \
               UNION ALL SELECT n.happened_at, 0, {note} \
               WHERE n.happened_at >= {from} AND n.happened_at < {to} \
               UNION ALL SELECT n.next_action_due_at, 1, {note} \
               WHERE n.next_action_due_at >= {now} AND n.next_action_due_at < {to}\
             ) SELECT CASE {bucket}END AS bucket, e.planned, {series} AS series, COUNT(*) AS number \
             FROM contacted AS e JOIN user_account AS u ON u.id = e.sender \
             WHERE e.moment >= {from} AND e.moment < {to}{filter} GROUP BY 1, 2, 3"
        );
        let mut counts = Counts::new();
        for row in db.query_all_raw(query.into_statement(db)).await? {
            let bucket: i32 = row.try_get("", "bucket")?;
            let planned: i32 = row.try_get("", "planned")?;
            let number: i64 = row.try_get("", "number")?;
            let series = match self.question.by {
                By::Faculty => Series::Faculty(row.try_get("", "series")?),
                By::Sender => Series::Sender(row.try_get("", "series")?),
                By::Organisation => Series::Organisation(row.try_get("", "series")?),
                By::Kind => {
                    let kind: String = row.try_get("", "series")?;
                    Series::Kind(serde_json::from_value(kind.into())?)
                }
            };
            let key = (usize::try_from(bucket).unwrap_or(0), planned == 1, series);
            counts.insert(key, u64::try_from(number).unwrap_or(0));
        }
        Ok(counts)
    }

    /// What the chart is narrowed by, as SQL.
    fn filter(&self, query: &mut Query) -> String {
        let filter = &self.question.filter;
        let mut sql = String::new();
        if let Some(id) = filter.faculty {
            sql += &format!(" AND u.faculty_id = {}", query.bind(id));
        }
        if let Some(id) = filter.sender {
            sql += &format!(" AND e.sender = {}", query.bind(id));
        }
        if let Some(id) = filter.organisation {
            sql += &format!(" AND e.organisation = {}", query.bind(id));
        }
        if let Some(kind) = filter.kind {
            sql += &format!(" AND e.kind = {}", query.bind(kind.name()));
        }
        match self.scope.as_deref() {
            None => {}
            Some([]) => sql.push_str(" AND 1 = 0"),
            Some(faculties) => {
                let list: Vec<String> = faculties.iter().map(|id| query.bind(*id)).collect();
                sql += &format!(" AND u.faculty_id IN ({})", list.join(", "));
            }
        }
        sql
    }

    /// Campaigns that wait for their time or for a review: whom they would reach if they started now.
    async fn scheduled(&self, store: &Store, counts: &mut Counts) -> Result<()> {
        let filter = &self.question.filter;
        if filter.kind.is_some_and(|kind| kind != Kind::BulkMail) {
            return Ok(());
        }
        for planned in campaign::planned(store.reader(), self.now).await? {
            let sender = planned.sender;
            let bucket = self
                .borders
                .iter()
                .rposition(|border| *border <= planned.at);
            let Some(bucket) = bucket.filter(|bucket| bucket + 1 < self.borders.len()) else {
                continue;
            };
            let is_meant = filter.faculty.is_none_or(|id| planned.faculty == Some(id))
                && filter.sender.is_none_or(|id| sender == id)
                && self
                    .scope
                    .as_ref()
                    .is_none_or(|scope| planned.faculty.is_some_and(|id| scope.contains(&id)));
            if !is_meant {
                continue;
            }
            for (organisation, mails) in planned.reaches {
                if filter.organisation.is_some_and(|id| id != organisation) {
                    continue;
                }
                let series = match self.question.by {
                    By::Faculty => Series::Faculty(planned.faculty),
                    By::Sender => Series::Sender(sender),
                    By::Organisation => Series::Organisation(Some(organisation)),
                    By::Kind => Series::Kind(Kind::BulkMail),
                };
                *counts.entry((bucket, true, series)).or_default() += mails;
            }
        }
        Ok(())
    }
}

impl Kind {
    /// Its name in the database.
    fn name(self) -> &'static str {
        match self {
            Self::BulkMail => "BULK_MAIL",
            Self::Meeting => "MEETING",
            Self::Call => "CALL",
            Self::Email => "EMAIL",
            Self::Visit => "VISIT",
            Self::Event => "EVENT",
            Self::GuidanceOnContact => "GUIDANCE_ON_CONTACT",
            Self::Other => "OTHER",
        }
    }
}

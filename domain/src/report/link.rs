//! Addresses of reports: each for one person and a while, so that a browser, a spreadsheet program or a printer can fetch them.

use chrono::TimeDelta;
use entity::ids::EventId;
use serde::{Deserialize, Serialize};

use super::Question;
use crate::{error::Result, personal_link::PersonalLink, store::Store, viewer::Viewer};

/// Where links lead, before the token.
pub const PATH: &str = "/reports/";

/// What their signature is for.
const PURPOSE: &str = "report";
/// How long a link works.
const WORKS_FOR: TimeDelta = TimeDelta::minutes(30);

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A report, as CSV.
    Csv(Question),
    /// A report, as a picture.
    Chart(Question),
    /// How long ahead people book, as a picture.
    DaysAheadChart(Question),
    /// The report on an event that its organiser hands to employers, as a page to be printed.
    Employer(EventId),
}

/// Makes a link for `viewer`: its path. Whether they may read what it leads to is asked when it is followed, and by whoever
/// shows it.
pub async fn link(store: &Store, viewer: &Viewer, subject: Subject) -> Result<String> {
    let (token, _) = PersonalLink::make(store, viewer, PURPOSE, WORKS_FOR, subject).await?;
    Ok(format!("{PATH}{token}"))
}

/// Reads a token, as links do.
pub async fn open(store: &Store, token: &str) -> Result<Option<(PersonalLink<Subject>, Viewer)>> {
    PersonalLink::open(store, PURPOSE, token).await
}

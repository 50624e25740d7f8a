//! Addresses of reports: each for one person and a while, so that a browser, a spreadsheet program or a printer can fetch them.

use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::{EventId, UserId};
use serde::{Deserialize, Serialize};

use super::Question;
use crate::{error::Result, signed_link, store::Store, suppression::AddressKey, viewer::Viewer};

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

/// A link, for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whose it is.
    pub user_id: UserId,
    /// Until when it works.
    pub expires_at: DateTime<Utc>,
    /// What it leads to.
    pub subject: Subject,
}

/// Makes a link for `viewer`: its path. Whether they may read what it leads to is asked when it is followed, and by whoever
/// shows it.
pub async fn link(store: &Store, viewer: &Viewer, subject: Subject) -> Result<String> {
    let link = Link {
        user_id: viewer.signed_in()?.id,
        expires_at: store.now() + WORKS_FOR,
        subject,
    };
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let token = signed_link::seal(&key, PURPOSE, &serde_json::to_vec(&link)?)?;
    Ok(format!("{PATH}{token}"))
}

/// Reads a token: the link, and whose it is with the rights that they have now. None when it was not made here or its time is
/// over.
pub async fn open(store: &Store, token: &str) -> Result<Option<(Link, Viewer)>> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let Some(signed) = signed_link::open(&key, PURPOSE, token)? else {
        return Ok(None);
    };
    let link: Link = serde_json::from_slice(&signed)?;
    if link.expires_at <= store.now() {
        return Ok(None);
    }
    let viewer = Viewer::load(store.reader(), link.user_id, None, store.now()).await?;
    Ok(viewer.map(|viewer| (link, viewer)))
}

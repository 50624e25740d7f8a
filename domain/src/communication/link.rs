//! The chart as a picture, at an address that works for one person, as long as they may see it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::UserId;
use serde::{Deserialize, Serialize};

use super::{Question, require};
use crate::{error::Result, signed_link, store::Store, suppression::AddressKey, viewer::Viewer};

/// Where links lead, before the token.
pub const PATH: &str = "/charts/communication/";
/// What their signature is for.
const PURPOSE: &str = "communication.chart";
/// How long a link works: a page that shows the picture may stand open for a day.
const WORKS_FOR: TimeDelta = TimeDelta::days(1);

/// What a link says.
#[derive(Serialize, Deserialize)]
struct Link {
    user_id: UserId,
    expires_at: DateTime<Utc>,
    question: Question,
}

/// The path of the picture for `viewer`.
pub async fn link(store: &Store, viewer: &Viewer, question: Question) -> Result<String> {
    require(viewer)?;
    let link = Link {
        user_id: viewer.signed_in()?.id,
        expires_at: store.now() + WORKS_FOR,
        question,
    };
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let token = signed_link::seal(&key, PURPOSE, &serde_json::to_vec(&link)?)?;
    Ok(format!("{PATH}{token}"))
}

/// Reads a token: what is asked, and by whom, with the rights that they have now. None when it was not made here, when its
/// time is over, or when they may not see the chart any more.
pub async fn open(store: &Store, token: &str) -> Result<Option<(Question, Viewer)>> {
    let key = AddressKey::load(store.reader(), store.now()).await?;
    let Some(signed) = signed_link::open(&key, PURPOSE, token)? else {
        return Ok(None);
    };
    let link: Link = serde_json::from_slice(&signed)?;
    if link.expires_at <= store.now() {
        return Ok(None);
    }
    let viewer = Viewer::load(store.reader(), link.user_id, None, store.now()).await?;
    Ok(viewer
        .filter(|viewer| require(viewer).is_ok())
        .map(|viewer| (link.question, viewer)))
}

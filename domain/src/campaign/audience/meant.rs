//! What the segment of a campaign asks. While the campaign is written, that is what the segment asks today, if it can be used in
//! the name of its sender. From the start on it is what the segment asked then, whatever becomes of it.

use chrono::{DateTime, Utc};
use entity::{
    campaign,
    ids::{SegmentId, UserId},
};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

use super::Audience;
use crate::{
    error::{Error, RefusalCode, Result},
    organisation::Filter,
    segment,
};

/// What a segment asked when a campaign was submitted or started. It is kept with the campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// The segment, which may be gone.
    pub segment_id: SegmentId,
    /// What it was called.
    pub name: String,
    /// At which version it was.
    pub version: i32,
    /// When that was.
    pub at: DateTime<Utc>,
    /// What it asked.
    pub filter: Filter,
}

/// An audience of which is known what its segment asks.
#[derive(Clone, Debug)]
pub(in crate::campaign) struct Meant {
    audience: Audience,
    segment: Option<Asked>,
}

impl Meant {
    /// The audience.
    pub fn audience(&self) -> &Audience {
        &self.audience
    }

    /// What its segment asks of organisations; none where it has no segment.
    pub fn filter(&self) -> Option<&Filter> {
        self.segment.as_ref().map(|asked| &asked.filter)
    }

    /// What is kept with the campaign.
    pub fn kept(&self) -> Result<Option<serde_json::Value>> {
        Ok(self
            .segment
            .as_ref()
            .map(serde_json::to_value)
            .transpose()?)
    }
}

impl Audience {
    /// The audience with what its segment asks today, in the name of somebody who must have the segment.
    pub(in crate::campaign) async fn look_up(
        &self,
        db: &impl ConnectionTrait,
        by: Option<UserId>,
        now: DateTime<Utc>,
    ) -> Result<Meant> {
        let segment = match self.segment_id {
            None => None,
            Some(id) => Some(today(db, id, by, now).await?),
        };
        Ok(Meant {
            audience: self.clone(),
            segment,
        })
    }
}

/// What a segment asks today.
async fn today(
    db: &impl ConnectionTrait,
    id: SegmentId,
    by: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Asked> {
    let found = segment::usable(db, by, id).await?.ok_or_else(|| {
        Error::refused(
            RefusalCode::NotFound,
            "segmentId",
            "The segment is gone, or is somebody else's and not shared: name another one, or tags.",
        )
    })?;
    let filter = segment::filter_of(&found);
    if !filter.asks_something() {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "segmentId",
            "The segment asks nothing that some organisations lack, so nearly everybody is in it: nobody writes to everybody \
             by mistake. Name another one, or have it ask something.",
        ));
    }
    Ok(Asked {
        segment_id: id,
        name: found.name,
        version: found.version,
        at: now,
        filter,
    })
}

/// What the segment of a campaign asked when it was submitted or started; none before, and where it has no segment.
pub(in crate::campaign) fn asked(campaign: &campaign::Model) -> Result<Option<Asked>> {
    let kept = campaign.segment_asked.clone();
    Ok(kept.map(serde_json::from_value).transpose()?)
}

/// Whom a campaign means: once it has started what it meant then, and before what its segment asks today, in the name of `by`.
///
/// What was approved is what was read, so a segment that was changed since refuses.
pub(in crate::campaign) async fn meant_by(
    db: &impl ConnectionTrait,
    campaign: &campaign::Model,
    by: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Meant> {
    let audience = Audience::of(campaign);
    let kept = asked(campaign)?;
    if campaign.started_at.is_some() {
        return Ok(Meant {
            audience,
            segment: kept,
        });
    }
    let meant = audience.look_up(db, by, now).await?;
    if campaign.approved_by.is_some()
        && let (Some(kept), Some(today)) = (&kept, &meant.segment)
        && kept.version != today.version
    {
        return Err(Error::refused(
            RefusalCode::NeedsAgreement,
            "segmentId",
            "The segment was changed after the campaign was submitted, so nobody has reviewed what it asks now: submit the \
             campaign again, after it was declined where it is in review.",
        ));
    }
    Ok(meant)
}

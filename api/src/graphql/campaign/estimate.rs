//! When a campaign that is being sent may be over.

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};
use domain::campaign::Estimate;
use entity::ids::CampaignId;

use super::loaders::EstimateOf;
use crate::graphql::rows::rows;

/// How the rest of a campaign goes out.
#[derive(Clone, Copy, Debug)]
pub struct CampaignEstimate(Estimate);

/// How the rest of a campaign goes out.
#[Object]
impl CampaignEstimate {
    /// How many mails wait because their organisations are in quiet hours (see `mailRules`).
    async fn in_quiet_hours(&self) -> u64 {
        self.0.in_quiet_hours
    }

    /// When the first of these may go; null when none waits.
    async fn quiet_until(&self) -> Option<DateTime<Utc>> {
        self.0.quiet_until
    }

    /// How fast mail goes out by the rules, such as `600/min`; null where they set no rate.
    async fn rate(&self) -> Option<String> {
        self.0.rate.map(|rate| rate.to_string())
    }

    /// When the last mail may have gone out, should nothing hinder it; null while nothing tells how fast they go.
    async fn end(&self) -> Option<DateTime<Utc>> {
        self.0.end
    }
}

/// The estimate of a campaign; none for one that is not being sent.
pub(super) async fn estimate(
    ctx: &Context<'_>,
    id: CampaignId,
) -> Result<Option<CampaignEstimate>> {
    Ok(rows(ctx)?
        .load_one(EstimateOf(id))
        .await?
        .map(CampaignEstimate))
}

//! What else a campaign's mail tells of, and which other campaigns reach the same people.

use async_graphql::{Context, Result, SimpleObject};
use domain::{
    Error,
    campaign::{self as campaigns, Overlap, Promotion},
};
use entity::ids::CampaignId;

use super::Campaign;
use crate::graphql::{event::Event, store, viewer};

/// An event that suits the audience of a campaign: its mail tells of it, unless it was left out.
#[derive(Debug, SimpleObject)]
pub struct CampaignPromotion {
    /// The event.
    event: Option<Event>,
    /// Why the mail does not tell of it; null when it does.
    left_out_because: Option<String>,
}

impl From<Promotion> for CampaignPromotion {
    fn from(promotion: Promotion) -> Self {
        Self {
            event: Some(promotion.event.into()),
            left_out_because: promotion.left_out_because,
        }
    }
}

/// Another campaign that is meant for some of the same contacts.
#[derive(Debug, SimpleObject)]
pub struct CampaignOverlap {
    /// The other campaign. Where both are drafts, `joinCampaigns` makes one mail of them.
    campaign: Option<Campaign>,
    /// How many contacts both are meant for.
    contacts: Option<u64>,
}

impl From<Overlap> for CampaignOverlap {
    fn from(overlap: Overlap) -> Self {
        Self {
            campaign: Some(Campaign(overlap.campaign)),
            contacts: Some(overlap.contacts),
        }
    }
}

/// The events that suit a campaign.
pub(super) async fn promotions(
    ctx: &Context<'_>,
    id: CampaignId,
) -> Result<Vec<CampaignPromotion>> {
    let store = store(ctx)?;
    let campaign = campaigns::find(store.reader(), viewer(ctx)?, id)
        .await?
        .ok_or_else(|| Error::not_found("campaignId", "campaign"))?;
    let found = campaigns::promotions(store.reader(), &campaign, store.now()).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// The campaigns that are meant for some of the same contacts.
pub(super) async fn overlaps(ctx: &Context<'_>, id: CampaignId) -> Result<Vec<CampaignOverlap>> {
    let found = campaigns::overlaps(store(ctx)?, viewer(ctx)?, id).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

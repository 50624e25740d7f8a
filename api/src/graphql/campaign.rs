//! Bulk e-mail to employer contacts (policy 2.5).

mod attachment;
mod delivery;
mod estimate;
mod inputs;
mod loaders;
mod mutation;
mod payloads;
mod preview;
mod promotion;
mod segment;
mod subscription;
mod types;

use async_graphql::{Context, Object, Result};
use domain::{
    Error, RefusalCode,
    campaign::{self as campaigns, Filter},
};
use entity::{campaign::Model, ids::CampaignId};

use self::inputs::CampaignAudienceInput;
pub use self::{
    delivery::{Delivery, DeliveryState},
    mutation::CampaignMutation,
    preview::CampaignPreview,
    promotion::{CampaignOverlap, CampaignPromotion},
    subscription::CampaignSubscription,
    types::{Campaign, CampaignState},
};
use super::{
    connection::{Connection, PageArgs, connect},
    id::Id,
    rows::rows,
    store, viewer,
};

/// Queries about campaigns.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignQuery;

#[Object]
impl CampaignQuery {
    /// Campaigns, the newest first.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the arguments of the GraphQL field"
    )]
    async fn campaigns(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that stand there.")] state: Option<CampaignState>,
        #[graphql(default, desc = "Whether those that were put away are listed too.")]
        archived: bool,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Campaign>>> {
        let page = PageArgs::new(first, after, last, before);
        let filter = Filter {
            state: state.map(Into::into),
            archived,
        };
        Some(list(ctx, filter, &page).await)
    }

    /// The events that suit the audience of a campaign, at most five: its mail tells of them, so that employers get fewer mails.
    /// Once it has started they are what they were then.
    async fn campaign_promotions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign.")] campaign_id: Id<CampaignId>,
    ) -> Option<Result<Vec<CampaignPromotion>>> {
        Some(promotion::promotions(ctx, campaign_id.0).await)
    }

    /// The campaigns that go out within a week of this one, or did, and are meant for some of the same contacts.
    async fn overlapping_campaigns(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign.")] campaign_id: Id<CampaignId>,
    ) -> Option<Result<Vec<CampaignOverlap>>> {
        Some(promotion::overlaps(ctx, campaign_id.0).await)
    }

    /// Whom a campaign would reach now, and who would be left out and why. Give a campaign, or an audience before there is one.
    async fn campaign_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A campaign, whose audience is meant.")] campaign_id: Option<
            Id<CampaignId>,
        >,
        #[graphql(desc = "The audience that is meant.")] input: Option<CampaignAudienceInput>,
    ) -> Option<Result<CampaignPreview>> {
        Some(preview(ctx, campaign_id.map(|id| id.0), input).await)
    }
}

/// The campaign with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: CampaignId) -> Result<Option<Campaign>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Campaign))
}

async fn list(ctx: &Context<'_>, filter: Filter, page: &PageArgs) -> Result<Connection<Campaign>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "campaigns",
        page,
        async |page| campaigns::list(store.reader(), viewer, filter, &page).await,
        |row: &Model| row.id,
        Campaign,
        move || {
            let (store, viewer) = counted.clone();
            async move { campaigns::count(store.reader(), &viewer, filter).await }
        },
    )
    .await
}

async fn preview(
    ctx: &Context<'_>,
    campaign_id: Option<CampaignId>,
    input: Option<CampaignAudienceInput>,
) -> Result<CampaignPreview> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let preview = match (campaign_id, input) {
        (Some(id), None) => {
            let campaign = campaigns::find(store.reader(), viewer, id)
                .await?
                .ok_or_else(|| Error::not_found("campaignId", "campaign"))?;
            campaigns::preview_campaign(store, viewer, &campaign).await?
        }
        (None, Some(input)) => {
            let topic = input.topic();
            campaigns::preview(store, viewer, &input.into(), topic).await?
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::refused(
                RefusalCode::Required,
                "campaignId",
                "Give a campaign or an audience, and not both.",
            )
            .into());
        }
    };
    Ok(preview.into())
}

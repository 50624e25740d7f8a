//! What the segment of a campaign asked.

use async_graphql::{Context, Object, Result};
use chrono::{DateTime, Utc};
use domain::campaign::{self as campaigns, Asked};
use entity::{campaign::Model, ids::SegmentId};

use crate::graphql::{
    id::Id,
    organisation::OrganisationState,
    profile_field::{self, SoughtProfileField},
    scalars::Date,
    segment::tags,
    tag::Tag,
    university::{Faculty, faculty},
};

/// What a segment asked when a campaign was submitted or started.
#[derive(Clone, Debug)]
pub struct CampaignSegment(Asked);

/// What the segment asked of a campaign, as far as it is kept.
pub(super) fn segment_asked(campaign: &Model) -> Result<Option<CampaignSegment>> {
    Ok(campaigns::segment_asked(campaign)?.map(CampaignSegment))
}

/// What a segment asked when a campaign was submitted or started. It is kept with the campaign: whatever becomes of the segment,
/// this says who was meant.
#[Object]
impl CampaignSegment {
    /// The segment, which may be gone.
    async fn segment_id(&self) -> Option<Id<SegmentId>> {
        Some(Id(self.0.segment_id))
    }

    /// What it was called.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// At which version it was.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }

    /// When that was.
    async fn at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.at)
    }

    /// Words that are all in the name of an organisation in it.
    async fn search(&self) -> Option<&str> {
        self.0.filter.search.as_deref()
    }

    /// Tags that are all on it.
    async fn all_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.filter.all_of_tags).await)
    }

    /// Tags of which at least one is; empty asks nothing.
    async fn any_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.filter.any_of_tags).await)
    }

    /// Tags of which none is.
    async fn none_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.filter.none_of_tags).await)
    }

    /// The sector.
    async fn sector(&self) -> Option<&str> {
        self.0.filter.sector.as_deref()
    }

    /// Where it stood in approval. Bulk mail reaches approved organisations alone.
    async fn state(&self) -> Option<OrganisationState> {
        self.0.filter.state.map(Into::into)
    }

    /// The faculty that had worked with it.
    async fn engaged_by(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        faculty(ctx, self.0.filter.engaged_by?).await.transpose()
    }

    /// Nobody had contacted it on this day or later.
    async fn last_contacted_before(&self) -> Option<Date> {
        self.0.filter.last_contacted_before.map(Into::into)
    }

    /// What fields of its profile were that administrators defined.
    async fn profile_fields(&self, ctx: &Context<'_>) -> Option<Result<Vec<SoughtProfileField>>> {
        Some(profile_field::sought(ctx, &self.0.filter.profile_fields).await)
    }
}

//! Campaigns and their counts, in batches.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use domain::campaign::{self as campaigns, Attached, Counts, Estimate};
use entity::{
    campaign::{Column, Model},
    ids::{CampaignAttachmentId, CampaignId},
};

use crate::graphql::rows::{LoadError, Rows, by_id};

by_id!(CampaignId => Model, visible |rows| campaigns::visible(&rows.viewer), Column::Id);

/// Asks what became of the mails of a campaign that the viewer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CountsOf(pub CampaignId);

impl Loader<CountsOf> for Rows {
    type Value = Counts;
    type Error = LoadError;

    async fn load(&self, of: &[CountsOf]) -> Result<HashMap<CountsOf, Counts>, LoadError> {
        let ids: Vec<CampaignId> = of.iter().map(|of| of.0).collect();
        let counts = campaigns::counts(self.store.reader(), &ids).await?;
        Ok(counts
            .into_iter()
            .map(|(id, counts)| (CountsOf(id), counts))
            .collect())
    }
}

/// Asks how the rest of a campaign goes out that is being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EstimateOf(pub CampaignId);

impl Loader<EstimateOf> for Rows {
    type Value = Estimate;
    type Error = LoadError;

    async fn load(&self, of: &[EstimateOf]) -> Result<HashMap<EstimateOf, Estimate>, LoadError> {
        let ids: Vec<CampaignId> = of.iter().map(|of| of.0).collect();
        let store = &self.store;
        let estimates = campaigns::estimates(store.reader(), &ids, store.now()).await?;
        Ok(estimates
            .into_iter()
            .map(|(id, estimate)| (EstimateOf(id), estimate))
            .collect())
    }
}

/// Asks what the mails of a campaign bring along that the viewer may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AttachedTo(pub CampaignId);

impl Loader<AttachedTo> for Rows {
    type Value = Vec<Attached>;
    type Error = LoadError;

    async fn load(
        &self,
        of: &[AttachedTo],
    ) -> Result<HashMap<AttachedTo, Vec<Attached>>, LoadError> {
        let ids: Vec<CampaignId> = of.iter().map(|of| of.0).collect();
        let attached = campaigns::attachments(self.store.reader(), &ids).await?;
        Ok(attached
            .into_iter()
            .map(|(id, attached)| (AttachedTo(id), attached))
            .collect())
    }
}

/// Asks for a file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ContentsOf(pub CampaignAttachmentId);

impl Loader<ContentsOf> for Rows {
    type Value = Vec<u8>;
    type Error = LoadError;

    async fn load(&self, of: &[ContentsOf]) -> Result<HashMap<ContentsOf, Vec<u8>>, LoadError> {
        let ids: Vec<CampaignAttachmentId> = of.iter().map(|of| of.0).collect();
        let found = campaigns::contents(self.store.reader(), &self.viewer, &ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, bytes)| (ContentsOf(id), bytes))
            .collect())
    }
}

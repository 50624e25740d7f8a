//! Watching a campaign.

use std::time::Duration;

use async_graphql::{Context, Result, Subscription};
use domain::{Error, Store, campaign as campaigns, live::LiveEvent, session};
use entity::ids::CampaignId;
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::sleep;

use super::Campaign;
use crate::graphql::{id::Id, store, viewer};

/// How often a watcher is told at most. Mails go out faster than anybody reads.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Subscriptions to campaigns.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignSubscription;

#[Subscription]
impl CampaignSubscription {
    /// The campaign, whenever its state changes or mails of it went out; at most four times a second.
    async fn campaign_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The campaign to watch.")] campaign_id: Id<CampaignId>,
    ) -> Result<impl Stream<Item = Result<Option<Campaign>>> + use<>> {
        let (store, asker) = (store(ctx)?.clone(), viewer(ctx)?.clone());
        let watched = campaign_id.0;
        // Before the first look at the database, so that nothing is missed in between.
        let heard = changes(&store, watched);
        if campaigns::find(store.reader(), &asker, watched)
            .await?
            .is_none()
        {
            return Err(Error::not_found("campaignId", "campaign").into());
        }
        Ok(heard.filter_map(move |()| {
            let (store, asker) = (store.clone(), asker.clone());
            async move {
                // Rights may have changed since the subscription began.
                let now = match session::still_signed_in(&store, &asker).await {
                    Ok(now) => now,
                    Err(error) => return Some(Err(error.into())),
                };
                campaigns::find(store.reader(), &now, watched)
                    .await
                    .map(|seen| seen.map(|row| Some(Campaign(row))))
                    .map_err(Into::into)
                    .transpose()
            }
        }))
    }
}

/// One item whenever something happened to the campaign, with a pause after each in which everything counts as one.
fn changes(store: &Store, watched: CampaignId) -> BoxStream<'static, ()> {
    let heard = store.signals().subscribe().filter(move |event| {
        let about =
            matches!(event, LiveEvent::CampaignProgress { campaign_id } if *campaign_id == watched);
        std::future::ready(about)
    });
    stream::unfold(heard.boxed(), |mut heard| async move {
        heard.next().await?;
        let pause = sleep(TOLD_EVERY);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return Some(((), heard)),
                more = heard.next() => {
                    if more.is_none() {
                        return Some(((), heard));
                    }
                }
            }
        }
    })
    .boxed()
}

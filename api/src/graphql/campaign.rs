//! Bulk e-mail to employer contacts (policy 2.5).

mod inputs;
mod loaders;
mod types;

use std::time::Duration;

use async_graphql::{Context, Object, Result, Subscription};
use domain::{
    Error, RefusalCode, Store,
    campaign::{self as campaigns, Audience, Filter},
    live::LiveEvent,
    session,
};
use entity::{campaign::Model, ids::CampaignId};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::sleep;

use self::inputs::{
    ApproveCampaignInput, ArchiveCampaignInput, CampaignAudienceInput, CancelCampaignInput,
    CopyCampaignInput, CreateCampaignInput, DeclineCampaignInput, PauseCampaignInput,
    ResumeCampaignInput, ScheduleCampaignInput, SendTestCampaignInput, SettleDeliveriesInput,
    SettleDeliveryInput, SubmitCampaignInput, UpdateCampaignInput,
};
pub use self::types::{Campaign, CampaignPreview, CampaignState, Delivery, DeliveryState};
use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    rows::rows,
    store, viewer,
};

/// How often a watcher is told at most. Mails go out faster than anybody reads.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Queries about campaigns.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignQuery;

/// Mutations of campaigns. What they call is boxed: an object's resolver has room on its stack for all of its fields at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignMutation;

/// Subscriptions to campaigns.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignSubscription;

payload! {
    /// What became of beginning a campaign.
    CreateCampaignPayload {
        /// The draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of changing a draft.
    UpdateCampaignPayload {
        /// The draft as it is now.
        campaign: Campaign,
    }
}

payload! {
    /// What became of a test mail.
    SendTestCampaignPayload {
        /// The campaign, which is as it was.
        campaign: Campaign,
    }
}

payload! {
    /// What became of submitting a campaign for review.
    SubmitCampaignPayload {
        /// The campaign, which a second sender looks at.
        campaign: Campaign,
    }
}

payload! {
    /// What became of approving a campaign.
    ApproveCampaignPayload {
        /// The campaign, which is on its way or waits for its time.
        campaign: Campaign,
    }
}

payload! {
    /// What became of sending a campaign back.
    DeclineCampaignPayload {
        /// The campaign, which is a draft again.
        campaign: Campaign,
    }
}

payload! {
    /// What became of copying a campaign.
    CopyCampaignPayload {
        /// The new draft.
        campaign: Campaign,
    }
}

payload! {
    /// What became of putting a campaign away.
    ArchiveCampaignPayload {
        /// The campaign.
        campaign: Campaign,
    }
}

payload! {
    /// What became of starting a campaign, or of setting the time for it.
    ScheduleCampaignPayload {
        /// The campaign, which is on its way or waits for its time.
        campaign: Campaign,
    }
}

payload! {
    /// What became of holding a campaign up.
    PauseCampaignPayload {
        /// The campaign, which waits to be resumed.
        campaign: Campaign,
    }
}

payload! {
    /// What became of letting a campaign go on.
    ResumeCampaignPayload {
        /// The campaign, which is on its way again.
        campaign: Campaign,
    }
}

payload! {
    /// What became of ending a campaign for good.
    CancelCampaignPayload {
        /// The campaign, of which nothing more is sent.
        campaign: Campaign,
    }
}

payload! {
    /// What became of settling a mail that was in doubt.
    SettleDeliveryPayload {
        /// The mail as it stands now.
        delivery: Delivery,
    }
}

payload! {
    /// What became of settling all mails of a campaign that were in doubt.
    SettleDeliveriesPayload {
        /// The campaign as it stands now.
        campaign: Campaign,
    }
}

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

    /// Whom a campaign would reach now, and who would be left out and why. Give a campaign, or tags before there is one.
    async fn campaign_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A campaign, whose tags are meant.")] campaign_id: Option<Id<CampaignId>>,
        #[graphql(desc = "The tags that are meant.")] input: Option<CampaignAudienceInput>,
    ) -> Option<Result<CampaignPreview>> {
        Some(preview(ctx, campaign_id.map(|id| id.0), input).await)
    }
}

#[Object]
impl CampaignMutation {
    /// Begins a campaign.
    async fn create_campaign(
        &self,
        ctx: &Context<'_>,
        input: CreateCampaignInput,
    ) -> Result<CreateCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let created = Box::pin(campaigns::create(&mut tx, viewer(ctx)?, input.into())).await;
        CreateCampaignPayload::commit(tx, created).await
    }

    /// Changes a draft; what is left out stays as it is.
    async fn update_campaign(
        &self,
        ctx: &Context<'_>,
        input: UpdateCampaignInput,
    ) -> Result<UpdateCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.campaign_id.0, input.version);
        let updated = Box::pin(campaigns::update(
            &mut tx,
            viewer(ctx)?,
            id,
            version,
            input.into(),
        ))
        .await;
        UpdateCampaignPayload::commit(tx, updated).await
    }

    /// Sends the mail to the viewer, and to nobody else.
    async fn send_test_campaign(
        &self,
        ctx: &Context<'_>,
        input: SendTestCampaignInput,
    ) -> Result<SendTestCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let tested = Box::pin(campaigns::send_test(
            &mut tx,
            viewer(ctx)?,
            input.campaign_id.0,
        ))
        .await;
        SendTestCampaignPayload::commit(tx, tested).await
    }

    /// Submits a draft for review: above a number of recipients (see `mailRules`) a second sender has to approve it.
    async fn submit_campaign(
        &self,
        ctx: &Context<'_>,
        input: SubmitCampaignInput,
    ) -> Result<SubmitCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let (id, timing) = (input.campaign_id.0, input.into());
        let submitted = Box::pin(campaigns::submit(&mut tx, viewer(ctx)?, id, timing)).await;
        SubmitCampaignPayload::commit(tx, submitted).await
    }

    /// Approves a campaign that is in review, and starts it or has it start at its time. Neither its author nor whoever
    /// submitted it can.
    async fn approve_campaign(
        &self,
        ctx: &Context<'_>,
        input: ApproveCampaignInput,
    ) -> Result<ApproveCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version) = (input.campaign_id.0, input.version);
        let approved = Box::pin(campaigns::approve(&mut tx, viewer(ctx)?, id, version)).await;
        ApproveCampaignPayload::commit(tx, approved).await
    }

    /// Sends a campaign that is in review back to its author.
    async fn decline_campaign(
        &self,
        ctx: &Context<'_>,
        input: DeclineCampaignInput,
    ) -> Result<DeclineCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let (id, asker) = (input.campaign_id.0, viewer(ctx)?);
        let declined = Box::pin(campaigns::decline(&mut tx, asker, id, &input.reason)).await;
        DeclineCampaignPayload::commit(tx, declined).await
    }

    /// Begins a campaign with the words and the audience of another.
    async fn copy_campaign(
        &self,
        ctx: &Context<'_>,
        input: CopyCampaignInput,
    ) -> Result<CopyCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let copied = Box::pin(campaigns::copy(&mut tx, viewer(ctx)?, input.campaign_id.0)).await;
        CopyCampaignPayload::commit(tx, copied).await
    }

    /// Puts a campaign that is over out of the list, or brings it back.
    async fn archive_campaign(
        &self,
        ctx: &Context<'_>,
        input: ArchiveCampaignInput,
    ) -> Result<ArchiveCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let (id, archived) = (input.campaign_id.0, input.archived);
        let changed = Box::pin(campaigns::archive(&mut tx, viewer(ctx)?, id, archived)).await;
        ArchiveCampaignPayload::commit(tx, changed).await
    }

    /// Starts a campaign now, or at its time. The audience is frozen when it starts, and every mail is written before the
    /// first goes out: where one can't be, none does.
    async fn schedule_campaign(
        &self,
        ctx: &Context<'_>,
        input: ScheduleCampaignInput,
    ) -> Result<ScheduleCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let (id, timing) = (input.campaign_id.0, input.into());
        let scheduled = Box::pin(campaigns::schedule(&mut tx, viewer(ctx)?, id, timing)).await;
        ScheduleCampaignPayload::commit(tx, scheduled).await
    }

    /// Holds a campaign up. Mails that are on their way arrive.
    async fn pause_campaign(
        &self,
        ctx: &Context<'_>,
        input: PauseCampaignInput,
    ) -> Result<PauseCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let paused = Box::pin(campaigns::pause(&mut tx, viewer(ctx)?, input.campaign_id.0)).await;
        PauseCampaignPayload::commit(tx, paused).await
    }

    /// Lets a paused campaign go on.
    async fn resume_campaign(
        &self,
        ctx: &Context<'_>,
        input: ResumeCampaignInput,
    ) -> Result<ResumeCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let resumed = Box::pin(campaigns::resume(
            &mut tx,
            viewer(ctx)?,
            input.campaign_id.0,
        ))
        .await;
        ResumeCampaignPayload::commit(tx, resumed).await
    }

    /// Ends a campaign for good. Mails that are on their way arrive.
    async fn cancel_campaign(
        &self,
        ctx: &Context<'_>,
        input: CancelCampaignInput,
    ) -> Result<CancelCampaignPayload> {
        let mut tx = begin(ctx).await?;
        let cancelled = Box::pin(campaigns::cancel(
            &mut tx,
            viewer(ctx)?,
            input.campaign_id.0,
        ))
        .await;
        CancelCampaignPayload::commit(tx, cancelled).await
    }

    /// Says what is true of a mail whose state is `UNKNOWN`: it arrived, or it is to be sent again. A campaign that was
    /// over goes on for it.
    async fn settle_delivery(
        &self,
        ctx: &Context<'_>,
        input: SettleDeliveryInput,
    ) -> Result<SettleDeliveryPayload> {
        let mut tx = begin(ctx).await?;
        let (id, settlement) = (input.delivery_id.0, input.settlement.into());
        let settled =
            campaigns::settle_delivery(&mut tx, viewer(ctx)?, id, settlement, &input.reason).await;
        SettleDeliveryPayload::commit(tx, settled).await
    }

    /// Says what is true of all mails of a campaign whose state is `UNKNOWN`.
    async fn settle_deliveries(
        &self,
        ctx: &Context<'_>,
        input: SettleDeliveriesInput,
    ) -> Result<SettleDeliveriesPayload> {
        let mut tx = begin(ctx).await?;
        let (id, settlement) = (input.campaign_id.0, input.settlement.into());
        let settled =
            campaigns::settle_deliveries(&mut tx, viewer(ctx)?, id, settlement, &input.reason)
                .await;
        SettleDeliveriesPayload::commit(tx, settled).await
    }
}

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
        if campaigns::find(store.reader(), &asker, watched)
            .await?
            .is_none()
        {
            return Err(Error::not_found("campaignId", "campaign").into());
        }
        Ok(changes(&store, watched).filter_map(move |()| {
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
    let (audience, topic) = match (campaign_id, input) {
        (Some(id), None) => campaigns::find(store.reader(), viewer, id)
            .await?
            .map(|campaign| (Audience::of(&campaign), campaign.mail_topic_id))
            .ok_or_else(|| Error::not_found("campaignId", "campaign"))?,
        (None, Some(input)) => {
            let topic = input.topic();
            (input.into(), topic)
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Error::refused(
                RefusalCode::Required,
                "campaignId",
                "Give a campaign or tags, and not both.",
            )
            .into());
        }
    };
    Ok(campaigns::preview(store, viewer, &audience, topic)
        .await?
        .into())
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

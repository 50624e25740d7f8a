//! What is done with campaigns.

use async_graphql::{Context, Object, Result};
use domain::campaign as campaigns;
use entity::ids::EventId;

use super::{
    attachment::{AddCampaignAttachmentInput, RemoveCampaignAttachmentInput},
    inputs::{
        ApproveCampaignInput, ArchiveCampaignInput, BringBackCampaignEventsInput,
        CancelCampaignInput, CopyCampaignInput, CreateCampaignInput, DeclineCampaignInput,
        JoinCampaignsInput, LeaveOutCampaignEventsInput, PauseCampaignInput, ResumeCampaignInput,
        ScheduleCampaignInput, SendTestCampaignInput, SettleDeliveriesInput, SettleDeliveryInput,
        SubmitCampaignInput, UpdateCampaignInput,
    },
    payloads::{
        AddCampaignAttachmentPayload, ApproveCampaignPayload, ArchiveCampaignPayload,
        BringBackCampaignEventsPayload, CancelCampaignPayload, CopyCampaignPayload,
        CreateCampaignPayload, DeclineCampaignPayload, JoinCampaignsPayload,
        LeaveOutCampaignEventsPayload, PauseCampaignPayload, RemoveCampaignAttachmentPayload,
        ResumeCampaignPayload, ScheduleCampaignPayload, SendTestCampaignPayload,
        SettleDeliveriesPayload, SettleDeliveryPayload, SubmitCampaignPayload,
        UpdateCampaignPayload,
    },
};
use crate::graphql::{begin, errors::Payload, viewer};

/// Mutations of campaigns. What they call is boxed: an object's resolver has room on its stack for all of its fields at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct CampaignMutation;

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

    /// Attaches a file to a draft. Every one of its mails brings it along.
    async fn add_campaign_attachment(
        &self,
        ctx: &Context<'_>,
        input: AddCampaignAttachmentInput,
    ) -> Result<AddCampaignAttachmentPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, asker) = (input.campaign_id.0, input.version, viewer(ctx)?);
        let added = match input.into_file() {
            Ok(file) => Box::pin(campaigns::attach(&mut tx, asker, id, version, file)).await,
            Err(error) => Err(error),
        };
        AddCampaignAttachmentPayload::commit(tx, added).await
    }

    /// Takes a file off a draft.
    async fn remove_campaign_attachment(
        &self,
        ctx: &Context<'_>,
        input: RemoveCampaignAttachmentInput,
    ) -> Result<RemoveCampaignAttachmentPayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, asker) = (input.attachment_id.0, input.version, viewer(ctx)?);
        let removed = Box::pin(campaigns::detach(&mut tx, asker, id, version)).await;
        RemoveCampaignAttachmentPayload::commit(tx, removed).await
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

    /// Leaves some of the events that suit a draft (see `campaignPromotions`) out of its mail, and says why.
    async fn leave_out_campaign_events(
        &self,
        ctx: &Context<'_>,
        input: LeaveOutCampaignEventsInput,
    ) -> Result<LeaveOutCampaignEventsPayload> {
        let mut tx = begin(ctx).await?;
        let events: Vec<EventId> = input.event_ids.iter().map(|id| id.0).collect();
        let (id, asker) = (input.campaign_id.0, viewer(ctx)?);
        let changed = Box::pin(campaigns::leave_out(
            &mut tx,
            asker,
            id,
            &events,
            &input.reason,
        ))
        .await;
        LeaveOutCampaignEventsPayload::commit(tx, changed).await
    }

    /// Takes events that were left out back into the mail of a draft.
    async fn bring_back_campaign_events(
        &self,
        ctx: &Context<'_>,
        input: BringBackCampaignEventsInput,
    ) -> Result<BringBackCampaignEventsPayload> {
        let mut tx = begin(ctx).await?;
        let events: Vec<EventId> = input.event_ids.iter().map(|id| id.0).collect();
        let (id, asker) = (input.campaign_id.0, viewer(ctx)?);
        let changed = Box::pin(campaigns::bring_back(&mut tx, asker, id, &events)).await;
        BringBackCampaignEventsPayload::commit(tx, changed).await
    }

    /// Makes one mail of two drafts (see `overlappingCampaigns`): the words of the second follow those of the first, which
    /// goes to both audiences.
    async fn join_campaigns(
        &self,
        ctx: &Context<'_>,
        input: JoinCampaignsInput,
    ) -> Result<JoinCampaignsPayload> {
        let mut tx = begin(ctx).await?;
        let (into, from) = input.both();
        let joined = Box::pin(campaigns::join(&mut tx, viewer(ctx)?, into, from)).await;
        JoinCampaignsPayload::commit(tx, joined).await
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

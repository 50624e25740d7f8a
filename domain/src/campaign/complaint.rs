//! What is done when recipients report a campaign as unwanted (policy 2.5).

use entity::{
    campaign::{self, CampaignState},
    delivery::{self, DeliveryState},
    ids::CampaignId,
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use super::{halt::enter, lock};
use crate::{
    error::Result,
    live::LiveEvent,
    mail::Letter,
    notice::{self, Topic},
    store::Tx,
    viewer::Viewer,
};

/// A campaign is paused when more than one in so many of its mails that went out was reported: 0.1%.
const ONE_IN: u64 = 1_000;
/// Fewer complaints than this pause nothing: one of a hundred recipients would be 1%, and says little.
const FEWEST: u64 = 3;

/// Looks whether a campaign that somebody complained about may go on, and pauses it when it may not. Answers whether it was
/// paused. Its sender gets a notice, because they alone can judge what to do about it.
pub(crate) async fn note_complaint(tx: &mut Tx, id: CampaignId) -> Result<bool> {
    // Locked before anything is counted: of two complaints at once, the second sees the first.
    let Some(campaign) = lock(tx, id).await? else {
        return Ok(false);
    };
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    if campaign.state != CampaignState::Sending {
        return Ok(false);
    }
    let mails = || delivery::Entity::find().filter(delivery::Column::CampaignId.eq(id));
    let complaints = mails()
        .filter(delivery::Column::ComplainedAt.is_not_null())
        .count(tx.conn())
        .await?;
    let sent = mails()
        .filter(delivery::Column::State.is_in([DeliveryState::Sent, DeliveryState::Unknown]))
        .count(tx.conn())
        .await?;
    if complaints < FEWEST || complaints * ONE_IN <= sent {
        return Ok(false);
    }
    let paused = enter(
        tx,
        &Viewer::system(),
        campaign,
        CampaignState::Paused,
        "campaign.paused_after_complaints",
    )
    .await?;
    tell_sender(tx, &paused, complaints, sent).await?;
    Ok(true)
}

async fn tell_sender(
    tx: &mut Tx,
    campaign: &campaign::Model,
    complaints: u64,
    sent: u64,
) -> Result<()> {
    let sender = campaign.scheduled_by.unwrap_or(campaign.created_by);
    let Some(account) = user::Entity::find_by_id(sender).one(tx.conn()).await? else {
        return Ok(());
    };
    let letter = Letter::to_account(
        &account,
        "campaign_paused",
        // Once for each pause: whoever lets it go on may have to be told again.
        format!("campaign_paused/{}/{}", campaign.id, campaign.version),
        json!({ "campaign": campaign.name, "complaints": complaints, "sent": sent }),
    )?;
    notice::tell(tx, account.id, Topic::BulkEmail, letter).await?;
    Ok(())
}

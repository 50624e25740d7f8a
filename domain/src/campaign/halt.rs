//! Pausing, resuming and cancelling a campaign. What is on its way to the relay arrives; nothing is claimed after it.

use entity::{
    campaign::{self, CampaignState},
    delivery::{self, DeliveryState},
    ids::CampaignId,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};
use serde_json::json;

use super::{ledger::Lane, locked, wrong_state};
use crate::{error::Result, live::LiveEvent, store::Tx, viewer::Viewer};

/// Holds a campaign up until it is resumed.
pub async fn pause(tx: &mut Tx, viewer: &Viewer, id: CampaignId) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if campaign.state != CampaignState::Sending {
        return Err(wrong_state(&campaign, "paused"));
    }
    enter(
        tx,
        viewer,
        campaign,
        CampaignState::Paused,
        "campaign.paused",
    )
    .await
}

/// Lets a paused campaign go on.
pub async fn resume(tx: &mut Tx, viewer: &Viewer, id: CampaignId) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if campaign.state != CampaignState::Paused {
        return Err(wrong_state(&campaign, "resumed"));
    }
    let resumed = enter(
        tx,
        viewer,
        campaign,
        CampaignState::Sending,
        "campaign.resumed",
    )
    .await?;
    Lane::enqueue_all(tx, id).await?;
    Ok(resumed)
}

/// Ends a campaign for good. Nothing that is not on its way yet is sent.
pub async fn cancel(tx: &mut Tx, viewer: &Viewer, id: CampaignId) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    if !matches!(
        campaign.state,
        CampaignState::Draft
            | CampaignState::InReview
            | CampaignState::Scheduled
            | CampaignState::Sending
            | CampaignState::Paused
    ) {
        return Err(wrong_state(&campaign, "cancelled"));
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::val(DeliveryState::Cancelled))
        .filter(delivery::Column::CampaignId.eq(id))
        .filter(delivery::Column::State.eq(DeliveryState::Queued))
        .exec(tx.conn())
        .await?;
    enter(
        tx,
        viewer,
        campaign,
        CampaignState::Cancelled,
        "campaign.cancelled",
    )
    .await
}

pub(super) async fn enter(
    tx: &mut Tx,
    viewer: &Viewer,
    campaign: campaign::Model,
    state: CampaignState,
    action: &'static str,
) -> Result<campaign::Model> {
    let (id, version, before) = (campaign.id, campaign.version, campaign.state);
    let mut row = campaign.into_active_model();
    row.state = Set(state);
    if state == CampaignState::Cancelled {
        row.finished_at = Set(Some(tx.now()));
    }
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let changed = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        action,
        id,
        Some(json!({ "state": before })),
        Some(json!({ "state": state })),
    )
    .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(changed)
}

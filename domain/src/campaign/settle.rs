//! Settling mails of which nobody knows whether they arrived (policy 2.5).
//!
//! Bulk mail that is UNKNOWN is never sent again by itself. Somebody who may send it asks the relay's log or the
//! recipient, and says what is true.

use chrono::{DateTime, Utc};
use entity::{
    access_grant::Permission,
    campaign::{self, CampaignState},
    delivery::{self, DeliveryState},
    ids::{CampaignId, DeliveryId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, sea_query::Expr,
};
use serde_json::json;

use super::{ledger::Lane, lock, locked, wrong_state};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;

/// What somebody found out about a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived.
    Sent,
    /// It did not; it is to be sent again, under the same Message-ID.
    SendAgain,
}

/// Settles one mail that is UNKNOWN.
pub async fn settle_delivery(
    tx: &mut Tx,
    viewer: &Viewer,
    id: DeliveryId,
    settlement: Settlement,
    reason: &str,
) -> Result<delivery::Model> {
    viewer.require(Permission::SendBulkEmail)?;
    let not_found = || Error::not_found("deliveryId", "mail");
    let mail = delivery::Entity::find_by_id(id).one(tx.conn()).await?;
    let campaign_id = mail
        .and_then(|mail| mail.campaign_id)
        .ok_or_else(not_found)?;
    let campaign = lock(tx, campaign_id).await?.ok_or_else(not_found)?;
    let which = Condition::all().add(delivery::Column::Id.eq(id));
    if settle(tx, viewer, campaign, which, settlement, reason).await? == 0 {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "deliveryId",
            "Only a mail that is UNKNOWN can be settled.",
        ));
    }
    let settled = delivery::Entity::find_by_id(id).one(tx.conn()).await?;
    settled.ok_or_else(not_found)
}

/// Settles all mails of a campaign that are UNKNOWN.
pub async fn settle_deliveries(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    settlement: Settlement,
    reason: &str,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    settle(tx, viewer, campaign, Condition::all(), settlement, reason).await?;
    lock(tx, id)
        .await?
        .ok_or_else(|| Error::not_found("campaignId", "campaign"))
}

/// Settles those of the campaign's mails that are UNKNOWN and `which` is true of. Answers how many they were.
async fn settle(
    tx: &mut Tx,
    viewer: &Viewer,
    campaign: campaign::Model,
    which: Condition,
    settlement: Settlement,
    reason: &str,
) -> Result<u64> {
    let mut refusals = Refusals::default();
    let reason = Text::line("reason", LONGEST_REASON).required(reason, &mut refusals);
    refusals.into_result()?;
    if settlement == Settlement::SendAgain && campaign.state == CampaignState::Cancelled {
        return Err(wrong_state(&campaign, "sent again"));
    }
    let update = delivery::Entity::update_many()
        .col_expr(delivery::Column::LastReply, Expr::val(&reason))
        // What a worker that was thought dead says later is too late.
        .col_expr(delivery::Column::ClaimedBy, Expr::val(Option::<String>::None))
        .col_expr(
            delivery::Column::ClaimedUntil,
            Expr::val(Option::<DateTime<Utc>>::None),
        );
    let update = match settlement {
        Settlement::Sent => update
            .col_expr(delivery::Column::State, Expr::val(DeliveryState::Sent))
            .col_expr(delivery::Column::SentAt, Expr::val(tx.now())),
        Settlement::SendAgain => update
            .col_expr(delivery::Column::State, Expr::val(DeliveryState::Queued))
            .col_expr(delivery::Column::NextAttemptAt, Expr::val(tx.now())),
    };
    let settled = update
        .filter(delivery::Column::CampaignId.eq(campaign.id))
        .filter(delivery::Column::State.eq(DeliveryState::Unknown))
        .filter(which)
        .exec(tx.conn())
        .await?
        .rows_affected;
    if settled == 0 {
        return Ok(0);
    }
    let id = campaign.id;
    if settlement == Settlement::SendAgain {
        if campaign.state == CampaignState::Sent {
            reopen(tx, campaign).await?;
        }
        Lane::enqueue_all(tx, id).await?;
    }
    let action = match settlement {
        Settlement::Sent => "campaign.settled_as_sent",
        Settlement::SendAgain => "campaign.settled_to_send_again",
    };
    let after = json!({ "deliveries": settled, "reason": reason });
    tx.audit(viewer, action, id, None, Some(after)).await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(settled)
}

/// A campaign that was over has something to send again.
async fn reopen(tx: &Tx, campaign: campaign::Model) -> Result<()> {
    let version = campaign.version + 1;
    let mut row = campaign.into_active_model();
    row.state = Set(CampaignState::Sending);
    row.finished_at = Set(None);
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    Ok(())
}

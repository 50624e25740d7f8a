//! The end of a pass over a lane, and campaigns whose workers are gone.

use super::super::lock;
use super::{Lane, WORKER_GONE, announce, in_state, waiting};
use crate::{delivery::LOOK_BACK, error::Result, mail_rules::MailRules, store::Tx};
use chrono::{DateTime, Utc};
use entity::{
    campaign::{self, CampaignState},
    delivery::{self, DeliveryState},
    ids::CampaignId,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, Query},
};

/// What is left of a lane at the end of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing: every mail of the lane is sent or given up.
    Nothing,
    /// The campaign was paused, cancelled or finished.
    Halted,
    /// There will be something to do at this time.
    At(DateTime<Utc>),
}

/// Ends a pass over a lane. Mails whose worker is gone become UNKNOWN, those that were given back to a cancelled campaign
/// are CANCELLED, and when nothing is left in any lane the campaign is finished.
///
/// The campaign stays locked until the transaction ends: whoever resumes it finds this lane's job over, or going on.
pub async fn end_pass(tx: &mut Tx, lane: &Lane) -> Result<Rest> {
    let Some(campaign) = lock(tx, lane.campaign_id).await? else {
        return Ok(Rest::Halted);
    };
    give_up_orphans(tx, lane).await?;
    if campaign.state == CampaignState::Cancelled {
        cancel_queued(tx, lane).await?;
    }
    if campaign.state != CampaignState::Sending {
        return Ok(Rest::Halted);
    }
    if let Some(next) = next_of(tx, lane).await? {
        return Ok(Rest::At(next));
    }
    finish(tx, campaign).await?;
    Ok(Rest::Nothing)
}

/// The campaigns that may have lost their workers: those that are being sent, and those that were halted with mails in hand or, if
/// cancelled, waiting. Each is to be looked after in a change of its own, so that none is locked while another one is.
pub async fn to_look_after(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Vec<CampaignId>> {
    let has_mail_in = |state| {
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from(delivery::Entity)
                .and_where(
                    Expr::col((delivery::Entity, delivery::Column::CampaignId))
                        .equals((campaign::Entity, campaign::Column::Id)),
                )
                .and_where(in_state(state))
                .to_owned(),
        )
    };
    let halted = campaign::Column::State
        .is_in([CampaignState::Paused, CampaignState::Cancelled])
        .and(has_mail_in(DeliveryState::Sending));
    let cancelled = campaign::Column::State
        .eq(CampaignState::Cancelled)
        .and(has_mail_in(DeliveryState::Queued));
    Ok(campaign::Entity::find()
        .select_only()
        .column(campaign::Column::Id)
        .filter(
            Condition::any()
                .add(campaign::Column::State.eq(CampaignState::Sending))
                .add(halted)
                .add(cancelled),
        )
        .filter(
            campaign::Column::UpdatedAt
                .gte(now - LOOK_BACK)
                .or(campaign::Column::State.eq(CampaignState::Sending)),
        )
        .order_by_asc(campaign::Column::Id)
        .into_tuple()
        .all(db)
        .await?)
}

/// Looks after a campaign whose workers may be gone: orphaned mails become UNKNOWN, lanes that nobody works get a job, and nothing
/// waits in one that was cancelled.
pub async fn look_after(tx: &mut Tx, campaign_id: CampaignId) -> Result<()> {
    let whole = Lane {
        campaign_id,
        from: None,
        to: None,
    };
    if matches!(end_pass(tx, &whole).await?, Rest::At(_)) {
        Lane::enqueue_all(tx, campaign_id).await?;
    }
    Ok(())
}

/// Mails that were in a worker's hands when their campaign was cancelled, and were given back since.
async fn cancel_queued(tx: &mut Tx, lane: &Lane) -> Result<()> {
    let cancelled = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::val(DeliveryState::Cancelled))
        .filter(lane.rows_in(DeliveryState::Queued))
        .exec(tx.conn())
        .await?;
    if cancelled.rows_affected > 0 {
        announce(tx, lane.campaign_id);
    }
    Ok(())
}

/// Mails of the lane whose claim ran out.
async fn give_up_orphans(tx: &mut Tx, lane: &Lane) -> Result<()> {
    let given_up = delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::val(DeliveryState::Unknown))
        .col_expr(delivery::Column::LastReply, Expr::val(WORKER_GONE))
        .filter(lane.rows_in(DeliveryState::Sending))
        .filter(delivery::Column::ClaimedUntil.lte(tx.now()))
        .exec(tx.conn())
        .await?;
    if given_up.rows_affected > 0 {
        announce(tx, lane.campaign_id);
    }
    Ok(())
}

/// When something is due in the lane, or a claim in it runs out; `None` when all of its mails are in their last state.
/// What waits for quiet hours to be over is due then.
async fn next_of(tx: &Tx, lane: &Lane) -> Result<Option<DateTime<Utc>>> {
    let (rules, _) = MailRules::load(tx.conn()).await?;
    let claims: Option<Option<DateTime<Utc>>> = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::ClaimedUntil.min(), "soonest")
        .filter(lane.rows_in(DeliveryState::Sending))
        .into_tuple()
        .one(tx.conn())
        .await?;
    let queued = if let Some(quiet) = rules.quiet_hours() {
        waiting(tx.conn(), lane.rows_in(DeliveryState::Queued))
            .await?
            .iter()
            .map(|some| some.first_awake(Some(quiet), tx.now()))
            .min()
    } else {
        let due: Option<Option<DateTime<Utc>>> = delivery::Entity::find()
            .select_only()
            .column_as(delivery::Column::NextAttemptAt.min(), "soonest")
            .filter(lane.rows_in(DeliveryState::Queued))
            .into_tuple()
            .one(tx.conn())
            .await?;
        due.flatten()
    };
    Ok(claims.flatten().into_iter().chain(queued).min())
}

async fn finish(tx: &mut Tx, campaign: campaign::Model) -> Result<()> {
    let id = campaign.id;
    let whole = Lane {
        campaign_id: id,
        from: None,
        to: None,
    };
    if next_of(tx, &whole).await?.is_some() {
        return Ok(());
    }
    let version = campaign.version + 1;
    let mut row = campaign.into_active_model();
    row.state = Set(CampaignState::Sent);
    row.finished_at = Set(Some(tx.now()));
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    announce(tx, id);
    Ok(())
}

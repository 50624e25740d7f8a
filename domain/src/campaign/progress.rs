//! What became of a campaign's mails.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    delivery::{self, DeliveryState},
    ids::{CampaignId, DeliveryId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QuerySelect, Select,
};

use crate::{
    error::Result,
    key_account::guard::withheld_from,
    page::{Page, Slice},
    viewer::Viewer,
};

/// How many mails stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// They wait.
    pub queued: u64,
    /// They are on their way.
    pub sending: u64,
    /// The relay has them.
    pub sent: u64,
    /// The relay refused them.
    pub failed: u64,
    /// The relay may have them or not.
    pub unknown: u64,
    /// They were withheld after the start.
    pub skipped: u64,
    /// The campaign was cancelled first.
    pub cancelled: u64,
    /// The recipients' servers sent them back after the relay had taken them.
    pub bounced: u64,
    /// Their recipients reported them as unwanted.
    pub complained: u64,
}

impl Counts {
    fn of(&mut self, state: DeliveryState) -> &mut u64 {
        match state {
            DeliveryState::Queued => &mut self.queued,
            DeliveryState::Sending => &mut self.sending,
            DeliveryState::Sent => &mut self.sent,
            DeliveryState::Failed => &mut self.failed,
            DeliveryState::Unknown => &mut self.unknown,
            DeliveryState::Skipped => &mut self.skipped,
            DeliveryState::Cancelled => &mut self.cancelled,
        }
    }
}

/// The counts of several campaigns, with one statement.
pub async fn counts(
    db: &impl ConnectionTrait,
    campaigns: &[CampaignId],
) -> Result<HashMap<CampaignId, Counts>> {
    let rows: Vec<(CampaignId, DeliveryState, i64, i64, i64)> = delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::CampaignId, delivery::Column::State])
        .column_as(delivery::Column::Id.count(), "deliveries")
        .column_as(delivery::Column::BouncedAt.count(), "bounced")
        .column_as(delivery::Column::ComplainedAt.count(), "complained")
        .filter(delivery::Column::CampaignId.is_in(campaigns.iter().copied()))
        .group_by(delivery::Column::CampaignId)
        .group_by(delivery::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let mut counts: HashMap<CampaignId, Counts> = HashMap::new();
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    for (campaign, state, deliveries, bounced, complained) in rows {
        let counts = counts.entry(campaign).or_default();
        *counts.of(state) = number(deliveries);
        counts.bounced += number(bounced);
        counts.complained += number(complained);
    }
    Ok(counts)
}

/// Which mails of a campaign are wanted.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryFilter {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Only those that stand there.
    pub state: Option<DeliveryState>,
}

impl DeliveryFilter {
    fn select(&self, viewer: &Viewer, now: DateTime<Utc>) -> Select<delivery::Entity> {
        let mut query =
            delivery::Entity::find().filter(delivery::Column::CampaignId.eq(self.campaign_id));
        // policy 2.3: the list is by address, so a row without one would tell where it belongs.
        if let Some(withheld) = withheld_from(viewer, now) {
            query = query.filter(
                Condition::any()
                    .add(delivery::Column::ContactId.is_null())
                    .add(delivery::Column::ContactId.not_in_subquery(withheld)),
            );
        }
        match self.state {
            Some(state) => query.filter(delivery::Column::State.eq(state)),
            None => query,
        }
    }
}

/// One page of a campaign's mails, by address, without those to contacts whose address is withheld from `viewer`.
pub async fn deliveries(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &DeliveryFilter,
    page: &Page<(String, DeliveryId)>,
) -> Result<Slice<delivery::Model>> {
    let key = [
        delivery::Column::Address.into_expr(),
        delivery::Column::Id.into_expr(),
    ];
    page.read(db, filter.select(viewer, now), key, Order::Asc)
        .await
}

/// How many mails a campaign has, as [`deliveries`] lists them.
pub async fn count_deliveries(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &DeliveryFilter,
) -> Result<u64> {
    Ok(filter.select(viewer, now).count(db).await?)
}

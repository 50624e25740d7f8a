//! When a campaign that is being sent may be over.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    campaign::{self, CampaignState},
    delivery::{self, DeliveryState},
    ids::CampaignId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};

use super::ledger::{self, Waiting};
use crate::{
    error::Result,
    mail_rules::{MailRules, Rate},
};

/// What was sent in this time before now tells how fast mail goes out, where no rate is set.
const MEASURED: TimeDelta = TimeDelta::minutes(5);

/// How the rest of a campaign goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// How many of its mails wait because their organisations are in quiet hours.
    pub in_quiet_hours: u64,
    /// When the first of these may go.
    pub quiet_until: Option<DateTime<Utc>>,
    /// How fast mail goes out, where the rules say it.
    pub rate: Option<Rate>,
    /// When the last of them may have gone out, should nothing hinder it: every campaign that is being sent has its share.
    /// `None` while nothing tells how fast they go.
    pub end: Option<DateTime<Utc>>,
}

/// The estimates of those of the campaigns that are being sent, with a few statements whatever their number.
pub async fn estimates(
    db: &impl ConnectionTrait,
    campaigns: &[CampaignId],
    now: DateTime<Utc>,
) -> Result<HashMap<CampaignId, Estimate>> {
    let (rules, _) = MailRules::load(db).await?;
    let sending = campaign::Entity::find()
        .select_only()
        .column(campaign::Column::Id)
        .filter(campaign::Column::State.eq(CampaignState::Sending));
    let of_them = Condition::all()
        .add(delivery::Column::CampaignId.in_subquery(sending.clone().into_query()));
    let waiting = ledger::waiting(db, of_them).await?;
    let speeds = if rules.mail_rate.is_some() {
        HashMap::new()
    } else {
        measured(db, campaigns, now).await?
    };
    let all: u64 = waiting.iter().map(|some| some.mails).sum();
    let asked: Vec<CampaignId> = sending
        .filter(campaign::Column::Id.is_in(campaigns.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(asked
        .into_iter()
        .map(|id| {
            let its: Vec<&Waiting> = waiting
                .iter()
                .filter(|some| some.campaign_id == id)
                .collect();
            let time_for = |mails: u64| match rules.mail_rate {
                Some(rate) => TimeDelta::from_std(rate.time_for(mails)).ok(),
                None => time_at(*speeds.get(&id)?, mails),
            };
            (id, estimate(&its, &rules, all, time_for, now))
        })
        .collect())
}

fn estimate(
    waiting: &[&Waiting],
    rules: &MailRules,
    all: u64,
    time_for: impl Fn(u64) -> Option<TimeDelta>,
    now: DateTime<Utc>,
) -> Estimate {
    let quiet = rules.quiet_hours();
    let mut estimate = Estimate {
        rate: rules.mail_rate,
        ..Estimate::default()
    };
    let own: u64 = waiting.iter().map(|some| some.mails).sum();
    // With a rate for all mail, those of other campaigns go in between.
    let before_the_last = if rules.mail_rate.is_some() { all } else { own };
    let mut end = time_for(before_the_last).map(|time| now + time);
    for some in waiting {
        let awake = some.first_awake(quiet, now);
        if awake > some.first_due.max(now) {
            estimate.in_quiet_hours += some.mails;
            estimate.quiet_until =
                Some(estimate.quiet_until.map_or(awake, |other| other.min(awake)));
        }
        end = end.and_then(|end| Some(end.max(awake + time_for(some.mails)?)));
    }
    estimate.end = end;
    estimate
}

/// How many mails of each campaign went out lately.
async fn measured(
    db: &impl ConnectionTrait,
    campaigns: &[CampaignId],
    now: DateTime<Utc>,
) -> Result<HashMap<CampaignId, u64>> {
    let rows: Vec<(CampaignId, i64)> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::CampaignId)
        .column_as(delivery::Column::Id.count(), "mails")
        .filter(delivery::Column::CampaignId.is_in(campaigns.iter().copied()))
        .filter(delivery::Column::State.eq(DeliveryState::Sent))
        .filter(delivery::Column::SentAt.gt(now - MEASURED))
        .group_by(delivery::Column::CampaignId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, mails)| (id, u64::try_from(mails).unwrap_or(0)))
        .collect())
}

/// How long so many mails take when `sent` went out in the time that is measured.
fn time_at(sent: u64, mails: u64) -> Option<TimeDelta> {
    let milliseconds = u128::from(mails) * u128::try_from(MEASURED.num_milliseconds()).ok()?
        / u128::from(std::num::NonZeroU64::new(sent)?.get());
    TimeDelta::try_milliseconds(i64::try_from(milliseconds).ok()?)
}

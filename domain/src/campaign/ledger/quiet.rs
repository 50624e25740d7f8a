//! Mails that wait because it is night where their organisation is (policy 2.5).
//!
//! Whose turn it is is decided at the claim, by the rules and the clock of that moment. A pass that reads the ledger passes
//! over the zones in which it is quiet, so that nobody waits behind a mail that can't go.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::{
    contact, delivery,
    delivery::DeliveryState,
    ids::{CampaignId, DeliveryId},
    organisation,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, ExprTrait,
    sea_query::{Expr, Func, Query, SimpleExpr},
};

use super::{Lane, in_state};
use crate::{
    error::Result,
    mail_rules::{MailRules, QuietHours, zone},
    statement::one_of,
};

/// Mails that wait, of one campaign and for organisations in one time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::campaign) struct Waiting {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The time zone; none where the mail is to no contact.
    pub zone: Option<String>,
    /// How many.
    pub mails: u64,
    /// When the first is due, were it not for quiet hours.
    pub first_due: DateTime<Utc>,
}

impl Waiting {
    /// When the first of them may go.
    pub fn first_awake(&self, quiet: Option<QuietHours>, now: DateTime<Utc>) -> DateTime<Utc> {
        match (quiet, &self.zone) {
            (Some(quiet), Some(name)) => {
                quiet.next_awake(zone(name), Ord::max(self.first_due, now))
            }
            _ => self.first_due,
        }
    }
}

/// The mails that wait and for which `condition` holds, by campaign and time zone.
pub(in crate::campaign) async fn waiting(
    db: &impl ConnectionTrait,
    condition: Condition,
) -> Result<Vec<Waiting>> {
    let campaign = Expr::col((delivery::Entity, delivery::Column::CampaignId));
    let zone = Expr::col((organisation::Entity, organisation::Column::TimeZone));
    let due = Expr::col((delivery::Entity, delivery::Column::NextAttemptAt));
    let id = Expr::col((delivery::Entity, delivery::Column::Id));
    let query = Query::select()
        .expr_as(campaign.clone(), "campaign")
        .expr_as(zone.clone(), "zone")
        .expr_as(Func::count(id), "mails")
        .expr_as(Func::min(due), "first_due")
        .from(delivery::Entity)
        .left_join(contact::Entity, contact_of_mail())
        .left_join(organisation::Entity, organisation_of_contact())
        .cond_where(condition.add(in_state(DeliveryState::Queued)))
        .add_group_by([campaign, zone])
        .to_owned();
    let mut found = Vec::new();
    for row in db.query_all(&query).await? {
        let mails: i64 = row.try_get("", "mails")?;
        found.push(Waiting {
            campaign_id: row.try_get("", "campaign")?,
            zone: row.try_get("", "zone")?,
            mails: u64::try_from(mails).unwrap_or(0),
            first_due: row.try_get("", "first_due")?,
        });
    }
    Ok(found)
}

/// The time zones in which mails of a lane wait and it is quiet now.
pub async fn quiet_zones(
    db: &impl ConnectionTrait,
    lane: &Lane,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    let (rules, _) = MailRules::load(db).await?;
    let Some(quiet) = rules.quiet_hours() else {
        return Ok(Vec::new());
    };
    let waiting = waiting(db, lane.rows_in(DeliveryState::Queued)).await?;
    let zones = waiting.into_iter().filter_map(|waiting| waiting.zone);
    Ok(zones.filter(|name| quiet.hold(zone(name), now)).collect())
}

/// Whether a mail is to an organisation in one of the time zones.
pub(super) fn in_zones(zones: &[String]) -> SimpleExpr {
    let organisation = Query::select()
        .expr(Expr::val(1))
        .from(contact::Entity)
        .inner_join(organisation::Entity, organisation_of_contact())
        .and_where(contact_of_mail())
        .and_where(organisation::Column::TimeZone.is_in(zones.iter().map(String::as_str)))
        .to_owned();
    Expr::exists(organisation)
}

/// Those of the mails whose organisations are in quiet hours now.
pub(super) async fn among(
    db: &impl ConnectionTrait,
    rules: &MailRules,
    ids: &[DeliveryId],
    now: DateTime<Utc>,
) -> Result<HashSet<DeliveryId>> {
    let Some(quiet) = rules.quiet_hours() else {
        return Ok(HashSet::new());
    };
    let zones = Query::select()
        .expr_as(Expr::col((delivery::Entity, delivery::Column::Id)), "mail")
        .expr_as(
            Expr::col((organisation::Entity, organisation::Column::TimeZone)),
            "zone",
        )
        .from(delivery::Entity)
        .inner_join(contact::Entity, contact_of_mail())
        .inner_join(organisation::Entity, organisation_of_contact())
        .and_where(one_of(
            db.get_database_backend(),
            delivery::Column::Id,
            ids.iter().copied(),
        ))
        .to_owned();
    let mut found = HashSet::new();
    for row in db.query_all(&zones).await? {
        let name: String = row.try_get("", "zone")?;
        if quiet.hold(zone(&name), now) {
            found.insert(row.try_get("", "mail")?);
        }
    }
    Ok(found)
}

fn contact_of_mail() -> SimpleExpr {
    Expr::col((contact::Entity, contact::Column::Id))
        .equals((delivery::Entity, delivery::Column::ContactId))
}

fn organisation_of_contact() -> SimpleExpr {
    Expr::col((organisation::Entity, organisation::Column::Id))
        .equals((contact::Entity, contact::Column::OrganisationId))
}

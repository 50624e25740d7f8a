//! What organisations were sent, by whom, and what is planned.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    campaign, contact,
    delivery::{self, DeliveryState},
    ids::{CampaignId, OrganisationId, UserId},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, ExprTrait,
    sea_query::{Expr, Func, Query},
};

use crate::{campaign::planned, error::Result, viewer::Viewer};

/// A bulk e-mail to the contacts of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// What its operators call it.
    pub name: String,
    /// In whose name it goes out.
    pub sender: UserId,
    /// When the last of the mails went out; when they are planned, when the first may.
    pub at: DateTime<Utc>,
    /// Whether they are planned.
    pub planned: bool,
    /// How many of the organisation's contacts get it.
    pub mails: u64,
}

/// What these organisations were sent and what is planned, the latest first, for staff; others are told nothing.
pub async fn mails_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    organisations: &[OrganisationId],
    now: DateTime<Utc>,
) -> Result<HashMap<OrganisationId, Vec<Mail>>> {
    let mut found: HashMap<OrganisationId, Vec<Mail>> = HashMap::new();
    if !viewer.is_staff() {
        return Ok(found);
    }
    for (organisation, mail) in in_the_ledger(db, organisations, now).await? {
        found.entry(organisation).or_default().push(mail);
    }
    for planned in planned(db, now).await? {
        for organisation in organisations {
            if let Some(mails) = planned.reaches.get(organisation) {
                found.entry(*organisation).or_default().push(Mail {
                    campaign_id: planned.campaign_id,
                    name: planned.name.clone(),
                    sender: planned.sender,
                    at: planned.at,
                    planned: true,
                    mails: *mails,
                });
            }
        }
    }
    for mails in found.values_mut() {
        mails.sort_by_key(|mail| std::cmp::Reverse((mail.at, mail.campaign_id)));
    }
    Ok(found)
}

async fn in_the_ledger(
    db: &impl ConnectionTrait,
    organisations: &[OrganisationId],
    now: DateTime<Utc>,
) -> Result<Vec<(OrganisationId, Mail)>> {
    let of_contact = || Expr::col((contact::Entity, contact::Column::OrganisationId));
    let of_campaign = |column| Expr::col((campaign::Entity, column));
    let of_mail = |column| Expr::col((delivery::Entity, column));
    let is_sent = of_mail(delivery::Column::State).eq(DeliveryState::Sent.to_value());
    let sender = || {
        Func::coalesce([
            of_campaign(campaign::Column::ScheduledBy),
            of_campaign(campaign::Column::CreatedBy),
        ])
    };
    let query = Query::select()
        .expr_as(of_contact(), "organisation")
        .expr_as(of_campaign(campaign::Column::Id), "campaign")
        .expr_as(of_campaign(campaign::Column::Name), "name")
        .expr_as(sender(), "sender")
        .expr_as(Func::max(of_mail(delivery::Column::SentAt)), "sent")
        .expr_as(Func::min(of_mail(delivery::Column::NextAttemptAt)), "due")
        .expr_as(Func::count(of_mail(delivery::Column::Id)), "mails")
        .from(delivery::Entity)
        .inner_join(
            contact::Entity,
            Expr::col((contact::Entity, contact::Column::Id))
                .equals((delivery::Entity, delivery::Column::ContactId)),
        )
        .inner_join(
            campaign::Entity,
            of_campaign(campaign::Column::Id)
                .equals((delivery::Entity, delivery::Column::CampaignId)),
        )
        .and_where(contact::Column::OrganisationId.is_in(organisations.iter().copied()))
        .and_where(delivery::Column::State.is_in([
            DeliveryState::Sent,
            DeliveryState::Queued,
            DeliveryState::Sending,
        ]))
        .add_group_by([
            of_contact(),
            of_campaign(campaign::Column::Id),
            of_campaign(campaign::Column::Name),
            of_campaign(campaign::Column::ScheduledBy),
            of_campaign(campaign::Column::CreatedBy),
            is_sent,
        ])
        .to_owned();
    let mut found = Vec::new();
    for row in db.query_all(&query).await? {
        let sent: Option<DateTime<Utc>> = row.try_get("", "sent")?;
        let due: DateTime<Utc> = row.try_get("", "due")?;
        let mails: i64 = row.try_get("", "mails")?;
        let mail = Mail {
            campaign_id: row.try_get("", "campaign")?,
            name: row.try_get("", "name")?,
            sender: row.try_get("", "sender")?,
            at: sent.unwrap_or_else(|| Ord::max(due, now)),
            planned: sent.is_none(),
            mails: u64::try_from(mails).unwrap_or(0),
        };
        found.push((row.try_get("", "organisation")?, mail));
    }
    Ok(found)
}

//! Campaigns that wait for their time or for a review, and whom they would reach.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    campaign::{self, CampaignState},
    ids::{CampaignId, FacultyId, OrganisationId, UserId},
    user,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    audience::{self, Sender},
    meant_if_known, sender_of,
};
use crate::{error::Result, mail_rules::MailRules, suppression::AddressKey};

/// The most campaigns that are looked at, those that start first. Each of them takes a few statements.
const MOST: u64 = 20;

/// A campaign that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// What its operators call it.
    pub name: String,
    /// In whose name it goes out.
    pub sender: UserId,
    /// Their faculty.
    pub faculty: Option<FacultyId>,
    /// When it starts; now, when it waits for its review alone.
    pub at: DateTime<Utc>,
    /// How many contacts of each organisation it would reach now.
    pub reaches: HashMap<OrganisationId, u64>,
}

/// The campaigns that wait for their time or for a review, the next one first.
pub async fn planned(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<Planned>> {
    let waiting = campaign::Entity::find()
        .filter(campaign::Column::State.is_in([CampaignState::Scheduled, CampaignState::InReview]))
        .order_by_asc(campaign::Column::NotBefore)
        .order_by_asc(campaign::Column::Id)
        .limit(MOST)
        .all(db)
        .await?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let (rules, _) = MailRules::load(db).await?;
    let key = AddressKey::load(db, now).await?;
    let senders = waiting.iter().map(sender_of);
    let faculties: HashMap<UserId, Option<FacultyId>> = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::FacultyId])
        .filter(user::Column::Id.is_in(senders))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let mut planned = Vec::with_capacity(waiting.len());
    for campaign in waiting {
        let id = sender_of(&campaign);
        let sender = Sender {
            user_id: Some(id),
            topic: campaign.mail_topic_id,
            rules,
            now,
        };
        let reaches = match meant_if_known(db, &campaign, now).await? {
            Some(who) => audience::by_organisation(db, &key, &who, sender).await?,
            None => HashMap::new(),
        };
        planned.push(Planned {
            campaign_id: campaign.id,
            sender: id,
            faculty: faculties.get(&id).copied().flatten(),
            at: campaign
                .not_before
                .map_or(now, |start| Ord::max(start, now)),
            reaches,
            name: campaign.name,
        });
    }
    Ok(planned)
}

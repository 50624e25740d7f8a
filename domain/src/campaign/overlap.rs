//! Campaigns to the same people within days of each other, and the offer to make one mail of two (policy 2.5).

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    campaign::{self, CampaignState},
    contact::SubscriberType,
    ids::{CampaignId, TagId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;

use super::{
    Audience, attachment, audience,
    draft::{self, Changes},
    locked, meant_if_known, wrong_state,
};
use crate::{
    change::stale,
    error::{Error, RefusalCode, Result},
    live::LiveEvent,
    store::{Store, Tx},
    viewer::Viewer,
};

/// Campaigns that go out within this time of each other are shown.
const WITHIN: TimeDelta = TimeDelta::days(7);
/// A draft that nobody has touched for so long is forgotten rather than planned.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(30);
/// The most campaigns that are compared, the latest first.
const MOST: u64 = 50;

/// A campaign that reaches some of the same contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The other campaign.
    pub campaign: campaign::Model,
    /// How many contacts both are meant for.
    pub contacts: u64,
}

/// The campaigns that go out within days of this one, or did, and are meant for some of the same contacts; those with the most
/// in common first.
pub async fn overlaps(store: &Store, viewer: &Viewer, id: CampaignId) -> Result<Vec<Overlap>> {
    let db = store.reader();
    let campaign = super::find(db, viewer, id)
        .await?
        .ok_or_else(|| Error::not_found("campaignId", "campaign"))?;
    let now = store.now();
    let when = goes_out_at(&campaign, now);
    let planned = Condition::all()
        .add(campaign::Column::State.is_in([
            CampaignState::Draft,
            CampaignState::InReview,
            CampaignState::Scheduled,
        ]))
        .add(campaign::Column::UpdatedAt.gt(now - FORGOTTEN_AFTER));
    let begun = Condition::all()
        .add(campaign::Column::State.is_in([
            CampaignState::Sending,
            CampaignState::Paused,
            CampaignState::Sent,
        ]))
        .add(campaign::Column::StartedAt.gte(when - WITHIN));
    let others = campaign::Entity::find()
        .filter(campaign::Column::Id.ne(id))
        .filter(Condition::any().add(planned).add(begun))
        .order_by_desc(campaign::Column::Id)
        .limit(MOST)
        .all(db)
        .await?;
    let Some(own) = meant_if_known(db, &campaign, now).await? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for other in others {
        if (goes_out_at(&other, now) - when).abs() > WITHIN {
            continue;
        }
        let Some(theirs) = meant_if_known(db, &other, now).await? else {
            continue;
        };
        let contacts = audience::in_common(db, &own, &theirs).await?;
        if contacts > 0 {
            found.push(Overlap {
                campaign: other,
                contacts,
            });
        }
    }
    found.sort_by_key(|overlap| (std::cmp::Reverse(overlap.contacts), overlap.campaign.id));
    Ok(found)
}

/// When it went out, or would: a draft without a time would now.
fn goes_out_at(campaign: &campaign::Model, now: DateTime<Utc>) -> DateTime<Utc> {
    campaign.started_at.or(campaign.not_before).unwrap_or(now)
}

/// A draft as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The draft.
    pub id: CampaignId,
    /// The version that was read.
    pub version: i32,
}

/// Makes one mail of two drafts: the words of the second follow those of the first, which goes to both audiences; the second
/// is over. Everybody gets one mail then, where some would have had two.
pub async fn join(tx: &mut Tx, viewer: &Viewer, into: Read, from: Read) -> Result<campaign::Model> {
    if into.id == from.id {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "fromCampaignId",
            "A campaign can't be joined with itself.",
        ));
    }
    // The lower id first: of two that join the same two the other way round, one waits for the other.
    let (first, second) = (into.id.min(from.id), into.id.max(from.id));
    let (first, second) = (
        locked(tx, viewer, first).await?,
        locked(tx, viewer, second).await?,
    );
    let (kept, other) = if first.id == into.id {
        (first, second)
    } else {
        (second, first)
    };
    for (campaign, read) in [(&kept, into), (&other, from)] {
        if campaign.state != CampaignState::Draft {
            return Err(wrong_state(campaign, "joined with another"));
        }
        if campaign.version != read.version {
            return Err(stale(
                tx.conn(),
                draft::UPDATED,
                read.id,
                read.version,
                campaign.version,
            )
            .await?);
        }
    }
    if kept.mail_topic_id != other.mail_topic_id {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "fromCampaignId",
            "They are about different topics, which contacts opt out of one by one. Give both the same topic first.",
        ));
    }
    let audience = both(&Audience::of(&kept), &Audience::of(&other)).ok_or_else(|| {
        Error::refused(
            RefusalCode::Invalid,
            "fromCampaignId",
            "Their audiences can't be made into one. Give both the same segment, the same subscriber types and the same tags first, or \
             name tags in anyOfTags alone.",
        )
    })?;
    let changes = Changes {
        body: Some(format!(
            "{}\n\n**{}**\n\n{}",
            kept.body, other.subject, other.body
        )),
        all_of: Some(audience.all_of),
        any_of: Some(audience.any_of),
        none_of: Some(audience.none_of),
        subscriber_types: Some(audience.subscriber_types),
        ..Changes::default()
    };
    attachment::add_those_of(tx, viewer, other.id, kept.id).await?;
    let joined = draft::update(tx, viewer, kept.id, kept.version, changes).await?;
    let (id, version) = (other.id, other.version);
    let mut row = other.into_active_model();
    row.state = Set(CampaignState::Cancelled);
    row.refusal = Set(Some(format!("It was joined with “{}”.", joined.name)));
    row.finished_at = Set(Some(tx.now()));
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "campaign.joined",
        id,
        Some(json!({ "state": CampaignState::Draft })),
        Some(json!({ "state": CampaignState::Cancelled, "into": joined.id })),
    )
    .await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(joined)
}

/// The audience that has whoever is in one of the two, where one segment and tags can say it.
fn both(one: &Audience, other: &Audience) -> Option<Audience> {
    if one.segment_id != other.segment_id {
        return None;
    }
    let alike = |a: &[TagId], b: &[TagId]| {
        a.iter().all(|tag| b.contains(tag)) && b.iter().all(|tag| a.contains(tag))
    };
    if alike(&one.all_of, &other.all_of)
        && alike(&one.any_of, &other.any_of)
        && alike(&one.none_of, &other.none_of)
    {
        return Some(Audience {
            subscriber_types: either(&one.subscriber_types, &other.subscriber_types),
            ..one.clone()
        });
    }
    // Who has the tags of one and is of a type of the other would be in the sum, and in neither of them.
    let (mine, theirs) = (&one.subscriber_types, &other.subscriber_types);
    if either(mine, mine) != either(theirs, theirs) {
        return None;
    }
    // Whoever lacks what one of them leaves out might be left out of the other: only the same is left out of both.
    if !alike(&one.none_of, &other.none_of) {
        return None;
    }
    let (mut any_of, others) = (at_least_one_of(one)?, at_least_one_of(other)?);
    if any_of.is_empty() || others.is_empty() {
        // One of them has the whole segment, whatever the tags.
        any_of.clear();
    } else {
        any_of.extend(others);
        any_of.sort_unstable();
        any_of.dedup();
    }
    Some(Audience {
        all_of: Vec::new(),
        any_of,
        none_of: one.none_of.clone(),
        subscriber_types: one.subscriber_types.clone(),
        segment_id: one.segment_id,
    })
}

/// The subscriber types of which a contact is who is of a type of one of the lists; an empty one has all.
fn either(one: &[SubscriberType], other: &[SubscriberType]) -> Vec<SubscriberType> {
    if one.is_empty() || other.is_empty() {
        return Vec::new();
    }
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// The tags of which one is enough to be in an audience; `None` where one isn't enough.
fn at_least_one_of(audience: &Audience) -> Option<Vec<TagId>> {
    match (audience.all_of.as_slice(), audience.any_of.as_slice()) {
        ([], any_of) => Some(any_of.to_vec()),
        ([tag], []) => Some(vec![*tag]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use entity::ids::SegmentId;
    use uuid::Uuid;

    use super::*;

    fn audience(all_of: &[u128], any_of: &[u128], none_of: &[u128]) -> Audience {
        let tags = |tags: &[u128]| {
            tags.iter()
                .map(|tag| TagId(Uuid::from_u128(*tag)))
                .collect()
        };
        Audience {
            all_of: tags(all_of),
            any_of: tags(any_of),
            none_of: tags(none_of),
            ..Audience::default()
        }
    }

    #[test]
    fn one_audience_is_made_of_two_where_tags_can_say_it() {
        let joined = |a: &Audience, b: &Audience| both(a, b);
        let (same, reordered) = (audience(&[1, 2], &[3], &[4]), audience(&[2, 1], &[3], &[4]));
        assert_eq!(joined(&same, &reordered), Some(same.clone()));
        assert_eq!(
            joined(&audience(&[1], &[], &[]), &audience(&[], &[2, 1], &[])),
            Some(audience(&[], &[1, 2], &[]))
        );
        assert_eq!(
            joined(&audience(&[1, 2], &[], &[]), &audience(&[3], &[], &[])),
            None
        );
        assert_eq!(
            joined(&audience(&[1], &[], &[9]), &audience(&[2], &[], &[])),
            None
        );
        let inside = |segment: u128, any_of: &[u128]| Audience {
            segment_id: Some(SegmentId(Uuid::from_u128(segment))),
            ..audience(&[], any_of, &[])
        };
        let whole = inside(7, &[]);
        assert_eq!(joined(&whole, &inside(7, &[1])), Some(whole.clone()));
        assert_eq!(joined(&whole, &inside(8, &[])), None);
        assert_eq!(joined(&whole, &audience(&[], &[1], &[])), None);
        let of = |types: &[SubscriberType], any_of: &[u128]| Audience {
            subscriber_types: types.to_vec(),
            ..audience(&[], any_of, &[])
        };
        let (events, placements) = (SubscriberType::Events, SubscriberType::Placements);
        let (one, other) = (of(&[events], &[1]), of(&[placements], &[1]));
        let sum = [placements, events];
        assert_eq!(joined(&one, &other), Some(of(&sum, &[1])));
        assert_eq!(joined(&one, &of(&[], &[1])), Some(of(&[], &[1])));
        assert_eq!(
            joined(&one, &of(&[events], &[2])),
            Some(of(&[events], &[1, 2]))
        );
        assert_eq!(joined(&one, &of(&[placements], &[2])), None);
    }
}

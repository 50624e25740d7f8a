//! Cross-promotion: a mail to employers also tells of what else is coming up that suits them, so that they get fewer mails
//! (policy 2.5). What suits is in the mail by default; whoever leaves it out says why.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    campaign::{self, CampaignState},
    campaign_event,
    event::{self, EventKind, EventState},
    event_organisation,
    ids::{CampaignId, EventId, TagId},
    organisation, organisation_tag,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict, Query},
};
use serde_json::{Value, json};

use super::{Audience, audience::Meant, locked, meant_if_known, wrong_state};
use crate::{
    error::{RefusalCode, Refusals, Result},
    event::Whereabouts,
    live::LiveEvent,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How far ahead events are looked for.
const AHEAD: TimeDelta = TimeDelta::days(60);
/// What begins sooner than this after the mail is too late to come to.
const AT_LEAST_AHEAD: TimeDelta = TimeDelta::days(2);
/// The most events that a mail tells of.
const MOST: u64 = 5;
/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;
/// What employers come to. Training is for staff.
const KINDS: [EventKind; 5] = [
    EventKind::CareersFair,
    EventKind::EmployerPresentation,
    EventKind::Workshop,
    EventKind::SkillsSession,
    EventKind::Interviews,
];

/// An event that suits the audience of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The event.
    pub event: event::Model,
    /// Why the mail does not tell of it; `None` when it does.
    pub left_out_because: Option<String>,
}

/// The events that suit a campaign, the next one first: those that its mail tells of and those that were left out. Once it
/// has started they are what they were then.
pub async fn promotions(
    db: &impl ConnectionTrait,
    campaign: &campaign::Model,
    now: DateTime<Utc>,
) -> Result<Vec<Promotion>> {
    let chosen: HashMap<EventId, Option<String>> = campaign_event::Entity::find()
        .filter(campaign_event::Column::CampaignId.eq(campaign.id))
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.event_id, row.left_out_because))
        .collect();
    let events = if is_open(campaign) {
        suitable(db, campaign, now).await?
    } else {
        event::Entity::find()
            .filter(event::Column::Id.is_in(chosen.keys().copied()))
            .order_by_asc(event::Column::StartsAt)
            .order_by_asc(event::Column::Id)
            .all(db)
            .await?
    };
    Ok(events
        .into_iter()
        .map(|event| Promotion {
            left_out_because: chosen.get(&event.id).cloned().flatten(),
            event,
        })
        .collect())
}

/// Whether what suits it is still looked for.
fn is_open(campaign: &campaign::Model) -> bool {
    matches!(
        campaign.state,
        CampaignState::Draft | CampaignState::InReview | CampaignState::Scheduled
    )
}

/// The next events that employers come to and that suit the audience: generic ones of the Careers Centre, and those of schools
/// and faculties that look for employers or have some with a tag of the audience or in its segment.
async fn suitable(
    db: &impl ConnectionTrait,
    campaign: &campaign::Model,
    now: DateTime<Utc>,
) -> Result<Vec<event::Model>> {
    let start = campaign
        .not_before
        .map_or(now, |start| Ord::max(start, now));
    let audience = Audience::of(campaign);
    let tags: Vec<TagId> = audience.all_of.into_iter().chain(audience.any_of).collect();
    let segment = meant_if_known(db, campaign, now).await?;
    let taking_part = || {
        Query::select()
            .expr(Expr::val(1))
            .from(event_organisation::Entity)
            .and_where(
                Expr::col((
                    event_organisation::Entity,
                    event_organisation::Column::EventId,
                ))
                .equals((event::Entity, event::Column::Id)),
            )
            .to_owned()
    };
    let alike = taking_part()
        .inner_join(
            organisation_tag::Entity,
            Expr::col((
                organisation_tag::Entity,
                organisation_tag::Column::OrganisationId,
            ))
            .equals((
                event_organisation::Entity,
                event_organisation::Column::OrganisationId,
            )),
        )
        .and_where(organisation_tag::Column::TagId.is_in(tags))
        .to_owned();
    let inside = segment.as_ref().and_then(Meant::filter).map(|filter| {
        let those = organisation::Entity::find()
            .select_only()
            .column(organisation::Column::Id)
            .filter(filter.condition(db.get_database_backend()))
            .into_query();
        let theirs = event_organisation::Column::OrganisationId.in_subquery(those);
        Expr::exists(taking_part().and_where(theirs).to_owned())
    });
    let suits = Condition::any()
        .add_option(inside)
        .add(event::Column::FacultyId.is_null())
        .add(Expr::exists(taking_part()).not())
        .add(Expr::exists(alike));
    Ok(event::Entity::find()
        .filter(event::Column::State.eq(EventState::Published))
        .filter(event::Column::Kind.is_in(KINDS))
        .filter(event::Column::StartsAt.gte(start + AT_LEAST_AHEAD))
        .filter(event::Column::StartsAt.lte(start + AHEAD))
        .filter(suits)
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(event::Column::Id)
        .limit(MOST)
        .all(db)
        .await?)
}

/// Leaves events out of the mail of a draft, and keeps why.
pub async fn leave_out(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    events: &[EventId],
    reason: &str,
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    let by = viewer.signed_in()?.id;
    let mut refusals = Refusals::default();
    let reason = Text::block("reason", LONGEST_REASON).required(reason, &mut refusals);
    check(tx, &campaign, events, &mut refusals).await?;
    refusals.into_result()?;
    let rows = events.iter().map(|event_id| campaign_event::ActiveModel {
        campaign_id: Set(id),
        event_id: Set(*event_id),
        left_out_because: Set(Some(reason.clone())),
        chosen_by: Set(Some(by)),
        chosen_at: Set(tx.now()),
    });
    let key = [
        campaign_event::Column::CampaignId,
        campaign_event::Column::EventId,
    ];
    let again = OnConflict::columns(key)
        .update_columns([
            campaign_event::Column::LeftOutBecause,
            campaign_event::Column::ChosenBy,
            campaign_event::Column::ChosenAt,
        ])
        .to_owned();
    campaign_event::Entity::insert_many(rows)
        .on_conflict(again)
        .exec_without_returning(tx.conn())
        .await?;
    let after = json!({ "events": events, "reason": reason });
    tx.audit(viewer, "campaign.events_left_out", id, None, Some(after))
        .await?;
    changed(tx, campaign).await
}

/// Takes events back into the mail of a draft.
pub async fn bring_back(
    tx: &mut Tx,
    viewer: &Viewer,
    id: CampaignId,
    events: &[EventId],
) -> Result<campaign::Model> {
    let campaign = locked(tx, viewer, id).await?;
    let mut refusals = Refusals::default();
    check(tx, &campaign, events, &mut refusals).await?;
    refusals.into_result()?;
    campaign_event::Entity::delete_many()
        .filter(campaign_event::Column::CampaignId.eq(id))
        .filter(campaign_event::Column::EventId.is_in(events.iter().copied()))
        .exec(tx.conn())
        .await?;
    let after = json!({ "events": events });
    tx.audit(
        viewer,
        "campaign.events_brought_back",
        id,
        None,
        Some(after),
    )
    .await?;
    changed(tx, campaign).await
}

async fn check(
    tx: &Tx,
    campaign: &campaign::Model,
    events: &[EventId],
    refusals: &mut Refusals,
) -> Result<()> {
    if campaign.state != CampaignState::Draft {
        return Err(wrong_state(campaign, "changed"));
    }
    let offered = promotions(tx.conn(), campaign, tx.now()).await?;
    let is_offered = |id: &EventId| offered.iter().any(|promotion| promotion.event.id == *id);
    refusals.add_if(
        events.is_empty(),
        RefusalCode::Required,
        "eventIds",
        "Name at least one of the events that suit the campaign.",
    );
    refusals.add_if(
        !events.iter().all(is_offered),
        RefusalCode::NotFound,
        "eventIds",
        "One of these is not among the events that suit the campaign.",
    );
    Ok(())
}

/// A draft is another one now: whoever approves it has to have seen that.
async fn changed(tx: &mut Tx, campaign: campaign::Model) -> Result<campaign::Model> {
    let (id, version) = (campaign.id, campaign.version);
    let mut row = campaign.into_active_model();
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let changed = row.update(tx.conn()).await?;
    tx.announce(LiveEvent::CampaignProgress { campaign_id: id });
    Ok(changed)
}

/// Writes down what the mail of a campaign that starts now tells of.
pub(super) async fn freeze(tx: &Tx, campaign: &campaign::Model) -> Result<()> {
    let rows: Vec<campaign_event::ActiveModel> = promotions(tx.conn(), campaign, tx.now())
        .await?
        .into_iter()
        .filter(|promotion| promotion.left_out_because.is_none())
        .map(|promotion| campaign_event::ActiveModel {
            campaign_id: Set(campaign.id),
            event_id: Set(promotion.event.id),
            left_out_because: Set(None),
            chosen_by: Set(None),
            chosen_at: Set(tx.now()),
        })
        .collect();
    if !rows.is_empty() {
        campaign_event::Entity::insert_many(rows)
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}

/// What the mail of a campaign tells of, for its template: without what was cancelled or is over by now.
pub async fn promoted(
    db: &impl ConnectionTrait,
    campaign: &campaign::Model,
    now: DateTime<Utc>,
) -> Result<Value> {
    let told = promotions(db, campaign, now)
        .await?
        .into_iter()
        .filter(|promotion| promotion.left_out_because.is_none())
        .map(|promotion| promotion.event)
        .filter(|event| event.state == EventState::Published && event.starts_at > now)
        .map(|event| {
            json!({
                "title": event.title,
                "starts_at": event.starts_at,
                "ends_at": event.ends_at,
                "place": Whereabouts::of(&event).place(false),
                "link": format!("/events/{}", event.id),
            })
        });
    Ok(Value::Array(told.collect()))
}

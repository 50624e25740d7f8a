//! Going on in spite of a severe clash: with a reason that is kept, and that the other organiser reads (policy 2.4).

use std::collections::HashSet;

use entity::{
    clash_acknowledgement, event,
    ids::{ClashAcknowledgementId, EventId},
    user,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{Clash, Severity, acknowledgements, of_event};
use crate::{
    booking::reason_given,
    error::{RefusalCode, Refusals, Result},
    event::LockedEvent,
    mail::Letter,
    notice::{self, Topic},
    person::address_of,
    store::Tx,
    viewer::Viewer,
};

/// The input field in which clashes are acknowledged.
const FIELD: &str = "acknowledgeClashes";

/// Whoever puts an event on the calendar, or changes what counts for clashes there, waits for whoever else does: of two that
/// clash one sees the other.
const CALENDAR: &str = "event.calendar";

/// That a severe clash is known, and why it is to be so all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The event it clashes with.
    pub event_id: EventId,
    /// Why; the other organiser reads it.
    pub reason: String,
}

/// Lets `event` onto the calendar as it stands now: refuses it while a severe clash with an event on the calendar is neither
/// acknowledged here nor has been before, from either side. What is acknowledged here is kept, and the other organiser is
/// told. Call it after the event was written, and before it is committed.
pub(crate) async fn settle(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &LockedEvent,
    given: &[Acknowledgement],
) -> Result<()> {
    tx.hold(CALENDAR).await?;
    // What the organiser is told is what they may see; the rule is about published events, which everybody sees.
    let severe: Vec<Clash> = of_event(tx.conn(), viewer, event)
        .await?
        .into_iter()
        .filter(|clash| clash.other_is_published && clash.severity == Severity::Severe)
        .collect();
    let known: HashSet<EventId> = acknowledgements(tx.conn(), &[event.id])
        .await?
        .into_iter()
        .flat_map(|row| [row.event_id, row.other_event_id])
        .collect();
    let mut refusals = Refusals::default();
    let mut acknowledged = Vec::new();
    for clash in severe
        .iter()
        .filter(|clash| !known.contains(&clash.other_id))
    {
        match given.iter().find(|one| one.event_id == clash.other_id) {
            Some(one) => acknowledged.push((clash, reason_given(&one.reason, FIELD)?)),
            None => refusals.add(
                RefusalCode::SevereClash,
                FIELD,
                format!(
                    "{} Move the event, or acknowledge the clash with a reason: the other organiser will be told.",
                    clash.why
                ),
            ),
        }
    }
    refusals.into_result()?;
    for (clash, reason) in acknowledged {
        acknowledge(tx, viewer, event, clash, reason).await?;
    }
    Ok(())
}

async fn acknowledge(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    clash: &Clash,
    reason: String,
) -> Result<()> {
    let organiser = viewer.signed_in()?;
    clash_acknowledgement::Entity::insert(clash_acknowledgement::ActiveModel {
        id: Set(ClashAcknowledgementId::new_at(tx.now())),
        event_id: Set(event.id),
        other_event_id: Set(clash.other_id),
        why: Set(clash.why.clone()),
        reason: Set(reason.clone()),
        acknowledged_by: Set(organiser.id),
        acknowledged_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    let kept = json!({ "otherEventId": clash.other_id, "reason": reason });
    tx.audit(
        viewer,
        "event.acknowledge_clash",
        event.id,
        None,
        Some(kept),
    )
    .await?;
    let other = event::Entity::find_by_id(clash.other_id)
        .filter(event::Column::OrganiserId.ne(organiser.id))
        .one(tx.conn())
        .await?;
    let Some(other) = other else {
        return Ok(());
    };
    let Some(other_organiser) = user::Entity::find_by_id(other.organiser_id)
        .one(tx.conn())
        .await?
    else {
        return Ok(());
    };
    let letter = Letter {
        template: "clash_acknowledged",
        to: address_of(&other_organiser)?,
        name: other_organiser.name.clone(),
        user_id: Some(other_organiser.id),
        purpose_key: format!("clash_acknowledged/{}/{}", event.id, other.id),
        fields: json!({
            "title": event.title,
            "starts_at": event.starts_at,
            "ends_at": event.ends_at,
            "place": event.venue.as_deref().unwrap_or("to be announced"),
            "organiser": organiser.name,
            "your_title": other.title,
            "your_starts_at": other.starts_at,
            "why": clash.why,
            "because": reason,
            "event_link": format!("/events/{}", event.id),
        }),
    };
    notice::tell(tx, other_organiser.id, Topic::Event, letter).await?;
    Ok(())
}

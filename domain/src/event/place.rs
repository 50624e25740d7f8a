//! Where an event takes place: at a venue of the list, or in its organiser's words.

use entity::{
    event,
    ids::{EventId, VenueId},
    venue::{self, Model as Venue},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, Condition, EntityTrait, IntoActiveModel, QuerySelect,
};

use super::{
    EventChanges, EventDraft, UPDATE, changed_on_the_calendar, lock::lock_where, moving, summary,
};
use crate::{
    change::Change,
    error::{Error, RefusalCode, Result},
    store::Tx,
    venue::label,
    viewer::Viewer,
};

impl EventDraft {
    /// The same with what its venue is called as its place. `before` is what the event was until now: it stays where it is
    /// even when that venue has gone out of use.
    pub(super) async fn placed(mut self, tx: &Tx, before: Option<&event::Model>) -> Result<Self> {
        let Some(id) = self.venue_id else {
            return Ok(self);
        };
        let is_there = before.is_some_and(|event| event.venue_id == Some(id));
        // An event that is there already is found by whoever renames the venue; one that comes waits until they are done.
        let venue = if is_there {
            venue::Entity::find_by_id(id).one(tx.conn()).await?
        } else {
            hold(tx, id).await?
        };
        let venue = venue.ok_or_else(|| Error::not_found("venueId", "venue"))?;
        if venue.archived_at.is_some() && !is_there {
            return Err(Error::refused(
                RefusalCode::WrongState,
                "venueId",
                format!("{} is out of use.", venue.name),
            ));
        }
        self.venue = Some(label(&venue));
        Ok(self)
    }

    /// The same for a copy of an event: where its venue has gone out of use, the words for it stay.
    pub(super) async fn placed_again(mut self, tx: &Tx) -> Result<Self> {
        if let Some(id) = self.venue_id {
            let venue = hold(tx, id).await?;
            self.venue_id = venue
                .filter(|venue| venue.archived_at.is_none())
                .map(|venue| venue.id);
        }
        Ok(self)
    }
}

/// The venue, as it is called and used until this change is over. Venues are locked before events, as those who rename and
/// merge them do: whoever has an event locked calls [`hold_named`] or [`hold_of`] first.
async fn hold(tx: &Tx, id: VenueId) -> Result<Option<Venue>> {
    Ok(venue::Entity::find_by_id(id)
        .lock_shared()
        .one(tx.conn())
        .await?)
}

/// Holds the venue that these changes name, before an event is locked.
pub(super) async fn hold_named(tx: &Tx, changes: &EventChanges) -> Result<()> {
    if let Some(id) = changes.venue_id.flatten() {
        hold(tx, id).await?;
    }
    Ok(())
}

/// Holds the venue of an event that is to be copied, before the event is locked.
pub(super) async fn hold_of(tx: &Tx, id: EventId) -> Result<()> {
    let event = event::Entity::find_by_id(id).one(tx.conn()).await?;
    if let Some(venue_id) = event.and_then(|event| event.venue_id) {
        hold(tx, venue_id).await?;
    }
    Ok(())
}

/// Has an event that meets `condition` take place at a venue, under the name that it has now. `told` says whether those who
/// mean to come are. Answers whether there was such an event: it may have gone elsewhere while its lock was waited for.
pub(crate) async fn place_at(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    condition: Condition,
    venue: &Venue,
    told: bool,
) -> Result<bool> {
    let Some(mut event) = lock_where(tx, id, condition).await? else {
        return Ok(false);
    };
    let before = (*event).clone();
    let mut row = before.clone().into_active_model();
    row.venue_id = Set(Some(venue.id));
    row.venue = Set(Some(label(venue)));
    row.version = Set(before.version + 1);
    row.updated_at = Set(tx.now());
    if before.calendar_sequence > 0 {
        changed_on_the_calendar(tx, &before, &mut row);
    }
    event.becomes(row.update(tx.conn()).await?);
    let (told_before, told_after) =
        Change::between(&summary(&before), &summary(&event))?.into_audit(event.version);
    tx.audit(viewer, UPDATE, id, told_before, told_after)
        .await?;
    if told {
        moving::follow(tx, &mut event, &before).await?;
    }
    Ok(true)
}

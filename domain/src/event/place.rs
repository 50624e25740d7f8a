//! Where an event takes place: at a venue of the list, or in its organiser's words.

use entity::{
    event,
    ids::EventId,
    venue::{self, Model as Venue},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};

use super::{EventDraft, UPDATE, changed_on_the_calendar, lock, moving, summary};
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
        let venue = venue::Entity::find_by_id(id)
            .one(tx.conn())
            .await?
            .ok_or_else(|| Error::not_found("venueId", "venue"))?;
        let is_there = before.is_some_and(|event| event.venue_id == Some(id));
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
            let venue = venue::Entity::find_by_id(id).one(tx.conn()).await?;
            self.venue_id = venue
                .filter(|venue| venue.archived_at.is_none())
                .map(|venue| venue.id);
        }
        Ok(self)
    }
}

/// Has an event take place at a venue, under the name that it has now. `told` says whether those who mean to come are.
pub(crate) async fn place_at(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventId,
    venue: &Venue,
    told: bool,
) -> Result<()> {
    let Some(mut event) = lock(tx, id).await? else {
        return Ok(());
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
    Ok(())
}

//! The lock of an event: whoever changes who has a place, or who waits, holds it (policy 2.4).
//!
//! On `PostgreSQL` it is the row lock of the event, taken by `SELECT … FOR UPDATE` and held to the end of the transaction;
//! on `SQLite` a write transaction is alone from its beginning. Everything that changes places takes a
//! `&mut LockedEvent`, so that it can't be called without. The CHECK on `places_taken` is the last resort behind it, which
//! is why places are counted up and down in SQL and never set.

use std::ops::Deref;

use entity::{event, ids::EventId};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, sea_query::Expr,
};

use super::{require_to_manage, visible_to};
use crate::{
    error::{Error, Result},
    store::Tx,
    viewer::Viewer,
};

/// An event whose places nobody else can change before the transaction ends.
#[derive(Debug)]
pub struct LockedEvent {
    row: event::Model,
}

impl Deref for LockedEvent {
    type Target = event::Model;

    fn deref(&self) -> &event::Model {
        &self.row
    }
}

/// Locks the event. `None` when there is none with this id.
pub async fn lock(tx: &mut Tx, id: EventId) -> Result<Option<LockedEvent>> {
    lock_where(tx, id, Condition::all()).await
}

/// Locks the event if `viewer` may see it; a hidden one and none at all are refused alike.
pub async fn lock_visible(tx: &mut Tx, viewer: &Viewer, id: EventId) -> Result<LockedEvent> {
    lock_where(tx, id, visible_to(viewer))
        .await?
        .ok_or_else(|| Error::not_found("eventId", "event"))
}

/// Locks the event for somebody who manages it.
pub async fn lock_to_manage(tx: &mut Tx, viewer: &Viewer, id: EventId) -> Result<LockedEvent> {
    let event = lock_visible(tx, viewer, id).await?;
    require_to_manage(viewer, &event)?;
    Ok(event)
}

/// Locks the event if it meets `condition` once nobody else has it.
pub(super) async fn lock_where(
    tx: &mut Tx,
    id: EventId,
    condition: Condition,
) -> Result<Option<LockedEvent>> {
    let row = event::Entity::find_by_id(id)
        .filter(condition)
        .lock_exclusive()
        .one(tx.conn())
        .await?;
    Ok(row.map(|row| LockedEvent { row }))
}

impl LockedEvent {
    /// An event as it was read, without the lock. Only the test that shows what the lock is for has a reason to call this:
    /// whatever is done with it oversells.
    #[doc(hidden)]
    #[must_use]
    pub fn unguarded(row: event::Model) -> Self {
        Self { row }
    }

    /// How many places nobody has.
    #[must_use]
    pub fn places_left(&self) -> i32 {
        super::places_left(&self.row)
    }

    /// Takes a place for somebody.
    pub(crate) async fn take_place(&mut self, tx: &mut Tx) -> Result<()> {
        self.take_places(tx, 1).await
    }

    /// Takes places for so many people.
    pub(crate) async fn take_places(&mut self, tx: &mut Tx, number: i32) -> Result<()> {
        self.count(tx, event::Column::PlacesTaken, number).await?;
        self.row.places_taken += number;
        Ok(())
    }

    /// Gives back the places of `number` people who leave. Whoever calls this sees to it that they are filled, by
    /// [`crate::waiting_list::places_freed`].
    pub(crate) async fn give_back_places(&mut self, tx: &mut Tx, number: i32) -> Result<()> {
        self.count(tx, event::Column::PlacesTaken, -number).await?;
        self.row.places_taken -= number;
        Ok(())
    }

    /// The position of the next person on the waiting list; it is given once [`Self::queue_joined`] is called.
    pub(crate) fn next_queue_position(&self) -> i64 {
        self.row.last_queue_position + 1
    }

    /// Notes that the next position was given.
    pub(crate) async fn queue_joined(&mut self, tx: &mut Tx) -> Result<()> {
        self.count(tx, event::Column::LastQueuePosition, 1).await?;
        self.row.last_queue_position += 1;
        Ok(())
    }

    /// The row after a change that was written elsewhere in this module.
    pub(super) fn becomes(&mut self, row: event::Model) {
        self.row = row;
    }

    async fn count(&self, tx: &mut Tx, column: event::Column, by: i32) -> Result<()> {
        event::Entity::update_many()
            .col_expr(column, Expr::col(column).add(by))
            .filter(event::Column::Id.eq(self.row.id))
            .exec(tx.conn())
            .await?;
        Ok(())
    }
}

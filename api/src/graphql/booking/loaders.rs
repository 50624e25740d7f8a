//! Bookings and positions in a queue, fetched for many at once.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use domain::{booking::search, waiting_list};
use entity::ids::BookingId;

use super::types::Booking;
use crate::graphql::rows::{LoadError, Rows, by_id};

/// The position of a booking in its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PositionOf(pub BookingId);

by_id!(BookingId => Booking, found |rows, ids| search::find_all(rows.store.reader(), &rows.viewer, ids));

impl Loader<PositionOf> for Rows {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[PositionOf]) -> Result<HashMap<PositionOf, i64>, LoadError> {
        let ids: Vec<BookingId> = keys.iter().map(|key| key.0).collect();
        let positions = waiting_list::positions(self.store.reader(), &ids).await?;
        Ok(positions
            .into_iter()
            .map(|(id, position)| (PositionOf(id), position))
            .collect())
    }
}

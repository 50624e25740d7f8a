//! What belongs to events, fetched for many of them at once.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use domain::{
    booking::search as bookings,
    event::{self as events, AudienceGroup},
    page::{Page, Slice},
    waiting_list,
};
use entity::{
    booking::{self, BookingState},
    ids::{BookingId, EventId, EventSeriesId},
};

use super::types::{Event, OpportunityKind};
use crate::graphql::{
    organisation::Organisation,
    rows::{LoadError, Rows, by_id},
};

/// Whom an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AudienceOf(pub EventId);

/// What is offered at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OfferedAt(pub EventId);

/// The organisations that take part in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OrganisationsAt(pub EventId);

/// How many wait for a place at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct WaitingFor(pub EventId);

/// The viewer's own latest booking for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OwnBookingFor(pub EventId);

/// The viewer's own bookings for other events at the time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OverlappingOwn(pub EventId);

/// A page of the bookings for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BookingsFor {
    pub event_id: EventId,
    pub wanted: Wanted,
}

/// Which bookings: what many events may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub state: Option<BookingState>,
    limit: u64,
    after: Option<BookingId>,
    before: Option<BookingId>,
    backward: bool,
}

impl Wanted {
    pub(super) fn new(state: Option<BookingState>, page: &Page<BookingId>) -> Self {
        Self {
            state,
            limit: page.limit,
            after: page.after,
            before: page.before,
            backward: page.backward,
        }
    }

    fn page(self) -> Page<BookingId> {
        Page {
            limit: self.limit,
            after: self.after,
            before: self.before,
            backward: self.backward,
        }
    }
}

/// How many bookings there are for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BookingCount {
    pub event_id: EventId,
    pub state: Option<BookingState>,
}

by_id!(EventId => Event, found |rows, ids| events::find_all(rows.store.reader(), &rows.viewer, ids));

impl Loader<EventSeriesId> for Rows {
    type Value = Vec<Event>;
    type Error = LoadError;

    async fn load(
        &self,
        ids: &[EventSeriesId],
    ) -> Result<HashMap<EventSeriesId, Vec<Event>>, LoadError> {
        let mut found: HashMap<EventSeriesId, Vec<Event>> = HashMap::new();
        for event in events::series(self.store.reader(), &self.viewer, ids).await? {
            if let Some(id) = event.series_id {
                found.entry(id).or_default().push(event.into());
            }
        }
        Ok(found)
    }
}

impl Loader<AudienceOf> for Rows {
    type Value = Vec<AudienceGroup>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[AudienceOf],
    ) -> Result<HashMap<AudienceOf, Vec<AudienceGroup>>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<AudienceOf, Vec<AudienceGroup>> = HashMap::new();
        for (event_id, group) in events::audiences(self.store.reader(), &ids).await? {
            found.entry(AudienceOf(event_id)).or_default().push(group);
        }
        Ok(found)
    }
}

impl Loader<OfferedAt> for Rows {
    type Value = Vec<OpportunityKind>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[OfferedAt],
    ) -> Result<HashMap<OfferedAt, Vec<OpportunityKind>>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<OfferedAt, Vec<OpportunityKind>> = HashMap::new();
        for (event_id, kind) in events::opportunities(self.store.reader(), &ids).await? {
            found
                .entry(OfferedAt(event_id))
                .or_default()
                .push(kind.into());
        }
        Ok(found)
    }
}

impl Loader<OrganisationsAt> for Rows {
    type Value = Vec<Organisation>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[OrganisationsAt],
    ) -> Result<HashMap<OrganisationsAt, Vec<Organisation>>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let rows = events::organisations(self.store.reader(), &self.viewer, &ids).await?;
        let mut found: HashMap<OrganisationsAt, Vec<Organisation>> = HashMap::new();
        for (event_id, row) in rows {
            let key = OrganisationsAt(event_id);
            found.entry(key).or_default().push(Organisation(row));
        }
        Ok(found)
    }
}

impl Loader<WaitingFor> for Rows {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[WaitingFor]) -> Result<HashMap<WaitingFor, i64>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let lengths = waiting_list::lengths(self.store.reader(), &ids).await?;
        Ok(lengths
            .into_iter()
            .map(|(id, length)| (WaitingFor(id), length))
            .collect())
    }
}

impl Loader<OwnBookingFor> for Rows {
    type Value = booking::Model;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[OwnBookingFor],
    ) -> Result<HashMap<OwnBookingFor, booking::Model>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let own = bookings::latest_own(self.store.reader(), &self.viewer, &ids).await?;
        Ok(own
            .into_iter()
            .map(|(id, booking)| (OwnBookingFor(id), booking))
            .collect())
    }
}

impl Loader<OverlappingOwn> for Rows {
    type Value = Vec<booking::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[OverlappingOwn],
    ) -> Result<HashMap<OverlappingOwn, Vec<booking::Model>>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let own = bookings::overlapping_own(self.store.reader(), &self.viewer, &ids).await?;
        Ok(own
            .into_iter()
            .map(|(id, bookings)| (OverlappingOwn(id), bookings))
            .collect())
    }
}

impl Loader<BookingsFor> for Rows {
    type Value = Slice<booking::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[BookingsFor],
    ) -> Result<HashMap<BookingsFor, Slice<booking::Model>>, LoadError> {
        let mut found = HashMap::new();
        for (wanted, event_ids) in grouped(keys.iter().map(|key| (key.wanted, key.event_id))) {
            let slices = bookings::of_events(
                self.store.reader(),
                &self.viewer,
                &event_ids,
                wanted.state,
                &wanted.page(),
            )
            .await?;
            for (event_id, slice) in slices {
                found.insert(BookingsFor { event_id, wanted }, slice);
            }
        }
        Ok(found)
    }
}

impl Loader<BookingCount> for Rows {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[BookingCount]) -> Result<HashMap<BookingCount, i64>, LoadError> {
        let mut found = HashMap::new();
        for (state, ids) in grouped(keys.iter().map(|key| (key.state, key.event_id))) {
            let counts =
                bookings::count_of_events(self.store.reader(), &self.viewer, &ids, state).await?;
            for (event_id, count) in counts {
                found.insert(BookingCount { event_id, state }, count);
            }
        }
        Ok(found)
    }
}

/// The events that ask for the same, together: fields of one place in a query do.
fn grouped<W: Eq + std::hash::Hash>(
    keys: impl Iterator<Item = (W, EventId)>,
) -> HashMap<W, Vec<EventId>> {
    let mut groups: HashMap<W, Vec<EventId>> = HashMap::new();
    for (wanted, event_id) in keys {
        groups.entry(wanted).or_default().push(event_id);
    }
    groups
}

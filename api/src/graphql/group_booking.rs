//! Places for whole classes (policy 2.4).

use std::collections::HashMap;

use async_graphql::{Context, Enum, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::group_booking::{self as groups, book_group, cancel_group, mark_group};
use entity::{
    group_booking::{GroupBookingState as State, Model},
    ids::{EventId, GroupBookingId},
};

use super::{
    begin,
    errors::{Payload, payload},
    event::{self, Event},
    id::Id,
    person::{self, Person},
    rows::{LoadError, Rows, rows},
    viewer,
};

/// Mutations of places for classes.
#[derive(Debug, Default)]
pub struct GroupBookingMutation;

/// Where the places of a class stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum GroupBookingState {
    /// The class has them.
    Booked,
    /// They were given back.
    Cancelled,
}

/// The class that is to have places.
#[derive(InputObject)]
struct BookGroupInput {
    /// The event.
    event_id: Id<EventId>,
    /// Which class it is, such as `Year 2 Chemistry`.
    class_name: String,
    /// How many places it needs.
    places: i32,
}

/// The class whose places are given back.
#[derive(InputObject)]
struct CancelGroupInput {
    /// Its places.
    group_booking_id: Id<GroupBookingId>,
    /// Why.
    reason: String,
}

/// What the register says of a class.
#[derive(InputObject)]
struct MarkGroupInput {
    /// Its places.
    group_booking_id: Id<GroupBookingId>,
    /// How many of the class came: from 0 to as many as it has places.
    attended: i32,
    /// Who came, where somebody wrote it down; what was said before is replaced.
    names: Option<String>,
}

payload! {
    /// What became of booking places for a class.
    BookGroupPayload {
        /// The places.
        group: GroupBooking,
    }
}

payload! {
    /// What became of giving the places of a class back.
    CancelGroupPayload {
        /// The places, which it has no longer.
        group: GroupBooking,
    }
}

payload! {
    /// What became of saying how many of a class came.
    MarkGroupPayload {
        /// The places, with how many were used.
        group: GroupBooking,
    }
}

/// Places for a class.
#[derive(Clone, Debug)]
pub struct GroupBooking(Model);

impl From<Model> for GroupBooking {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// Places at an event for a whole class.
#[Object]
impl GroupBooking {
    /// Its id.
    async fn id(&self) -> Id<GroupBookingId> {
        Id(self.0.id)
    }

    /// The event.
    async fn event(&self, ctx: &Context<'_>) -> Option<Result<Event>> {
        event::event(ctx, self.0.event_id).await.transpose()
    }

    /// Which class it is.
    async fn class_name(&self) -> &str {
        &self.0.class_name
    }

    /// How many places it has, or had.
    async fn places(&self) -> i32 {
        self.0.places
    }

    /// Where they stand.
    async fn state(&self) -> GroupBookingState {
        self.0.state.into()
    }

    /// The operator who booked them.
    async fn booked_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.booked_by).await.transpose()
    }

    /// When they were booked.
    async fn booked_at(&self) -> DateTime<Utc> {
        self.0.booked_at
    }

    /// Why they were given back.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When.
    async fn cancelled_at(&self) -> Option<DateTime<Utc>> {
        self.0.cancelled_at
    }

    /// How many of the class came; null while nobody has said.
    async fn attended(&self) -> Option<i32> {
        self.0.attended
    }

    /// Who came, where somebody wrote it down.
    async fn attended_names(&self) -> Option<&str> {
        self.0.attended_names.as_deref()
    }

    /// When it was last said how many came.
    async fn marked_at(&self) -> Option<DateTime<Utc>> {
        self.0.marked_at
    }
}

#[Object]
impl GroupBookingMutation {
    /// Books places for a whole class, all or none. A class passes nobody who waits.
    async fn book_group(
        &self,
        ctx: &Context<'_>,
        input: BookGroupInput,
    ) -> Result<BookGroupPayload> {
        let mut tx = begin(ctx).await?;
        let (id, name) = (input.event_id.0, &input.class_name);
        let booked = Box::pin(book_group(&mut tx, viewer(ctx)?, id, name, input.places)).await;
        BookGroupPayload::commit(tx, booked).await
    }

    /// Gives the places of a class back. They go to those who wait.
    async fn cancel_group(
        &self,
        ctx: &Context<'_>,
        input: CancelGroupInput,
    ) -> Result<CancelGroupPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.group_booking_id.0;
        let cancelled = Box::pin(cancel_group(&mut tx, viewer(ctx)?, id, &input.reason)).await;
        CancelGroupPayload::commit(tx, cancelled).await
    }

    /// Says in the register how many of a class came. It may be said anew until the register is closed. Nobody of a class has
    /// missed the event.
    async fn mark_group(
        &self,
        ctx: &Context<'_>,
        input: MarkGroupInput,
    ) -> Result<MarkGroupPayload> {
        let mut tx = begin(ctx).await?;
        let (id, names) = (input.group_booking_id.0, input.names.as_deref());
        let marked = Box::pin(mark_group(&mut tx, viewer(ctx)?, id, input.attended, names)).await;
        MarkGroupPayload::commit(tx, marked).await
    }
}

/// The classes with places at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GroupsAt(EventId);

impl Loader<GroupsAt> for Rows {
    type Value = Vec<GroupBooking>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[GroupsAt],
    ) -> Result<HashMap<GroupsAt, Vec<GroupBooking>>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let found = groups::groups(self.store.reader(), &self.viewer, &ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, rows)| (GroupsAt(id), rows.into_iter().map(Into::into).collect()))
            .collect())
    }
}

/// The classes with places at an event, as far as the viewer may know of them.
pub(super) async fn at(ctx: &Context<'_>, id: EventId) -> Result<Vec<GroupBooking>> {
    Ok(rows(ctx)?.load_one(GroupsAt(id)).await?.unwrap_or_default())
}

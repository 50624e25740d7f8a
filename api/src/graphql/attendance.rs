//! At the door of an event (policy 2.4).

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use domain::attendance::{self, Line, Outcome};
use entity::ids::EventId;

use super::{
    begin,
    booking::Booking,
    errors::{Payload, payload},
    id::Id,
    store, viewer,
};

/// Queries at the door.
#[derive(Debug, Default)]
pub struct AttendanceQuery;

/// Mutations at the door.
#[derive(Debug, Default)]
pub struct AttendanceMutation;

/// Everybody who came, in one list.
#[derive(Debug, InputObject)]
struct CheckInListInput {
    /// The event.
    event_id: Id<EventId>,
    /// Codes of tickets or e-mail addresses, one to a line, as they were pasted or uploaded: a line may be a row of a table
    /// that has one in it. At most 2,000 lines.
    list: String,
}

/// Somebody who comes without a place.
#[derive(Debug, InputObject)]
struct CheckInWalkInInput {
    /// The event.
    event_id: Id<EventId>,
    /// The address of their account.
    email: String,
    /// Why they are let in although the rules say no; it is kept.
    reason: Option<String>,
}

/// The event whose list is wanted.
#[derive(Debug, InputObject)]
struct ExportDoorListInput {
    /// The event.
    event_id: Id<EventId>,
}

/// One line of a list of who came.
#[derive(Clone, Debug, SimpleObject)]
pub struct CheckInLine {
    /// Which line it is, from 1.
    number: i32,
    /// What stands in it.
    text: String,
    /// What became of it.
    outcome: CheckInOutcome,
    /// The booking, where there is one.
    booking: Option<Booking>,
}

impl From<Line> for CheckInLine {
    fn from(line: Line) -> Self {
        Self {
            number: i32::try_from(line.number).unwrap_or(i32::MAX),
            text: line.text,
            outcome: line.outcome.into(),
            booking: line.booking.map(Into::into),
        }
    }
}

/// What became of a line of a list of who came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Outcome")]
pub enum CheckInOutcome {
    /// They are marked.
    CheckedIn,
    /// They were marked before, by this list or otherwise.
    CheckedInBefore,
    /// They have a booking and no place: they wait, or it was cancelled.
    NoPlace,
    /// Nobody with this code or address has a booking for the event.
    NotBooked,
    /// There is neither a code nor an address in the line.
    Unreadable,
}

/// The list for the door.
#[derive(Clone, Debug, SimpleObject)]
pub struct DoorList {
    /// It as CSV: name, ticket, where the booking stands, when they came, and for whoever may export contacts the e-mail
    /// address. No cell is carried out as a formula.
    csv: String,
}

payload! {
    /// What became of marking everybody on a list.
    CheckInListPayload {
        /// What became of each line, empty ones left out.
        lines: Vec<CheckInLine>,
    }
}

payload! {
    /// What became of letting somebody in.
    CheckInWalkInPayload {
        /// Their booking.
        booking: Booking,
    }
}

payload! {
    /// The list for the door.
    ExportDoorListPayload {
        /// The list.
        door_list: DoorList,
    }
}

#[Object]
impl AttendanceQuery {
    /// Those with a place at an event or on its waiting list whose name has this in it, by name: at most 20.
    async fn find_at_door(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The event.")] event_id: Id<EventId>,
        #[graphql(desc = "A part of their name.")] name: String,
    ) -> Option<Result<Vec<Booking>>> {
        Some(find(ctx, event_id.0, &name).await)
    }
}

async fn find(ctx: &Context<'_>, event_id: EventId, name: &str) -> Result<Vec<Booking>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let found = attendance::find_by_name(store.reader(), viewer, event_id, name).await?;
    Ok(found.into_iter().map(Into::into).collect())
}

#[Object]
impl AttendanceMutation {
    /// Marks everybody on a list. It works twice without harm.
    async fn check_in_list(
        &self,
        ctx: &Context<'_>,
        input: CheckInListInput,
    ) -> Result<CheckInListPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.event_id.0;
        let told = attendance::check_in_list(&mut tx, viewer(ctx)?, id, &input.list).await;
        let lines = told.map(|lines| lines.into_iter().map(CheckInLine::from).collect::<Vec<_>>());
        CheckInListPayload::commit(tx, lines).await
    }

    /// Lets somebody in who has no place. Where the rules say no, it says why, and lets them in when a reason is given.
    async fn check_in_walk_in(
        &self,
        ctx: &Context<'_>,
        input: CheckInWalkInInput,
    ) -> Result<CheckInWalkInPayload> {
        let mut tx = begin(ctx).await?;
        let (id, reason) = (input.event_id.0, input.reason.as_deref());
        let admitted = attendance::walk_in(&mut tx, viewer(ctx)?, id, &input.email, reason).await;
        CheckInWalkInPayload::commit(tx, admitted).await
    }

    /// The list for the door, for when there is no network there. It stands in the audit log that it was taken out.
    async fn export_door_list(
        &self,
        ctx: &Context<'_>,
        input: ExportDoorListInput,
    ) -> Result<ExportDoorListPayload> {
        let mut tx = begin(ctx).await?;
        let list = attendance::door_list(&mut tx, viewer(ctx)?, input.event_id.0).await;
        ExportDoorListPayload::commit(tx, list.map(|csv| DoorList { csv })).await
    }
}

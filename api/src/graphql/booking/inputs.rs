//! What is sent about bookings and registers.

use async_graphql::InputObject;
use domain::{Error, RefusalCode, booking::Ticket};
use entity::ids::{BookingId, EventId, UserId};

use crate::graphql::id::Id;

/// The event to be booked.
#[derive(InputObject)]
pub(super) struct BookEventInput {
    /// The event.
    pub event_id: Id<EventId>,
}

/// The booking to be cancelled.
#[derive(InputObject)]
pub(super) struct CancelBookingInput {
    /// The booking.
    pub booking_id: Id<BookingId>,
    /// Why. Needed when it is somebody else's booking, who reads it.
    pub reason: Option<String>,
}

/// The offer to be accepted.
#[derive(InputObject)]
pub(super) struct AcceptOfferInput {
    /// The viewer's booking, to which a place is offered.
    pub booking_id: Id<BookingId>,
}

/// The offer to be declined.
#[derive(InputObject)]
pub(super) struct DeclineOfferInput {
    /// The viewer's booking, to which a place is offered.
    pub booking_id: Id<BookingId>,
}

/// Where a free place is to be given away.
#[derive(InputObject)]
pub(super) struct PromoteBookingInput {
    /// The event. The first in its queue has the place: nobody is passed over.
    pub event_id: Id<EventId>,
}

/// Who came: by the code on the ticket, or by the booking.
#[derive(InputObject)]
pub(super) struct CheckInInput {
    /// The code on the ticket, however it is typed.
    ticket_code: Option<String>,
    /// The booking, found by name.
    booking_id: Option<Id<BookingId>>,
}

impl CheckInInput {
    /// Who came. One of the two must be given.
    pub(super) fn ticket(self) -> Result<Ticket, Error> {
        match (self.ticket_code, self.booking_id) {
            (Some(code), None) => Ok(Ticket::Code(code)),
            (None, Some(id)) => Ok(Ticket::Booking(id.0)),
            _ => Err(Error::refused(
                RefusalCode::Required,
                "ticketCode",
                "Give the code of the ticket or the booking, one of them.",
            )),
        }
    }
}

/// Whose mark was a mistake.
#[derive(InputObject)]
pub(super) struct UndoCheckInInput {
    /// The booking that is marked.
    pub booking_id: Id<BookingId>,
}

/// The register to be closed.
#[derive(InputObject)]
pub(super) struct CloseRegisterInput {
    /// The event.
    pub event_id: Id<EventId>,
    /// Says that indeed nobody came, where nobody is marked. Otherwise such a register isn't closed.
    #[graphql(default)]
    pub nobody_came: bool,
}

/// Who is excused.
#[derive(InputObject)]
pub(super) struct ExcuseNoShowInput {
    /// The booking of whoever did not come.
    pub booking_id: Id<BookingId>,
    /// The reason that is accepted; it is kept.
    pub reason: String,
}

/// Who may book again.
#[derive(InputObject)]
pub(super) struct LiftBookingBlockInput {
    /// The person.
    pub user_id: Id<UserId>,
}

//! Bookings, waiting lists, registers. Everybody signed in has bookings of their own, and everything in them is theirs to
//! read; whose bookings exist for whom is a condition on the rows.

use super::table::table;

table! {
    type Query {
        bookings: read(SIGNED_IN);
        bookings(first, after, last, before): give(SIGNED_IN);
        bookings(state): filter(SIGNED_IN);
    }
    type Mutation {
        bookEvent, cancelBooking, acceptOffer, declineOffer: read(SIGNED_IN);
        bookEvent(input), cancelBooking(input), acceptOffer(input), declineOffer(input): give(SIGNED_IN);
        promoteBooking, checkIn, undoCheckIn, closeRegister, excuseNoShow, liftBookingBlock: read(MANAGE_EVENT);
        promoteBooking(input), checkIn(input), undoCheckIn(input), closeRegister(input), excuseNoShow(input),
            liftBookingBlock(input): give(MANAGE_EVENT);
    }
    type Subscription {
        bookingChanged, placesChanged: read(SIGNED_IN);
        bookingChanged(eventId), placesChanged(eventId): give(SIGNED_IN);
    }
    type Booking {
        id, state, event, person, waitingPosition, ticketCode, bookedAt, promotedAt, offerExpiresAt, checkedInAt,
        noShowContactedAt, stateReason: read(EVERYONE);
    }
    type BookingConnection { edges, nodes, pageInfo, totalCount: read(EVERYONE); }
    type BookingEdge { node, cursor: read(EVERYONE); }
    input BookEventInput { eventId: give(SIGNED_IN); }
    input CancelBookingInput { bookingId, reason: give(SIGNED_IN); }
    input AcceptOfferInput { bookingId: give(SIGNED_IN); }
    input DeclineOfferInput { bookingId: give(SIGNED_IN); }
    input PromoteBookingInput { eventId: give(MANAGE_EVENT); }
    input CheckInInput { ticketCode, bookingId: give(MANAGE_EVENT); }
    input UndoCheckInInput { bookingId: give(MANAGE_EVENT); }
    input CloseRegisterInput { eventId, nobodyCame: give(MANAGE_EVENT); }
    input ExcuseNoShowInput { bookingId, reason: give(MANAGE_EVENT); }
    input LiftBookingBlockInput { userId: give(MANAGE_EVENT); }
    type BookEventPayload { booking, userErrors: read(EVERYONE); }
    type CancelBookingPayload { booking, userErrors: read(EVERYONE); }
    type AcceptOfferPayload { booking, userErrors: read(EVERYONE); }
    type DeclineOfferPayload { booking, userErrors: read(EVERYONE); }
    type PromoteBookingPayload { booking, userErrors: read(EVERYONE); }
    type CheckInPayload { booking, userErrors: read(EVERYONE); }
    type UndoCheckInPayload { booking, userErrors: read(EVERYONE); }
    type CloseRegisterPayload { event, userErrors: read(EVERYONE); }
    type ExcuseNoShowPayload { booking, userErrors: read(EVERYONE); }
    type LiftBookingBlockPayload { person, userErrors: read(EVERYONE); }
    enum BookingState {
        BOOKED, WAITING, OFFERED, OFFER_EXPIRED, CANCELLED, LATE_CANCELLED, ATTENDED, NO_SHOW, EXCUSED:
            both(SIGNED_IN) filter(SIGNED_IN);
    }
}

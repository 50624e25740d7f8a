//! Places for classes: for whoever manages the event, which is a condition on the rows.

use super::table::table;

table! {
    type Mutation {
        bookGroup, cancelGroup: read(MANAGE_EVENT);
        bookGroup(input), cancelGroup(input): give(MANAGE_EVENT);
    }
    input BookGroupInput { eventId, className, places: give(MANAGE_EVENT); }
    input CancelGroupInput { groupBookingId, reason: give(MANAGE_EVENT); }
    type BookGroupPayload { group, userErrors: read(EVERYONE); }
    type CancelGroupPayload { group, userErrors: read(EVERYONE); }
    type GroupBooking { id, event, className, places, state, bookedBy, bookedAt, reason, cancelledAt: read(EVERYONE); }
    enum GroupBookingState { BOOKED, CANCELLED: both(EVERYONE); }
}

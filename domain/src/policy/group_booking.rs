//! Places for classes: for whoever manages the event, which is a condition on the rows.

use super::table::table;

table! {
    type Mutation {
        bookGroup, cancelGroup, markGroup: read(MANAGE_EVENT);
        bookGroup(input), cancelGroup(input), markGroup(input): give(MANAGE_EVENT);
    }
    input BookGroupInput { eventId, className, places: give(MANAGE_EVENT); }
    input CancelGroupInput { groupBookingId, reason: give(MANAGE_EVENT); }
    input MarkGroupInput { groupBookingId, attended, names: give(MANAGE_EVENT); }
    type BookGroupPayload { group, userErrors: read(EVERYONE); }
    type CancelGroupPayload { group, userErrors: read(EVERYONE); }
    type MarkGroupPayload { group, userErrors: read(EVERYONE); }
    type GroupBooking { id, event, className, places, state, bookedBy, bookedAt, reason, cancelledAt, attended, attendedNames, markedAt: read(EVERYONE); }
    enum GroupBookingState { BOOKED, CANCELLED: both(EVERYONE); }
}

//! At the door of an event: for those who manage it.

use super::table::table;

table! {
    type Query {
        findAtDoor: read(MANAGE_EVENT);
        findAtDoor(eventId): give(MANAGE_EVENT);
        findAtDoor(name): filter(MANAGE_EVENT);
    }
    type Mutation {
        checkInList, checkInWalkIn, exportDoorList: read(MANAGE_EVENT);
        checkInList(input), checkInWalkIn(input), exportDoorList(input): give(MANAGE_EVENT);
    }
    input CheckInListInput { eventId, list: give(MANAGE_EVENT); }
    input CheckInWalkInInput { eventId, email, reason: give(MANAGE_EVENT); }
    input ExportDoorListInput { eventId: give(MANAGE_EVENT); }
    type CheckInLine { number, text, outcome, booking: read(EVERYONE); }
    type DoorList { csv: read(EVERYONE); }
    type CheckInListPayload { lines, userErrors: read(EVERYONE); }
    type CheckInWalkInPayload { booking, userErrors: read(EVERYONE); }
    type ExportDoorListPayload { doorList, userErrors: read(EVERYONE); }
    enum CheckInOutcome { CHECKED_IN, CHECKED_IN_BEFORE, NO_PLACE, NOT_BOOKED, UNREADABLE: both(EVERYONE); }
}

//! Addresses of people's own calendars: everybody signed in makes and ends their own. What stands in a calendar is decided
//! by the conditions on events and bookings.

use super::table::table;

table! {
    type Mutation { createCalendarFeed, revokeCalendarFeed: read(SIGNED_IN); }
    type CalendarFeed { url, bookedUrl: read(EVERYONE); }
    type CreateCalendarFeedPayload { calendarFeed, userErrors: read(EVERYONE); }
    type RevokeCalendarFeedPayload { revoked, userErrors: read(EVERYONE); }
}

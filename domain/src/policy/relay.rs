//! What every aggregate shares: nodes, connections and errors.

use super::table::table;

table! {
    type Query {
        node, nodes: read(EVERYONE);
        node(id), nodes(ids): give(EVERYONE);
    }
    type Node { id: read(EVERYONE); }
    type PageInfo {
        hasNextPage, hasPreviousPage, startCursor, endCursor: read(EVERYONE);
    }
    type UserError { code, field, message: read(EVERYONE); }
    enum UserErrorCode {
        NOT_FOUND, INVALID, REQUIRED, TOO_LONG, TAKEN, STALE, WRONG_STATE, ENDS_BEFORE_START, IN_THE_PAST,
        BELOW_PLACES_TAKEN, BOOKING_CLOSED, NOT_ELIGIBLE, ALREADY_BOOKED, BOOKING_BLOCKED, OFFER_EXPIRED,
        NOBODY_WAITING, NO_PLACE_FREE, REGISTER_CLOSED, REGISTER_UNMARKED, EMPTY_AUDIENCE, CANNOT_RENDER,
        WRONG_CREDENTIALS, WEAK_PASSWORD, EMAIL_NOT_VERIFIED, LINK_NOT_VALID, LIKELY_DUPLICATE: both(EVERYONE);
    }
    enum Who {
        EVERYONE, SIGNED_IN, STUDENT, GRADUATE, EMPLOYER, STAFF, OPERATOR, SUPER_USER, ADMINISTRATOR,
        RECORD_ENGAGEMENT, EDIT_ORGANISATION, DELETE_ORGANISATION, CLAIM_KEY_ACCOUNT, MANAGE_EVENT,
        MODERATE_VACANCY, SEND_BULK_EMAIL, READ_REPORT, EXPORT_CONTACTS, MANAGE_PLACEMENT,
        GRANT_ACCESS: both(EVERYONE);
    }
}

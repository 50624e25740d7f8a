//! Clashes (policy 2.4): for those who organise events, and for super users, who see what is ahead for the campus. Which
//! drafts are told by name is decided by row.

use super::table::table;

table! {
    type Query {
        eventClashes: read(MANAGE_EVENT | SUPER_USER);
        eventClashes(input): give(MANAGE_EVENT);
        eventClashes(eventId): give(MANAGE_EVENT | SUPER_USER);
        clashesAhead: read(SUPER_USER);
        clashesAhead(first, after, last, before): give(SUPER_USER);
    }
    type EventClash { event, other, severity, proximity, sharedVenue, why, acknowledgement: read(MANAGE_EVENT | SUPER_USER); }
    type ClashAcknowledgement { reason, acknowledgedBy, acknowledgedAt: read(MANAGE_EVENT | SUPER_USER); }
    type EventClashConnection { edges, nodes, pageInfo, totalCount: read(SUPER_USER); }
    type EventClashEdge { node, cursor: read(SUPER_USER); }
    input EventClashesInput {
        kind, startsAt, endsAt, venueId, venue, audience, organisationIds, opportunityKinds: give(MANAGE_EVENT);
    }
    enum ClashSeverity { NOTICE, WARNING, SEVERE: both(MANAGE_EVENT | SUPER_USER); }
    enum ClashProximity { WITHIN_DAYS, SAME_DAY, OVERLAPPING: both(MANAGE_EVENT | SUPER_USER); }
}

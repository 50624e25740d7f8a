//! Opening events to another faculty's students (policy 2.4): between those who manage events. Whose requests they are is a
//! condition on the rows.

use super::table::table;

table! {
    type Query {
        eventSharingRequests: read(MANAGE_EVENT);
        eventSharingRequests(state, eventId, facultyId): filter(MANAGE_EVENT);
        eventSharingRequests(first, after, last, before): give(MANAGE_EVENT);
    }
    type Mutation {
        requestEventSharing, answerEventSharing: read(MANAGE_EVENT);
        requestEventSharing(input), answerEventSharing(input): give(MANAGE_EVENT);
    }
    type EventSharingRequest {
        id: read(EVERYONE);
        event, title, startsAt, faculty, state, message, requestedBy, requestedAt, expiresAt, answeredBy, answeredAt,
        answer: read(MANAGE_EVENT);
    }
    type EventSharingRequestConnection { edges, nodes, pageInfo, totalCount: read(MANAGE_EVENT); }
    type EventSharingRequestEdge { node, cursor: read(MANAGE_EVENT); }
    input RequestEventSharingInput { eventId, facultyId, message: give(MANAGE_EVENT); }
    input AnswerEventSharingInput { sharingRequestId, agree, answer: give(MANAGE_EVENT); }
    type RequestEventSharingPayload { request, userErrors: read(EVERYONE); }
    type AnswerEventSharingPayload { request, userErrors: read(EVERYONE); }
    enum EventSharingState { REQUESTED, AGREED, DECLINED, EXPIRED: both(MANAGE_EVENT) filter(MANAGE_EVENT); }
}

//! Events. The calendar is everybody's; drafts, and what an organiser keeps for themselves, are for those who manage them:
//! which events those are is a condition on the rows.

use super::table::table;

table! {
    type Query {
        events, calendar: read(EVERYONE);
        events(from, until, kind, facultyId, state), calendar(from, to, kind, facultyId, organisationId, forFacultyId, forMe):
            filter(EVERYONE);
        events(first, after, last, before), calendar(first, after, last, before): give(EVERYONE);
    }
    type Mutation {
        createEvent, updateEvent, publishEvent, cancelEvent, copyEvent, repeatEvent: read(MANAGE_EVENT);
        createEvent(input), updateEvent(input), publishEvent(input), cancelEvent(input), copyEvent(input), repeatEvent(input):
            give(MANAGE_EVENT);
    }
    type Event {
        id, title, description, kind, state, faculty, venue, venueDetails, onlineLink, startsAt, endsAt, startsAtLocal, capacity,
        placesLeft, waitingCount, waitingListMode, offerHours, promotionEndsAt, bookingOpensAt, bookingClosesAt,
        audience, organisations, opportunityKinds, series: read(EVERYONE);
        viewerBooking, viewerOverlaps: read(SIGNED_IN);
        organiser, trainingCourse, registerDueAt, registerClosedAt, reminderMinutes, venueWarnings, version: read(STAFF);
        feedback: read(MANAGE_EVENT | EMPLOYER);
        groups, bookings: read(MANAGE_EVENT);
        bookings(first, after, last, before): give(MANAGE_EVENT);
        bookings(state): filter(MANAGE_EVENT);
    }
    type AudienceGroup { faculty, programme, level: read(EVERYONE); }
    type EventConnection { edges, nodes, pageInfo, totalCount: read(EVERYONE); }
    type EventEdge { node, cursor: read(EVERYONE); }
    input AudienceGroupInput { facultyId, programmeId, level: give(MANAGE_EVENT); }
    input CreateEventInput {
        title, description, kind, facultyId, venueId, venue, onlineLink, startsAt, endsAt, capacity, waitingListMode, offerHours,
        promotionCutOffMinutes, bookingOpensAt, bookingClosesAt, registerClosesAfterMinutes, reminderMinutes, audience,
        organisationIds, opportunityKinds: give(MANAGE_EVENT);
    }
    input UpdateEventInput {
        eventId, version, title, description, kind, facultyId, venueId, venue, onlineLink, startsAt, endsAt, capacity,
        waitingListMode, offerHours, promotionCutOffMinutes, bookingOpensAt, bookingClosesAt, registerClosesAfterMinutes,
        reminderMinutes, audience, organisationIds, opportunityKinds, appliesTo,
        acknowledgeClashes: give(MANAGE_EVENT);
    }
    input AcknowledgeClashInput { eventId, reason: give(MANAGE_EVENT); }
    input PublishEventInput { eventId, appliesTo, acknowledgeClashes: give(MANAGE_EVENT); }
    input CancelEventInput { eventId, appliesTo, reason: give(MANAGE_EVENT); }
    input CopyEventInput { eventId, startsAt: give(MANAGE_EVENT); }
    input RepeatEventInput { eventId, weeklyTimes, startsAt: give(MANAGE_EVENT); }
    type CreateEventPayload { event, userErrors: read(EVERYONE); }
    type UpdateEventPayload { event, userErrors: read(EVERYONE); }
    type PublishEventPayload { event, userErrors: read(EVERYONE); }
    type CancelEventPayload { event, userErrors: read(EVERYONE); }
    type CopyEventPayload { event, userErrors: read(EVERYONE); }
    type RepeatEventPayload { event, userErrors: read(EVERYONE); }
    enum AppliesTo { THIS_EVENT, THIS_AND_FOLLOWING: both(EVERYONE); }
    enum EventKind {
        CAREERS_FAIR, EMPLOYER_PRESENTATION, WORKSHOP, SKILLS_SESSION, INTERVIEWS, TRAINING, OTHER:
            both(EVERYONE) filter(EVERYONE);
    }
    enum OpportunityKind {
        GRADUATE_JOB, PLACEMENT, INTERNSHIP, PART_TIME_JOB, VOLUNTEERING, FURTHER_STUDY: both(EVERYONE);
    }
    enum EventState { DRAFT, PUBLISHED, CANCELLED, PAST: both(EVERYONE) filter(EVERYONE); }
    enum WaitingListMode { AUTOMATIC, OFFER: both(EVERYONE); }
}

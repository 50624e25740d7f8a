//! The time chart on communication: for those who send bulk e-mail, those who read reports, super users and administrators
//! (policy 2.5).

use super::table::table;

table! {
    type Query {
        communicationChart: read(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
        communicationChart(since, until, span, by): give(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
        communicationChart(filter): filter(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
    }
    type CommunicationChart {
        span, by, since, until, points, svgUrl: read(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
    }
    type CommunicationPoint {
        from, until, planned, count, faculty, sender, organisation, kind:
            read(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
    }
    input CommunicationFilter {
        facultyId, senderId, organisationId, kind: filter(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
    }
    enum CommunicationSpan { DAY, WEEK, MONTH: both(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR); }
    enum CommunicationBy {
        FACULTY, SENDER, ORGANISATION, KIND: both(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
    }
    enum CommunicationKind {
        BULK_MAIL, MEETING, CALL, EMAIL, VISIT, EVENT, GUIDANCE_ON_CONTACT, OTHER:
            both(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR)
            filter(SEND_BULK_EMAIL | READ_REPORT | SUPER_USER | ADMINISTRATOR);
    }
    type OrganisationMail { name, campaign, sentBy, at, planned, mails: read(STAFF); }
}

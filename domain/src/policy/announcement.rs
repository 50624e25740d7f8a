//! Announcements: staff read them, the Super User Group publishes them. How far they came is for the Group, and for the
//! disseminator of a faculty (policy 3); that is a matter of data, and decided with it.

use super::table::table;

table! {
    type Query {
        announcements: read(STAFF);
        announcements(filter): filter(STAFF);
        announcements(first, after, last, before): give(STAFF);
    }
    type Mutation {
        publishAnnouncement: read(SUPER_USER | ADMINISTRATOR);
        publishAnnouncement(input): give(SUPER_USER | ADMINISTRATOR);
        markAnnouncementRead: read(STAFF);
        markAnnouncementRead(input): give(STAFF);
    }
    type Announcement {
        id: read(EVERYONE);
        kind, title, body, faculties, publishedBy, publishedAt, remindAt, readAt, receipts: read(STAFF);
    }
    type AnnouncementReceipt { faculty, people, read, unread: read(STAFF); }
    type AnnouncementConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type AnnouncementEdge { node, cursor: read(STAFF); }
    input AnnouncementFilter { kind, isRead: filter(STAFF); }
    enum AnnouncementKind { SYSTEM_UPDATE, POLICY_CHANGE: both(STAFF); }
    input PublishAnnouncementInput {
        kind, title, body, facultyIds, remindAfterDays: give(SUPER_USER | ADMINISTRATOR);
    }
    input MarkAnnouncementReadInput { announcementId: give(STAFF); }
    type PublishAnnouncementPayload { announcement, userErrors: read(EVERYONE); }
    type MarkAnnouncementReadPayload { announcement, userErrors: read(EVERYONE); }
}

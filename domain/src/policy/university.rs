//! The structure of the university, which is no secret, and people as others meet them.

use super::table::table;

table! {
    type Query { faculties: read(EVERYONE); }
    type Faculty { id, name, schools: read(EVERYONE); }
    type School { id, name, faculty, programmes: read(EVERYONE); }
    type Programme { id, name, level, school: read(EVERYONE); }
    enum StudyLevel { FOUNDATION, UNDERGRADUATE, TAUGHT_POSTGRADUATE, RESEARCH: both(EVERYONE); }
    type Person {
        id, name, kind: read(EVERYONE);
        post: read(SIGNED_IN);
        faculty, programme, photoUrl, interests: read(STAFF);
        email, bookingBlockedAt: read(MANAGE_EVENT);
    }
}

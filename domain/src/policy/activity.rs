//! Activity: what happened with employers, for staff and for each employer (policy 1). Which of it somebody has is decided
//! row by row in `crate::activity`.

use super::table::table;

table! {
    type Query {
        activity: read(EMPLOYER | STAFF);
        activity(organisationId): filter(EMPLOYER | STAFF);
        activity(first, after, last, before): give(EMPLOYER | STAFF);
    }
    type Subscription {
        activityAdded: read(EMPLOYER | STAFF);
        activityAdded(organisationId): filter(EMPLOYER | STAFF);
    }
    type Activity {
        at, kind, action, title, organisation, node: read(EMPLOYER | STAFF);
        by: read(STAFF);
    }
    type ActivityConnection { edges, nodes, pageInfo: read(EMPLOYER | STAFF); totalCount: read(EMPLOYER | STAFF); }
    type ActivityEdge { node, cursor: read(EMPLOYER | STAFF); }
    enum ActivityKind {
        BOOKING, VACANCY, MAIL, CHANGE: both(EMPLOYER | STAFF);
        NOTE: both(STAFF);
    }
}

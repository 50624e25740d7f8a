//! Operator access. Staff see their own; whose else exists for whom is a condition on the rows. Grants are given and taken
//! by those who hold `GRANT_ACCESS` for their scope, and by administrators (policy 3).

use super::table::table;

table! {
    type Query {
        operatorAccess: read(STAFF);
        operatorAccess(filter): filter(STAFF);
        operatorAccess(first, after, last, before): give(STAFF);
        trainingOverview: read(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS | READ_REPORT);
        trainingOverview(facultyId): filter(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS | READ_REPORT);
    }
    type Mutation {
        grantAccess, revokeAccess, suspendAccess, restoreAccess: read(ADMINISTRATOR | GRANT_ACCESS);
        grantAccess(input), revokeAccess(input), suspendAccess(input), restoreAccess(input):
            give(ADMINISTRATOR | GRANT_ACCESS);
        handOver: read(ADMINISTRATOR | GRANT_ACCESS);
        handOver(input): give(ADMINISTRATOR | GRANT_ACCESS);
    }
    type TrainingOverview {
        faculty, course, trained, lapsing, lapsed, never: read(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS | READ_REPORT);
        people: read(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS);
        people(standing): filter(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS | READ_REPORT);
    }
    type HandOver { events, campaigns, keyAccounts, grants, sessions, marks, isDryRun: read(EVERYONE); }
    input HandOverInput { fromUserId, toUserId, dryRun: give(ADMINISTRATOR | GRANT_ACCESS); }
    type HandOverPayload { handOver, userErrors: read(EVERYONE); }
    enum TrainingStanding {
        TRAINED, LAPSING, LAPSED, NEVER:
            both(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS | READ_REPORT)
            filter(SUPER_USER | ADMINISTRATOR | GRANT_ACCESS | READ_REPORT);
    }
    type OperatorAccess {
        person, state, changedAt, suspendedBecause, grants, training, acceptances: read(STAFF);
    }
    type OperatorAccessConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type OperatorAccessEdge { node, cursor: read(STAFF); }
    type AccessGrant {
        id, permission, faculty, trainingCourse, counts, isTrained, isAccepted, grantedBy, grantedAt: read(STAFF);
    }
    input OperatorAccessFilter { userId, facultyId, state: filter(STAFF); }
    input GrantAccessInput { userId, permission, facultyId, trainingCourseId: give(ADMINISTRATOR | GRANT_ACCESS); }
    input RevokeAccessInput { grantId: give(ADMINISTRATOR | GRANT_ACCESS); }
    input SuspendAccessInput { userId, reason: give(ADMINISTRATOR | GRANT_ACCESS); }
    input RestoreAccessInput { userId: give(ADMINISTRATOR | GRANT_ACCESS); }
    type GrantAccessPayload { operatorAccess, userErrors: read(EVERYONE); }
    type RevokeAccessPayload { operatorAccess, userErrors: read(EVERYONE); }
    type SuspendAccessPayload { operatorAccess, userErrors: read(EVERYONE); }
    type RestoreAccessPayload { operatorAccess, userErrors: read(EVERYONE); }
    enum AccessState {
        INVITED, TRAINING_BOOKED, TRAINED, TERMS_ACCEPTED, ACTIVE, LAPSED, SUSPENDED: both(STAFF) filter(STAFF);
    }
}

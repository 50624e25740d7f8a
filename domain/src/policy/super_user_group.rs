//! The Super User Group: staff see who stands for whom, administrators appoint (policy 3).

use super::table::table;

table! {
    type Query { superUserGroup: read(STAFF); }
    type Mutation {
        addSuperUser, removeSuperUser, setDisseminator: read(ADMINISTRATOR);
        addSuperUser(input), removeSuperUser(input), setDisseminator(input): give(ADMINISTRATOR);
    }
    type SuperUserGroup { members, coverage: read(STAFF); }
    type SuperUserMember { person, faculty: read(STAFF); }
    type FacultyCoverage { faculty, representative, disseminator: read(STAFF); }
    input AddSuperUserInput { userId, facultyId: give(ADMINISTRATOR); }
    input RemoveSuperUserInput { userId: give(ADMINISTRATOR); }
    input SetDisseminatorInput { facultyId, userId: give(ADMINISTRATOR); }
    type AddSuperUserPayload { member, userErrors: read(EVERYONE); }
    type RemoveSuperUserPayload { superUserGroup, userErrors: read(EVERYONE); }
    type SetDisseminatorPayload { coverage, userErrors: read(EVERYONE); }
}

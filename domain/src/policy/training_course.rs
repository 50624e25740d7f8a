//! Training: staff see what there is, administrators say what it opens (policy 3).

use super::table::table;

table! {
    type Query {
        trainingCourses: read(STAFF);
        trainingCourses(first, after, last, before): give(STAFF);
    }
    type Mutation {
        createTrainingCourse, updateTrainingCourse: read(ADMINISTRATOR);
        createTrainingCourse(input), updateTrainingCourse(input): give(ADMINISTRATOR);
        linkTrainingSession: read(ADMINISTRATOR | GRANT_ACCESS);
        linkTrainingSession(input): give(ADMINISTRATOR | GRANT_ACCESS);
    }
    type TrainingCourse {
        id: read(EVERYONE);
        title, permissions, validityDays, agreements, nextSessions, viewerRecord: read(STAFF);
        nextSessions(withFreePlaces): filter(STAFF);
    }
    type TrainingCourseConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type TrainingCourseEdge { node, cursor: read(STAFF); }
    type TrainingRecord { course, session, attendedAt, validUntil: read(STAFF); }
    input CreateTrainingCourseInput { title, permissions, validityDays, agreementIds: give(ADMINISTRATOR); }
    input UpdateTrainingCourseInput {
        trainingCourseId, title, permissions, validityDays, agreementIds: give(ADMINISTRATOR);
    }
    input LinkTrainingSessionInput { eventId, trainingCourseId: give(ADMINISTRATOR | GRANT_ACCESS); }
    type CreateTrainingCoursePayload { trainingCourse, userErrors: read(EVERYONE); }
    type UpdateTrainingCoursePayload { trainingCourse, userErrors: read(EVERYONE); }
    type LinkTrainingSessionPayload { trainingCourse, userErrors: read(EVERYONE); }
}

//! Background jobs: for the Super User Group.

use super::table::table;

table! {
    type Query {
        jobs: read(SUPER_USER);
        jobs(first, after, last, before): give(SUPER_USER);
        jobs(state, kind): filter(SUPER_USER);
    }
    type Mutation {
        retryJob: read(SUPER_USER);
        retryJob(input): give(SUPER_USER);
    }
    type Subscription { jobChanged: read(SUPER_USER); }
    input RetryJobInput { jobId: give(SUPER_USER); }
    type RetryJobPayload { job, userErrors: read(EVERYONE); }
    type Job {
        id, kind, queue, state, runAt, attempts, maxAttempts, lastError, requestId, createdAt, finishedAt: read(SUPER_USER);
    }
    type JobConnection {
        edges, nodes, pageInfo: read(EVERYONE);
        totalCount: read(SUPER_USER);
    }
    type JobEdge { node, cursor: read(EVERYONE); }
    enum JobState { QUEUED, RUNNING, DONE, DEAD, CANCELLED: both(SUPER_USER) filter(SUPER_USER); }
}

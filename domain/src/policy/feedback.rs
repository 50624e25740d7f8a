//! What people say of events: whoever came says it, once. Who reads it of which event is a condition on the rows.

use super::table::table;

table! {
    type Mutation {
        giveFeedback: read(SIGNED_IN);
        giveFeedback(input): give(SIGNED_IN);
        releaseFeedback: read(MANAGE_EVENT);
        releaseFeedback(input): give(MANAGE_EVENT);
    }
    input GiveFeedbackInput { eventId, rating, good, mend: give(SIGNED_IN); }
    input ReleaseFeedbackInput { feedbackId, released: give(MANAGE_EVENT); }
    type GiveFeedbackPayload { event, userErrors: read(EVERYONE); }
    type ReleaseFeedbackPayload { event, userErrors: read(EVERYONE); }
    type EventFeedback { count, averageRating, ratings, answers: read(EVERYONE); }
    type FeedbackAnswer {
        rating, good, mend, person: read(EVERYONE);
        id, releasedAt: read(MANAGE_EVENT);
    }
}

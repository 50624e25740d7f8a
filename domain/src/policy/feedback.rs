//! What people say of events: whoever came says it, once. Who reads it of which event is a condition on the rows.

use super::table::table;

table! {
    type Mutation {
        giveFeedback: read(SIGNED_IN);
        giveFeedback(input): give(SIGNED_IN);
    }
    input GiveFeedbackInput { eventId, rating, good, mend: give(SIGNED_IN); }
    type GiveFeedbackPayload { event, userErrors: read(EVERYONE); }
    type EventFeedback { count, averageRating, ratings, answers: read(EVERYONE); }
    type FeedbackAnswer { rating, good, mend, person: read(EVERYONE); }
}

//! Suggestions: staff put them forward, vote and discuss; the Super User Group decides (policy 3).

use super::table::table;

table! {
    type Query {
        suggestions: read(STAFF);
        suggestions(filter): filter(STAFF);
        suggestions(orderBy): sort(STAFF);
        suggestions(first, after, last, before): give(STAFF);
    }
    type Mutation {
        fileSuggestion, voteSuggestion, discussSuggestion, updateSuggestion: read(STAFF);
        fileSuggestion(input), voteSuggestion(input), discussSuggestion(input), updateSuggestion(input): give(STAFF);
    }
    type Suggestion {
        id: read(EVERYONE);
        kind, title, body, state, priority, outcome, filedBy, filedAt, votes, hasMyVote, comments, version: read(STAFF);
    }
    type SuggestionComment {
        id: read(EVERYONE);
        author, body, createdAt: read(STAFF);
    }
    type SuggestionConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type SuggestionEdge { node, cursor: read(STAFF); }
    input SuggestionFilter { kind, state, priority, isMine: filter(STAFF); }
    enum SuggestionOrder { NEWEST, MOST_VOTES: sort(STAFF); }
    enum SuggestionKind { FAULT, IMPROVEMENT: both(STAFF); }
    enum SuggestionState { FILED, UNDER_DISCUSSION, PLANNED, DONE, DECLINED: both(STAFF); }
    enum SuggestionPriority { LOW, MEDIUM, HIGH: both(STAFF); }
    input FileSuggestionInput { kind, title, body: give(STAFF); }
    input VoteSuggestionInput { suggestionId, supports: give(STAFF); }
    input DiscussSuggestionInput { suggestionId, body: give(STAFF); }
    input UpdateSuggestionInput {
        id, version, kind, title, body: give(STAFF);
        state, priority, outcome: give(SUPER_USER | ADMINISTRATOR);
    }
    type FileSuggestionPayload { suggestion, userErrors: read(EVERYONE); }
    type VoteSuggestionPayload { suggestion, userErrors: read(EVERYONE); }
    type DiscussSuggestionPayload { suggestion, userErrors: read(EVERYONE); }
    type UpdateSuggestionPayload { suggestion, userErrors: read(EVERYONE); }
}

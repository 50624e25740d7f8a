//! Segments: staff have their own and what is shared; operators keep them (policy 2.2).

use super::table::table;

table! {
    type Query {
        segments: read(STAFF);
        segments(first, after, last, before): give(STAFF);
    }
    type Mutation {
        saveSegment, deleteSegment: read(OPERATOR);
        saveSegment(input), deleteSegment(input): give(OPERATOR);
    }
    type Segment {
        id: read(EVERYONE);
        name, isShared, isMine, owner, search, allOfTags, anyOfTags, noneOfTags, sector, state, engagedBy,
        lastContactedBefore, profileFields, organisationCount, version, createdAt, updatedAt: read(STAFF);
    }
    type SegmentConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type SegmentEdge { node, cursor: read(STAFF); }
    input SaveSegmentInput { id, version, name, isShared, filter: give(OPERATOR); }
    input DeleteSegmentInput { id: give(OPERATOR); }
    type SaveSegmentPayload { segment, userErrors: read(EVERYONE); }
    type DeleteSegmentPayload { segment, userErrors: read(EVERYONE); }
}

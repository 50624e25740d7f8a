//! Search: everybody finds what exists for them, by what they may read of it (policy 2.2). Which rows those are is decided
//! in the modules of organisations, contacts and notes.

use super::table::table;

table! {
    type Query {
        search: read(SIGNED_IN);
        search(text, kinds): filter(SIGNED_IN);
        search(first, after, last, before): give(SIGNED_IN);
    }
    type SearchHit { kind, node: read(SIGNED_IN); }
    type SearchHitConnection { edges, nodes, pageInfo, totalCount: read(SIGNED_IN); }
    type SearchHitEdge { node, cursor: read(SIGNED_IN); }
    enum SearchKind {
        ORGANISATION, CONTACT: both(SIGNED_IN);
        NOTE: both(STAFF);
    }
}

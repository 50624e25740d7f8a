//! Liaison between operators (policy 2.3). Which requests somebody has is decided row by row in `crate::liaison::visible`.

use super::table::table;

table! {
    type Query {
        liaisonRequests: read(STAFF);
        liaisonRequests(filter): filter(STAFF);
        liaisonRequests(first, after, last, before): give(STAFF);
    }
    type Mutation {
        requestLiaison: read(OPERATOR);
        requestLiaison(input): give(OPERATOR);
        answerLiaison: read(CLAIM_KEY_ACCOUNT);
        answerLiaison(input): give(CLAIM_KEY_ACCOUNT);
    }
    type LiaisonRequest {
        id: read(EVERYONE);
        contact, keyAccount, requestedBy, purpose, state, requestedAt, expiresAt, answeredBy, answeredAt, answer,
        agreedUntil: read(STAFF);
    }
    type LiaisonRequestConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type LiaisonRequestEdge { node, cursor: read(STAFF); }
    input LiaisonRequestFilter { mineToAnswer, mineAsked, state, contactId: filter(STAFF); }
    input RequestLiaisonInput { contactId, purpose: give(OPERATOR); }
    input AnswerLiaisonInput { liaisonRequestId, agree, answer, validUntil: give(CLAIM_KEY_ACCOUNT); }
    type RequestLiaisonPayload { liaisonRequest, userErrors: read(EVERYONE); }
    type AnswerLiaisonPayload { liaisonRequest, userErrors: read(EVERYONE); }
    enum LiaisonState { REQUESTED, AGREED, DECLINED, EXPIRED: both(STAFF) filter(STAFF); }
}

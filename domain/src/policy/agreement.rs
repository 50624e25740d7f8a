//! Agreements: staff read and accept them, administrators publish them (policy 2.5 and 3).

use super::table::table;

table! {
    type Query {
        agreements: read(STAFF);
        agreements(first, after, last, before): give(STAFF);
    }
    type Mutation {
        publishAgreement: read(ADMINISTRATOR);
        publishAgreement(input): give(ADMINISTRATOR);
        acceptAgreement: read(STAFF);
        acceptAgreement(input): give(STAFF);
    }
    type Agreement {
        id: read(EVERYONE);
        kind, title, currentVersion, versions, viewerAcceptance: read(STAFF);
    }
    type AgreementConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type AgreementEdge { node, cursor: read(STAFF); }
    type AgreementVersion { id, number, text, publishedAt, graceDays, bindingFrom: read(STAFF); }
    type AgreementAcceptance { agreement, version, acceptedAt: read(STAFF); }
    input PublishAgreementInput { agreementId, kind, title, text, graceDays: give(ADMINISTRATOR); }
    input AcceptAgreementInput { agreementVersionId: give(STAFF); }
    type PublishAgreementPayload { agreement, userErrors: read(EVERYONE); }
    type AcceptAgreementPayload { agreement, userErrors: read(EVERYONE); }
    enum AgreementKind {
        OPERATOR_TERMS, DATA_PROTECTION, BULK_EMAIL_GUIDANCE, OTHER: read(STAFF) give(ADMINISTRATOR);
    }
}

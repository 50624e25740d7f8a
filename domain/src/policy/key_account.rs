//! Key accounts: staff know whom to ask; employers and students don't know that there are any (policy 2.3). Whose address is
//! withheld from which operator is decided row by row in `crate::key_account::guard`.

use super::table::table;

table! {
    type Query {
        keyAccounts: read(STAFF);
        keyAccounts(filter): filter(STAFF);
        keyAccounts(first, after, last, before): give(STAFF);
        contactWithGuidance: read(OPERATOR);
        contactWithGuidance(id): give(OPERATOR);
    }
    type Mutation {
        claimKeyAccount: read(CLAIM_KEY_ACCOUNT);
        claimKeyAccount(input): give(CLAIM_KEY_ACCOUNT);
        releaseKeyAccount, addKeyAccountContacts, removeKeyAccountContact,
        handOverKeyAccount: read(CLAIM_KEY_ACCOUNT | GRANT_ACCESS);
        releaseKeyAccount(input), addKeyAccountContacts(input), removeKeyAccountContact(input),
        handOverKeyAccount(input): give(CLAIM_KEY_ACCOUNT | GRANT_ACCESS);
    }
    type KeyAccount {
        id: read(EVERYONE);
        organisation, operator, scope, state, contacts, claimedAt, heldSince, endedAt: read(STAFF);
    }
    type KeyAccountConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type KeyAccountEdge { node, cursor: read(STAFF); }
    type ContactWithGuidance {
        contact, email, telephone, guidance, keyAccountOperator, mustLiaise: read(OPERATOR);
    }
    input KeyAccountFilter { organisationId, operatorId, state: filter(STAFF); }
    input KeyAccountContactInput { contactId, guidance: give(CLAIM_KEY_ACCOUNT | GRANT_ACCESS); }
    input ClaimKeyAccountInput { organisationId, contacts: give(CLAIM_KEY_ACCOUNT); }
    input ReleaseKeyAccountInput { keyAccountId: give(CLAIM_KEY_ACCOUNT | GRANT_ACCESS); }
    input AddKeyAccountContactsInput { keyAccountId, contacts: give(CLAIM_KEY_ACCOUNT | GRANT_ACCESS); }
    input RemoveKeyAccountContactInput { keyAccountId, contactId: give(CLAIM_KEY_ACCOUNT | GRANT_ACCESS); }
    input HandOverKeyAccountInput { keyAccountId, toUserId: give(CLAIM_KEY_ACCOUNT | GRANT_ACCESS); }
    type ClaimKeyAccountPayload { keyAccount, userErrors: read(EVERYONE); }
    type ReleaseKeyAccountPayload { keyAccount, userErrors: read(EVERYONE); }
    type AddKeyAccountContactsPayload { keyAccount, userErrors: read(EVERYONE); }
    type RemoveKeyAccountContactPayload { keyAccount, userErrors: read(EVERYONE); }
    type HandOverKeyAccountPayload { keyAccount, userErrors: read(EVERYONE); }
    enum KeyAccountScope { WHOLE, CONTACTS: read(STAFF); }
    enum KeyAccountState { LIVE, RELEASED, LAPSED: both(STAFF) filter(STAFF); }
}

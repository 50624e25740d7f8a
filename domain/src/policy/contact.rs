//! Contacts: their details go to those who work with them, and to students under consent (policy 3). Which contacts
//! somebody has is decided row by row in `crate::contact::visible_to`: a student has those alone that agreed, with their
//! organisation, to be shown.

use super::table::table;

table! {
    type Query {
        contacts: read(SIGNED_IN);
        contacts(filter): filter(SIGNED_IN);
        contacts(first, after, last, before): give(SIGNED_IN);
        duplicateContacts: read(OPERATOR);
        duplicateContacts(first, after, last, before): give(OPERATOR);
    }
    type Mutation {
        createContact, updateContact, liftContactHold, dismissContactDuplicate: read(EDIT_ORGANISATION);
        createContact(input), updateContact(input), liftContactHold(input),
        dismissContactDuplicate(input): give(EDIT_ORGANISATION);
        addContactPost, endContactPost: read(EDIT_ORGANISATION);
        addContactPost(input), endContactPost(input): give(EDIT_ORGANISATION);
        createOwnContact, updateOwnContact: read(EMPLOYER);
        createOwnContact(input), updateOwnContact(input): give(EMPLOYER);
    }
    type Contact {
        id, name, displayName, jobTitle, organisation, posts: read(EVERYONE);
        email, telephone: read(STUDENT | GRADUATE | EMPLOYER | OPERATOR);
        detailsWithheld, history: read(OPERATOR);
        history(first): give(OPERATOR);
        isKeyAccountContact, keyAccount, guidance: read(STAFF);
        state, visibleToStudents, version: read(EMPLOYER | STAFF);
        bulkOptedOutAt, doNotEmail, onHoldAt: read(EMPLOYER | OPERATOR);
        subscriberType, createdAt, updatedAt, merges, notes: read(STAFF);
        notes(first): give(STAFF);
    }
    type ContactPost { organisation, jobTitle: read(EVERYONE); }
    type ContactConnection { edges, nodes, pageInfo, totalCount: read(EVERYONE); }
    type ContactEdge { node, cursor: read(EVERYONE); }
    input ContactFilter {
        search, organisationId: filter(SIGNED_IN);
        email: filter(OPERATOR);
        state, subscriberType: filter(STAFF);
    }
    input CreateContactInput {
        organisationId, name, jobTitle, email, telephone, visibleToStudents, state, subscriberType,
        bulkOptedOut, doNotEmail: give(EDIT_ORGANISATION);
    }
    input UpdateContactInput {
        id, version, name, jobTitle, email, telephone, visibleToStudents, state, subscriberType,
        bulkOptedOut, doNotEmail, onHold: give(EDIT_ORGANISATION);
    }
    input LiftContactHoldInput { id, version, reason: give(EDIT_ORGANISATION); }
    type LiftContactHoldPayload { contact, alsoLifted, userErrors: read(EVERYONE); }
    input AddContactPostInput { contactId, version, organisationId, jobTitle: give(EDIT_ORGANISATION); }
    input EndContactPostInput { contactId, version, organisationId: give(EDIT_ORGANISATION); }
    input CreateOwnContactInput { name, jobTitle, email, telephone: give(EMPLOYER); }
    input UpdateOwnContactInput {
        id, version, name, jobTitle, email, telephone, state, visibleToStudents, bulkOptedOut: give(EMPLOYER);
    }
    type AddContactPostPayload { contact, userErrors: read(EVERYONE); }
    type EndContactPostPayload { contact, userErrors: read(EVERYONE); }
    type CreateOwnContactPayload { contact, userErrors: read(EVERYONE); }
    type UpdateOwnContactPayload { contact, userErrors: read(EVERYONE); }
    type CreateContactPayload {
        contact, userErrors: read(EVERYONE);
        likelyDuplicates: read(OPERATOR);
    }
    input DismissContactDuplicateInput { pairId, reason: give(EDIT_ORGANISATION); }
    type DismissContactDuplicatePayload { pair, userErrors: read(EVERYONE); }
    type ContactDuplicatePair { pairId, one, other, clusterId, score, signals, evidence: read(OPERATOR); }
    type ContactDuplicatePairConnection { edges, nodes, pageInfo, totalCount: read(OPERATOR); }
    type ContactDuplicatePairEdge { node, cursor: read(OPERATOR); }
    enum ContactDuplicateSignal {
        SAME_NAME, SIMILAR_NAME, EMAIL, MAILBOX, TELEPHONE, SAME_ORGANISATION, LIKELY_SAME_ORGANISATION,
        JOB_TITLE: read(OPERATOR);
    }
    type UpdateContactPayload { contact, userErrors: read(EVERYONE); }
    enum ContactState { ACTIVE, INACTIVE: both(EVERYONE); }
    enum SubscriberType { GENERAL, RECRUITMENT, PLACEMENTS, EVENTS, PARTNERSHIP: both(STAFF); }
}

//! Contacts: their details go to those who work with them, and to students under consent (policy 3). Which contacts
//! somebody has is decided row by row in `crate::contact::visible_to`: a student has those alone that agreed, with their
//! organisation, to be shown.

use super::table::table;

table! {
    type Query {
        contacts: read(SIGNED_IN);
        contacts(filter): filter(SIGNED_IN);
        contacts(first, after, last, before): give(SIGNED_IN);
    }
    type Mutation {
        createContact, updateContact, liftContactHold: read(EDIT_ORGANISATION);
        createContact(input), updateContact(input), liftContactHold(input): give(EDIT_ORGANISATION);
    }
    type Contact {
        id, name, displayName, jobTitle, organisation: read(EVERYONE);
        email, telephone: read(STUDENT | GRADUATE | EMPLOYER | OPERATOR);
        detailsWithheld, history: read(OPERATOR);
        history(first): give(OPERATOR);
        isKeyAccountContact, keyAccount, guidance: read(STAFF);
        state, visibleToStudents: read(EMPLOYER | STAFF);
        bulkOptedOutAt, doNotEmail, onHoldAt: read(EMPLOYER | OPERATOR);
        version, createdAt, updatedAt, merges: read(STAFF);
    }
    type ContactConnection { edges, nodes, pageInfo, totalCount: read(EVERYONE); }
    type ContactEdge { node, cursor: read(EVERYONE); }
    input ContactFilter {
        search, organisationId: filter(SIGNED_IN);
        email: filter(OPERATOR);
        state: filter(STAFF);
    }
    input CreateContactInput {
        organisationId, name, jobTitle, email, telephone, visibleToStudents, state, bulkOptedOut,
        doNotEmail: give(EDIT_ORGANISATION);
    }
    input UpdateContactInput {
        id, version, name, jobTitle, email, telephone, visibleToStudents, state, bulkOptedOut, doNotEmail,
        onHold: give(EDIT_ORGANISATION);
    }
    input LiftContactHoldInput { id, version, reason: give(EDIT_ORGANISATION); }
    type LiftContactHoldPayload { contact, userErrors: read(EVERYONE); }
    type CreateContactPayload { contact, userErrors: read(EVERYONE); }
    type UpdateContactPayload { contact, userErrors: read(EVERYONE); }
    enum ContactState { ACTIVE, INACTIVE: both(EVERYONE); }
}

//! Notes: what staff record of their work with employers (policy 2.2).

use super::table::table;

table! {
    type Query {
        notes: read(STAFF);
        notes(filter): filter(STAFF);
        notes(first, after, last, before): give(STAFF);
    }
    type Mutation {
        addNote, completeNextAction: read(RECORD_ENGAGEMENT);
        addNote(input), completeNextAction(input): give(RECORD_ENGAGEMENT);
    }
    type Note {
        id: read(EVERYONE);
        organisation, contact, participants, colleagues, kind, visibility, happenedAt, body, outcome, nextAction, nextActionDueAt, nextActionDoneAt, authorName, withoutAgreement,
        createdAt: read(STAFF);
    }
    type NoteConnection { edges, nodes, pageInfo, totalCount: read(STAFF); }
    type NoteEdge { node, cursor: read(STAFF); }
    input NoteFilter { organisationId, contactId, kind, hasNextAction, isMine: filter(STAFF); }
    input AddNoteInput {
        organisationId, contactId, participantIds, colleagueIds, kind, happenedAt, body, outcome, nextAction,
        nextActionDueAt, visibility: give(RECORD_ENGAGEMENT);
    }
    input CompleteNextActionInput { noteId: give(RECORD_ENGAGEMENT); }
    type CompleteNextActionPayload { note, userErrors: read(EVERYONE); }
    type AddNotePayload { note, userErrors: read(EVERYONE); }
    enum NoteVisibility { STAFF, FACULTY: both(STAFF); }
    enum NoteKind { MEETING, CALL, EMAIL, VISIT, EVENT, GUIDANCE_ON_CONTACT, OTHER: both(STAFF); }
}

//! Merging records: for those who may delete them; staff see what was merged (policy 1).

use super::table::table;

table! {
    type Query {
        mergeOf: read(STAFF);
        mergeOf(id): give(STAFF);
    }
    type Mutation {
        mergeOrganisations, mergeContacts, undoMerge: read(DELETE_ORGANISATION);
        mergeOrganisations(input), mergeContacts(input), undoMerge(input): give(DELETE_ORGANISATION);
    }
    type Merge {
        id: read(EVERYONE);
        kind, mergedId, mergedName, organisation, contact, mergedAt, mergedBy, canBeUndoneUntil, undoneAt,
        undoneBy: read(STAFF);
    }
    type MergeOutcome { merge, rows, values, notes: read(DELETE_ORGANISATION); }
    type UndoOutcome { merge, rows, conflicts, isUndone: read(DELETE_ORGANISATION); }
    type MergedRows { table, moved, takenOut: read(DELETE_ORGANISATION); }
    type MergedValue { field, survivor, merged, kept: read(DELETE_ORGANISATION); }
    type MergeConflict { key, message, before, merged, now, canBeRestored, decision: read(DELETE_ORGANISATION); }
    enum MergeKind { ORGANISATION, CONTACT: read(STAFF); }
    enum OrganisationField {
        NAME, WEBSITE, SECTOR, SUB_SECTOR, SIZE, KIND, COMPANY_NUMBER, ADDRESS, FOUNDED: give(DELETE_ORGANISATION);
    }
    enum ContactField { NAME, JOB_TITLE, EMAIL, TELEPHONE: give(DELETE_ORGANISATION); }
    input MergeOrganisationsInput {
        survivorId, mergedId, survivorVersion, mergedVersion, take, dryRun: give(DELETE_ORGANISATION);
    }
    input MergeContactsInput {
        survivorId, mergedId, survivorVersion, mergedVersion, take, dryRun: give(DELETE_ORGANISATION);
    }
    input MergeDecisionInput { key, restore: give(DELETE_ORGANISATION); }
    input UndoMergeInput { mergeId, decisions, dryRun: give(DELETE_ORGANISATION); }
    type MergeOrganisationsPayload { outcome, userErrors: read(EVERYONE); }
    type MergeContactsPayload { outcome, userErrors: read(EVERYONE); }
    type UndoMergePayload { outcome, userErrors: read(EVERYONE); }
}

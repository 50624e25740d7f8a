//! What people may ask for of what is kept of them (policy 3). Whose copy somebody may ask for is decided in
//! `crate::data_protection`: their own, and everybody's for administrators.

use super::table::table;

table! {
    type Mutation {
        erasePerson: read(ADMINISTRATOR);
        erasePerson(input): give(ADMINISTRATOR);
        requestSubjectAccessExport: read(SIGNED_IN);
        requestSubjectAccessExport(input): give(SIGNED_IN);
    }
    input ErasePersonInput { personId, reason, dryRun: give(ADMINISTRATOR); }
    input RequestSubjectAccessExportInput { personId: give(SIGNED_IN); }
    type ErasePersonPayload { erasure, userErrors: read(EVERYONE); }
    type Erasure { isDryRun, changes: read(ADMINISTRATOR); }
    type ErasureChange { table, column, rows, outcome, keptBecause: read(ADMINISTRATOR); }
    enum ErasureOutcome { DELETED, EMPTIED, TAKEN_OUT_OF_WORDS: both(ADMINISTRATOR); }
    type RequestSubjectAccessExportPayload { export, userErrors: read(EVERYONE); }
    type SubjectAccessExport { id, requestedAt, expiresAt: read(EVERYONE); }
}

//! Imports: of records that somebody may add one by one, and by them alone; whose import it is decides
//! `crate::import::desk`.

use super::table::table;

table! {
    type Mutation {
        importRecords, runImport: read(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
        importRecords(input), runImport(input): give(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
    }
    type Subscription {
        importProgress: read(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
        importProgress(importId): give(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
    }
    input ImportRecordsInput {
        kind, fileName, file, mapping, dryRun: give(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
    }
    input ImportColumnInput { field, column: give(EDIT_ORGANISATION | RECORD_ENGAGEMENT); }
    input RunImportInput { importId: give(EDIT_ORGANISATION | RECORD_ENGAGEMENT); }
    type ImportRecordsPayload { import, userErrors: read(EVERYONE); }
    type RunImportPayload { import, userErrors: read(EVERYONE); }
    type RecordImport {
        id: read(EVERYONE);
        kind, fileName, isDryRun, state, rowCount, rowsRead, created, unchanged, refusedCount, refusedRows,
        likelyDuplicateCount, likelyDuplicates, ignoredColumns, failure, requestedAt,
        finishedAt: read(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
        refusedRows(first, afterLine), likelyDuplicates(first): give(EDIT_ORGANISATION | RECORD_ENGAGEMENT);
    }
    type RefusedImportRow { line, problems: read(EDIT_ORGANISATION | RECORD_ENGAGEMENT); }
    type ImportProblem { column, message: read(EDIT_ORGANISATION | RECORD_ENGAGEMENT); }
    enum RecordKind { ORGANISATIONS, CONTACTS, NOTES: both(EDIT_ORGANISATION | RECORD_ENGAGEMENT); }
    enum RecordImportState { WAITING, DONE, REFUSED: read(EDIT_ORGANISATION | RECORD_ENGAGEMENT); }
}

//! Exports: what leaves in a file leaves the rules behind, so it has a permission of its own (policy 3).

use super::table::table;

table! {
    type Mutation {
        exportRecords: read(EXPORT_CONTACTS);
        exportRecords(input): give(EXPORT_CONTACTS);
    }
    input ExportRecordsInput { kind: give(EXPORT_CONTACTS); }
    type ExportRecordsPayload { export, userErrors: read(EVERYONE); }
    type RecordsExport { url, expiresAt, rows, leftOut: read(EVERYONE); }
    enum ExportKind { ORGANISATIONS, CONTACTS, NOTES: both(EXPORT_CONTACTS); }
}

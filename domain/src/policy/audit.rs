//! The audit log: for the Super User Group and for administrators; what is personal in it for administrators (policy 3).

use super::table::table;

table! {
    type Query {
        auditLog: read(SUPER_USER | ADMINISTRATOR);
        auditLog(filter): filter(SUPER_USER | ADMINISTRATOR);
        auditLog(first, after, last, before): give(SUPER_USER | ADMINISTRATOR);
    }
    type Mutation {
        exportAuditLog: read(SUPER_USER | ADMINISTRATOR);
        exportAuditLog(input): give(SUPER_USER | ADMINISTRATOR);
    }
    type AuditEntry {
        id: read(EVERYONE);
        number, at, actor, action, subject, changes, requestId: read(SUPER_USER | ADMINISTRATOR);
    }
    type AuditChange {
        field, before, after: read(SUPER_USER | ADMINISTRATOR);
        personalBefore, personalAfter: read(ADMINISTRATOR);
    }
    type AuditEntryConnection { edges, nodes, pageInfo, totalCount: read(SUPER_USER | ADMINISTRATOR); }
    type AuditEntryEdge { node, cursor: read(SUPER_USER | ADMINISTRATOR); }
    input AuditFilter { actorId, action, subject, since, until: filter(SUPER_USER | ADMINISTRATOR); }
    input ExportAuditLogInput { filter: give(SUPER_USER | ADMINISTRATOR); }
    type ExportAuditLogPayload { export, userErrors: read(EVERYONE); }
    type AuditExport { url, expiresAt: read(EVERYONE); }
}

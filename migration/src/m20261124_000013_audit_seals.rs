//! The audit log can only be added to, and each line is sealed in a chain (policy 3).

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob_null, text, uuid_uniq},
    sea_orm::DbBackend,
};

use crate::columns::{drop_tables, moment, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["audit_seal"];

/// What a line keeps for good, and what may be forgotten of it when its person is erased.
const GUARDED: [(&str, &[&str], &[&str]); 2] = [
    (
        "audit_entry",
        &["id", "at", "actor_id", "action", "subject", "request_id"],
        &["before", "after"],
    ),
    (
        "audit_seal",
        &[
            "seq",
            "entry_id",
            "details_hash",
            "previous",
            "hash",
            "sealed_at",
        ],
        &["salt"],
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_seal")
                    .col(big_integer("seq").primary_key())
                    .col(uuid_uniq("entry_id"))
                    .col(blob_null("salt"))
                    .col(text("details_hash"))
                    .col(text("previous"))
                    .col(text("hash"))
                    .col(moment("sealed_at"))
                    .foreign_key(&mut reference("entry_id", "audit_entry"))
                    .take(),
            )
            .await?;
        for statement in guards(manager.get_database_backend()) {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for statement in removals(backend) {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        drop_tables(manager, TABLES).await
    }
}

/// The triggers that refuse every change but forgetting.
fn guards(backend: DbBackend) -> Vec<String> {
    let mut statements = Vec::new();
    for (table, kept, forgotten) in GUARDED {
        let same = |is: &str| {
            kept.iter()
                .map(|column| format!("NEW.\"{column}\" {is} OLD.\"{column}\""))
                .chain(
                    forgotten
                        .iter()
                        .map(|column| format!("NEW.\"{column}\" IS NULL")),
                )
                .collect::<Vec<_>>()
                .join(" AND ")
        };
        if backend == DbBackend::Sqlite {
            let refusal = format!("SELECT RAISE(ABORT, '{table} can only be added to')");
            statements.push(format!(
                "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN NOT ({}) BEGIN {refusal}; END",
                same("IS")
            ));
            statements.push(format!(
                "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refusal}; END"
            ));
        } else {
            statements.push(format!(
                "CREATE FUNCTION {table}_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   IF TG_OP = 'UPDATE' THEN
                     IF {} THEN RETURN NEW; END IF;
                   END IF;
                   RAISE EXCEPTION '{table} can only be added to';
                 END $$",
                same("IS NOT DISTINCT FROM")
            ));
            statements.push(format!(
                "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
                 FOR EACH ROW EXECUTE FUNCTION {table}_guard()"
            ));
            statements.push(format!(
                "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
                 FOR EACH STATEMENT EXECUTE FUNCTION {table}_guard()"
            ));
        }
    }
    statements
}

fn removals(backend: DbBackend) -> Vec<String> {
    GUARDED
        .iter()
        .flat_map(|(table, ..)| {
            if backend == DbBackend::Sqlite {
                vec![
                    format!("DROP TRIGGER {table}_no_update"),
                    format!("DROP TRIGGER {table}_no_delete"),
                ]
            } else {
                vec![
                    format!("DROP TRIGGER {table}_no_change ON {table}"),
                    format!("DROP TRIGGER {table}_no_truncate ON {table}"),
                    format!("DROP FUNCTION {table}_guard()"),
                ]
            }
        })
        .collect()
}

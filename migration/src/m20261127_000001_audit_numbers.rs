//! Lines of the audit log are numbered by the database, so that one that goes missing before it is sealed is missed
//! (policy 3).
//!
//! On `PostgreSQL` the numbers are a sequence's, which makes nobody wait, and leaves a gap where a change was given up. On
//! `SQLite`, which has one writer at a time, they are counted in a table and have no gaps.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, integer},
    sea_orm::DbBackend,
};

use crate::columns::{drop_tables, index, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["audit_number"];

/// What a line keeps for good, without and with its number.
const BEFORE: &[&str] = &["id", "at", "actor_id", "action", "subject", "request_id"];
const SINCE: &[&str] = &[
    "id",
    "at",
    "actor_id",
    "action",
    "subject",
    "request_id",
    "number",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_number")
                    .col(integer("id").primary_key())
                    .col(big_integer("last"))
                    .take(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("audit_entry")
                    .add_column(big_integer_null("number"))
                    .take(),
            )
            .await?;
        manager
            .create_index(unique("audit_entry_number_key", "audit_entry", &["number"]))
            .await?;
        manager
            .create_index(index(
                "audit_entry_action",
                "audit_entry",
                &["action", "id"],
            ))
            .await?;
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        if backend == DbBackend::Postgres {
            db.execute_unprepared("CREATE SEQUENCE audit_entry_number OWNED BY audit_entry.number")
                .await?;
            db.execute_unprepared(
                "ALTER TABLE audit_entry ALTER COLUMN number SET DEFAULT nextval('audit_entry_number')",
            )
            .await?;
        } else {
            db.execute_unprepared("INSERT INTO audit_number (id, last) VALUES (1, 0)")
                .await?;
        }
        guard(manager, SINCE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        guard(manager, BEFORE).await?;
        let db = manager.get_connection();
        for name in ["audit_entry_action", "audit_entry_number_key"] {
            db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        // With the column goes the sequence that it owns.
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared("ALTER TABLE audit_entry ALTER COLUMN number DROP DEFAULT")
                .await?;
        }
        manager
            .alter_table(
                Table::alter()
                    .table("audit_entry")
                    .drop_column("number")
                    .take(),
            )
            .await?;
        drop_tables(manager, TABLES).await
    }
}

/// Refuses every change of a line that keeps not all of `kept`; before and after can be forgotten.
async fn guard(manager: &SchemaManager<'_>, kept: &[&str]) -> Result<(), DbErr> {
    let is_sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let is = if is_sqlite {
        "IS"
    } else {
        "IS NOT DISTINCT FROM"
    };
    let same = kept
        .iter()
        .map(|column| format!("NEW.\"{column}\" {is} OLD.\"{column}\""))
        .chain(["before", "after"].map(|column| format!("NEW.\"{column}\" IS NULL")))
        .collect::<Vec<_>>()
        .join(" AND ");
    let statements = if is_sqlite {
        // Together, for one connection: another may not know yet that the trigger is gone.
        format!(
            "DROP TRIGGER audit_entry_no_update; \
             CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry WHEN NOT ({same}) BEGIN \
             SELECT RAISE(ABORT, 'audit_entry can only be added to'); END"
        )
    } else {
        format!(
            "CREATE OR REPLACE FUNCTION audit_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF TG_OP = 'UPDATE' THEN
                 IF {same} THEN RETURN NEW; END IF;
               END IF;
               RAISE EXCEPTION 'audit_entry can only be added to';
             END $$"
        )
    };
    manager
        .get_connection()
        .execute_unprepared(&statements)
        .await?;
    Ok(())
}

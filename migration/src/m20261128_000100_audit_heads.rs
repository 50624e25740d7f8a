//! Lines of the audit log are counted on both databases when a change commits, so that no change that was given up leaves a gap
//! in their numbers; and where its chain ended is kept, so that an end that is cut off is missed (policy 3).
//!
//! Gaps that a sequence left on `PostgreSQL` before this change are known by `counted_from`: numbers up to it prove nothing.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, text},
    sea_orm::DbBackend,
};

use crate::columns::{drop_tables, moment};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["audit_head"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_head")
                    .col(big_integer("seq").primary_key())
                    .col(text("hash"))
                    .col(moment("kept_at"))
                    .take(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("audit_number")
                    .add_column(big_integer("counted_from").default(0))
                    .take(),
            )
            .await?;
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in [
                "INSERT INTO audit_number (id, last, counted_from)
                 SELECT 1, given.last, given.last
                 FROM (SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM audit_entry_number) AS given",
                "ALTER TABLE audit_entry ALTER COLUMN number DROP DEFAULT",
                "DROP SEQUENCE audit_entry_number",
                "CREATE FUNCTION audit_head_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   RAISE EXCEPTION 'audit_head can only be added to';
                 END $$",
                "CREATE TRIGGER audit_head_no_change BEFORE UPDATE OR DELETE ON audit_head
                 FOR EACH ROW EXECUTE FUNCTION audit_head_guard()",
                "CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_head_guard()",
            ] {
                db.execute_unprepared(statement).await?;
            }
        } else {
            for (event, name) in [("UPDATE", "no_update"), ("DELETE", "no_delete")] {
                db.execute_unprepared(&format!(
                    "CREATE TRIGGER audit_head_{name} BEFORE {event} ON audit_head BEGIN
                     SELECT RAISE(ABORT, 'audit_head can only be added to'); END"
                ))
                .await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if manager.get_database_backend() == DbBackend::Postgres {
            for statement in [
                "DROP TRIGGER audit_head_no_change ON audit_head",
                "DROP TRIGGER audit_head_no_truncate ON audit_head",
                "DROP FUNCTION audit_head_guard()",
                "CREATE SEQUENCE audit_entry_number OWNED BY audit_entry.number",
                "SELECT setval('audit_entry_number', GREATEST(last, 1), last > 0) FROM audit_number",
                "ALTER TABLE audit_entry ALTER COLUMN number SET DEFAULT nextval('audit_entry_number')",
                "DELETE FROM audit_number",
            ] {
                db.execute_unprepared(statement).await?;
            }
        } else {
            for name in ["no_update", "no_delete"] {
                db.execute_unprepared(&format!("DROP TRIGGER audit_head_{name}"))
                    .await?;
            }
        }
        manager
            .alter_table(
                Table::alter()
                    .table("audit_number")
                    .drop_column("counted_from")
                    .take(),
            )
            .await?;
        drop_tables(manager, TABLES).await
    }
}

//! Background jobs.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, json_binary, text, text_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["job"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("job")
                    .col(id())
                    .col(text("kind"))
                    .col(text("queue"))
                    .col(json_binary("payload"))
                    .col(text("state"))
                    .col(moment("run_at"))
                    .col(integer("attempts"))
                    .col(integer("max_attempts"))
                    .col(text_null("lease_owner"))
                    .col(moment_null("lease_expires_at"))
                    .col(text_null("unique_key"))
                    .col(text_null("last_error"))
                    .col(text_null("request_id"))
                    .col(moment("created_at"))
                    .col(moment_null("finished_at"))
                    .check(one_of(
                        "state",
                        &["QUEUED", "RUNNING", "DONE", "DEAD", "CANCELLED"],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            // At most one live job has a unique key.
            unique("job_unique_key", "job", &["unique_key"])
                .and_where(one_of("state", &["QUEUED", "RUNNING"]))
                .take(),
            // What is due.
            index("job_due", "job", &["queue", "run_at", "id"])
                .and_where(one_of("state", &["QUEUED"]))
                .take(),
            // Whose worker may have died.
            index("job_lease", "job", &["lease_expires_at"])
                .and_where(one_of("state", &["RUNNING"]))
                .take(),
            index("job_state", "job", &["state", "id"]),
            index("job_finished", "job", &["finished_at"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

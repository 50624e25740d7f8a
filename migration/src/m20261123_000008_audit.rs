//! The audit log (policy 3).

use sea_orm_migration::{
    prelude::*,
    schema::{json_binary_null, text, text_null, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["audit_entry"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_entry")
                    .col(id())
                    .col(moment("at"))
                    .col(uuid_null("actor_id"))
                    .col(text("action"))
                    .col(text("subject"))
                    .col(json_binary_null("before"))
                    .col(json_binary_null("after"))
                    .col(text_null("request_id"))
                    .foreign_key(&mut reference("actor_id", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            index("audit_entry_subject", "audit_entry", &["subject", "id"]),
            index("audit_entry_actor", "audit_entry", &["actor_id", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

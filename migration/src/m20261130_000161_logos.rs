//! Logos of organisations (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{blob, integer, text_uniq, uuid_uniq},
};

use crate::columns::{drop_tables, id, moment, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("organisation_logo")
                    .col(id())
                    .col(uuid_uniq("organisation_id"))
                    .col(text_uniq("token"))
                    .col(integer("width"))
                    .col(integer("height"))
                    .col(blob("bytes"))
                    .col(moment("uploaded_at"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["organisation_logo"]).await
    }
}

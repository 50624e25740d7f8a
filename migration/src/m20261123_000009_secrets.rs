//! Keys that all processes share and nobody has to think of.

use sea_orm_migration::{
    prelude::*,
    schema::{binary, text},
};

use crate::columns::{drop_tables, moment};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["secret"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("secret")
                    .col(text("name").primary_key())
                    .col(binary("value"))
                    .col(moment("created_at"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Addresses at which mail is held back, whichever contacts have them (policy 2.5).

use sea_orm_migration::{prelude::*, schema::text};

use crate::columns::{drop_tables, moment};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("held_address")
                    .col(text("address_hash").primary_key())
                    .col(moment("since"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["held_address"]).await
    }
}

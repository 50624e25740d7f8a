//! The version of an event at which those who mean to come were last told of another time or place: a letter about an earlier
//! move that still waits is left out, and one about this move goes out whatever else changes meanwhile.

use sea_orm_migration::{prelude::*, schema::integer};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .add_column(integer("told_version").default(0))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .drop_column("told_version")
                    .take(),
            )
            .await
    }
}

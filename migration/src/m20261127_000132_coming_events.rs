//! Which events somebody was told of in the weekly digest of what is coming.

use sea_orm_migration::{prelude::*, schema::uuid};

use crate::columns::{drop_tables, index, moment, part_of};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("event_told")
                    .col(uuid("user_id"))
                    .col(uuid("event_id"))
                    .col(moment("told_at"))
                    .primary_key(Index::create().col("user_id").col("event_id"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("event_told_event", "event_told", &["event_id"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["event_told"]).await
    }
}

//! Events that a campaign's mail tells of, and why some were left out (policy 2.5).

use sea_orm_migration::{
    prelude::*,
    schema::{text_null, uuid, uuid_null},
};

use crate::columns::{drop_tables, index, moment, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["campaign_event"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("campaign_event")
                    .col(uuid("campaign_id"))
                    .col(uuid("event_id"))
                    .col(text_null("left_out_because"))
                    .col(uuid_null("chosen_by"))
                    .col(moment("chosen_at"))
                    .primary_key(Index::create().col("campaign_id").col("event_id"))
                    .foreign_key(&mut part_of("campaign_id", "campaign"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .foreign_key(&mut reference("chosen_by", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index(
                "campaign_event_event",
                "campaign_event",
                &["event_id"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Files that a campaign's mails bring along.

use sea_orm_migration::{
    prelude::*,
    schema::{binary, integer, text, uuid},
};

use crate::columns::{drop_tables, id, index, moment, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("campaign_attachment")
                    .col(id())
                    .col(uuid("campaign_id"))
                    .col(text("name"))
                    .col(text("media_type"))
                    .col(integer("size"))
                    .col(binary("bytes"))
                    .col(uuid("added_by"))
                    .col(moment("added_at"))
                    .foreign_key(&mut part_of("campaign_id", "campaign"))
                    .foreign_key(&mut reference("added_by", "user_account"))
                    .check(Expr::col("size").gt(0))
                    .take(),
            )
            .await?;
        manager
            .create_index(index(
                "campaign_attachment_campaign",
                "campaign_attachment",
                &["campaign_id", "id"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["campaign_attachment"]).await
    }
}

//! Venues, and at which of them an event takes place. What organisers wrote until now stays as it is.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, integer_null, text, text_null, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("venue")
                    .col(id())
                    .col(text("name"))
                    .col(text_null("building"))
                    .col(text_null("campus"))
                    .col(text("name_key"))
                    .col(integer_null("capacity"))
                    .col(text_null("accessibility"))
                    .col(text_null("map_link"))
                    .col(moment_null("archived_at"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .check(Expr::col("capacity").gte(1))
                    .take(),
            )
            .await?;
        manager
            .create_index(unique("venue_name_key", "venue", &["name_key"]))
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .add_column(uuid_null("venue_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("event_venue", "event", &["venue_id", "starts_at"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("event_venue").table("event").to_owned())
            .await?;
        manager
            .alter_table(Table::alter().table("event").drop_column("venue_id").take())
            .await?;
        drop_tables(manager, &["venue"]).await
    }
}

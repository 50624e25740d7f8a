//! Which events are one series.

use sea_orm_migration::{prelude::*, schema::uuid_null};

use crate::columns::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .add_column(uuid_null("series_id"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("event_series", "event", &["series_id", "starts_at"]))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("event_series").table("event").to_owned())
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .drop_column("series_id")
                    .take(),
            )
            .await
    }
}

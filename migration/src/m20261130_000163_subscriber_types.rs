//! What a contact has to do with the university, as the subscriber type says it. Of those there are, nothing is known yet.

use sea_orm_migration::{prelude::*, schema::text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("contact")
                    .add_column(text("subscriber_type").default("GENERAL").take())
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("contact")
                    .drop_column("subscriber_type")
                    .take(),
            )
            .await
    }
}

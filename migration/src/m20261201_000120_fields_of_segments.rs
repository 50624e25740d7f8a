//! Segments ask for fields of profiles that administrators defined. Those that there are ask for none.

use sea_orm_migration::{prelude::*, schema::json_binary};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("segment")
                    .add_column(json_binary("profile_fields").default("[]").take())
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("segment")
                    .drop_column("profile_fields")
                    .take(),
            )
            .await
    }
}

//! What an organisation was before it was archived, and why it stands where it does (policy 2.2).

use sea_orm_migration::{prelude::*, schema::text_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: &[&str] = &["archived_from", "state_reason"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            manager
                .alter_table(
                    Table::alter()
                        .table("organisation")
                        .add_column(text_null(*column))
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS.iter().rev() {
            manager
                .alter_table(
                    Table::alter()
                        .table("organisation")
                        .drop_column(*column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }
}

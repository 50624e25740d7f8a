//! Which words of feedback employers may read.

use sea_orm_migration::{prelude::*, schema::uuid_null};

use crate::columns::moment_null;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [moment_null("released_at"), uuid_null("released_by")] {
            manager
                .alter_table(
                    Table::alter()
                        .table("event_feedback")
                        .add_column(column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["released_by", "released_at"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("event_feedback")
                        .drop_column(column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }
}

//! The segment that a campaign is for, and what it asked when the campaign started (policy 2.5).

use sea_orm_migration::{
    prelude::*,
    schema::{json_binary_null, uuid_null},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A segment may be taken away while campaigns name it, so nothing refers to it by a key.
        for column in [uuid_null("segment_id"), json_binary_null("segment_asked")] {
            manager
                .alter_table(
                    Table::alter()
                        .table("campaign")
                        .add_column(column)
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["segment_asked", "segment_id"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("campaign")
                        .drop_column(column)
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }
}

//! That what a note says is to be done next was done (policy 2.2).

use sea_orm_migration::{prelude::*, schema::uuid_null};

use crate::columns::{index, moment_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

const COLUMNS: &[&str] = &["next_action_done_at", "next_action_done_by"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [moment_null(COLUMNS[0]), uuid_null(COLUMNS[1])] {
            manager
                .alter_table(Table::alter().table("note").add_column(column).take())
                .await?;
        }
        // What somebody has still to do, by its day.
        manager
            .create_index(
                index(
                    "note_to_do",
                    "note",
                    &["author_id", "next_action_due_at", "id"],
                )
                .and_where(
                    Expr::col("next_action")
                        .is_not_null()
                        .and(Expr::col("next_action_done_at").is_null()),
                )
                .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("note_to_do").table("note").to_owned())
            .await?;
        for column in COLUMNS {
            manager
                .alter_table(Table::alter().table("note").drop_column(*column).take())
                .await?;
        }
        Ok(())
    }
}

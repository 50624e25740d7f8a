//! How many of a class came.

use sea_orm_migration::{
    prelude::*,
    schema::{integer_null, text_null},
};

use crate::columns::moment_null;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let attended = integer_null("attended")
            .check(Expr::col("attended").between(0, Expr::col("places")))
            .take();
        for column in [
            attended,
            text_null("attended_names"),
            moment_null("marked_at"),
        ] {
            manager
                .alter_table(
                    Table::alter()
                        .table("group_booking")
                        .add_column(column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["marked_at", "attended_names", "attended"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("group_booking")
                        .drop_column(column)
                        .take(),
                )
                .await?;
        }
        Ok(())
    }
}

//! Rules of bulk mail for the whole campus, review by a second sender, and campaigns that are put away (policy 2.5).

use sea_orm_migration::{
    prelude::*,
    schema::{integer, integer_null, uuid_null},
};

use crate::columns::{drop_tables, moment, moment_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["mail_rules"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("mail_rules")
                    .col(integer("id").primary_key())
                    .col(integer_null("review_above"))
                    .col(integer_null("contact_cap"))
                    .col(integer_null("organisation_cap"))
                    .col(integer("cap_days"))
                    .col(integer("version"))
                    .col(moment("updated_at"))
                    .check(Expr::col("id").eq(1))
                    .take(),
            )
            .await?;
        // Without references: SQLite could not take the columns away again.
        for column in [
            uuid_null("approved_by"),
            moment_null("approved_at"),
            moment_null("archived_at"),
        ] {
            manager
                .alter_table(Table::alter().table("campaign").add_column(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["archived_at", "approved_at", "approved_by"] {
            manager
                .alter_table(Table::alter().table("campaign").drop_column(column).take())
                .await?;
        }
        drop_tables(manager, TABLES).await
    }
}

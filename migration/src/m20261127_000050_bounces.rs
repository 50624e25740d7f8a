//! What comes back of mail: reports of failed delivery and complaints (policy 2.5).

use sea_orm_migration::{prelude::*, schema::text_null};

use crate::columns::{moment_null, one_of};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            text_null("bounce")
                .check(one_of("bounce", &["HARD", "SOFT"]))
                .take(),
            moment_null("bounced_at"),
            moment_null("complained_at"),
        ] {
            manager
                .alter_table(Table::alter().table("delivery").add_column(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["complained_at", "bounced_at", "bounce"] {
            manager
                .alter_table(Table::alter().table("delivery").drop_column(column).take())
                .await?;
        }
        Ok(())
    }
}

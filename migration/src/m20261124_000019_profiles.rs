//! What people say of themselves (policy 1).

use sea_orm_migration::{
    prelude::*,
    schema::{blob, integer, json_binary, text_null, text_uniq, uuid},
};

use crate::columns::{drop_tables, moment, part_of};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["profile", "profile_photo"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("profile")
                    .col(uuid("user_id").primary_key())
                    .col(text_null("post"))
                    .col(json_binary("interests"))
                    .col(integer("version"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("profile_photo")
                    .col(uuid("user_id").primary_key())
                    .col(text_uniq("token"))
                    .col(integer("width"))
                    .col(integer("height"))
                    .col(blob("bytes"))
                    .col(moment("uploaded_at"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Which notices reach people how, and what is kept for their daily digest (policy 1).

use sea_orm_migration::{
    prelude::*,
    schema::{date_null, json_binary, text, text_uniq, uuid},
};

use crate::columns::{drop_tables, id, index, moment, one_of, part_of};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["notice_choice", "kept_notice"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Topics come with the features that write about them, so no list of them is kept here.
        manager
            .create_table(
                Table::create()
                    .table("notice_choice")
                    .col(uuid("user_id"))
                    .col(text("topic"))
                    .col(text("channel"))
                    .col(moment("chosen_at"))
                    .primary_key(Index::create().col("user_id").col("topic"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .check(one_of("channel", &["NONE", "DAILY_DIGEST", "MAIL_AT_ONCE"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("kept_notice")
                    .col(id())
                    .col(uuid("user_id"))
                    .col(text("topic"))
                    .col(text_uniq("purpose_key"))
                    .col(text("template"))
                    .col(json_binary("fields"))
                    .col(moment("kept_at"))
                    .col(date_null("digested_on"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            index(
                "kept_notice_user",
                "kept_notice",
                &["user_id", "digested_on"],
            ),
            // What is still to go into a digest.
            index("kept_notice_due", "kept_notice", &["user_id", "kept_at"])
                .and_where(Expr::col("digested_on").is_null())
                .take(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Topics of bulk mail, and who wants none of which (policy 2.5).

use sea_orm_migration::{
    prelude::*,
    schema::{text, text_null, text_uniq, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["mail_topic", "topic_opt_out"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("mail_topic")
                    .col(id())
                    .col(text("name"))
                    .col(text_uniq("name_key"))
                    .col(text_null("description"))
                    .col(moment_null("archived_at"))
                    .col(moment("created_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("topic_opt_out")
                    .col(uuid("contact_id"))
                    .col(uuid("mail_topic_id"))
                    .col(moment("opted_out_at"))
                    .primary_key(Index::create().col("contact_id").col("mail_topic_id"))
                    .foreign_key(&mut part_of("contact_id", "contact"))
                    .foreign_key(&mut reference("mail_topic_id", "mail_topic"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index(
                "topic_opt_out_topic",
                "topic_opt_out",
                &["mail_topic_id"],
            ))
            .await?;
        // Without a reference: SQLite could not take the column away again.
        manager
            .alter_table(
                Table::alter()
                    .table("campaign")
                    .add_column(uuid_null("mail_topic_id"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("campaign")
                    .drop_column("mail_topic_id")
                    .take(),
            )
            .await?;
        drop_tables(manager, TABLES).await
    }
}

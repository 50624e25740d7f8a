//! When people are reminded of an event, and what they say of it afterwards.

use sea_orm_migration::{
    prelude::*,
    schema::{json_binary, small_integer, text_null, uuid},
};

use crate::columns::{drop_tables, id, moment, part_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .add_column(json_binary("reminder_minutes").default("[1440,60]"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("event_feedback")
                    .col(id())
                    .col(uuid("event_id"))
                    .col(uuid("user_id"))
                    .col(small_integer("rating"))
                    .col(text_null("good"))
                    .col(text_null("mend"))
                    .col(moment("given_at"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .foreign_key(&mut reference("user_id", "user_account"))
                    .check(Expr::col("rating").between(1, 5))
                    .take(),
            )
            .await?;
        // Once a person and event.
        manager
            .create_index(unique(
                "event_feedback_once",
                "event_feedback",
                &["event_id", "user_id"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["event_feedback"]).await?;
        manager
            .alter_table(
                Table::alter()
                    .table("event")
                    .drop_column("reminder_minutes")
                    .take(),
            )
            .await
    }
}

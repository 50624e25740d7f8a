//! What calendar clients need to know of an event: how often what they show of it has changed, and when; and the secret
//! addresses of personal calendars.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, text, uuid},
};

use crate::columns::{drop_tables, moment, part_of, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "event", integer("calendar_sequence").default(0)).await?;
        // SQLite adds no column without a constant to fill it with; the right one is written below.
        let changed_at = moment("calendar_changed_at")
            .default("1970-01-01T00:00:00+00:00")
            .take();
        add(manager, "event", changed_at).await?;
        add(manager, "booking", integer("calendar_sequence").default(0)).await?;
        let events = Query::update()
            .table("event")
            .value("calendar_changed_at", Expr::col("updated_at"))
            .value(
                "calendar_sequence",
                Expr::case(Expr::col("state").eq("DRAFT"), 0).finally(1),
            )
            .take();
        manager.execute(events).await?;
        manager
            .create_table(
                Table::create()
                    .table("calendar_feed")
                    .col(uuid("user_id").primary_key())
                    .col(text("token_hash"))
                    .col(moment("created_at"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_index(unique(
                "calendar_feed_token",
                "calendar_feed",
                &["token_hash"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["calendar_feed"]).await?;
        for (table, column) in [
            ("booking", "calendar_sequence"),
            ("event", "calendar_changed_at"),
            ("event", "calendar_sequence"),
        ] {
            manager
                .alter_table(Table::alter().table(table).drop_column(column).take())
                .await?;
        }
        Ok(())
    }
}

async fn add(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: impl IntoColumnDef,
) -> Result<(), DbErr> {
    manager
        .alter_table(Table::alter().table(table).add_column(column).take())
        .await
}

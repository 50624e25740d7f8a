//! Places at an event for a whole class.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, text, text_null, uuid},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("group_booking")
                    .col(id())
                    .col(uuid("event_id"))
                    .col(text("class_name"))
                    .col(integer("places"))
                    .col(text("state"))
                    .col(uuid("booked_by"))
                    .col(moment("booked_at"))
                    .col(text_null("reason"))
                    .col(moment_null("cancelled_at"))
                    .foreign_key(&mut reference("event_id", "event"))
                    .foreign_key(&mut reference("booked_by", "user_account"))
                    .check(one_of("state", &["BOOKED", "CANCELLED"]))
                    .check(Expr::col("places").gt(0))
                    .take(),
            )
            .await?;
        manager
            .create_index(index(
                "group_booking_event",
                "group_booking",
                &["event_id", "id"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["group_booking"]).await
    }
}

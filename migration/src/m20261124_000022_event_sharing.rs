//! Requests to open an event to the students of another faculty (policy 2.4).

use sea_orm_migration::{
    prelude::*,
    schema::{text, text_null, uuid, uuid_null},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("event_sharing_request")
                    .col(id())
                    .col(uuid("event_id"))
                    .col(uuid("faculty_id"))
                    .col(text("state"))
                    .col(text("message"))
                    .col(uuid("requested_by"))
                    .col(moment("requested_at"))
                    .col(moment("expires_at"))
                    .col(uuid_null("answered_by"))
                    .col(moment_null("answered_at"))
                    .col(text_null("answer"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .foreign_key(&mut reference("requested_by", "user_account"))
                    .foreign_key(&mut reference("answered_by", "user_account"))
                    .check(one_of(
                        "state",
                        &["REQUESTED", "AGREED", "DECLINED", "EXPIRED"],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            // One open request per event and faculty.
            unique(
                "event_sharing_request_open",
                "event_sharing_request",
                &["event_id", "faculty_id"],
            )
            .and_where(one_of("state", &["REQUESTED"]))
            .take(),
            index(
                "event_sharing_request_faculty",
                "event_sharing_request",
                &["faculty_id", "id"],
            ),
            index(
                "event_sharing_request_event",
                "event_sharing_request",
                &["event_id", "id"],
            ),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["event_sharing_request"]).await
    }
}

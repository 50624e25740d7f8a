//! Employers who register themselves, and changes of theirs that wait for an operator (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{json_binary, text, text_null, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["registration", "held_change"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("registration")
                    .col(id())
                    .col(uuid("user_id"))
                    .col(uuid("organisation_id"))
                    .col(text("kind"))
                    .col(text("state"))
                    .col(text_null("job_title"))
                    .col(text_null("telephone"))
                    .col(moment("submitted_at"))
                    .col(uuid_null("decided_by"))
                    .col(moment_null("decided_at"))
                    .col(text_null("reason"))
                    .foreign_key(&mut reference("user_id", "user_account"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .foreign_key(&mut reference("decided_by", "user_account"))
                    .check(one_of("kind", &["NEW", "JOIN"]))
                    .check(one_of("state", &["SUBMITTED", "APPROVED", "DECLINED"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("held_change")
                    .col(id())
                    .col(uuid("organisation_id"))
                    .col(json_binary("wanted"))
                    .col(text("state"))
                    .col(uuid("asked_by"))
                    .col(moment("asked_at"))
                    .col(uuid_null("decided_by"))
                    .col(moment_null("decided_at"))
                    .col(text_null("reason"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .foreign_key(&mut reference("asked_by", "user_account"))
                    .foreign_key(&mut reference("decided_by", "user_account"))
                    .check(one_of(
                        "state",
                        &["WAITING", "APPROVED", "DECLINED", "REPLACED"],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            // An account is registered once.
            unique("registration_user", "registration", &["user_id"]),
            index(
                "registration_organisation",
                "registration",
                &["organisation_id"],
            ),
            index(
                "registration_queue",
                "registration",
                &["state", "submitted_at", "id"],
            ),
            index("registration_decided_by", "registration", &["decided_by"]),
            // What an employer asks for next takes the place of what they asked for before.
            unique(
                "held_change_one_waiting",
                "held_change",
                &["organisation_id"],
            )
            .and_where(one_of("state", &["WAITING"]))
            .take(),
            index(
                "held_change_organisation",
                "held_change",
                &["organisation_id", "id"],
            ),
            index(
                "held_change_queue",
                "held_change",
                &["state", "asked_at", "id"],
            ),
            index("held_change_asked_by", "held_change", &["asked_by"]),
            index("held_change_decided_by", "held_change", &["decided_by"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Accounts, sessions, training and grants (policy 3).

#![expect(clippy::too_many_lines, reason = "a table reads best in one piece")]

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, boolean, integer, integer_null, json_binary, text, text_null, text_uniq, uuid,
        uuid_null,
    },
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "user_account",
    "session",
    "refresh_token",
    "signing_key",
    "sign_in_attempt",
    "training_course",
    "access_grant",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("user_account")
                    .col(id())
                    .col(text_uniq("email"))
                    .col(text_null("password_hash"))
                    .col(text("name"))
                    .col(text("kind"))
                    .col(boolean("is_super_user"))
                    .col(boolean("is_administrator"))
                    .col(text("state"))
                    .col(uuid_null("faculty_id"))
                    .col(uuid_null("programme_id"))
                    .col(integer_null("year_of_study"))
                    .col(uuid_null("contact_id"))
                    .col(moment_null("email_verified_at"))
                    .col(integer("session_version"))
                    .col(moment_null("booking_blocked_at"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .foreign_key(&mut reference("programme_id", "programme"))
                    .foreign_key(&mut reference("contact_id", "contact"))
                    .check(one_of(
                        "kind",
                        &["STUDENT", "GRADUATE", "EMPLOYER", "STAFF"],
                    ))
                    .check(one_of("state", &["ACTIVE", "SUSPENDED"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("session")
                    .col(id())
                    .col(uuid("user_id"))
                    .col(moment("created_at"))
                    .col(moment("expires_at"))
                    .col(moment_null("ended_at"))
                    .col(text_null("end_reason"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .check(one_of(
                        "end_reason",
                        &["SIGNED_OUT", "REFRESH_REUSED", "REVOKED"],
                    ))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("refresh_token")
                    .col(text("token_hash").primary_key())
                    .col(uuid("session_id"))
                    .col(moment("issued_at"))
                    .col(moment("expires_at"))
                    .col(moment_null("used_at"))
                    .foreign_key(&mut part_of("session_id", "session"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("signing_key")
                    .col(text("id").primary_key())
                    .col(blob("private_key"))
                    .col(blob("public_key"))
                    .col(moment("created_at"))
                    .col(moment_null("retired_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("sign_in_attempt")
                    .col(id())
                    .col(text("subject"))
                    .col(moment("attempted_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("training_course")
                    .col(id())
                    .col(text_uniq("title"))
                    .col(json_binary("permissions"))
                    .col(integer("validity_days"))
                    .col(moment("created_at"))
                    .check(Expr::col("validity_days").gt(0))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("access_grant")
                    .col(id())
                    .col(uuid("user_id"))
                    .col(text("permission"))
                    .col(uuid_null("faculty_id"))
                    .col(uuid_null("training_course_id"))
                    .col(text("state"))
                    .col(uuid_null("granted_by"))
                    .col(moment("granted_at"))
                    .col(moment_null("valid_until"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .foreign_key(&mut reference("training_course_id", "training_course"))
                    .foreign_key(&mut reference("granted_by", "user_account"))
                    .check(one_of(
                        "state",
                        &["ACTIVE", "LAPSED", "SUSPENDED", "REVOKED"],
                    ))
                    .check(one_of(
                        "permission",
                        &[
                            "RECORD_ENGAGEMENT",
                            "EDIT_ORGANISATION",
                            "DELETE_ORGANISATION",
                            "CLAIM_KEY_ACCOUNT",
                            "MANAGE_EVENT",
                            "MODERATE_VACANCY",
                            "SEND_BULK_EMAIL",
                            "READ_REPORT",
                            "EXPORT_CONTACTS",
                            "MANAGE_PLACEMENT",
                            "GRANT_ACCESS",
                        ],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            index("user_account_contact", "user_account", &["contact_id"]),
            index("session_user", "session", &["user_id"]),
            index("refresh_token_session", "refresh_token", &["session_id"]),
            index(
                "sign_in_attempt_subject",
                "sign_in_attempt",
                &["subject", "attempted_at"],
            ),
            index("access_grant_user", "access_grant", &["user_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

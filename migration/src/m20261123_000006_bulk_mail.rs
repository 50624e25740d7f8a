//! Campaigns, the ledger of mail, and suppressions (policy 2.5).

#![expect(clippy::too_many_lines, reason = "a table reads best in one piece")]

use sea_orm_migration::{
    prelude::*,
    schema::{integer, json_binary, text, text_null, text_uniq, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["campaign", "delivery", "suppression"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("campaign")
                    .col(id())
                    .col(text("name"))
                    .col(text("subject"))
                    .col(text("body"))
                    .col(text("state"))
                    .col(json_binary("all_of"))
                    .col(json_binary("any_of"))
                    .col(json_binary("none_of"))
                    .col(uuid("created_by"))
                    .col(moment_null("not_before"))
                    .col(moment_null("not_after"))
                    .col(uuid_null("scheduled_by"))
                    .col(text_null("refusal"))
                    .col(moment_null("started_at"))
                    .col(moment_null("finished_at"))
                    .col(integer("recipients"))
                    .col(json_binary("skipped"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("created_by", "user_account"))
                    .foreign_key(&mut reference("scheduled_by", "user_account"))
                    .check(one_of(
                        "state",
                        &[
                            "DRAFT",
                            "IN_REVIEW",
                            "SCHEDULED",
                            "SENDING",
                            "PAUSED",
                            "SENT",
                            "CANCELLED",
                            "MISSED",
                        ],
                    ))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("delivery")
                    .col(id())
                    .col(uuid_null("campaign_id"))
                    .col(text_null("purpose_key"))
                    .col(text("address"))
                    .col(text("address_domain"))
                    .col(text("recipient_name"))
                    .col(uuid_null("contact_id"))
                    .col(uuid_null("user_id"))
                    .col(text("template"))
                    .col(json_binary("fields"))
                    .col(text("state"))
                    .col(text_uniq("message_id"))
                    .col(integer("attempts"))
                    .col(moment("next_attempt_at"))
                    .col(text_null("claimed_by"))
                    .col(moment_null("claimed_until"))
                    .col(moment_null("sent_at"))
                    .col(text_null("last_reply"))
                    .col(text_null("request_id"))
                    .col(moment("created_at"))
                    .foreign_key(&mut reference("campaign_id", "campaign"))
                    .foreign_key(&mut reference("contact_id", "contact"))
                    .foreign_key(&mut reference("user_id", "user_account"))
                    .check(one_of(
                        "state",
                        &[
                            "QUEUED",
                            "SENDING",
                            "SENT",
                            "FAILED",
                            "UNKNOWN",
                            "SKIPPED",
                            "CANCELLED",
                        ],
                    ))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("suppression")
                    .col(id())
                    .col(text_uniq("address_hash"))
                    .col(text("reason"))
                    .col(moment("created_at"))
                    .check(one_of(
                        "reason",
                        &["UNSUBSCRIBED", "BOUNCED", "COMPLAINED", "ERASED"],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            index("campaign_state", "campaign", &["state", "id"]),
            unique(
                "delivery_recipient",
                "delivery",
                &["campaign_id", "address"],
            ),
            unique("delivery_purpose", "delivery", &["purpose_key"]),
            index(
                "delivery_campaign_state",
                "delivery",
                &["campaign_id", "state", "id"],
            ),
            // What is still to be sent.
            index("delivery_due", "delivery", &["next_attempt_at", "id"])
                .and_where(one_of("state", &["QUEUED", "SENDING"]))
                .take(),
            index("delivery_contact", "delivery", &["contact_id", "id"]),
            index("delivery_user", "delivery", &["user_id", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

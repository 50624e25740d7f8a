//! Events, bookings and waiting lists (policy 2.4).

#![expect(clippy::too_many_lines, reason = "a table reads best in one piece")]

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, integer, text, text_null, text_uniq, uuid, uuid_null},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["event", "event_audience", "event_organisation", "booking"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("event")
                    .col(id())
                    .col(text("title"))
                    .col(text("description"))
                    .col(text("kind"))
                    .col(uuid("organiser_id"))
                    .col(uuid_null("faculty_id"))
                    .col(text_null("venue"))
                    .col(text_null("online_link"))
                    .col(moment("starts_at"))
                    .col(moment("ends_at"))
                    .col(integer("capacity"))
                    .col(integer("places_taken"))
                    .col(big_integer("last_queue_position"))
                    .col(text("state"))
                    .col(text("waiting_list_mode"))
                    .col(integer("offer_hours"))
                    .col(integer("promotion_cut_off_minutes"))
                    .col(moment_null("booking_opens_at"))
                    .col(moment_null("booking_closes_at"))
                    .col(integer("register_closes_after_minutes"))
                    .col(moment_null("register_closed_at"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("organiser_id", "user_account"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .check(one_of(
                        "kind",
                        &[
                            "CAREERS_FAIR",
                            "EMPLOYER_PRESENTATION",
                            "WORKSHOP",
                            "SKILLS_SESSION",
                            "INTERVIEWS",
                            "TRAINING",
                            "OTHER",
                        ],
                    ))
                    .check(one_of(
                        "state",
                        &["DRAFT", "PUBLISHED", "CANCELLED", "PAST"],
                    ))
                    .check(one_of("waiting_list_mode", &["AUTOMATIC", "OFFER"]))
                    .check(Expr::col("capacity").gt(0))
                    .check(
                        Expr::col("places_taken")
                            .gte(0)
                            .and(Expr::col("places_taken").lte(Expr::col("capacity"))),
                    )
                    .check(Expr::col("ends_at").gt(Expr::col("starts_at")))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("event_audience")
                    .col(id())
                    .col(uuid("event_id"))
                    .col(uuid_null("faculty_id"))
                    .col(uuid_null("programme_id"))
                    .col(text_null("level"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .foreign_key(&mut reference("programme_id", "programme"))
                    .check(one_of(
                        "level",
                        &[
                            "FOUNDATION",
                            "UNDERGRADUATE",
                            "TAUGHT_POSTGRADUATE",
                            "RESEARCH",
                        ],
                    ))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("event_organisation")
                    .col(uuid("event_id"))
                    .col(uuid("organisation_id"))
                    .primary_key(Index::create().col("event_id").col("organisation_id"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("booking")
                    .col(id())
                    .col(uuid("event_id"))
                    .col(uuid("user_id"))
                    .col(text("state"))
                    .col(big_integer_null("queue_position"))
                    .col(text_uniq("ticket_code"))
                    .col(moment("booked_at"))
                    .col(moment_null("promoted_at"))
                    .col(moment_null("offer_expires_at"))
                    .col(moment_null("checked_in_at"))
                    .col(moment_null("no_show_contacted_at"))
                    .col(text_null("state_reason"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("event_id", "event"))
                    .foreign_key(&mut reference("user_id", "user_account"))
                    .check(one_of(
                        "state",
                        &[
                            "BOOKED",
                            "WAITING",
                            "OFFERED",
                            "OFFER_EXPIRED",
                            "CANCELLED",
                            "LATE_CANCELLED",
                            "ATTENDED",
                            "NO_SHOW",
                            "EXCUSED",
                        ],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            index("event_starts", "event", &["starts_at", "id"]),
            index("event_organiser", "event", &["organiser_id"]),
            index("event_state", "event", &["state", "starts_at"]),
            index("event_audience_event", "event_audience", &["event_id"]),
            index(
                "event_organisation_organisation",
                "event_organisation",
                &["organisation_id"],
            ),
            // One live booking per person and event.
            unique("booking_one_live", "booking", &["event_id", "user_id"])
                .and_where(one_of(
                    "state",
                    &[
                        "BOOKED", "WAITING", "OFFERED", "ATTENDED", "NO_SHOW", "EXCUSED",
                    ],
                ))
                .take(),
            // The queue of an event, first come first.
            unique("booking_queue", "booking", &["event_id", "queue_position"])
                .and_where(one_of("state", &["WAITING"]))
                .take(),
            index("booking_event_state", "booking", &["event_id", "state"]),
            index("booking_user", "booking", &["user_id", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

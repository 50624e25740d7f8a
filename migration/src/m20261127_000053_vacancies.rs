//! Vacancies of organisations, whom they suit, and which of them are published without being looked at (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{boolean, date, date_null, integer, integer_null, text, text_null, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["vacancy", "vacancy_programme", "vacancy_rule"];

const KINDS: &[&str] = &[
    "GRADUATE_JOB",
    "PLACEMENT",
    "INTERNSHIP",
    "PART_TIME_JOB",
    "VOLUNTEERING",
    "FURTHER_STUDY",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(vacancy()).await?;
        manager
            .create_table(
                Table::create()
                    .table("vacancy_programme")
                    .col(uuid("vacancy_id"))
                    .col(uuid("programme_id"))
                    .primary_key(Index::create().col("vacancy_id").col("programme_id"))
                    .foreign_key(&mut part_of("vacancy_id", "vacancy"))
                    .foreign_key(&mut reference("programme_id", "programme"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("vacancy_rule")
                    .col(id())
                    .col(uuid("organisation_id"))
                    .col(text_null("kind"))
                    .col(text("reason"))
                    .col(uuid("set_by"))
                    .col(moment("set_at"))
                    .col(uuid_null("ended_by"))
                    .col(moment_null("ended_at"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .foreign_key(&mut reference("set_by", "user_account"))
                    .foreign_key(&mut reference("ended_by", "user_account"))
                    .check(one_of("kind", KINDS))
                    .take(),
            )
            .await?;
        for index in [
            index(
                "vacancy_of_organisation",
                "vacancy",
                &["organisation_id", "id"],
            ),
            // What is open, what closes next, and the queue.
            index("vacancy_by_state", "vacancy", &["state", "closes_on", "id"]),
            index("vacancy_by_closing", "vacancy", &["closes_on", "id"]),
            index("vacancy_contact", "vacancy", &["contact_id"]),
            index("vacancy_created_by", "vacancy", &["created_by"]),
            index("vacancy_decided_by", "vacancy", &["decided_by"]),
            index(
                "vacancy_programme_programme",
                "vacancy_programme",
                &["programme_id"],
            ),
            index(
                "vacancy_rule_organisation",
                "vacancy_rule",
                &["organisation_id"],
            ),
            index("vacancy_rule_set_by", "vacancy_rule", &["set_by"]),
            index("vacancy_rule_ended_by", "vacancy_rule", &["ended_by"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

fn vacancy() -> TableCreateStatement {
    Table::create()
        .table("vacancy")
        .col(id())
        .col(uuid("organisation_id"))
        .col(text("title"))
        .col(text_null("description"))
        .col(text("kind"))
        .col(text_null("hours"))
        .col(integer_null("salary_lowest"))
        .col(integer_null("salary_highest"))
        .col(text_null("salary_per"))
        .col(text_null("location"))
        .col(text_null("how_to_apply"))
        .col(text_null("apply_link"))
        .col(uuid_null("contact_id"))
        .col(text("state"))
        .col(text_null("reason"))
        .col(date_null("published_from"))
        .col(date("closes_on"))
        .col(boolean("closing_is_default"))
        .col(moment_null("submitted_at"))
        .col(uuid_null("decided_by"))
        .col(moment_null("decided_at"))
        .col(moment_null("closed_at"))
        .col(date_null("reminded_for"))
        .col(uuid("created_by"))
        .col(integer("version"))
        .col(moment("created_at"))
        .col(moment("updated_at"))
        .foreign_key(&mut reference("organisation_id", "organisation"))
        .foreign_key(&mut reference("contact_id", "contact"))
        .foreign_key(&mut reference("decided_by", "user_account"))
        .foreign_key(&mut reference("created_by", "user_account"))
        .check(one_of("kind", KINDS))
        .check(one_of("hours", &["FULL_TIME", "PART_TIME", "FLEXIBLE"]))
        .check(one_of("salary_per", &["YEAR", "MONTH", "WEEK", "DAY", "HOUR"]))
        .check(Expr::cust(
            "(salary_lowest IS NULL) = (salary_per IS NULL) AND (salary_highest IS NULL) = (salary_per IS NULL)",
        ))
        .check(Expr::cust("salary_lowest <= salary_highest"))
        .check(one_of(
            "state",
            &["DRAFT", "SUBMITTED", "APPROVED", "DECLINED", "CLOSED", "FILLED", "WITHDRAWN"],
        ))
        .take()
}

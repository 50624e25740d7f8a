//! Access that is earned: agreements, training sessions, what was attended, where each operator stands (policy 3).

use sea_orm_migration::{
    prelude::*,
    schema::{integer, text, text_null, text_uniq, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, one_of, part_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "agreement",
    "agreement_version",
    "agreement_acceptance",
    "course_agreement",
    "training_session",
    "training_record",
    "operator_access",
];

const STATES: &[&str] = &[
    "INVITED",
    "TRAINING_BOOKED",
    "TRAINED",
    "TERMS_ACCEPTED",
    "ACTIVE",
    "LAPSED",
    "SUSPENDED",
];

/// Grants that rested on training had its end in themselves. What they knew becomes a record of the training; the grant's
/// id is as good as another for it.
const RECORDS_OF_GRANTS: &str = "INSERT INTO training_record \
    (id, user_id, training_course_id, attended_at, valid_until) \
    SELECT id, user_id, training_course_id, granted_at, valid_until FROM access_grant \
    WHERE training_course_id IS NOT NULL AND valid_until IS NOT NULL";

const OPERATORS_OF_GRANTS: &str = "INSERT INTO operator_access (user_id, state, changed_at) \
    SELECT user_id, 'ACTIVE', MAX(granted_at) FROM access_grant WHERE state = 'ACTIVE' GROUP BY user_id";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            agreements(),
            versions(),
            acceptances(),
            required(),
            sessions(),
        ] {
            manager.create_table(table).await?;
        }
        for table in [records(), operators()] {
            manager.create_table(table).await?;
        }
        for index in [
            unique(
                "agreement_version_number",
                "agreement_version",
                &["agreement_id", "number"],
            ),
            index(
                "agreement_acceptance_user",
                "agreement_acceptance",
                &["user_id"],
            ),
            index(
                "training_session_course",
                "training_session",
                &["training_course_id"],
            ),
            unique(
                "training_record_event",
                "training_record",
                &["user_id", "event_id"],
            ),
            index(
                "training_record_course",
                "training_record",
                &["user_id", "training_course_id", "valid_until"],
            ),
            index(
                "training_record_end",
                "training_record",
                &["training_course_id", "valid_until"],
            ),
            index("operator_access_state", "operator_access", &["state"]),
        ] {
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(RECORDS_OF_GRANTS).await?;
        connection.execute_unprepared(OPERATORS_OF_GRANTS).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

fn agreements() -> TableCreateStatement {
    Table::create()
        .table("agreement")
        .col(id())
        .col(text("kind"))
        .col(text_uniq("title"))
        .col(moment("created_at"))
        .check(one_of(
            "kind",
            &[
                "OPERATOR_TERMS",
                "DATA_PROTECTION",
                "BULK_EMAIL_GUIDANCE",
                "OTHER",
            ],
        ))
        .take()
}

fn versions() -> TableCreateStatement {
    Table::create()
        .table("agreement_version")
        .col(id())
        .col(uuid("agreement_id"))
        .col(integer("number"))
        .col(text("text"))
        .col(integer("grace_days"))
        .col(moment("published_at"))
        .col(moment("binding_from"))
        .col(uuid_null("published_by"))
        .foreign_key(&mut part_of("agreement_id", "agreement"))
        .foreign_key(&mut reference("published_by", "user_account"))
        .check(Expr::col("grace_days").gte(0))
        .check(Expr::col("number").gt(0))
        .take()
}

fn acceptances() -> TableCreateStatement {
    Table::create()
        .table("agreement_acceptance")
        .col(uuid("agreement_version_id"))
        .col(uuid("user_id"))
        .col(moment("accepted_at"))
        .primary_key(Index::create().col("agreement_version_id").col("user_id"))
        .foreign_key(&mut reference("agreement_version_id", "agreement_version"))
        .foreign_key(&mut part_of("user_id", "user_account"))
        .take()
}

fn required() -> TableCreateStatement {
    Table::create()
        .table("course_agreement")
        .col(uuid("training_course_id"))
        .col(uuid("agreement_id"))
        .primary_key(
            Index::create()
                .col("training_course_id")
                .col("agreement_id"),
        )
        .foreign_key(&mut part_of("training_course_id", "training_course"))
        .foreign_key(&mut reference("agreement_id", "agreement"))
        .take()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("training_session")
        .col(uuid("event_id").primary_key())
        .col(uuid("training_course_id"))
        .foreign_key(&mut part_of("event_id", "event"))
        .foreign_key(&mut reference("training_course_id", "training_course"))
        .take()
}

fn records() -> TableCreateStatement {
    Table::create()
        .table("training_record")
        .col(id())
        .col(uuid("user_id"))
        .col(uuid("training_course_id"))
        .col(uuid_null("event_id"))
        .col(moment("attended_at"))
        .col(moment("valid_until"))
        .foreign_key(&mut part_of("user_id", "user_account"))
        .foreign_key(&mut reference("training_course_id", "training_course"))
        .foreign_key(&mut reference("event_id", "event"))
        .take()
}

fn operators() -> TableCreateStatement {
    Table::create()
        .table("operator_access")
        .col(uuid("user_id").primary_key())
        .col(text("state"))
        .col(moment("changed_at"))
        .col(text_null("suspended_because"))
        .foreign_key(&mut part_of("user_id", "user_account"))
        .check(one_of("state", STATES))
        .take()
}

//! Key accounts and liaison (policy 2.3).

use sea_orm_migration::{
    prelude::*,
    schema::{text, text_null, uuid, uuid_null},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "key_account",
    "key_account_contact",
    "liaison_request",
    "contact_without_agreement",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            key_account(),
            key_account_contact(),
            liaison_request(),
            contact_without_agreement(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

fn key_account() -> TableCreateStatement {
    Table::create()
        .table("key_account")
        .col(id())
        .col(uuid("organisation_id"))
        .col(uuid("operator_id"))
        .col(text("scope"))
        .col(text("state"))
        .col(moment("claimed_at"))
        .col(moment("held_since"))
        .col(moment_null("ended_at"))
        .foreign_key(&mut reference("organisation_id", "organisation"))
        .foreign_key(&mut reference("operator_id", "user_account"))
        .check(one_of("scope", &["WHOLE", "CONTACTS"]))
        .check(one_of("state", &["LIVE", "RELEASED", "LAPSED"]))
        .take()
}

fn key_account_contact() -> TableCreateStatement {
    Table::create()
        .table("key_account_contact")
        .col(id())
        .col(uuid("key_account_id"))
        .col(uuid("contact_id"))
        .col(uuid("guidance_note_id"))
        .col(moment("named_at"))
        .col(moment_null("ended_at"))
        .foreign_key(&mut part_of("key_account_id", "key_account"))
        .foreign_key(&mut reference("contact_id", "contact"))
        .foreign_key(&mut reference("guidance_note_id", "note"))
        .take()
}

fn liaison_request() -> TableCreateStatement {
    Table::create()
        .table("liaison_request")
        .col(id())
        .col(uuid("key_account_id"))
        .col(uuid("contact_id"))
        .col(uuid("requested_by"))
        .col(text("purpose"))
        .col(text("state"))
        .col(moment("requested_at"))
        .col(moment("expires_at"))
        .col(uuid_null("answered_by"))
        .col(moment_null("answered_at"))
        .col(text_null("answer"))
        .col(moment_null("agreed_until"))
        .foreign_key(&mut part_of("key_account_id", "key_account"))
        .foreign_key(&mut reference("contact_id", "contact"))
        .foreign_key(&mut reference("requested_by", "user_account"))
        .foreign_key(&mut reference("answered_by", "user_account"))
        .check(one_of(
            "state",
            &["REQUESTED", "AGREED", "DECLINED", "EXPIRED"],
        ))
        // Who has agreed has said until when.
        .check(
            Expr::col("state")
                .ne("AGREED")
                .or(Expr::col("agreed_until").is_not_null()),
        )
        .take()
}

fn contact_without_agreement() -> TableCreateStatement {
    Table::create()
        .table("contact_without_agreement")
        .col(uuid("note_id").primary_key().take())
        .col(uuid("key_account_id"))
        .col(moment("recorded_at"))
        .foreign_key(&mut part_of("note_id", "note"))
        .foreign_key(&mut part_of("key_account_id", "key_account"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        // One live claim on the whole of an organisation.
        unique("key_account_one_whole", "key_account", &["organisation_id"])
            .and_where(one_of("state", &["LIVE"]))
            .and_where(one_of("scope", &["WHOLE"]))
            .take(),
        // One live claim of an operator on an organisation.
        unique(
            "key_account_one_of_operator",
            "key_account",
            &["organisation_id", "operator_id"],
        )
        .and_where(one_of("state", &["LIVE"]))
        .take(),
        index(
            "key_account_operator",
            "key_account",
            &["operator_id", "id"],
        ),
        // One holder of a contact.
        unique(
            "key_account_contact_one_holder",
            "key_account_contact",
            &["contact_id"],
        )
        .and_where(Expr::col("ended_at").is_null())
        .take(),
        index(
            "key_account_contact_account",
            "key_account_contact",
            &["key_account_id"],
        ),
        // One live request of an operator about a contact.
        unique(
            "liaison_request_one_live",
            "liaison_request",
            &["contact_id", "requested_by"],
        )
        .and_where(one_of("state", &["REQUESTED", "AGREED"]))
        .take(),
        index(
            "liaison_request_account",
            "liaison_request",
            &["key_account_id", "state"],
        ),
        index(
            "liaison_request_by",
            "liaison_request",
            &["requested_by", "id"],
        ),
        index(
            "liaison_request_due",
            "liaison_request",
            &["state", "expires_at"],
        ),
        index(
            "contact_without_agreement_account",
            "contact_without_agreement",
            &["key_account_id"],
        ),
    ]
}

//! Contacts that are likely the same (policy 1).

use sea_orm_migration::{
    prelude::*,
    schema::{integer, json_binary, text, text_null, uuid, uuid_null},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["contact_duplicate_pair"];

/// Pairs of organisations stand in the order of their ids from now on, and say nothing of the numbers of key account contacts.
/// What is forgotten here the next search finds again.
const PAIRS_OF_ORGANISATIONS: &[&str] = &[
    "DELETE FROM duplicate_pair WHERE state = 'OPEN' AND (one_id > other_id
        OR one_id IN (SELECT organisation_id FROM key_account) OR other_id IN (SELECT organisation_id FROM key_account))",
    "UPDATE duplicate_pair SET one_id = other_id, other_id = one_id WHERE one_id > other_id AND NOT EXISTS
        (SELECT 1 FROM duplicate_pair AS turned
            WHERE turned.one_id = duplicate_pair.other_id AND turned.other_id = duplicate_pair.one_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("contact_duplicate_pair")
                    .col(id())
                    .col(uuid("one_id"))
                    .col(uuid("other_id"))
                    .col(uuid("group_id"))
                    .col(integer("doubt"))
                    .col(json_binary("signals"))
                    .col(json_binary("evidence"))
                    .col(text("state"))
                    .col(moment("found_at"))
                    .col(uuid_null("dismissed_by"))
                    .col(moment_null("dismissed_at"))
                    .col(text_null("reason"))
                    .foreign_key(&mut part_of("one_id", "contact"))
                    .foreign_key(&mut part_of("other_id", "contact"))
                    .foreign_key(&mut reference("dismissed_by", "user_account"))
                    .check(one_of("state", &["OPEN", "DISMISSED"]))
                    .take(),
            )
            .await?;
        for index in [
            unique(
                "contact_duplicate_pair_both",
                "contact_duplicate_pair",
                &["one_id", "other_id"],
            ),
            index(
                "contact_duplicate_pair_other",
                "contact_duplicate_pair",
                &["other_id"],
            ),
            index(
                "contact_duplicate_pair_list",
                "contact_duplicate_pair",
                &["state", "doubt", "id"],
            ),
            index(
                "contact_duplicate_pair_dismissed_by",
                "contact_duplicate_pair",
                &["dismissed_by"],
            ),
        ] {
            manager.create_index(index).await?;
        }
        for statement in PAIRS_OF_ORGANISATIONS {
            let db = manager.get_connection();
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

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
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Records that were merged, and what undoes it (policy 1: avoid duplication).

use sea_orm_migration::{
    prelude::*,
    schema::{integer, json_binary, json_binary_null, text, text_null, uuid, uuid_null},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["merge", "merge_change"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The records themselves are not referred to: the one that was merged is gone, and the other may be merged too.
        manager
            .create_table(
                Table::create()
                    .table("merge")
                    .col(id())
                    .col(text("kind"))
                    .col(uuid("survivor_id"))
                    .col(uuid("merged_id"))
                    .col(text_null("merged_name"))
                    .col(text_null("source_key"))
                    .col(uuid_null("merged_by"))
                    .col(moment("merged_at"))
                    .col(uuid_null("undone_by"))
                    .col(moment_null("undone_at"))
                    .foreign_key(&mut reference("merged_by", "user_account"))
                    .foreign_key(&mut reference("undone_by", "user_account"))
                    .check(one_of("kind", &["ORGANISATION", "CONTACT"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("merge_change")
                    .col(id())
                    .col(uuid("merge_id"))
                    .col(integer("place"))
                    .col(text("in_table"))
                    .col(text("kind"))
                    .col(text_null("in_column"))
                    .col(json_binary("row_key"))
                    .col(json_binary_null("before"))
                    .col(json_binary_null("after"))
                    .col(uuid_null("contact_id"))
                    .col(moment("created_at"))
                    .foreign_key(&mut part_of("merge_id", "merge"))
                    .check(one_of("kind", &["VALUE", "MOVED", "TAKEN_OUT", "ADDED"]))
                    .take(),
            )
            .await?;
        for index in [
            // A record is merged into one other.
            unique("merge_one_live", "merge", &["merged_id"])
                .and_where(Expr::col("undone_at").is_null())
                .take(),
            index("merge_survivor", "merge", &["survivor_id", "id"]),
            index("merge_source_key", "merge", &["source_key"]),
            index("merge_merged_by", "merge", &["merged_by"]),
            index("merge_undone_by", "merge", &["undone_by"]),
            unique("merge_change_place", "merge_change", &["merge_id", "place"]),
            index("merge_change_contact", "merge_change", &["contact_id"]),
            index("merge_change_created", "merge_change", &["created_at"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

//! Fields of an organisation's profile that administrators define, and what they are for each organisation.

use sea_orm_migration::{
    prelude::*,
    schema::{boolean, integer, json_binary, text, text_null, uuid},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["profile_field", "organisation_field"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("profile_field")
                    .col(id())
                    .col(text("name"))
                    .col(text("name_key"))
                    .col(text_null("help"))
                    .col(text("kind"))
                    .col(json_binary("choices"))
                    .col(text("visible_to"))
                    .col(boolean("is_required"))
                    .col(boolean("set_by_employers"))
                    .col(integer("position"))
                    .col(moment_null("archived_at"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .check(one_of("kind", &["TEXT", "NUMBER", "CHOICE", "DATE"]))
                    .check(one_of("visible_to", &["STAFF", "EMPLOYER", "EVERYONE"]))
                    .take(),
            )
            .await?;
        manager
            .create_index(unique(
                "profile_field_name_key",
                "profile_field",
                &["name_key"],
            ))
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("organisation_field")
                    .col(uuid("organisation_id"))
                    .col(uuid("profile_field_id"))
                    .col(text("value"))
                    .col(moment("updated_at"))
                    .primary_key(
                        Index::create()
                            .col("organisation_id")
                            .col("profile_field_id"),
                    )
                    .foreign_key(&mut part_of("organisation_id", "organisation"))
                    .foreign_key(&mut reference("profile_field_id", "profile_field"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index(
                "organisation_field_value",
                "organisation_field",
                &["profile_field_id", "value"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

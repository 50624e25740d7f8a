//! Tags and notes (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{text, text_null, text_uniq, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["tag", "organisation_tag", "note"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("tag")
                    .col(id())
                    .col(text("name"))
                    .col(text_uniq("name_key"))
                    .col(text_null("category"))
                    .col(moment_null("archived_at"))
                    .col(moment("created_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("organisation_tag")
                    .col(uuid("organisation_id"))
                    .col(uuid("tag_id"))
                    .col(uuid_null("tagged_by"))
                    .col(moment("tagged_at"))
                    .primary_key(Index::create().col("organisation_id").col("tag_id"))
                    .foreign_key(&mut part_of("organisation_id", "organisation"))
                    .foreign_key(&mut reference("tag_id", "tag"))
                    .foreign_key(&mut reference("tagged_by", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("note")
                    .col(id())
                    .col(uuid("organisation_id"))
                    .col(uuid_null("contact_id"))
                    .col(text("kind"))
                    .col(moment("happened_at"))
                    .col(text("body"))
                    .col(text_null("outcome"))
                    .col(text_null("next_action"))
                    .col(moment_null("next_action_due_at"))
                    .col(uuid("author_id"))
                    .col(moment("created_at"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .foreign_key(&mut reference("contact_id", "contact"))
                    .foreign_key(&mut reference("author_id", "user_account"))
                    .check(one_of(
                        "kind",
                        &[
                            "MEETING",
                            "CALL",
                            "EMAIL",
                            "VISIT",
                            "EVENT",
                            "GUIDANCE_ON_CONTACT",
                            "OTHER",
                        ],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            index(
                "organisation_tag_tag",
                "organisation_tag",
                &["tag_id", "organisation_id"],
            ),
            index("note_organisation", "note", &["organisation_id", "id"]),
            index("note_contact", "note", &["contact_id", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

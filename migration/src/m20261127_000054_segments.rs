//! Segments: filters of organisations that are kept under a name (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{boolean, date_null, integer, json_binary, text, text_null, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, one_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("segment")
                    .col(id())
                    .col(text("name"))
                    .col(text("name_key"))
                    .col(uuid("owner_id"))
                    .col(boolean("is_shared"))
                    .col(text_null("search"))
                    .col(json_binary("all_of"))
                    .col(json_binary("any_of"))
                    .col(json_binary("none_of"))
                    .col(text_null("sector"))
                    .col(text_null("state"))
                    .col(uuid_null("engaged_by"))
                    .col(date_null("last_contacted_before"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("owner_id", "user_account"))
                    .foreign_key(&mut reference("engaged_by", "faculty"))
                    .check(one_of(
                        "state",
                        &["PENDING", "APPROVED", "DECLINED", "SUSPENDED", "ARCHIVED"],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            // One name means one segment of its owner.
            unique("segment_of_owner", "segment", &["owner_id", "name_key"]),
            index("segment_by_name", "segment", &["name", "id"]),
            index("segment_engaged_by", "segment", &["engaged_by"]),
            // When an organisation was last contacted, and by whom.
            index(
                "note_contacted",
                "note",
                &["organisation_id", "happened_at"],
            ),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(
                Index::drop()
                    .name("note_contacted")
                    .table("note")
                    .to_owned(),
            )
            .await?;
        drop_tables(manager, &["segment"]).await
    }
}

//! Files of records that people import, and what became of their rows.

use sea_orm_migration::{
    prelude::*,
    schema::{blob_null, boolean, integer, json_binary, json_binary_null, text, uuid},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLE: &str = "record_import";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(TABLE)
                    .col(id())
                    .col(
                        text("kind").check(one_of("kind", &["ORGANISATIONS", "CONTACTS", "NOTES"])),
                    )
                    .col(text("file_name"))
                    .col(json_binary("mapping"))
                    .col(boolean("is_dry_run"))
                    .col(text("state").check(one_of("state", &["WAITING", "DONE", "REFUSED"])))
                    .col(integer("row_count"))
                    .col(blob_null("content"))
                    .col(json_binary_null("report"))
                    .col(uuid("requested_by"))
                    .col(moment("requested_at"))
                    .col(moment_null("finished_at"))
                    .col(moment("expires_at"))
                    .foreign_key(&mut reference("requested_by", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            index("record_import_requested_by", TABLE, &["requested_by", "id"]),
            index("record_import_expires", TABLE, &["expires_at"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &[TABLE]).await
    }
}

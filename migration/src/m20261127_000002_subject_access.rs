//! What people asked to be given of everything that is kept of them (policy 3).

use sea_orm_migration::{
    prelude::*,
    schema::{blob_null, text, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["subject_access"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("subject_access")
                    .col(id())
                    .col(uuid_null("user_id"))
                    .col(uuid_null("contact_id"))
                    .col(text("address"))
                    .col(uuid("requested_by"))
                    .col(text("state").check(one_of("state", &["REQUESTED", "READY"])))
                    .col(moment("requested_at"))
                    .col(moment_null("made_at"))
                    .col(moment("expires_at"))
                    .col(moment_null("fetched_at"))
                    .col(blob_null("document"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .foreign_key(&mut part_of("contact_id", "contact"))
                    .foreign_key(&mut reference("requested_by", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            index("subject_access_user", "subject_access", &["user_id"]),
            index("subject_access_contact", "subject_access", &["contact_id"]),
            index("subject_access_expires", "subject_access", &["expires_at"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

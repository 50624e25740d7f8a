//! Where else a contact works than at the organisation that has the record (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{text_null, uuid},
};

use crate::columns::{drop_tables, index, moment, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("contact_post")
                    .col(uuid("contact_id"))
                    .col(uuid("organisation_id"))
                    .col(text_null("job_title"))
                    .col(moment("created_at"))
                    .primary_key(Index::create().col("contact_id").col("organisation_id"))
                    .foreign_key(&mut reference("contact_id", "contact"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index(
                "contact_post_organisation",
                "contact_post",
                &["organisation_id"],
            ))
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["contact_post"]).await
    }
}

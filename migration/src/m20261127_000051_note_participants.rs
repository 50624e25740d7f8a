//! Who took part in an engagement: contacts of the organisation, and colleagues of whoever wrote it down (policy 2.2).

use sea_orm_migration::{prelude::*, schema::uuid};

use crate::columns::{drop_tables, index, part_of, reference};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["note_participant", "note_colleague"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(TABLES[0])
                    .col(uuid("note_id"))
                    .col(uuid("contact_id"))
                    .primary_key(Index::create().col("note_id").col("contact_id"))
                    .foreign_key(&mut part_of("note_id", "note"))
                    .foreign_key(&mut reference("contact_id", "contact"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table(TABLES[1])
                    .col(uuid("note_id"))
                    .col(uuid("user_id"))
                    .primary_key(Index::create().col("note_id").col("user_id"))
                    .foreign_key(&mut part_of("note_id", "note"))
                    .foreign_key(&mut reference("user_id", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            index("note_participant_contact", TABLES[0], &["contact_id"]),
            index("note_colleague_user", TABLES[1], &["user_id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

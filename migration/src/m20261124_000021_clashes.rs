//! What events offer, and clashes that an organiser has acknowledged (policy 2.4).

use sea_orm_migration::{
    prelude::*,
    schema::{text, uuid},
};

use crate::columns::{drop_tables, id, index, moment, one_of, part_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["event_opportunity", "clash_acknowledgement"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("event_opportunity")
                    .col(uuid("event_id"))
                    .col(text("kind"))
                    .primary_key(Index::create().col("event_id").col("kind"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .check(one_of(
                        "kind",
                        &[
                            "GRADUATE_JOB",
                            "PLACEMENT",
                            "INTERNSHIP",
                            "PART_TIME_JOB",
                            "VOLUNTEERING",
                            "FURTHER_STUDY",
                        ],
                    ))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("clash_acknowledgement")
                    .col(id())
                    .col(uuid("event_id"))
                    .col(uuid("other_event_id"))
                    .col(text("why"))
                    .col(text("reason"))
                    .col(uuid("acknowledged_by"))
                    .col(moment("acknowledged_at"))
                    .foreign_key(&mut part_of("event_id", "event"))
                    .foreign_key(&mut part_of("other_event_id", "event"))
                    .foreign_key(&mut reference("acknowledged_by", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            unique(
                "clash_acknowledgement_pair",
                "clash_acknowledgement",
                &["event_id", "other_event_id"],
            ),
            index(
                "clash_acknowledgement_other",
                "clash_acknowledgement",
                &["other_event_id"],
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

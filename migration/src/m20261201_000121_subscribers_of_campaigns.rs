//! Campaigns are for contacts of some subscriber types. Those that there are, are for all.

use sea_orm_migration::{prelude::*, schema::json_binary};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Without the types a campaign would go to more contacts than whoever wrote or approved it was shown.
const CAMPAIGNS_TO_DRAFTS: &str = "UPDATE campaign SET state = 'DRAFT', segment_asked = NULL, approved_by = NULL, \
    approved_at = NULL, version = version + 1, refusal = 'It was for contacts of some subscriber types, which are not told apart \
    any more: it would go to all.' \
    WHERE state IN ('IN_REVIEW', 'SCHEDULED') AND subscriber_types <> '[]'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("campaign")
                    .add_column(json_binary("subscriber_types").default("[]").take())
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(CAMPAIGNS_TO_DRAFTS)
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("campaign")
                    .drop_column("subscriber_types")
                    .take(),
            )
            .await
    }
}

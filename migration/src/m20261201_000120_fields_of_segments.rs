//! Segments ask for fields of profiles that administrators defined. Those that there are ask for none.

use sea_orm_migration::{prelude::*, schema::json_binary};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Without the fields a segment would mean more organisations than whoever wrote or approved a campaign was shown.
const CAMPAIGNS_TO_DRAFTS: &str = "UPDATE campaign SET state = 'DRAFT', segment_asked = NULL, approved_by = NULL, \
    approved_at = NULL, version = version + 1, refusal = 'Its segment asked for fields of profiles, which are not asked for any \
    more: the segment was taken away.' \
    WHERE state IN ('IN_REVIEW', 'SCHEDULED') \
    AND segment_id IN (SELECT id FROM segment WHERE profile_fields <> '[]')";

/// Nothing refers to a segment by a key. A draft that names one that is gone can't be submitted or started.
const SEGMENTS_AWAY: &str = "DELETE FROM segment WHERE profile_fields <> '[]'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("segment")
                    .add_column(json_binary("profile_fields").default("[]").take())
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for statement in [CAMPAIGNS_TO_DRAFTS, SEGMENTS_AWAY] {
            db.execute_unprepared(statement).await?;
        }
        manager
            .alter_table(
                Table::alter()
                    .table("segment")
                    .drop_column("profile_fields")
                    .take(),
            )
            .await
    }
}

//! A grant is given or taken back, and nothing else; what it rests on says whether it counts (policy 3). A course remembers
//! since when it names an agreement.

use sea_orm_migration::prelude::*;

use crate::columns::moment_null;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// States that counted for nothing, and grants for one faculty of what belongs to no faculty.
const WITHOUT_MEANING: &str = "UPDATE access_grant SET state = 'REVOKED' \
    WHERE state IN ('LAPSED', 'SUSPENDED') OR (faculty_id IS NOT NULL AND permission NOT IN \
    ('MANAGE_EVENT', 'GRANT_ACCESS', 'READ_REPORT', 'MANAGE_PLACEMENT'))";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(WITHOUT_MEANING)
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("access_grant")
                    .drop_column("valid_until")
                    .take(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("course_agreement")
                    .add_column(moment_null("named_at"))
                    .take(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("course_agreement")
                    .drop_column("named_at")
                    .take(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("access_grant")
                    .add_column(moment_null("valid_until"))
                    .take(),
            )
            .await
    }
}

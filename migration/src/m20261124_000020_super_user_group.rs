//! The Super User Group: who stands for which faculty, announcements, suggestions (policy 3).

#![expect(clippy::too_many_lines, reason = "a table reads best in one piece")]

use sea_orm_migration::{
    prelude::*,
    schema::{integer, text, text_null, uuid},
};

use crate::columns::{
    drop_tables, id, index, moment, moment_null, one_of, part_of, reference, unique,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &[
    "faculty_role",
    "announcement",
    "announcement_faculty",
    "announcement_read",
    "suggestion",
    "suggestion_vote",
    "suggestion_comment",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("faculty_role")
                    .col(uuid("faculty_id"))
                    .col(text("role"))
                    .col(uuid("user_id"))
                    .col(moment("since"))
                    .primary_key(Index::create().col("faculty_id").col("role"))
                    .foreign_key(&mut part_of("faculty_id", "faculty"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .check(one_of("role", &["REPRESENTATIVE", "DISSEMINATOR"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("announcement")
                    .col(id())
                    .col(text("kind"))
                    .col(text("title"))
                    .col(text("body"))
                    .col(uuid("published_by"))
                    .col(moment("published_at"))
                    .col(moment_null("remind_at"))
                    .foreign_key(&mut reference("published_by", "user_account"))
                    .check(one_of("kind", &["SYSTEM_UPDATE", "POLICY_CHANGE"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("announcement_faculty")
                    .col(uuid("announcement_id"))
                    .col(uuid("faculty_id"))
                    .primary_key(Index::create().col("announcement_id").col("faculty_id"))
                    .foreign_key(&mut part_of("announcement_id", "announcement"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("announcement_read")
                    .col(uuid("announcement_id"))
                    .col(uuid("user_id"))
                    .col(moment("read_at"))
                    .primary_key(Index::create().col("announcement_id").col("user_id"))
                    .foreign_key(&mut part_of("announcement_id", "announcement"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("suggestion")
                    .col(id())
                    .col(text("kind"))
                    .col(text("title"))
                    .col(text("body"))
                    .col(text("state"))
                    .col(text_null("priority"))
                    .col(text_null("outcome"))
                    .col(uuid("filed_by"))
                    .col(integer("votes"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("filed_by", "user_account"))
                    .check(one_of("kind", &["FAULT", "IMPROVEMENT"]))
                    .check(one_of(
                        "state",
                        &["FILED", "UNDER_DISCUSSION", "PLANNED", "DONE", "DECLINED"],
                    ))
                    .check(one_of("priority", &["LOW", "MEDIUM", "HIGH"]))
                    .check(Expr::col("votes").gte(0))
                    // Whatever is done or declined says what came of it.
                    .check(
                        Expr::col("outcome")
                            .is_not_null()
                            .or(one_of("state", &["FILED", "UNDER_DISCUSSION", "PLANNED"])),
                    )
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("suggestion_vote")
                    .col(uuid("suggestion_id"))
                    .col(uuid("user_id"))
                    .col(moment("voted_at"))
                    .primary_key(Index::create().col("suggestion_id").col("user_id"))
                    .foreign_key(&mut part_of("suggestion_id", "suggestion"))
                    .foreign_key(&mut part_of("user_id", "user_account"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("suggestion_comment")
                    .col(id())
                    .col(uuid("suggestion_id"))
                    .col(uuid("author_id"))
                    .col(text("body"))
                    .col(moment("created_at"))
                    .foreign_key(&mut part_of("suggestion_id", "suggestion"))
                    .foreign_key(&mut reference("author_id", "user_account"))
                    .take(),
            )
            .await?;
        for index in [
            unique("faculty_role_user", "faculty_role", &["role", "user_id"]),
            index("announcement_read_user", "announcement_read", &["user_id"]),
            index("suggestion_votes", "suggestion", &["votes", "id"]),
            index("suggestion_filer", "suggestion", &["filed_by", "id"]),
            index("suggestion_vote_user", "suggestion_vote", &["user_id"]),
            index(
                "suggestion_comment_suggestion",
                "suggestion_comment",
                &["suggestion_id", "created_at"],
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

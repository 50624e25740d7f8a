//! The structure of the university: faculty, school, programme.

use sea_orm_migration::{
    prelude::*,
    schema::{text, text_uniq, uuid},
};

use crate::columns::{drop_tables, id, moment, one_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["faculty", "school", "programme"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("faculty")
                    .col(id())
                    .col(text_uniq("name"))
                    .col(moment("created_at"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("school")
                    .col(id())
                    .col(uuid("faculty_id"))
                    .col(text("name"))
                    .col(moment("created_at"))
                    .foreign_key(&mut reference("faculty_id", "faculty"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("programme")
                    .col(id())
                    .col(uuid("school_id"))
                    .col(text("name"))
                    .col(text("level"))
                    .col(moment("created_at"))
                    .foreign_key(&mut reference("school_id", "school"))
                    .check(one_of(
                        "level",
                        &[
                            "FOUNDATION",
                            "UNDERGRADUATE",
                            "TAUGHT_POSTGRADUATE",
                            "RESEARCH",
                        ],
                    ))
                    .take(),
            )
            .await?;
        for index in [
            unique("school_name", "school", &["faculty_id", "name"]),
            unique("programme_name", "programme", &["school_id", "name"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

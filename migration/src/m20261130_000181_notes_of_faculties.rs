//! How many notes are for one faculty alone is asked in each search for notes, so it is counted in an index of just those.

use sea_orm_migration::prelude::*;

use crate::columns::{index, one_of};

#[derive(DeriveMigrationName)]
pub struct Migration;

const OF_FACULTIES: &str = "note_of_faculty";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = index(OF_FACULTIES, "note", &["id"])
            .and_where(one_of("visibility", &["FACULTY"]))
            .take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name(OF_FACULTIES).table("note").to_owned();
        manager.drop_index(index).await
    }
}

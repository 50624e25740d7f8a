//! A mail of the ledger changes its state in place.
//!
//! `PostgreSQL` writes a changed row into the page of the old one, without touching any index, as long as no index knows of a
//! changed column and the page has room. Each mail changes its state twice, so no index knows the state here, and pages are
//! left half empty.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::{index, one_of};

#[derive(DeriveMigrationName)]
pub struct Migration;

const CAMPAIGN: &str = "delivery_campaign";
const CAMPAIGN_STATE: &str = "delivery_campaign_state";
const DUE: &str = "delivery_due";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_index(manager, CAMPAIGN_STATE).await?;
        drop_index(manager, DUE).await?;
        manager
            .create_index(index(CAMPAIGN, "delivery", &["campaign_id", "id"]))
            .await?;
        fill_pages(manager, "SET (fillfactor = 50)").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        fill_pages(manager, "RESET (fillfactor)").await?;
        drop_index(manager, CAMPAIGN).await?;
        manager
            .create_index(index(
                CAMPAIGN_STATE,
                "delivery",
                &["campaign_id", "state", "id"],
            ))
            .await?;
        manager
            .create_index(
                index(DUE, "delivery", &["next_attempt_at", "id"])
                    .and_where(one_of("state", &["QUEUED", "SENDING"]))
                    .take(),
            )
            .await
    }
}

async fn drop_index(manager: &SchemaManager<'_>, name: &'static str) -> Result<(), DbErr> {
    manager
        .drop_index(Index::drop().name(name).table("delivery").to_owned())
        .await
}

/// How full the pages of the table get, where the database can be told.
async fn fill_pages(manager: &SchemaManager<'_>, how: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        let statement = format!("ALTER TABLE delivery {how}");
        manager
            .get_connection()
            .execute_unprepared(&statement)
            .await?;
    }
    Ok(())
}

//! When bulk mail goes out and how fast: quiet hours by the time zone of the organisation, and rates that can be changed
//! while campaigns are being sent (policy 2.5).

use sea_orm_migration::{
    prelude::*,
    schema::{integer_null, text, text_null},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let zone = text("time_zone").default("Europe/London").take();
        manager
            .alter_table(Table::alter().table("organisation").add_column(zone).take())
            .await?;
        for column in [
            integer_null("quiet_from"),
            integer_null("quiet_until"),
            text_null("mail_rate"),
            text_null("domain_rate"),
        ] {
            manager
                .alter_table(Table::alter().table("mail_rules").add_column(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["domain_rate", "mail_rate", "quiet_until", "quiet_from"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("mail_rules")
                        .drop_column(column)
                        .take(),
                )
                .await?;
        }
        manager
            .alter_table(
                Table::alter()
                    .table("organisation")
                    .drop_column("time_zone")
                    .take(),
            )
            .await
    }
}

//! Organisations and their contacts (policy 2.2).

use sea_orm_migration::{
    prelude::*,
    schema::{boolean, integer, json_binary, text, text_null, uuid, uuid_null},
};

use crate::columns::{drop_tables, id, index, moment, moment_null, one_of, reference, unique};

#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: &[&str] = &["organisation", "contact"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("organisation")
                    .col(id())
                    .col(text("name"))
                    .col(text("name_key"))
                    .col(json_binary("trading_names"))
                    .col(text_null("website"))
                    .col(json_binary("email_domains"))
                    .col(text_null("sector"))
                    .col(text_null("sub_sector"))
                    .col(text_null("size"))
                    .col(text("kind"))
                    .col(uuid_null("parent_id"))
                    .col(text_null("company_number"))
                    .col(text_null("address"))
                    .col(text_null("founded"))
                    .col(text("state"))
                    .col(text("source"))
                    .col(text_null("source_key"))
                    .col(boolean("shows_contacts_to_students"))
                    .col(boolean("multiple_touch_points"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("parent_id", "organisation"))
                    .check(one_of("size", &["MICRO", "SMALL", "MEDIUM", "LARGE"]))
                    .check(one_of(
                        "kind",
                        &[
                            "DIRECT_EMPLOYER",
                            "AGENCY",
                            "SELF_EMPLOYED",
                            "NON_PROFIT",
                            "PUBLIC",
                        ],
                    ))
                    .check(one_of(
                        "state",
                        &["PENDING", "APPROVED", "DECLINED", "SUSPENDED", "ARCHIVED"],
                    ))
                    .check(one_of("source", &["STAFF", "SELF_REGISTERED", "IMPORT"]))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("contact")
                    .col(id())
                    .col(uuid("organisation_id"))
                    .col(text("name"))
                    .col(text_null("job_title"))
                    .col(text_null("email"))
                    .col(text_null("telephone"))
                    .col(boolean("visible_to_students"))
                    .col(text("state"))
                    .col(moment_null("bulk_opted_out_at"))
                    .col(boolean("do_not_email"))
                    .col(moment_null("on_hold_at"))
                    .col(integer("version"))
                    .col(moment("created_at"))
                    .col(moment("updated_at"))
                    .foreign_key(&mut reference("organisation_id", "organisation"))
                    .check(one_of("state", &["ACTIVE", "INACTIVE"]))
                    .take(),
            )
            .await?;
        for index in [
            unique(
                "organisation_source",
                "organisation",
                &["source", "source_key"],
            ),
            index("organisation_name", "organisation", &["name", "id"]),
            index("organisation_name_key", "organisation", &["name_key"]),
            index("organisation_state", "organisation", &["state", "id"]),
            index("organisation_parent", "organisation", &["parent_id"]),
            index(
                "contact_organisation",
                "contact",
                &["organisation_id", "id"],
            ),
            index("contact_email", "contact", &["email"]),
            index("contact_name", "contact", &["name", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, TABLES).await
    }
}

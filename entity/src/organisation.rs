//! An organisation: an employer the university works with (policy 2.2).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::OrganisationId;
use crate::list::TextList;
use crate::personal_data::personal_data;

/// The type of an organisation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganisationKind {
    /// It employs people itself.
    DirectEmployer,
    /// It recruits for others.
    Agency,
    /// One person working for themselves.
    SelfEmployed,
    /// A charity or another body without profit.
    NonProfit,
    /// A public body.
    Public,
}

/// How many people an organisation employs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganisationSize {
    /// Up to 9.
    Micro,
    /// 10 to 49.
    Small,
    /// 50 to 249.
    Medium,
    /// 250 or more.
    Large,
}

/// Where an organisation stands in approval.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrganisationState {
    /// It waits for an operator.
    Pending,
    /// It is approved.
    Approved,
    /// It was declined.
    Declined,
    /// It is suspended.
    Suspended,
    /// It is kept, and no longer used.
    Archived,
}

/// Where a record came from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordSource {
    /// An operator made it.
    Staff,
    /// The employer registered it.
    SelfRegistered,
    /// It was imported from a file.
    Import,
}

/// A row of `organisation`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// The name without case, punctuation and legal suffix, for finding likely duplicates.
    pub name_key: String,
    /// Other names it trades under.
    pub trading_names: TextList,
    /// The address of its web site.
    pub website: Option<String>,
    /// The domains its people write from.
    pub email_domains: TextList,
    /// Its sector.
    pub sector: Option<String>,
    /// Its sub-sector.
    pub sub_sector: Option<String>,
    /// How many people it employs.
    pub size: Option<OrganisationSize>,
    /// What type of organisation it is.
    pub kind: OrganisationKind,
    /// The head office that it is a division of.
    pub parent_id: Option<OrganisationId>,
    /// Its number in the register of companies.
    pub company_number: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// When it was founded, as its source says it.
    pub founded: Option<String>,
    /// Where it stands in approval.
    pub state: OrganisationState,
    /// Where it stood before it was archived.
    pub archived_from: Option<OrganisationState>,
    /// Why it stands there, for those whom it concerns to read.
    pub state_reason: Option<String>,
    /// Where the record came from.
    pub source: RecordSource,
    /// Its key in that source; unique with it, so that a second import finds it.
    pub source_key: Option<String>,
    /// Whether it agreed that its contacts are shown to students; no unless asked.
    pub shows_contacts_to_students: bool,
    /// Whether it has many touch points and no single owner (policy 2.3).
    pub multiple_touch_points: bool,
    /// The name of its time zone, as the tz database has it.
    pub time_zone: String,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// Its contacts.
    #[sea_orm(has_many)]
    pub contacts: HasMany<super::contact::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "organisation": "An employer, which may be one person working for themselves.";
    erasure: Keep("an organisation is nobody; a person's name and addresses are taken out");
    retention: Until::Always.because("the record of an employer is what the system is for (policy 2.2)");
    Words => name, name_key, trading_names, website, address, state_reason;
    Nothing => id, email_domains, sector, sub_sector, size, kind, parent_id, company_number, founded, state,
        archived_from, source, source_key, shows_contacts_to_students, multiple_touch_points, time_zone, version, created_at, updated_at;
}

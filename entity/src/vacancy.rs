//! A vacancy that an organisation has for students (policy 2.2).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::event_opportunity::OpportunityKind;
use crate::ids::{ContactId, OrganisationId, UserId, VacancyId};
use crate::personal_data::personal_data;

/// Where a vacancy stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VacancyState {
    /// It is being written.
    Draft,
    /// It waits for an operator.
    Submitted,
    /// Students it suits find it from the day on which it is published to the day on which it closes.
    Approved,
    /// It was declined; it may be mended and submitted again.
    Declined,
    /// Its closing date is past, or somebody closed it.
    Closed,
    /// Somebody was found.
    Filled,
    /// It was taken back.
    Withdrawn,
}

/// How much work it is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VacancyHours {
    /// The whole week.
    FullTime,
    /// A part of the week.
    PartTime,
    /// As it is agreed.
    Flexible,
}

/// What a salary is paid for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SalaryPeriod {
    /// A year.
    Year,
    /// A month.
    Month,
    /// A week.
    Week,
    /// A day.
    Day,
    /// An hour.
    Hour,
}

/// A row of `vacancy`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vacancy")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VacancyId,
    /// Whose it is.
    pub organisation_id: OrganisationId,
    /// What it is called.
    pub title: String,
    /// What there is to do.
    pub description: Option<String>,
    /// What kind of opportunity it is.
    pub kind: OpportunityKind,
    /// How much work it is.
    pub hours: Option<VacancyHours>,
    /// The lowest salary, in pence.
    pub salary_lowest: Option<i32>,
    /// The highest salary, in pence; the same where there is one number.
    pub salary_highest: Option<i32>,
    /// What that is paid for.
    pub salary_per: Option<SalaryPeriod>,
    /// Where it is.
    pub location: Option<String>,
    /// How to apply, in words.
    pub how_to_apply: Option<String>,
    /// Where to apply on the web.
    pub apply_link: Option<String>,
    /// Whom to ask. Students see them under the consent of both person and organisation.
    pub contact_id: Option<ContactId>,
    /// Where it stands.
    pub state: VacancyState,
    /// Why it stands there, for its employer.
    pub reason: Option<String>,
    /// The first day, in the university's time, on which students find it; none until it is approved or somebody said so.
    pub published_from: Option<Date>,
    /// The last day, in the university's time, on which students find it.
    pub closes_on: Date,
    /// Whether nobody gave the closing date, so that it is a month from publication.
    pub closing_is_default: bool,
    /// Since when it waits, or waited last.
    pub submitted_at: Option<DateTimeUtc>,
    /// Who decided last; none when a rule did.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// When it was over.
    pub closed_at: Option<DateTimeUtc>,
    /// The closing date of which its employer was reminded.
    pub reminded_for: Option<Date>,
    /// Who wrote it.
    pub created_by: UserId,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "vacancy": "A vacancy of an employer: whom to ask about it, and who wrote and approved it.";
    erasure: Keep("it is the organisation's; names and addresses are taken out");
    retention: Until::Always.because("what employers offered is a part of their record (policy 2.2)");
    Subject(Contact) => contact_id;
    Hand => decided_by, created_by;
    Words => title, description, how_to_apply, reason;
    Nothing => id, organisation_id, kind, hours, salary_lowest, salary_highest, salary_per, location, apply_link, state,
        published_from, closes_on, closing_is_default, submitted_at, decided_at, closed_at, reminded_for, version,
        created_at, updated_at;
}

//! A registration: an employer who came by themselves, with an organisation or to one (policy 2.2).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{OrganisationId, RegistrationId, UserId},
    personal_data::personal_data,
};

/// What somebody registered for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistrationKind {
    /// With an organisation that wasn't known.
    New,
    /// To join one that is.
    Join,
}

/// Where a registration stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistrationState {
    /// It waits for an operator.
    Submitted,
    /// It was approved.
    Approved,
    /// It was declined.
    Declined,
}

/// A row of `registration`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registration")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegistrationId,
    /// Who registered.
    pub user_id: UserId,
    /// The organisation that was registered, or is to be joined.
    pub organisation_id: OrganisationId,
    /// Which of the two.
    pub kind: RegistrationKind,
    /// Where it stands.
    pub state: RegistrationState,
    /// The job title of whoever wants to join.
    pub job_title: Option<String>,
    /// Their telephone number.
    pub telephone: Option<String>,
    /// Since when it waits.
    pub submitted_at: DateTimeUtc,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// Why; the employer reads it.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "registration": "That an employer registered, their job title and telephone number until they joined.";
    erasure: Keep("that the organisation came by itself must stay known; the account is a pseudonym then");
    retention: Until::Erasure.because("it says how somebody came to sign in for an organisation");
    Subject(Account) => user_id;
    Value(Null) => job_title, telephone;
    Hand => decided_by;
    Words => reason;
    Nothing => id, organisation_id, kind, state, submitted_at, decided_at;
}

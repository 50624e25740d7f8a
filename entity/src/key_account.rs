//! A key account: an operator's claim on an organisation (policy 2.3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{KeyAccountId, OrganisationId, UserId};
use crate::personal_data::personal_data;

/// What a claim is on.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyAccountScope {
    /// The whole organisation: nobody else claims it.
    Whole,
    /// The named contacts of an organisation that has many touch points.
    Contacts,
}

/// Whether a claim stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyAccountState {
    /// It stands, as long as its operator's access does.
    Live,
    /// Its operator gave it up, or it went into another of whoever took it over.
    Released,
    /// Its operator's access ended.
    Lapsed,
}

/// A row of `key_account`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_account")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyAccountId,
    /// The organisation that is claimed.
    pub organisation_id: OrganisationId,
    /// The Key Account Operator.
    pub operator_id: UserId,
    /// What is claimed.
    pub scope: KeyAccountScope,
    /// Whether it stands.
    pub state: KeyAccountState,
    /// When it was claimed.
    pub claimed_at: DateTimeUtc,
    /// Since when this operator has it.
    pub held_since: DateTimeUtc,
    /// When it ended.
    pub ended_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "key_account": "Which operator has claimed an organisation.";
    erasure: Keep("whom employers were to be asked of must stay known; the account is a pseudonym then");
    retention: Until::Always.because("it goes with the organisation (policy 2.3)");
    Hand => operator_id;
    Nothing => id, organisation_id, scope, state, claimed_at, held_since, ended_at;
}

//! Changes that an employer asks for and an operator decides, while the old values stay visible (policy 2.2).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{HeldChangeId, OrganisationId, UserId},
    personal_data::personal_data,
};

/// Where held changes stand.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HeldChangeState {
    /// They wait for an operator.
    Waiting,
    /// They were made.
    Approved,
    /// They were declined.
    Declined,
    /// The employer asked for others instead.
    Replaced,
}

/// A row of `held_change`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "held_change")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HeldChangeId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The values that are wanted, by the names of the fields.
    pub wanted: Json,
    /// Where they stand.
    pub state: HeldChangeState,
    /// Who asked.
    pub asked_by: UserId,
    /// When.
    pub asked_at: DateTimeUtc,
    /// Who decided.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// Why; the employer reads it.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "held_change": "Which changes of an organisation an employer asked for, and who decided.";
    erasure: Keep("it is about the organisation; accounts are pseudonyms then");
    retention: Until::Always.because("how a name or an address came to be must stay known (policy 2.2)");
    Hand => asked_by, decided_by;
    Words => wanted, reason;
    Nothing => id, organisation_id, state, asked_at, decided_at;
}

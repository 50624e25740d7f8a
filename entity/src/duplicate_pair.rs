//! Two organisations that are likely the same (policy 1).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{DuplicatePairId, OrganisationId, UserId},
    personal_data::personal_data,
};

/// Where a pair stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DuplicatePairState {
    /// Somebody should look at it.
    Open,
    /// Somebody did: they are not the same.
    Dismissed,
}

/// A row of `duplicate_pair`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "duplicate_pair")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DuplicatePairId,
    /// The organisation that was made first.
    pub one_id: OrganisationId,
    /// The other; unique with the one.
    pub other_id: OrganisationId,
    /// The first of all organisations that belong together with these two.
    pub group_id: OrganisationId,
    /// How unlikely it is that they are the same, in millionths.
    pub doubt: i32,
    /// What they have in common, as a list of words.
    pub signals: Json,
    /// What speaks for and against, with weights.
    pub evidence: Json,
    /// Where it stands.
    pub state: DuplicatePairState,
    /// When it was last found.
    pub found_at: DateTimeUtc,
    /// Who said that they are not the same.
    pub dismissed_by: Option<UserId>,
    /// When.
    pub dismissed_at: Option<DateTimeUtc>,
    /// Why.
    pub reason: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "duplicate_pair": "Who said that two organisations are not the same, and why.";
    erasure: Keep("the decision is about organisations; the account is a pseudonym then");
    retention: Until::Always.because("what is no duplicate is not told of again");
    Hand => dismissed_by;
    Words => reason;
    Nothing => id, one_id, other_id, group_id, doubt, signals, evidence, state, found_at, dismissed_at;
}

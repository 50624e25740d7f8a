//! A liaison request: another operator asks before they contact a key account contact (policy 2.3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::{ContactId, KeyAccountId, LiaisonRequestId, UserId};
use crate::personal_data::personal_data;

/// Where a liaison request stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LiaisonState {
    /// It waits for an answer.
    Requested,
    /// The Key Account Operator agreed, until a certain time.
    Agreed,
    /// The Key Account Operator did not agree.
    Declined,
    /// Nobody answered in time, the time of the agreement is over, or the claim ended.
    Expired,
}

/// A row of `liaison_request`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "liaison_request")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LiaisonRequestId,
    /// The key account, whose operator answers.
    pub key_account_id: KeyAccountId,
    /// The contact it is about.
    pub contact_id: ContactId,
    /// Who asks.
    pub requested_by: UserId,
    /// What they want to contact them for.
    pub purpose: String,
    /// Where it stands.
    pub state: LiaisonState,
    /// When it was asked.
    pub requested_at: DateTimeUtc,
    /// When it is too late: for the answer, or for what was agreed.
    pub expires_at: DateTimeUtc,
    /// Who answered.
    pub answered_by: Option<UserId>,
    /// When they did.
    pub answered_at: Option<DateTimeUtc>,
    /// What they said.
    pub answer: Option<String>,
    /// Until when the contact may be contacted; none when it was not agreed.
    pub agreed_until: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "liaison_request": "Who asked to contact somebody, what for, and what was answered.";
    erasure: Keep("what was agreed must stay known; names and addresses are taken out");
    retention: Until::Always.because("it goes with the key account (policy 2.3)");
    Subject(Contact) => contact_id;
    Hand => requested_by, answered_by;
    Words => purpose, answer;
    Nothing => id, key_account_id, state, requested_at, expires_at, answered_at, agreed_until;
}

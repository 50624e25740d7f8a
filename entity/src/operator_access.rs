//! Where a member of staff stands on the way to operator access (policy 3). Whoever has no row has been invited and has
//! done nothing yet.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::personal_data::personal_data;

/// A stage on the way to operator access.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccessState {
    /// Everybody on the staff is: training is offered.
    Invited,
    /// A training session is booked, or waited for.
    TrainingBooked,
    /// Training was attended, and its agreements are still to be accepted.
    Trained,
    /// Training was attended and its agreements were accepted; no grant rests on it yet.
    TermsAccepted,
    /// At least one grant counts.
    Active,
    /// What there was has run out: the training is too old, or a new version of an agreement was not accepted in time.
    Lapsed,
    /// It is withheld, whatever was attended and accepted.
    Suspended,
}

/// A row of `operator_access`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operator_access")]
pub struct Model {
    /// The member of staff.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// Where they stand. What counts is never decided by it alone, except that nothing counts while it is SUSPENDED.
    pub state: AccessState,
    /// Since when.
    pub changed_at: DateTimeUtc,
    /// Why access is suspended; none when it is not.
    pub suspended_because: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "operator_access": "Where a member of staff stands on the way to operator access.";
    erasure: Delete;
    retention: Until::Erasure.because("it is what they may do and why not");
    Nothing => state, changed_at;
    Subject(Account) => user_id;
    Words => suspended_because;
}

//! Who accepted which version of an agreement, and when (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{AgreementVersionId, UserId};
use crate::personal_data::personal_data;

/// A row of `agreement_acceptance`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agreement_acceptance")]
pub struct Model {
    /// The version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub agreement_version_id: AgreementVersionId,
    /// Who accepted it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// When.
    pub accepted_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "agreement_acceptance": "Which terms a member of staff accepted, and when.";
    erasure: Keep("it proves on what terms the data of others was handled");
    retention: Until::Erasure.because("access rests on it, and afterwards the proof of it");
    Nothing => agreement_version_id, accepted_at;
    Subject(Account) => user_id;
}

//! A version of an agreement: its text, which never changes once it is published (policy 3).

use sea_orm::entity::prelude::*;

use crate::ids::{AgreementId, AgreementVersionId, UserId};
use crate::personal_data::personal_data;

/// A row of `agreement_version`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agreement_version")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgreementVersionId,
    /// The agreement.
    pub agreement_id: AgreementId,
    /// Its number, from 1; the highest is the current one.
    pub number: i32,
    /// The text.
    pub text: String,
    /// For how many days after its publication the version before it is enough.
    pub grace_days: i32,
    /// When it was published.
    pub published_at: DateTimeUtc,
    /// From when on nothing older is enough: the publication and the days of grace.
    pub binding_from: DateTimeUtc,
    /// Who published it; none for demo data.
    pub published_by: Option<UserId>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "agreement_version": "Who published a version of an agreement.";
    erasure: Keep("others have accepted the text");
    retention: Until::Always.because("what was accepted must be readable");
    Nothing => id, agreement_id, number, text, grace_days, published_at, binding_from;
    Hand => published_by;
}

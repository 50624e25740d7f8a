//! A text that whoever is to have access agrees to: terms, data protection, guidance (policy 2.5 and 3).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::AgreementId;
use crate::personal_data::personal_data;

/// What an agreement is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AgreementKind {
    /// The terms on which operators work with the system.
    OperatorTerms,
    /// The handling of personal data.
    DataProtection,
    /// The guidance on writing to many employers at once.
    BulkEmailGuidance,
    /// Anything else.
    Other,
}

/// A row of `agreement`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "agreement")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgreementId,
    /// What it is about.
    pub kind: AgreementKind,
    /// Its title; unique.
    pub title: String,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "agreement": nobody;
    id, kind, title, created_at
}

//! What a field that administrators defined is for one organisation.

use sea_orm::entity::prelude::*;

use crate::ids::{OrganisationId, ProfileFieldId};
use crate::personal_data::personal_data;

/// A row of `organisation_field`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_field")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation_id: OrganisationId,
    /// The field.
    #[sea_orm(primary_key, auto_increment = false)]
    pub profile_field_id: ProfileFieldId,
    /// The value in one spelling: a number without separators, a day as `2026-11-28`.
    pub value: String,
    /// When it was last said.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "organisation_field": "What is kept of an employer in fields that administrators defined.";
    erasure: Keep("an organisation is nobody; a person's name and addresses are taken out");
    retention: Until::Always.because("it goes with the organisation");
    Words => value;
    Nothing => organisation_id, profile_field_id, updated_at;
}

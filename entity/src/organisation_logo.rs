//! The logo of an organisation, as it was made from what was sent.

use sea_orm::entity::prelude::*;

use crate::ids::{OrganisationId, OrganisationLogoId};
use crate::personal_data::personal_data;

/// A row of `organisation_logo`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_logo")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganisationLogoId,
    /// Whose it is; an organisation has one.
    pub organisation_id: OrganisationId,
    /// What its address ends in: new with every logo.
    pub token: String,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// The picture as JPEG, without anything else that the file had in it.
    pub bytes: Vec<u8>,
    /// When it was uploaded.
    pub uploaded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "organisation_logo": nobody;
    id, organisation_id, token, width, height, bytes, uploaded_at
}

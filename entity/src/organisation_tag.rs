//! A tag on an organisation.

use sea_orm::entity::prelude::*;

use crate::ids::{OrganisationId, TagId, UserId};
use crate::personal_data::personal_data;

/// A row of `organisation_tag`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisation_tag")]
pub struct Model {
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation_id: OrganisationId,
    /// The tag.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tag_id: TagId,
    /// Who put it there.
    pub tagged_by: Option<UserId>,
    /// When.
    pub tagged_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "organisation_tag": "Who put a tag on an organisation.";
    erasure: Keep("the tag is the organisation's; the account is a pseudonym then");
    retention: Until::Always.because("it goes with the tag");
    Hand => tagged_by;
    Nothing => organisation_id, tag_id, tagged_at;
}

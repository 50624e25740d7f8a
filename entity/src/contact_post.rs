//! A post of a contact at an organisation besides the one that has the record.

use sea_orm::entity::prelude::*;

use crate::ids::{ContactId, OrganisationId};
use crate::personal_data::personal_data;

/// A row of `contact_post`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_post")]
pub struct Model {
    /// The contact.
    #[sea_orm(primary_key, auto_increment = false)]
    pub contact_id: ContactId,
    /// Where else they work.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation_id: OrganisationId,
    /// Their job title there.
    pub job_title: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "contact_post": "At which organisations a contact works besides the one that has the record.";
    erasure: Delete;
    retention: Until::Erasure.because("it goes with the contact");
    Subject(Contact) => contact_id;
    Value(Null) => job_title;
    Nothing => organisation_id, created_at;
}

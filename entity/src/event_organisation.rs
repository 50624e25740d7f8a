//! An organisation that takes part in an event.

use sea_orm::entity::prelude::*;

use crate::ids::{EventId, OrganisationId};
use crate::personal_data::personal_data;

/// A row of `event_organisation`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_organisation")]
pub struct Model {
    /// The event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub event_id: EventId,
    /// The organisation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organisation_id: OrganisationId,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "event_organisation": nobody;
    event_id, organisation_id
}

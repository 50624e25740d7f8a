//! A room or hall in which events take place (policy 2.4).

use sea_orm::entity::prelude::*;

use crate::ids::VenueId;
use crate::personal_data::personal_data;

/// A row of `venue`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "venue")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VenueId,
    /// Its name, such as `Great Hall`.
    pub name: String,
    /// The building it is in.
    pub building: Option<String>,
    /// The campus that is on.
    pub campus: Option<String>,
    /// Name, building and campus in lower case, by words; unique.
    pub name_key: String,
    /// How many people it holds.
    pub capacity: Option<i32>,
    /// How people with disabilities get there and find their way in it.
    pub accessibility: Option<String>,
    /// The web address of a map.
    pub map_link: Option<String>,
    /// When it was taken out of use.
    pub archived_at: Option<DateTimeUtc>,
    /// Raised at every change, for optimistic concurrency.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "venue": nobody;
    id, name, building, campus, name_key, capacity, accessibility, map_link, archived_at, version, created_at, updated_at
}

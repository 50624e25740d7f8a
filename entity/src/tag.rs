//! A tag: a theme that organisations are found by (policy 2.2).

use sea_orm::entity::prelude::*;

use crate::ids::TagId;
use crate::personal_data::personal_data;

/// A row of `tag`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tag")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// The name in lower case; unique.
    pub name_key: String,
    /// The category it belongs to.
    pub category: Option<String>,
    /// When it was taken out of use.
    pub archived_at: Option<DateTimeUtc>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "tag": nobody;
    id, name, name_key, category, archived_at, created_at
}

//! A field of an organisation's profile that administrators define (policy 1: customise their profiles).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ids::ProfileFieldId;
use crate::list::TextList;
use crate::personal_data::personal_data;

/// What is kept in a field.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProfileFieldKind {
    /// One line of text.
    Text,
    /// A number.
    Number,
    /// One of a list.
    Choice,
    /// A day.
    Date,
}

/// Who sees a field, of an organisation that they may see.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProfileFieldAudience {
    /// Staff.
    Staff,
    /// Staff, and whoever signs in for the organisation.
    Employer,
    /// Everybody who sees the organisation.
    Everyone,
}

/// A row of `profile_field`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "profile_field")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProfileFieldId,
    /// What it is called.
    pub name: String,
    /// The name in lower case, by words; unique.
    pub name_key: String,
    /// What belongs there, for whoever fills it in.
    pub help: Option<String>,
    /// What is kept in it.
    pub kind: ProfileFieldKind,
    /// What can be chosen.
    pub choices: TextList,
    /// Who sees it.
    pub visible_to: ProfileFieldAudience,
    /// Whether an organisation can't be without it once it is asked for.
    pub is_required: bool,
    /// Whether employers say it of their own organisation.
    pub set_by_employers: bool,
    /// Fields are shown by this, the lowest first.
    pub position: i32,
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
    "profile_field": nobody;
    id, name, name_key, help, kind, choices, visible_to, is_required, set_by_employers, position, archived_at, version,
    created_at, updated_at
}

//! A merge: two records of the same organisation or person became one (policy 1).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{MergeId, UserId},
    personal_data::personal_data,
};

/// What was merged.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergeKind {
    /// Two organisations.
    Organisation,
    /// Two contacts of one organisation.
    Contact,
}

/// A row of `merge`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merge")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MergeId,
    /// What was merged.
    pub kind: MergeKind,
    /// The record that is left.
    pub survivor_id: Uuid,
    /// The record that went into it; one live merge for each.
    pub merged_id: Uuid,
    /// The name of the organisation that went into it; none for a contact.
    pub merged_name: Option<String>,
    /// What the record that went into it was known by in its source.
    pub source_key: Option<String>,
    /// Who merged them.
    pub merged_by: Option<UserId>,
    /// When.
    pub merged_at: DateTimeUtc,
    /// Who undid it.
    pub undone_by: Option<UserId>,
    /// When.
    pub undone_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "merge": "Who merged two records of the same organisation or person, and who undid it.";
    erasure: Keep("the id of a record that was merged must lead to the one that is left; accounts are pseudonyms then");
    retention: Until::Always.because("old ids stand in mails and bookmarks for years (policy 1)");
    Hand => merged_by, undone_by;
    Words => merged_name;
    Nothing => id, kind, survivor_id, merged_id, source_key, merged_at, undone_at;
}

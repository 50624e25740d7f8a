//! What a merge changed, row by row, so that it can be undone whole.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{ContactId, MergeChangeId, MergeId},
    personal_data::personal_data,
};

/// What became of a row.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MergeChangeKind {
    /// A value of the record that is left became another.
    Value,
    /// The row belonged to the record that was merged, and belongs to the one that is left now.
    Moved,
    /// The row went, because the record that is left has one like it, or because it is the merged record itself.
    TakenOut,
    /// The row was made.
    Added,
}

/// A row of `merge_change`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "merge_change")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MergeChangeId,
    /// The merge.
    pub merge_id: MergeId,
    /// Its place in the order in which the merge was done.
    pub place: i32,
    /// The table of the row.
    pub in_table: String,
    /// What became of the row.
    pub kind: MergeChangeKind,
    /// The column that was changed.
    pub in_column: Option<String>,
    /// What finds the row: columns with their values.
    pub row_key: Json,
    /// What was there before: a value, or a whole row.
    pub before: Option<Json>,
    /// What was there afterwards.
    pub after: Option<Json>,
    /// The contact that is left, where contacts were merged.
    pub contact_id: Option<ContactId>,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "merge_change": "What a merged record was, so that the merge can be undone.";
    erasure: Delete;
    retention: Until::RowFor(30, "created_at").because("a merge can be undone for 30 days");
    Subject(Contact) => contact_id;
    Words => before, after;
    Nothing => id, merge_id, place, in_table, kind, in_column, row_key, created_at;
}

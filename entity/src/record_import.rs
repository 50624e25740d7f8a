//! Files of records that somebody imports, and what became of their rows (policy 2.2).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{RecordImportId, UserId},
    personal_data::personal_data,
};

/// What a file has.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordKind {
    /// Organisations.
    Organisations,
    /// Contacts.
    Contacts,
    /// Notes.
    Notes,
}

/// How far an import is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize,
)]
#[sea_orm(
    rs_type = "String",
    db_type = "Text",
    rename_all = "SCREAMING_SNAKE_CASE"
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordImportState {
    /// It waits for a worker, or one is at it.
    Waiting,
    /// It is done, or has been tried.
    Done,
    /// The file was refused as a whole.
    Refused,
}

/// A row of `record_import`.
#[sea_orm::model]
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "record_import")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecordImportId,
    /// What the file has.
    pub kind: RecordKind,
    /// The name of the file.
    pub file_name: String,
    /// Which columns are which fields, where their names don't say it.
    pub mapping: Json,
    /// Whether it is only tried.
    pub is_dry_run: bool,
    /// How far it is.
    pub state: RecordImportState,
    /// How many rows the file has.
    pub row_count: i32,
    /// The file, until it is imported.
    pub content: Option<Vec<u8>>,
    /// What became of its rows.
    pub report: Option<Json>,
    /// Who imports it.
    pub requested_by: UserId,
    /// When they asked for it.
    pub requested_at: DateTimeUtc,
    /// When it was done.
    pub finished_at: Option<DateTimeUtc>,
    /// Until when it is kept.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

personal_data! {
    "record_import": "A file of employers' records that somebody imports, and what became of its rows.";
    erasure: Delete;
    retention: RowFor(0, "expires_at").because("the records stand for themselves; the file is for its import alone");
    Subject(Account) => requested_by;
    Words => file_name;
    Secret(Null) => content, report;
    Nothing => id, kind, mapping, is_dry_run, state, row_count, requested_at, finished_at, expires_at;
}

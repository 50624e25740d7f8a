//! Merging: two records of the same organisation, or of the same person, become one (policy 1: avoid duplication).
//!
//! A merge gives everything that points at one record to another, settles the values of the one that is left, and takes the
//! other row out. It keeps a journal of every row it touched, and for 30 days the journal undoes it whole: what was changed
//! since then stays, and where that and the undoing want different things, somebody is asked.
//!
//! The merged record is absent, not hidden, so that no query can forget to leave it out, and the database itself refuses to
//! let it go while something still points at it. [`trace`] says what an old id has become.

mod contact;
mod journal;
mod lists;
mod organisation;
mod pairs;
mod references;
mod rows;
mod undo;

use chrono::TimeDelta;
use entity::{
    ids::{MergeId, UserId},
    merge::{self, MergeKind},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use uuid::Uuid;

pub(crate) use self::lists::{Became, all_that_went_into, became, merged_with_keys};
pub use self::{
    contact::{ContactField, Contacts, contacts},
    lists::{into_records, known_source_keys, trace},
    organisation::{OrganisationField, Organisations, organisations},
    references::{Reference, UNDECLARED, references_to},
    undo::{Conflict, Undone, undo},
};
use crate::{error::Result, store::Tx, viewer::Viewer};

/// How long a merge can be undone.
pub const UNDONE_WITHIN: TimeDelta = TimeDelta::days(30);

/// What a merge did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The merge.
    pub merge: merge::Model,
    /// What became of the rows that pointed at the merged record, table by table.
    pub rows: Vec<MergedRows>,
    /// Each value of the two records that differs, and which one is kept.
    pub values: Vec<MergedValue>,
    /// What somebody should know before they do it, in sentences.
    pub notes: Vec<String>,
}

/// What became of the rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedRows {
    /// The table.
    pub table: &'static str,
    /// How many belong to the record that is left now.
    pub moved: u64,
    /// How many went, because the record that is left has the same.
    pub taken_out: u64,
}

/// A value in which the two records differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedValue {
    /// The name of the field in the API.
    pub field: String,
    /// What the record that is left had.
    pub survivor: Option<String>,
    /// What the other one had.
    pub merged: Option<String>,
    /// What is kept.
    pub kept: Option<String>,
}

/// A merge about to be done.
struct Plan {
    kind: MergeKind,
    survivor_id: Uuid,
    merged_id: Uuid,
    merged_name: Option<String>,
    source_key: Option<String>,
}

impl Plan {
    async fn record(self, tx: &Tx, by: Option<UserId>) -> Result<merge::Model> {
        Ok(merge::ActiveModel {
            id: Set(MergeId::new_at(tx.now())),
            kind: Set(self.kind),
            survivor_id: Set(self.survivor_id),
            merged_id: Set(self.merged_id),
            merged_name: Set(self.merged_name),
            source_key: Set(self.source_key),
            merged_by: Set(by),
            merged_at: Set(tx.now()),
            undone_by: Set(None),
            undone_at: Set(None),
        }
        .insert(tx.conn())
        .await?)
    }
}

/// The table whose rows are merged.
const fn table_of(kind: MergeKind) -> &'static str {
    match kind {
        MergeKind::Organisation => "organisation",
        MergeKind::Contact => "contact",
    }
}

/// The id of a record as it is written outside.
fn written(kind: MergeKind, id: Uuid) -> String {
    match kind {
        MergeKind::Organisation => entity::ids::OrganisationId(id).to_string(),
        MergeKind::Contact => entity::ids::ContactId(id).to_string(),
    }
}

/// Writes into both records' histories what became of them.
async fn tell_log(tx: &mut Tx, viewer: &Viewer, merge: &merge::Model, undone: bool) -> Result<()> {
    let (survivor, merged) = (
        written(merge.kind, merge.survivor_id),
        written(merge.kind, merge.merged_id),
    );
    let action = match (merge.kind, undone) {
        (MergeKind::Organisation, false) => "organisation.merge",
        (MergeKind::Organisation, true) => "organisation.undo_merge",
        (MergeKind::Contact, false) => "contact.merge",
        (MergeKind::Contact, true) => "contact.undo_merge",
    };
    let told =
        serde_json::json!({ "mergeId": merge.id, "survivorId": survivor, "mergedId": merged });
    tx.audit(viewer, action, &survivor, None, Some(told.clone()))
        .await?;
    tx.audit(viewer, action, &merged, None, Some(told)).await
}

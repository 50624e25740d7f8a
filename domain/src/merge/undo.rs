//! Undoing a merge whole. What was changed since then stays; where that and the undoing want different things, nothing is
//! guessed: each such conflict is shown, and somebody says which it is to be.

use std::collections::BTreeMap;

use entity::{
    access_grant::Permission,
    contact,
    ids::{ContactId, MergeId, OrganisationId},
    merge::{self, MergeKind},
    merge_change::{self, MergeChangeKind},
    organisation,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, SqlErr, TransactionTrait,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    MergedRows, UNDONE_WITHIN,
    contact::{raise_version, refuse_before_liaison},
    lists::{left_of, live},
    organisation::name_again,
    pairs,
    rows::{Row, Table, field_name},
    table_of, tell_log, written,
};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    history, key_account,
    organisation::duplicates,
    store::Tx,
    viewer::Viewer,
};

/// Something that was changed since the merge and that undoing it would change as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What it is called in a decision.
    pub key: String,
    /// What it is, in a sentence.
    pub message: String,
    /// What it was before the merge.
    pub before: Option<String>,
    /// What the merge made of it.
    pub merged: Option<String>,
    /// What it is now.
    pub now: Option<String>,
    /// Whether it can be as it was before.
    pub can_be_restored: bool,
    /// What was decided: to restore it or to leave it; none when nothing was, or can't be done.
    pub decision: Option<bool>,
}

/// What undoing a merge did, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The merge.
    pub merge: merge::Model,
    /// What became of the rows, table by table: how many were moved back, and how many were put back.
    pub rows: Vec<MergedRows>,
    /// What has to be decided.
    pub conflicts: Vec<Conflict>,
    /// Whether it is done: nothing is left to be decided. Else the transaction must not be committed.
    pub is_done: bool,
}

/// Undoes a merge, with a decision for each conflict: to restore what was before the merge, or to leave what is now.
///
/// The transaction must be left without a commit unless [`Undone::is_done`]; leaving it in any case makes a dry run.
pub async fn undo(
    tx: &mut Tx,
    viewer: &Viewer,
    id: MergeId,
    decisions: &BTreeMap<String, bool>,
) -> Result<Undone> {
    viewer.require(Permission::DeleteOrganisation)?;
    let merge = merge::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("mergeId", "merge"))?;
    refuse(tx, viewer, &merge).await?;
    pairs::hold(tx, merge.kind).await?;
    let changes = merge_change::Entity::find()
        .filter(merge_change::Column::MergeId.eq(id))
        .order_by_desc(merge_change::Column::Place)
        .all(tx.conn())
        .await?;
    if changes.is_empty() {
        return Err(wrong(
            "What the record was is no longer kept: it was erased.",
        ));
    }
    let mut undoing = Undoing {
        tx,
        merge: &merge,
        decisions,
        rows: Vec::new(),
        conflicts: Vec::new(),
    };
    for change in changes {
        undoing.undo(change).await?;
    }
    let (rows, conflicts) = (undoing.rows, undoing.conflicts);
    let is_done = conflicts.iter().all(|conflict| conflict.decision.is_some());
    if !is_done {
        return Ok(Undone {
            merge,
            rows,
            conflicts,
            is_done,
        });
    }
    match merge.kind {
        MergeKind::Organisation => name_again(tx, OrganisationId(merge.survivor_id)).await?,
        MergeKind::Contact => raise_version(tx, ContactId(merge.survivor_id)).await?,
    }
    let mut row = merge.into_active_model();
    row.undone_by = Set(viewer.user_id());
    row.undone_at = Set(Some(tx.now()));
    let merge = row.update(tx.conn()).await?;
    merge_change::Entity::delete_many()
        .filter(merge_change::Column::MergeId.eq(id))
        .exec(tx.conn())
        .await?;
    tell_log(tx, viewer, &merge, true).await?;
    if merge.kind == MergeKind::Organisation {
        let both = [merge.survivor_id, merge.merged_id].map(OrganisationId);
        duplicates::forget_withheld_numbers(tx, &both).await?;
        let mut claims = Vec::new();
        for id in both {
            claims.extend(key_account::live_claims(tx, id).await?);
        }
        key_account::letters::merged(tx, viewer, &merge, &claims).await?;
    }
    Ok(Undone {
        merge,
        rows,
        conflicts,
        is_done,
    })
}

fn wrong(message: impl Into<String>) -> Error {
    Error::refused(RefusalCode::WrongState, "mergeId", message)
}

/// Looks whether it can be undone at all, and locks the record that is left.
async fn refuse(tx: &Tx, viewer: &Viewer, merge: &merge::Model) -> Result<()> {
    if merge.undone_at.is_some() {
        return Err(wrong("This merge was undone already."));
    }
    if tx.now() >= merge.merged_at + UNDONE_WITHIN {
        return Err(wrong(format!(
            "A merge can be undone for {} days, and this one is older.",
            UNDONE_WITHIN.num_days()
        )));
    }
    let is_there = match merge.kind {
        MergeKind::Organisation => {
            organisation::Entity::find_by_id(OrganisationId(merge.survivor_id))
                .lock_exclusive()
                .one(tx.conn())
                .await?
                .is_some()
        }
        MergeKind::Contact => {
            let id = ContactId(merge.survivor_id);
            let mut refusals = Refusals::default();
            refuse_before_liaison(tx, viewer, &[id], &mut refusals).await?;
            refusals.into_result()?;
            contact::Entity::find_by_id(id)
                .lock_exclusive()
                .one(tx.conn())
                .await?
                .is_some()
        }
    };
    if is_there {
        return Ok(());
    }
    Err(
        match live(tx.conn(), merge.kind, merge.survivor_id).await? {
            Some(later) => wrong(format!(
                "The record that was left has been merged into another since: undo that merge first ({}).",
                later.id
            )),
            None => wrong("The record that was left is no longer there."),
        },
    )
}

struct Undoing<'u> {
    tx: &'u Tx,
    merge: &'u merge::Model,
    decisions: &'u BTreeMap<String, bool>,
    rows: Vec<MergedRows>,
    conflicts: Vec<Conflict>,
}

impl Undoing<'_> {
    fn count(&mut self, table: &str, moved: u64, put_back: u64) {
        // The record itself is no row that was moved.
        if table == table_of(self.merge.kind) && moved == 0 {
            return;
        }
        match self.rows.iter_mut().find(|rows| rows.table == table) {
            Some(rows) => {
                rows.moved += moved;
                rows.taken_out += put_back;
            }
            None => {
                if let Some(holding) = entity::personal_data::ALL
                    .iter()
                    .find(|holding| holding.table == table)
                {
                    self.rows.push(MergedRows {
                        table: holding.table,
                        moved,
                        taken_out: put_back,
                    });
                }
            }
        }
    }

    /// Notes a conflict, and answers what was decided.
    fn conflict(&mut self, mut conflict: Conflict) -> Option<bool> {
        let decision = self
            .decisions
            .get(&conflict.key)
            .copied()
            .filter(|restore| !*restore || conflict.can_be_restored);
        conflict.decision = decision;
        self.conflicts.push(conflict);
        decision
    }

    async fn undo(&mut self, change: merge_change::Model) -> Result<()> {
        let table = Table::named(&change.in_table)?;
        let Value::Object(row_key) = change.row_key.clone() else {
            return Err(Error::Fault(
                "the key of a kept row can't be read".to_owned(),
            ));
        };
        match change.kind {
            MergeChangeKind::Value => self.undo_value(&table, change, &row_key).await,
            MergeChangeKind::Moved => self.undo_move(&table, change, row_key).await,
            MergeChangeKind::TakenOut => self.put_back(&table, change).await,
            MergeChangeKind::Added => {
                table.delete(self.tx, &row_key).await?;
                Ok(())
            }
        }
    }

    async fn undo_value(
        &mut self,
        table: &Table,
        change: merge_change::Model,
        row_key: &Row,
    ) -> Result<()> {
        let column = change.in_column.unwrap_or_default();
        let (before, after) = (
            change.before.unwrap_or_default(),
            change.after.unwrap_or_default(),
        );
        let rows = table.find(self.tx, row_key).await?;
        let Some(now) = rows.first().and_then(|row| row.get(&column)) else {
            return Ok(());
        };
        // What follows from the name is made anew when all is done.
        if column == "name_key" {
            return Ok(());
        }
        if *now != after && *now != before {
            let field = field_name(&column);
            let shown = |value: &Value| Self::shown(&column, value);
            let restore = self.conflict(Conflict {
                message: format!("{field} has been changed since the merge."),
                before: shown(&before),
                merged: shown(&after),
                now: shown(now),
                key: field,
                can_be_restored: true,
                decision: None,
            });
            if restore != Some(true) {
                return Ok(());
            }
        }
        let value = self.value_to_restore(&column, before).await?;
        let values = Row::from_iter([(column, value)]);
        table.set(self.tx, row_key, &values).await?;
        Ok(())
    }

    /// A value as people read it.
    fn shown(column: &str, value: &Value) -> Option<String> {
        if column == "parent_id" {
            let id: Uuid = value.as_str()?.parse().ok()?;
            return Some(written(MergeKind::Organisation, id));
        }
        history::written(value)
    }

    /// Where it names another organisation: that, or what it was merged into since.
    async fn value_to_restore(&self, column: &str, value: Value) -> Result<Value> {
        if !matches!(column, "parent_id" | "organisation_id") {
            return Ok(value);
        }
        let Some(id) = value.as_str().and_then(|id| id.parse::<Uuid>().ok()) else {
            return Ok(value);
        };
        // This merge still counts while it is being undone.
        if id == self.merge.merged_id {
            return Ok(value);
        }
        let left = left_of(self.tx.conn(), OrganisationId(id)).await?;
        Ok(json!(left.map(OrganisationId::uuid)))
    }

    async fn undo_move(
        &mut self,
        table: &Table,
        change: merge_change::Model,
        mut row_key: Row,
    ) -> Result<()> {
        let column = change.in_column.unwrap_or_default();
        let (ours, theirs) = (json!(self.merge.survivor_id), json!(self.merge.merged_id));
        let by_id = row_key.contains_key("id");
        if !by_id {
            // The column is a part of the key.
            row_key.insert(column.clone(), ours.clone());
        }
        let rows = table.find(self.tx, &row_key).await?;
        let Some(row) = rows.into_iter().next() else {
            self.refuse_if_merged(&change.in_table, &row_key).await?;
            // It was taken away since, and stays so.
            return Ok(());
        };
        let now = row.get(&column).cloned().unwrap_or_default();
        let is_as_left = if by_id {
            now == ours
        } else {
            change
                .after
                .as_ref()
                .is_none_or(|after| *after == Value::Object(row.clone()))
        };
        if !is_as_left {
            let what = change.in_table.replace('_', " ");
            let message = if by_id {
                format!("A {what} that the merge moved has gone elsewhere since.")
            } else {
                format!(
                    "A {what} that the merge moved was changed since, or taken away and made anew."
                )
            };
            let restore = self.conflict(Conflict {
                key: key_of(&change.in_table, &row_key, &column),
                message,
                before: Self::shown("parent_id", &theirs),
                merged: Self::shown("parent_id", &ours),
                now: Self::shown("parent_id", &now),
                can_be_restored: true,
                decision: None,
            });
            if restore != Some(true) {
                return Ok(());
            }
        }
        let values = Row::from_iter([(column, theirs)]);
        let moved = table.set(self.tx, &row_key, &values).await?;
        self.count(&change.in_table, moved, 0);
        Ok(())
    }

    /// A contact that came with the merge and was merged itself since must come back first.
    async fn refuse_if_merged(&self, table: &str, row_key: &Row) -> Result<()> {
        let kind = match table {
            "contact" => MergeKind::Contact,
            "organisation" => MergeKind::Organisation,
            _ => return Ok(()),
        };
        let id = row_key
            .get("id")
            .and_then(Value::as_str)
            .and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id else { return Ok(()) };
        match live(self.tx.conn(), kind, id).await? {
            Some(later) => Err(wrong(format!(
                "One of its {table}s has been merged into another since: undo that merge first ({}).",
                later.id
            ))),
            None => Ok(()),
        }
    }

    async fn put_back(&mut self, table: &Table, change: merge_change::Model) -> Result<()> {
        let Some(Value::Object(mut row)) = change.before else {
            return Err(Error::Fault("a kept row can't be read".to_owned()));
        };
        let is_record = change.in_table == table_of(self.merge.kind);
        if is_record {
            for column in ["parent_id", "organisation_id"] {
                if let Some(value) = row.remove(column) {
                    let value = self.value_to_restore(column, value).await?;
                    row.insert(column.to_owned(), value);
                }
            }
        }
        // Within a savepoint: what it refers to may be gone by now.
        let savepoint = self.tx.conn().begin().await?;
        match table.insert(&savepoint, &row).await {
            Ok(put_back) => {
                savepoint.commit().await?;
                // policy 2.3: nor are pairs of contacts counted when they come back (see [`pairs::give`]).
                if change.in_table != pairs::CONTACTS {
                    self.count(&change.in_table, 0, put_back);
                }
                return Ok(());
            }
            Err(Error::Database(error))
                if matches!(
                    error.sql_err(),
                    Some(
                        SqlErr::ForeignKeyConstraintViolation(_)
                            | SqlErr::UniqueConstraintViolation(_)
                    )
                ) =>
            {
                savepoint.rollback().await?;
            }
            Err(error) => return Err(error),
        }
        if is_record {
            return Err(wrong(
                "The record can't come back: another has taken its place since, or what it belonged to is gone.",
            ));
        }
        // Pairs of likely duplicates are found again by the next search.
        if !pairs::TABLES.contains(&change.in_table.as_str()) {
            let what = change.in_table.replace('_', " ");
            self.conflict(Conflict {
                key: key_of(&change.in_table, &row, ""),
                message: format!("A {what} can't be put back: what it refers to is gone."),
                before: None,
                merged: None,
                now: None,
                can_be_restored: false,
                decision: None,
            });
        }
        Ok(())
    }
}

/// What a row is called in a decision.
fn key_of(table: &str, key: &Row, but: &str) -> String {
    let ids: Vec<&str> = key
        .iter()
        .filter(|(column, _)| {
            column.as_str() != but && (column.as_str() == "id" || column.ends_with("_id"))
        })
        .filter_map(|(_, value)| value.as_str())
        .collect();
    format!("{table}:{}", ids.join("+"))
}

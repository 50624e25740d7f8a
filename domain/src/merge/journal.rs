//! The journal of a merge: what it does to rows, written down as it does it.

use std::collections::HashSet;

use entity::{
    ids::{ContactId, MergeChangeId, MergeId},
    merge,
    merge_change::{self, MergeChangeKind as Kind},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::Value;
use uuid::Uuid;

use super::{
    MergedRows,
    references::{Reference, Way},
    rows::{Row, Table, key, key_of_two},
};
use crate::{data_protection::rows::Sql, error::Result, store::Tx};

/// How many lines are written at once.
const CHUNK: usize = 500;

/// The journal of one merge.
pub(super) struct Journal<'t> {
    tx: &'t Tx,
    merge_id: MergeId,
    survivor_id: Uuid,
    merged_id: Uuid,
    contact_id: Option<ContactId>,
    lines: Vec<merge_change::ActiveModel>,
    rows: Vec<MergedRows>,
}

/// What a line tells of a row.
struct Line {
    kind: Kind,
    column: Option<&'static str>,
    key: Row,
    before: Option<Value>,
    after: Option<Value>,
}

impl<'t> Journal<'t> {
    pub fn new(tx: &'t Tx, merge: &merge::Model, contact_id: Option<ContactId>) -> Self {
        Self {
            tx,
            merge_id: merge.id,
            survivor_id: merge.survivor_id,
            merged_id: merge.merged_id,
            contact_id,
            lines: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// The transaction in which the merge is done.
    pub fn tx(&self) -> &'t Tx {
        self.tx
    }

    /// The record that is left.
    pub fn survivor_id(&self) -> Uuid {
        self.survivor_id
    }

    /// The record that goes into it.
    pub fn merged_id(&self) -> Uuid {
        self.merged_id
    }

    fn note(&mut self, table: &str, line: Line) {
        let place = i32::try_from(self.lines.len()).unwrap_or(i32::MAX);
        self.lines.push(merge_change::ActiveModel {
            id: Set(MergeChangeId::new_at(self.tx.now())),
            merge_id: Set(self.merge_id),
            place: Set(place),
            in_table: Set(table.to_owned()),
            kind: Set(line.kind),
            in_column: Set(line.column.map(str::to_owned)),
            row_key: Set(Value::Object(line.key)),
            before: Set(line.before),
            after: Set(line.after),
            contact_id: Set(self.contact_id),
            created_at: Set(self.tx.now()),
        });
    }

    fn count(&mut self, table: &'static str, moved: usize, taken_out: usize) {
        let (moved, taken_out) = (moved as u64, taken_out as u64);
        if moved + taken_out == 0 {
            return;
        }
        match self.rows.iter_mut().find(|rows| rows.table == table) {
            Some(rows) => {
                rows.moved += moved;
                rows.taken_out += taken_out;
            }
            None => self.rows.push(MergedRows {
                table,
                moved,
                taken_out,
            }),
        }
    }

    /// Sets these columns of the record that is left.
    pub async fn set_values(
        &mut self,
        table: &'static str,
        old: &Row,
        values: &[(&'static str, Value)],
    ) -> Result<()> {
        let mut changed = Row::new();
        for (column, value) in values {
            let before = old.get(*column).cloned().unwrap_or(Value::Null);
            if before == *value {
                continue;
            }
            changed.insert((*column).to_owned(), value.clone());
            self.note(
                table,
                Line {
                    kind: Kind::Value,
                    column: Some(column),
                    key: key("id", self.survivor_id),
                    before: Some(before),
                    after: Some(value.clone()),
                },
            );
        }
        if !changed.is_empty() {
            let survivor = key("id", self.survivor_id);
            Table::named(table)?
                .set(self.tx, &survivor, &changed)
                .await?;
        }
        Ok(())
    }

    /// Gives the rows that point at the merged record to the one that is left.
    pub async fn give(&mut self, reference: &Reference) -> Result<()> {
        match reference.way {
            Way::ById => self.give_by_id(reference).await,
            Way::OneFor(each) => self.give_one_for(reference, each).await,
            Way::One => self.give_one(reference).await,
            Way::OwnRule => Ok(()),
        }
    }

    async fn give_by_id(&mut self, reference: &Reference) -> Result<()> {
        let Reference { table, column, .. } = *reference;
        let mut sql = Sql::default();
        let (to, from) = (sql.bind(self.survivor_id), sql.bind(self.merged_id));
        let text = format!(
            "UPDATE \"{table}\" SET \"{column}\" = {to} WHERE \"{column}\" = {from} RETURNING \"id\""
        );
        let statement = sql.statement(self.tx.backend(), text);
        let moved = self.tx.conn().query_all_raw(statement).await?;
        for row in &moved {
            let id: Uuid = row.try_get_by_index(0)?;
            self.note(
                table,
                Line {
                    kind: Kind::Moved,
                    column: Some(column),
                    key: key("id", id),
                    before: None,
                    after: None,
                },
            );
        }
        self.count(table, moved.len(), 0);
        Ok(())
    }

    async fn give_one(&mut self, reference: &Reference) -> Result<()> {
        let Reference { table, column, .. } = *reference;
        let own = Table::named(table)?
            .find(self.tx, &key(column, self.survivor_id))
            .await?;
        if own.is_empty() {
            return self.give_by_id(reference).await;
        }
        let gone = self.take_out(table, column, self.merged_id).await?;
        self.count_taken_out(table, gone.len());
        Ok(())
    }

    async fn give_one_for(&mut self, reference: &Reference, each: &'static str) -> Result<()> {
        let Reference { table, column, .. } = *reference;
        let of = Table::named(table)?;
        let there: HashSet<String> = of
            .find(self.tx, &key(column, self.survivor_id))
            .await?
            .iter()
            .filter_map(|row| row.get(each).map(Value::to_string))
            .collect();
        let (mut moved, mut taken_out) = (0, 0);
        for row in of.find(self.tx, &key(column, self.merged_id)).await? {
            let value = row.get(each).cloned().unwrap_or(Value::Null);
            if there.contains(&value.to_string()) {
                self.take_out_row(table, column, each, row).await?;
                taken_out += 1;
                continue;
            }
            let to = Value::from(self.survivor_id.to_string());
            let from = Value::from(self.merged_id.to_string());
            let found = key_of_two((column, from), (each, value.clone()));
            let changed = Row::from_iter([(column.to_owned(), to.clone())]);
            of.set(self.tx, &found, &changed).await?;
            let mut after = row;
            after.insert(column.to_owned(), to);
            self.note(
                table,
                Line {
                    kind: Kind::Moved,
                    column: Some(column),
                    key: Row::from_iter([(each.to_owned(), value)]),
                    before: None,
                    after: Some(Value::Object(after)),
                },
            );
            moved += 1;
        }
        self.count(table, moved, taken_out);
        Ok(())
    }

    async fn take_out_row(
        &mut self,
        table: &'static str,
        column: &'static str,
        each: &'static str,
        row: Row,
    ) -> Result<()> {
        let part = |column: &'static str| (column, row.get(column).cloned().unwrap_or(Value::Null));
        let found = key_of_two(part(column), part(each));
        Table::named(table)?.delete(self.tx, &found).await?;
        self.note(
            table,
            Line {
                kind: Kind::TakenOut,
                column: None,
                key: found,
                before: Some(Value::Object(row)),
                after: None,
            },
        );
        Ok(())
    }

    /// Takes out the rows with this value, and keeps them.
    pub async fn take_out(
        &mut self,
        table: &'static str,
        column: &'static str,
        id: Uuid,
    ) -> Result<Vec<Row>> {
        let of = Table::named(table)?;
        let rows = of.find(self.tx, &key(column, id)).await?;
        of.delete(self.tx, &key(column, id)).await?;
        for row in &rows {
            let found =
                Row::from_iter([("id".to_owned(), row.get("id").cloned().unwrap_or_default())]);
            self.note(
                table,
                Line {
                    kind: Kind::TakenOut,
                    column: None,
                    key: found,
                    before: Some(Value::Object(row.clone())),
                    after: None,
                },
            );
        }
        Ok(rows)
    }

    /// Counts rows that were taken out.
    pub fn count_taken_out(&mut self, table: &'static str, rows: usize) {
        self.count(table, 0, rows);
    }

    /// Makes a row.
    pub async fn add(&mut self, table: &'static str, row: Row) -> Result<()> {
        Table::named(table)?.insert(self.tx.conn(), &row).await?;
        let found = Row::from_iter([("id".to_owned(), row.get("id").cloned().unwrap_or_default())]);
        self.note(
            table,
            Line {
                kind: Kind::Added,
                column: None,
                key: found,
                before: None,
                after: Some(Value::Object(row)),
            },
        );
        Ok(())
    }

    /// Writes the journal, and answers what became of the rows.
    pub async fn close(self) -> Result<Vec<MergedRows>> {
        let mut lines = self.lines.into_iter().peekable();
        while lines.peek().is_some() {
            let some: Vec<_> = lines.by_ref().take(CHUNK).collect();
            merge_change::Entity::insert_many(some)
                .exec_without_returning(self.tx.conn())
                .await?;
        }
        Ok(self.rows)
    }
}

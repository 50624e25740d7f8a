//! Pairs of likely duplicates, when one of a pair is merged into another record.

use entity::{duplicate_pair::DuplicatePairState, ids::DuplicatePairId, merge::MergeKind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    journal::Journal,
    rows::{Row, Table},
};
use crate::{
    duplicate::{Kind, kept::hold_pairs},
    error::Result,
    store::Tx,
};

/// Where the pairs of organisations are kept.
pub(super) const ORGANISATIONS: &str = "duplicate_pair";
/// Where the pairs of contacts are.
pub(super) const CONTACTS: &str = "contact_duplicate_pair";
/// The tables that keep pairs.
pub(super) const TABLES: &[&str] = &[ORGANISATIONS, CONTACTS];

/// Waits until nobody else changes pairs of such records, which are locked already.
pub(super) async fn hold(tx: &Tx, of: MergeKind) -> Result<()> {
    let kind = match of {
        MergeKind::Organisation => Kind::Organisation,
        MergeKind::Contact => Kind::Person,
    };
    hold_pairs(tx, kind).await
}

/// Pairs with the merged one: those that are still open are found again by the next search. That it was no duplicate of a
/// third one holds for the one that is left as well.
pub(super) async fn give(journal: &mut Journal<'_>, in_table: &'static str) -> Result<()> {
    let (survivor_id, merged_id) = (journal.survivor_id(), journal.merged_id());
    let id_in = |row: &Row, column: &str| {
        row.get(column)
            .and_then(Value::as_str)
            .and_then(|id| id.parse::<Uuid>().ok())
    };
    let mut pairs = journal.take_out(in_table, "one_id", merged_id).await?;
    pairs.extend(journal.take_out(in_table, "other_id", merged_id).await?);
    // policy 2.3: whoever merges need not know of every pair of contacts, so that these aren't counted for them.
    if in_table == ORGANISATIONS {
        journal.count_taken_out(in_table, pairs.len());
    }
    let table = Table::named(in_table)?;
    for mut pair in pairs {
        let dismissed = json!(DuplicatePairState::Dismissed);
        let third = [id_in(&pair, "one_id"), id_in(&pair, "other_id")]
            .into_iter()
            .flatten()
            .find(|id| *id != merged_id);
        let Some(third) = third.filter(|third| *third != survivor_id) else {
            continue;
        };
        if pair.get("state") != Some(&dismissed) {
            continue;
        }
        let (one, other) = (survivor_id.min(third), survivor_id.max(third));
        let both = Row::from_iter([
            ("one_id".to_owned(), json!(one)),
            ("other_id".to_owned(), json!(other)),
        ]);
        if !table.find(journal.tx(), &both).await?.is_empty() {
            continue;
        }
        let id = DuplicatePairId::new_at(journal.tx().now()).uuid();
        pair.extend(both);
        pair.insert("id".to_owned(), json!(id));
        journal.add(in_table, pair).await?;
    }
    Ok(())
}

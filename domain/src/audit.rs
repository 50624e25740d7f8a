//! The audit log: who did what to what, and when (policy 3).
//!
//! The database refuses to change or to delete a line. Whoever can switch that off still leaves a trace: every line is
//! sealed soon after it was written, in a chain in which each seal has the hash of the one before it. Lines are written
//! unsealed and one job seals them, so that changes don't wait for each other. They are counted as their changes commit: a line
//! that goes missing before it was sealed leaves a gap in the numbers, and an end that is cut off leaves a count that is higher
//! than the last number. Where the chain ended is kept every day, and told outside the database.
//!
//! What a line tells of before and after may hold personal values, which erasure takes out. The seal has a salted hash of
//! them and not themselves; with the salt gone as well, nothing of them can be guessed. Each such erasure is a line itself,
//! whose subject is the line it took the details from, so that a gap without one is tampering.

mod bulk;
mod export;
mod head;
mod list;
mod mask;
mod verify;

use entity::{audit_entry, audit_seal, ids::AuditEntryId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef, sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::{
    bulk::{BulkRead, may_tell_of_another, record as record_bulk_read, why_of_no_more},
    export::{PATH as EXPORT_PATH, begin as begin_export, line, link, next as next_lines, open},
    head::{TellHead, tell as tell_head},
    list::{Filter, count, find, list},
    mask::masked,
    verify::{Fault, Gap, Report, verify},
};
use crate::{
    error::Result,
    job::{Job, Queue},
    store::Tx,
    viewer::Viewer,
};

/// What the first seal names as the one before it.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// What an erasure of details is called in the log.
const ERASED: &str = "audit.erase_details";
/// The most lines that one transaction seals.
const AT_ONCE: u64 = 1_000;

/// Seals what has been written since the last time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct SealAudit {}

impl Job for SealAudit {
    const KIND: &'static str = "audit.seal";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

fn seal_of_entry() -> RelationDef {
    audit_entry::Entity::belongs_to(audit_seal::Entity)
        .from(audit_entry::Column::Id)
        .to(audit_seal::Column::EntryId)
        .into()
}

/// Seals the lines that have no seal yet, the oldest first, and says how many it sealed. Fewer than it could: all are.
pub async fn seal(tx: &mut Tx) -> Result<u64> {
    tx.hold("audit.seal").await?;
    tx.write_lines().await?;
    let last = audit_seal::Entity::find()
        .order_by_desc(audit_seal::Column::Seq)
        .one(tx.conn())
        .await?;
    let (mut seq, mut previous) =
        last.map_or((0, BEGINNING.to_owned()), |seal| (seal.seq, seal.hash));
    let entries = audit_entry::Entity::find()
        .join(JoinType::LeftJoin, seal_of_entry())
        .filter(audit_seal::Column::Seq.is_null())
        .order_by_asc(audit_entry::Column::Id)
        .limit(AT_ONCE)
        .all(tx.conn())
        .await?;
    let mut seals = Vec::with_capacity(entries.len());
    for entry in &entries {
        seq += 1;
        let salt: [u8; 16] = rand::random();
        let details_hash = hash_of_details(&salt, entry);
        let hash = hash_of_link(seq, &previous, &details_hash, entry);
        seals.push(audit_seal::ActiveModel {
            seq: Set(seq),
            entry_id: Set(entry.id),
            salt: Set(Some(salt.to_vec())),
            details_hash: Set(details_hash),
            previous: Set(std::mem::replace(&mut previous, hash.clone())),
            hash: Set(hash),
            sealed_at: Set(tx.now()),
        });
    }
    let sealed = seals.len() as u64;
    if sealed > 0 {
        audit_seal::Entity::insert_many(seals)
            .exec_without_returning(tx.conn())
            .await?;
        // Where the chain ends is told outside the database, too.
        tracing::info!(audit.sealed = seq, audit.head = %previous, "the audit log was sealed");
    }
    Ok(sealed)
}

/// Takes before and after out of these lines, which are sealed first so that they can be told from lost ones.
pub(crate) async fn erase_details(
    tx: &mut Tx,
    viewer: &Viewer,
    entries: &[AuditEntryId],
) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    while seal(tx).await? == AT_ONCE {}
    for some in entries.chunks(500) {
        audit_entry::Entity::update_many()
            .col_expr(audit_entry::Column::Before, Expr::cust("NULL"))
            .col_expr(audit_entry::Column::After, Expr::cust("NULL"))
            .filter(audit_entry::Column::Id.is_in(some.iter().copied()))
            .exec(tx.conn())
            .await?;
        audit_seal::Entity::update_many()
            .col_expr(audit_seal::Column::Salt, Expr::cust("NULL"))
            .filter(audit_seal::Column::EntryId.is_in(some.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    for id in entries {
        // One line for each: its subject says which, and is part of the chain.
        tx.audit(viewer, ERASED, id, None, None).await?;
    }
    Ok(())
}

/// The salted hash of what a line tells before and after.
fn hash_of_details(salt: &[u8], entry: &audit_entry::Model) -> String {
    let mut text = String::new();
    for side in [&entry.before, &entry.after] {
        canonical(side.as_ref().unwrap_or(&Value::Null), &mut text);
        text.push('\n');
    }
    hex(Sha256::new().chain_update(salt).chain_update(text))
}

/// The hash of a seal: of its place, of the seal before it, and of its line.
fn hash_of_link(
    seq: i64,
    previous: &str,
    details_hash: &str,
    entry: &audit_entry::Model,
) -> String {
    let line = serde_json::json!([
        seq,
        previous,
        details_hash,
        Uuid::from(entry.id),
        entry.at.timestamp_micros(),
        entry.actor_id.map(Uuid::from),
        entry.action,
        entry.subject,
        entry.request_id,
    ]);
    let mut hash = Sha256::new().chain_update(line.to_string());
    // Lines that are older than the numbers were sealed without one.
    if let Some(number) = entry.number {
        hash = hash.chain_update(number.to_string());
    }
    hex(hash)
}

fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// JSON with its keys in order: the databases may give them in another one than they were given.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, value) in sorted {
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                canonical(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(values) => {
            text.push('[');
            for value in values {
                canonical(value, text);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

//! The whole database as it is, table by table.

use std::collections::BTreeMap;

use entity::personal_data::ALL;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Map, Value};

/// Tables that tell of what was done rather than of what is: the log, the machinery, and the merges themselves.
const LEFT_OUT: [&str; 11] = [
    "audit_entry",
    "audit_head",
    "audit_number",
    "audit_seal",
    "job",
    "kept_notice",
    "merge",
    "merge_change",
    "session",
    "refresh_token",
    "sign_in_attempt",
];

/// What of a letter stays as it is.
const OF_A_LETTER: [&str; 5] = ["id", "campaign_id", "contact_id", "user_id", "address"];

/// A row, by the names of its columns.
pub type Row = Map<String, Value>;

/// Rows by what they are known by: their id, or all ids in them.
pub type Rows = BTreeMap<String, Row>;

/// Every table with its rows.
pub type Snapshot = BTreeMap<&'static str, Rows>;

pub async fn take(db: &DatabaseConnection) -> Snapshot {
    let mut all = Snapshot::new();
    for holding in ALL {
        if LEFT_OUT.contains(&holding.table) {
            continue;
        }
        let columns: Vec<&str> = holding.columns().map(|(column, _)| column).collect();
        let query = match db.get_database_backend() {
            DbBackend::Sqlite => {
                let parts: Vec<String> = columns
                    .iter()
                    .map(|column| {
                        format!(
                            "'{column}', CASE typeof(\"{column}\") WHEN 'blob' THEN lower(hex(\"{column}\")) ELSE \"{column}\" END"
                        )
                    })
                    .collect();
                format!(
                    "SELECT json_object({}) FROM \"{}\"",
                    parts.join(", "),
                    holding.table
                )
            }
            _ => format!("SELECT to_jsonb(t)::text FROM \"{}\" t", holding.table),
        };
        let statement = Statement::from_string(db.get_database_backend(), query);
        let rows: Rows = db
            .query_all_raw(statement)
            .await
            .unwrap()
            .iter()
            .filter_map(|row| {
                let text: String = row.try_get_by_index(0).unwrap();
                let mut row: Row = serde_json::from_str(&text).unwrap();
                // Without what PostgreSQL makes of the others by itself.
                row.retain(|column, _| columns.contains(&column.as_str()));
                for value in row.values_mut() {
                    if let Some(id) = as_id(value) {
                        *value = id.into();
                    }
                }
                if holding.table == "delivery" {
                    // That its operator was told of the merge.
                    if row["template"] == "key_account_merged" {
                        return None;
                    }
                    // The worker hands letters over meanwhile.
                    row.retain(|column, _| OF_A_LETTER.contains(&column.as_str()));
                }
                Some((key_of(&row), row))
            })
            .collect();
        all.insert(holding.table, rows);
    }
    all
}

/// An id without its hyphens: the databases write them differently.
fn as_id(value: &Value) -> Option<String> {
    let id: uuid::Uuid = value.as_str()?.parse().ok()?;
    Some(id.simple().to_string())
}

pub fn key_of(row: &Row) -> String {
    if let Some(id) = row.get("id").and_then(Value::as_str) {
        return id.to_owned();
    }
    let ids: Vec<String> = row
        .iter()
        .filter(|(column, _)| {
            !column.ends_with("_by")
                && !column.ends_with("_at")
                && !matches!(column.as_str(), "value" | "job_title")
        })
        .map(|(_, value)| value.to_string())
        .collect();
    ids.join(" ")
}

/// What differs between two snapshots, to be read when a test fails.
pub fn differences(one: &Snapshot, other: &Snapshot) -> Vec<String> {
    let mut all = Vec::new();
    for (table, rows) in one {
        let others = &other[table];
        for (key, row) in rows {
            match others.get(key) {
                None => all.push(format!("{table}: {key} is missing")),
                Some(found) if found != row => {
                    for (column, value) in row {
                        if found[column] != *value {
                            all.push(format!("{table}.{column}: {value} is {}", found[column]));
                        }
                    }
                }
                Some(_) => {}
            }
        }
        for (key, row) in others {
            if !rows.contains_key(key) {
                all.push(format!("{table}: {row:?} is too much"));
            }
        }
    }
    all
}

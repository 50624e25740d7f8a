//! Everything about a person, over all tables (subject access), without other people's personal data.

use entity::personal_data::{ALL, Holding, Holds};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Person,
    rows::{Sql, read},
};
use crate::{
    error::{Error, Result},
    store::Tx,
    suppression::AddressKey,
    viewer::Viewer,
};

/// Stands where another person would.
const SOMEBODY_ELSE: &str = "[another person]";

/// Everything about a person.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// Their accounts and contacts.
    pub person: Vec<String>,
    /// When it was made.
    pub made_at: chrono::DateTime<chrono::Utc>,
    /// What each table holds.
    pub tables: Vec<Part>,
}

/// What one table holds of the person.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// The table.
    pub table: &'static str,
    /// What it holds.
    pub what: &'static str,
    /// Why it is kept.
    pub why: &'static str,
    /// The rows that are about them, whole but for what lets somebody in.
    pub about_them: Vec<Map<String, Value>>,
    /// Rows about something else that they had a hand in: which, and what became of it.
    pub by_them: Vec<Map<String, Value>>,
}

/// Gathers everything about a person. Administrators may, and everybody about themselves. It is audited.
pub async fn export(tx: &mut Tx, viewer: &Viewer, named: &str) -> Result<Export> {
    let mut person = Person::find(tx.conn(), named).await?;
    let own = viewer
        .user_id()
        .is_some_and(|id| person.accounts.iter().any(|account| account.id == id));
    if !own && !viewer.is_administrator() {
        viewer.signed_in()?;
        return Err(Error::Forbidden(
            "Everything about a person can be exported by themselves and by administrators only."
                .to_owned(),
        ));
    }
    person.hash_addresses(&AddressKey::load(tx.conn(), tx.now()).await?)?;
    let mut tables = Vec::new();
    for holding in ALL {
        tables.extend(part(tx.conn(), holding, &person).await?);
    }
    let rows: usize = tables
        .iter()
        .map(|part| part.about_them.len() + part.by_them.len())
        .sum();
    let subject = person.written_ids().join(" ");
    tx.audit(
        viewer,
        "person.export",
        subject,
        None,
        Some(json!({ "rows": rows })),
    )
    .await?;
    Ok(Export {
        person: person.written_ids(),
        made_at: tx.now(),
        tables,
    })
}

async fn part(
    db: &impl ConnectionTrait,
    holding: &'static Holding,
    person: &Person,
) -> Result<Option<Part>> {
    let Some(what) = holding.what else {
        return Ok(None);
    };
    let mut sql = Sql::default();
    let about = sql.about(holding, person);
    let mut about_them = match &about {
        Some(condition) => read(db, holding, condition, sql).await?,
        None => Vec::new(),
    };
    let mut sql = Sql::default();
    let by = sql.by(holding, person).map(|by| {
        match sql.about(holding, person) {
            // A value may be missing there, and `NOT NULL` is null.
            Some(about) => format!("{by} AND NOT COALESCE({about}, FALSE)"),
            None => by,
        }
    });
    let mut by_them = match by {
        Some(condition) => read(db, holding, &condition, sql).await?,
        None => Vec::new(),
    };
    for (column, holds) in holding.columns() {
        for row in &mut about_them {
            show(row, column, holds, true, person);
        }
        for row in &mut by_them {
            show(row, column, holds, false, person);
        }
    }
    Ok(
        (!about_them.is_empty() || !by_them.is_empty()).then_some(Part {
            table: holding.table,
            what,
            why: holding.retention.why,
            about_them,
            by_them,
        }),
    )
}

/// Leaves of a value what this person may know.
fn show(row: &mut Map<String, Value>, column: &str, holds: Holds, theirs: bool, person: &Person) {
    match holds {
        Holds::Nothing => {}
        Holds::Secret(_) => {
            row.remove(column);
        }
        Holds::Hand => {
            let known = row
                .get(column)
                .and_then(Value::as_str)
                .and_then(|id| id.parse().ok());
            if known.is_some_and(|id: Uuid| !person.account_ids().contains(&id)) {
                row.insert(column.to_owned(), SOMEBODY_ELSE.into());
            }
        }
        Holds::Subject(_) | Holds::Value(_) | Holds::Words | Holds::Sealed if !theirs => {
            row.remove(column);
        }
        Holds::Subject(_) | Holds::Value(_) | Holds::Words | Holds::Sealed => {
            if let Some(value) = row.get_mut(column) {
                mask(value, &person.addresses());
            }
        }
    }
}

/// Takes other people's addresses out of words.
fn mask(value: &mut Value, own: &[String]) {
    match value {
        Value::String(text) if text.contains('@') => {
            let masked: Vec<&str> = text
                .split_inclusive(|c: char| c.is_whitespace() || "<>,;()\"'".contains(c))
                .map(|word| {
                    let bare = word
                        .trim_matches(|c: char| !c.is_alphanumeric())
                        .to_lowercase();
                    let is_address = bare.parse::<crate::email_address::EmailAddress>().is_ok();
                    if is_address && !own.contains(&bare) {
                        SOMEBODY_ELSE
                    } else {
                        word
                    }
                })
                .collect();
            *text = masked.concat();
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, own)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask(value, own)),
        _ => {}
    }
}

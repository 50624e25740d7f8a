//! What changed in a record: for the audit log, and for whoever comes too late with a change of their own.

use std::fmt::Display;

use entity::audit_entry;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, RefusalCode, Result};

/// The name under which an audit entry keeps the version that a change led to.
pub(crate) const VERSION: &str = "version";

/// The fields that differ between two states of a record, under the names that the API gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    before: Map<String, Value>,
    after: Map<String, Value>,
}

impl Change {
    /// What is other in `new` than in `old`. Both are written as JSON objects with the same fields.
    pub fn between(old: &impl Serialize, new: &impl Serialize) -> Result<Self> {
        let (Value::Object(old), Value::Object(new)) =
            (serde_json::to_value(old)?, serde_json::to_value(new)?)
        else {
            return Err(Error::Fault("only records can be compared".to_owned()));
        };
        let mut change = Self::default();
        for (field, value) in new {
            let before = old.get(&field).cloned().unwrap_or(Value::Null);
            if before != value {
                change.before.insert(field.clone(), before);
                change.after.insert(field, value);
            }
        }
        Ok(change)
    }

    /// Notes one field more.
    pub fn add(&mut self, field: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.before.insert(field.to_owned(), before.into());
        self.after.insert(field.to_owned(), after.into());
    }

    /// A record as it was made, with what these fields became.
    #[must_use]
    pub fn onto(self, record: Value) -> Value {
        match record {
            Value::Object(mut fields) => {
                fields.extend(self.after);
                Value::Object(fields)
            }
            other => other,
        }
    }

    /// Whether nothing is other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.after.is_empty()
    }

    /// What the audit log keeps of it: before and after, with the version it led to.
    #[must_use]
    pub fn into_audit(mut self, version: i32) -> (Option<Value>, Option<Value>) {
        self.after.insert(VERSION.to_owned(), version.into());
        (
            Some(Value::Object(self.before)),
            Some(Value::Object(self.after)),
        )
    }
}

/// The refusal of a change to version `given` of a record that has moved on. It names what others changed meanwhile, as
/// the audit log knows it under `subject` and all actions on records of the kind that `action` is one of.
pub async fn stale(
    db: &impl ConnectionTrait,
    action: &'static str,
    subject: impl Display,
    given: i32,
    current: i32,
) -> Result<Error> {
    let kind = action.split_once('.').map_or(action, |(kind, _)| kind);
    let entries = audit_entry::Entity::find()
        .filter(audit_entry::Column::Subject.eq(subject.to_string()))
        .filter(audit_entry::Column::Action.starts_with(format!("{kind}.")))
        .order_by_asc(audit_entry::Column::Id)
        .all(db)
        .await?;
    let mut fields: Vec<String> = Vec::new();
    for entry in entries {
        let Some(Value::Object(after)) = entry.after else {
            continue;
        };
        let newer = after
            .get(VERSION)
            .and_then(Value::as_i64)
            .is_some_and(|version| version > i64::from(given));
        if newer {
            for field in after.keys() {
                // Not everybody knows all fields that administrators defined.
                let field = match field.split_once('.') {
                    Some((all, _)) => all,
                    None => field,
                };
                if field != VERSION && !fields.iter().any(|known| known == field) {
                    fields.push(field.to_owned());
                }
            }
        }
    }
    let what = if fields.is_empty() {
        String::new()
    } else {
        format!(" ({})", fields.join(", "))
    };
    Ok(Error::refused(
        RefusalCode::Stale,
        VERSION,
        format!(
            "Somebody changed this meanwhile{what}: it is at version {current}, your change is to version {given}. \
             Read it again and repeat the change."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Change;

    #[test]
    fn a_change_has_only_what_is_other() {
        let old = json!({ "name": "Acme", "sector": null, "size": "SMALL" });
        let new = json!({ "name": "Acme", "sector": "Mining", "size": "LARGE" });
        let change = Change::between(&old, &new).unwrap();
        assert!(!change.is_empty());
        assert_eq!(
            change.into_audit(2),
            (
                Some(json!({ "sector": null, "size": "SMALL" })),
                Some(json!({ "sector": "Mining", "size": "LARGE", "version": 2 })),
            )
        );
        assert!(Change::between(&old, &old).unwrap().is_empty());
    }
}

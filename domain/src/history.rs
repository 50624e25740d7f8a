//! The history of a record: who changed what of it, and when, read from the audit log (policy 2.2 and 3).
//!
//! What the record itself withholds from somebody, its history withholds as well.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use chrono::{DateTime, Utc};
use entity::{
    audit_entry,
    ids::{AuditEntryId, ContactId, OrganisationId, UserId},
    merge::MergeKind,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    change::VERSION, error::Result, first_of_each::first_of_each, key_account::guard::standings,
    merge, viewer::Viewer,
};

/// Contact details that are withheld until somebody has liaised (policy 2.3).
const WITHHELD: [&str; 2] = ["email", "telephone"];

/// A change of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// The line of the audit log.
    pub id: AuditEntryId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who; none for the system itself.
    pub by: Option<UserId>,
    /// What was done.
    pub action: String,
    /// The fields that were changed; none when erasure took the details out.
    pub fields: Vec<ChangedField>,
}

/// A field that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedField {
    /// Its name in the API.
    pub field: String,
    /// What it was.
    pub before: Option<String>,
    /// What it became.
    pub after: Option<String>,
}

/// The last `limit` changes of each of these organisations, the latest first. They must exist for `viewer`; nobody but
/// staff reads their history.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<HashMap<OrganisationId, Vec<RecordChange>>> {
    if !viewer.is_staff() {
        return Ok(HashMap::new());
    }
    let mut subjects: HashMap<String, OrganisationId> =
        ids.iter().map(|id| (id.to_string(), *id)).collect();
    for (left, gone) in went_into(db, MergeKind::Organisation, ids).await? {
        let gone = gone.into_iter().map(|id| OrganisationId(id).to_string());
        subjects.extend(gone.map(|subject| (subject, OrganisationId(left))));
    }
    let mut all: HashMap<OrganisationId, Vec<RecordChange>> = HashMap::new();
    for entry in entries(db, "organisation.", &subjects, limit).await? {
        if let Some(id) = subjects.get(&entry.subject) {
            all.entry(*id).or_default().push(change(entry, &[]));
        }
    }
    Ok(latest(all, limit))
}

/// The last `limit` changes of each of these contacts, the latest first. They must exist for `viewer`; nobody but
/// operators reads their history, and details for which they must liaise first are left out of it.
pub async fn of_contacts(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    ids: &[ContactId],
    limit: u64,
) -> Result<HashMap<ContactId, Vec<RecordChange>>> {
    if !viewer.is_operator() && !viewer.is_system() {
        return Ok(HashMap::new());
    }
    let guarded: BTreeSet<ContactId> = standings(db, viewer, now, ids)
        .await?
        .into_iter()
        .filter(|standing| standing.must_liaise)
        .map(|standing| standing.contact_id)
        .collect();
    let mut subjects: HashMap<String, ContactId> =
        ids.iter().map(|id| (id.to_string(), *id)).collect();
    for (left, gone) in went_into(db, MergeKind::Contact, ids).await? {
        let gone = gone.into_iter().map(|id| ContactId(id).to_string());
        subjects.extend(gone.map(|subject| (subject, ContactId(left))));
    }
    let mut all: HashMap<ContactId, Vec<RecordChange>> = HashMap::new();
    for entry in entries(db, "contact.", &subjects, limit).await? {
        if let Some(id) = subjects.get(&entry.subject) {
            let hidden: &[&str] = if guarded.contains(id) { &WITHHELD } else { &[] };
            all.entry(*id).or_default().push(change(entry, hidden));
        }
    }
    Ok(latest(all, limit))
}

/// What went into these records, whose history goes on in theirs.
async fn went_into<I: Copy + Into<Uuid>>(
    db: &impl ConnectionTrait,
    kind: MergeKind,
    ids: &[I],
) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
    merge::all_that_went_into(db, kind, &ids).await
}

/// The latest changes of each record, of those of all that it is made of.
fn latest<I: Eq + Hash>(
    mut all: HashMap<I, Vec<RecordChange>>,
    limit: u64,
) -> HashMap<I, Vec<RecordChange>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    for changes in all.values_mut() {
        changes.sort_by_key(|change| std::cmp::Reverse(change.id));
        changes.truncate(limit);
    }
    all
}

/// The lines of the log that tell of changes of the subjects.
async fn entries<I>(
    db: &impl ConnectionTrait,
    kind: &str,
    subjects: &HashMap<String, I>,
    limit: u64,
) -> Result<Vec<audit_entry::Model>> {
    let query = audit_entry::Entity::find().filter(
        Condition::all()
            .add(audit_entry::Column::Subject.is_in(subjects.keys()))
            .add(audit_entry::Column::Action.starts_with(kind))
            // That somebody looked at a record is no change of it.
            .add(audit_entry::Column::Action.ne("contact.show_with_guidance")),
    );
    let order = [(audit_entry::Column::Id.into_expr(), Order::Desc)];
    first_of_each(db, query, audit_entry::Column::Subject, order, limit).await
}

fn change(entry: audit_entry::Model, hidden: &[&str]) -> RecordChange {
    let side = |side: &Option<Value>, field: &str| {
        side.as_ref()
            .and_then(|side| side.get(field))
            .and_then(written)
    };
    let names: BTreeSet<&String> = [&entry.before, &entry.after]
        .into_iter()
        .filter_map(|side| side.as_ref()?.as_object())
        .flat_map(serde_json::Map::keys)
        .collect();
    let fields = names
        .into_iter()
        .filter(|field| *field != VERSION && !hidden.contains(&field.as_str()))
        .map(|field| ChangedField {
            field: field.clone(),
            before: side(&entry.before, field),
            after: side(&entry.after, field),
        })
        .filter(|field| field.before != field.after)
        .collect();
    RecordChange {
        id: entry.id,
        at: entry.at,
        by: entry.actor_id,
        action: entry.action,
        fields,
    }
}

/// A value as people read it; none for one that is empty.
pub(crate) fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(written).collect();
            (!items.is_empty()).then(|| items.join(", "))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::written;

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(written(&json!("Acme")).as_deref(), Some("Acme"));
        assert_eq!(written(&json!(["a", "b"])).as_deref(), Some("a, b"));
        assert_eq!(written(&json!(false)).as_deref(), Some("false"));
        assert_eq!(written(&json!([])), None);
        assert_eq!(written(&json!(null)), None);
    }
}

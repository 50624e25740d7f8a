//! The log as JSON lines: on the command line, and by a link that works for one person and for minutes.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{access_grant::Permission, audit_entry, ids::AuditEntryId};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::{AT_ONCE, Filter, list::narrowed, masked};
use crate::{
    error::{Error, Result},
    personal_link::PersonalLink,
    policy::{self, Use},
    store::{Store, Tx},
    viewer::Viewer,
};

/// Where links lead, before the token.
pub const PATH: &str = "/audit-log/";
/// What their signature is for.
const PURPOSE: &str = "audit.export";
/// How long a link works.
const WORKS_FOR: TimeDelta = TimeDelta::minutes(5);
/// Who reads this reads the log with everything personal in it.
const PERSONAL: &str = "AuditChange.personalAfter";

/// Makes a link for `viewer` to the lines that meet a filter: its path, and until when it works.
pub async fn link(
    store: &Store,
    viewer: &Viewer,
    filter: Filter,
) -> Result<(String, DateTime<Utc>)> {
    require(viewer)?;
    let (token, link) = PersonalLink::make(store, viewer, PURPOSE, WORKS_FOR, filter).await?;
    Ok((format!("{PATH}{token}"), link.expires_at))
}

/// Reads a token, as links do; none too when they may not read the log any more.
pub async fn open(store: &Store, token: &str) -> Result<Option<(PersonalLink<Filter>, Viewer)>> {
    let opened = PersonalLink::open(store, PURPOSE, token).await?;
    Ok(opened.filter(|(_, viewer)| require(viewer).is_ok()))
}

fn require(viewer: &Viewer) -> Result<()> {
    if viewer.is_super_user() || viewer.is_administrator() {
        return Ok(());
    }
    viewer.signed_in()?;
    Err(Error::Forbidden(
        "The audit log is for super users and administrators.".to_owned(),
    ))
}

/// Begins an export: the log says who exports which lines and how many. Answers the last of them; none when there is none.
pub async fn begin(tx: &mut Tx, viewer: &Viewer, filter: &Filter) -> Result<Option<AuditEntryId>> {
    require(viewer)?;
    let last: Option<AuditEntryId> = narrowed(viewer, filter)
        .select_only()
        .column(audit_entry::Column::Id)
        .order_by_desc(audit_entry::Column::Id)
        .into_tuple()
        .one(tx.conn())
        .await?;
    let lines = super::count(tx.conn(), viewer, filter).await?;
    let what = json!({ "filter": filter, "lines": lines });
    tx.audit(viewer, "audit.export", "audit", None, Some(what))
        .await?;
    Ok(last)
}

/// The next lines of an export, the oldest first: after this one and up to the last. None: that was all.
pub async fn next(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    after: Option<AuditEntryId>,
    last: AuditEntryId,
) -> Result<Vec<audit_entry::Model>> {
    let mut lines = narrowed(viewer, filter).filter(audit_entry::Column::Id.lte(last));
    if let Some(after) = after {
        lines = lines.filter(audit_entry::Column::Id.gt(after));
    }
    Ok(lines
        .order_by_asc(audit_entry::Column::Id)
        .limit(AT_ONCE)
        .all(db)
        .await?)
}

/// A line as JSON; without what is personal, unless `viewer` may read that and, since it leaves the system as a file, may
/// export contacts.
#[must_use]
pub fn line(viewer: &Viewer, entry: &audit_entry::Model) -> Value {
    let may_read = viewer.is_system() || policy::allows(viewer, PERSONAL, Use::Read);
    let whole = may_read && viewer.has(Permission::ExportContacts);
    let side = |side: &Option<Value>| {
        side.as_ref()
            .map(|value| if whole { value.clone() } else { masked(value) })
    };
    json!({
        "number": entry.number, "id": entry.id, "at": entry.at, "actor": entry.actor_id, "action": entry.action,
        "subject": entry.subject, "before": side(&entry.before), "after": side(&entry.after),
        "requestId": entry.request_id,
    })
}

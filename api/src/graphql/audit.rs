//! The audit log, for super users and administrators (policy 3).

use std::collections::BTreeSet;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use domain::audit::{self, Filter, masked};
use entity::{
    audit_entry::Model,
    ids::{AuditEntryId, UserId},
};
use serde_json::Value;

use super::{
    connection::{Connection, PageArgs, connect},
    disclosure::disclose_line,
    errors::{Payload, payload},
    id::Id,
    person::{self, Person},
    rows::{by_id, rows},
    store, viewer,
};

/// Queries about the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditQuery;

/// Mutations about the audit log.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditMutation;

/// A line of the audit log.
#[derive(Clone, Debug)]
pub struct AuditEntry(Model);

impl From<Model> for AuditEntry {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The line with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: AuditEntryId) -> Result<Option<AuditEntry>> {
    Ok(rows(ctx)?.load_one(id).await?.map(AuditEntry))
}

by_id!(AuditEntryId => Model, found |rows, ids| audit::find(rows.store.reader(), &rows.viewer, ids));

/// A line of the audit log: who did what to what, and when. Nobody can change it.
#[Object]
impl AuditEntry {
    /// Its id.
    pub async fn id(&self) -> Id<AuditEntryId> {
        Id(self.0.id)
    }

    /// Its number, given upwards by the database; null for lines that are older than the numbers.
    async fn number(&self) -> Option<i64> {
        self.0.number
    }

    /// When.
    async fn at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.at)
    }

    /// Who; null for the system itself, and for whoever isn't signed in.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.actor_id?).await.transpose()
    }

    /// What was done, such as `contact.update`.
    async fn action(&self) -> Option<&str> {
        Some(&self.0.action)
    }

    /// What it was done to: an id, or several with a space between, or the name of a part of the system.
    async fn subject(&self) -> Option<&str> {
        Some(&self.0.subject)
    }

    /// What was before, and what became of it. Empty when the line tells nothing of it, or no longer: the erasure of a person
    /// takes it out.
    async fn changes(&self) -> Option<Vec<AuditChange>> {
        Some(changes(&self.0))
    }

    /// The request that caused it, as the log of the system knows it.
    async fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

/// One field of what a line tells.
#[derive(Clone, Debug)]
pub struct AuditChange {
    line: AuditEntryId,
    field: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
}

/// One field of what a line of the audit log tells of before and after. Values are JSON.
#[Object]
impl AuditChange {
    /// The field; null when the line tells one value as a whole.
    async fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// What it was, with `"[personal]"` for what may be personal; null when it was not there.
    async fn before(&self) -> Option<String> {
        self.shown(self.before.as_ref())
    }

    /// What it became, with `"[personal]"` for what may be personal; null when it isn't there any more.
    async fn after(&self) -> Option<String> {
        self.shown(self.after.as_ref())
    }

    /// What it was, with everything personal.
    async fn personal_before(&self, ctx: &Context<'_>) -> Option<String> {
        self.told(ctx, "AuditChange.personalBefore", self.before.as_ref())
    }

    /// What it became, with everything personal.
    async fn personal_after(&self, ctx: &Context<'_>) -> Option<String> {
        self.told(ctx, "AuditChange.personalAfter", self.after.as_ref())
    }
}

impl AuditChange {
    /// The value as whoever may not read personal values is shown it.
    fn masked(&self, value: &Value) -> Value {
        // What is masked depends on the name of the field.
        let Some(field) = &self.field else {
            return masked(value);
        };
        let alone = Value::Object([(field.clone(), value.clone())].into_iter().collect());
        masked(&alone)[field].take()
    }

    fn shown(&self, value: Option<&Value>) -> Option<String> {
        value.map(|value| self.masked(value).to_string())
    }

    fn told(
        &self,
        ctx: &Context<'_>,
        coordinate: &'static str,
        value: Option<&Value>,
    ) -> Option<String> {
        let value = value?;
        if self.masked(value) != *value {
            disclose_line(ctx, self.line, coordinate);
        }
        Some(value.to_string())
    }
}

fn changes(line: &Model) -> Vec<AuditChange> {
    let change = |field: Option<&str>, before: Option<&Value>, after: Option<&Value>| AuditChange {
        line: line.id,
        field: field.map(str::to_owned),
        before: before.cloned(),
        after: after.cloned(),
    };
    let fields = |side: &Option<Value>| match side {
        Some(Value::Object(fields)) => Some(fields.clone()),
        None => Some(serde_json::Map::new()),
        Some(_) => None,
    };
    match (fields(&line.before), fields(&line.after)) {
        (Some(before), Some(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            names
                .into_iter()
                .map(|name| change(Some(name), before.get(name), after.get(name)))
                .collect()
        }
        _ => vec![change(None, line.before.as_ref(), line.after.as_ref())],
    }
}

/// What the audit log is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AuditFilter {
    /// Who did it.
    actor_id: Option<Id<UserId>>,
    /// What was done: `contact.update`, or `contact.*` for everything that was done with contacts.
    action: Option<String>,
    /// The id of what it was done to.
    subject: Option<String>,
    /// Not before this moment.
    since: Option<DateTime<Utc>>,
    /// Before this moment.
    until: Option<DateTime<Utc>>,
}

impl From<AuditFilter> for Filter {
    fn from(given: AuditFilter) -> Self {
        Self {
            actor_id: given.actor_id.map(|id| id.0),
            action: given.action,
            subject: given.subject,
            since: given.since,
            until: given.until,
        }
    }
}

/// Which lines are to be exported.
#[derive(Debug, InputObject)]
pub struct ExportAuditLogInput {
    /// Only those that meet all of this.
    filter: Option<AuditFilter>,
}

/// Where an export is.
#[derive(Debug, SimpleObject)]
pub struct AuditExport {
    /// The path to get it from, as JSON lines, the oldest first. It works for minutes, for whoever has it.
    url: String,
    /// Until when it works.
    expires_at: DateTime<Utc>,
}

payload! {
    /// What became of asking for an export.
    ExportAuditLogPayload {
        /// Where it is.
        export: AuditExport,
    }
}

#[Object]
impl AuditQuery {
    /// The audit log, the newest line first.
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<AuditFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<AuditEntry>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    page: &PageArgs,
) -> Result<Connection<AuditEntry>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "auditLog",
        page,
        async |page| audit::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| row.id,
        AuditEntry,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { audit::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl AuditMutation {
    /// Makes a link from which the audit log, or what of it meets the filter, can be had as JSON lines. Personal values are
    /// in it for administrators alone. That it was fetched, and how many lines it had, is in the log.
    async fn export_audit_log(
        &self,
        ctx: &Context<'_>,
        input: ExportAuditLogInput,
    ) -> Result<ExportAuditLogPayload> {
        let filter = input.filter.unwrap_or_default().into();
        let link = audit::link(store(ctx)?, viewer(ctx)?, filter).await;
        ExportAuditLogPayload::of(link.map(|(url, expires_at)| AuditExport { url, expires_at }))
    }
}

//! Looking things up in the audit log: for super users and administrators.

use chrono::{DateTime, Utc};
use entity::{
    audit_entry,
    ids::{AuditEntryId, UserId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, PaginatorTrait,
    QueryFilter, Select,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::Result,
    organisation::nothing,
    page::{Page, Slice},
    text::sought,
    viewer::Viewer,
};

/// What the log is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// What was done, such as `contact.update`; `contact.*` is everything that was done with contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The id of what it was done to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Not before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Filter {
    fn condition(&self) -> Condition {
        use audit_entry::Column;
        let mut all = Condition::all();
        if let Some(actor_id) = self.actor_id {
            all = all.add(Column::ActorId.eq(actor_id));
        }
        if let Some(action) = self.action.as_deref().map(sought) {
            all = all.add(match action.strip_suffix('*') {
                // `/` is what comes after `.`: a range, which the index answers.
                Some(group) if group.ends_with('.') => Column::Action
                    .gte(group)
                    .and(Column::Action.lt(format!("{}/", group.trim_end_matches('.')))),
                _ => Column::Action.eq(action),
            });
        }
        if let Some(subject) = self.subject.as_deref().map(sought) {
            all = all.add(Column::Subject.eq(subject));
        }
        // Ids sort by the millisecond, and the list is ordered by them: it begins where the period does.
        if let Some(since) = self.since {
            all = all
                .add(Column::At.gte(since))
                .add(Column::Id.gte(AuditEntryId::earliest_at(since)));
        }
        if let Some(until) = self.until {
            let next = until + chrono::TimeDelta::milliseconds(1);
            all = all
                .add(Column::At.lt(until))
                .add(Column::Id.lt(AuditEntryId::earliest_at(next)));
        }
        all
    }
}

/// The lines that exist for `viewer`, to be narrowed (policy 3).
pub(super) fn visible(viewer: &Viewer) -> Select<audit_entry::Entity> {
    let all = audit_entry::Entity::find();
    if viewer.is_super_user() || viewer.is_administrator() {
        all
    } else {
        all.filter(nothing())
    }
}

/// The same, narrowed.
pub(super) fn narrowed(viewer: &Viewer, filter: &Filter) -> Select<audit_entry::Entity> {
    visible(viewer).filter(filter.condition())
}

/// One page of the lines that meet the filter, the newest first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<AuditEntryId>,
) -> Result<Slice<audit_entry::Model>> {
    let key = [audit_entry::Column::Id.into_expr()];
    page.read(db, narrowed(viewer, filter), key, Order::Desc)
        .await
}

/// How many lines meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(narrowed(viewer, filter).count(db).await?)
}

/// The lines with these ids that exist for `viewer`.
pub async fn find(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[AuditEntryId],
) -> Result<Vec<audit_entry::Model>> {
    Ok(visible(viewer)
        .filter(audit_entry::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

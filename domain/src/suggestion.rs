//! Suggestions: the faults and improvements that staff put forward, and what the Super User Group makes of them (policy 3).
//!
//! ```text
//! FILED --> UNDER_DISCUSSION --> PLANNED --> DONE
//!    '-------------'----------------'------> DECLINED
//! ```
//!
//! The Group may go from any open state to any other but FILED. What is done or declined says what came of it, and is over:
//! if it comes up again, it is filed again.

mod discussion;
mod list;

use entity::{
    ids::{SuggestionId, UserId},
    suggestion::{self, SuggestionKind, SuggestionPriority, SuggestionState},
    user,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QuerySelect};
use serde::Serialize;
use serde_json::json;

pub use self::{
    discussion::{comment, comments_of, vote, voted_by},
    list::{Filter, Order, count, list_by_votes, list_newest, visible},
};
use crate::{
    change::{self, Change},
    error::{Error, RefusalCode, Refusals, Result},
    mail::Letter,
    notice::{self, Topic},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// What the audit log calls a change.
const UPDATED: &str = "suggestion.update";

/// `Ok` for staff, who share the suggestions among themselves.
pub(crate) fn require_staff(viewer: &Viewer) -> Result<UserId> {
    let person = viewer.signed_in()?;
    if viewer.is_staff() {
        return Ok(person.id);
    }
    Err(Error::Forbidden(
        "Staff put suggestions forward; others write to the Careers Centre.".to_owned(),
    ))
}

/// Whether it is still to be decided.
#[must_use]
pub const fn is_open(state: SuggestionState) -> bool {
    matches!(
        state,
        SuggestionState::Filed | SuggestionState::UnderDiscussion | SuggestionState::Planned
    )
}

/// Puts a fault or an improvement forward.
pub async fn file(
    tx: &mut Tx,
    viewer: &Viewer,
    kind: SuggestionKind,
    title: &str,
    body: &str,
) -> Result<suggestion::Model> {
    let filed_by = require_staff(viewer)?;
    let mut refusals = Refusals::default();
    let title = Text::line("title", 200).required(title, &mut refusals);
    let body = Text::block("body", 10_000).required(body, &mut refusals);
    refusals.into_result()?;
    let filed = suggestion::ActiveModel {
        id: Set(SuggestionId::new_at(tx.now())),
        kind: Set(kind),
        title: Set(title),
        body: Set(body),
        state: Set(SuggestionState::Filed),
        priority: Set(None),
        outcome: Set(None),
        filed_by: Set(filed_by),
        votes: Set(0),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?;
    tx.audit(
        viewer,
        "suggestion.file",
        filed.id,
        None,
        Some(json!({ "kind": filed.kind, "title": filed.title })),
    )
    .await?;
    Ok(filed)
}

/// What can be changed of a suggestion. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// What it is.
    pub kind: SuggestionKind,
    /// What it is about.
    pub title: String,
    /// What is wrong, or what would be better.
    pub body: String,
    /// Where it stands.
    pub state: SuggestionState,
    /// How much it matters.
    pub priority: Option<SuggestionPriority>,
    /// What came of it.
    pub outcome: Option<String>,
}

impl Standing {
    fn of(row: &suggestion::Model) -> Self {
        Self {
            kind: row.kind,
            title: row.title.clone(),
            body: row.body.clone(),
            state: row.state,
            priority: row.priority,
            outcome: row.outcome.clone(),
        }
    }

    /// Whether the Group alone may make `new` of it.
    fn is_decided_in(&self, new: &Self) -> bool {
        (self.state, self.priority, &self.outcome) != (new.state, new.priority, &new.outcome)
    }
}

/// Changes what `edit` changes in a suggestion that is at `version`, and tells whoever filed it.
///
/// Where it stands, its priority and its outcome are for the Super User Group to say; what it is about also for whoever
/// filed it, until the Group has taken it up.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: SuggestionId,
    version: i32,
    edit: impl FnOnce(&mut Standing) + Send,
) -> Result<suggestion::Model> {
    let editor = require_staff(viewer)?;
    let current = locked(tx, id).await?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    let old = Standing::of(&current);
    let mut new = old.clone();
    edit(&mut new);
    let is_member = viewer.is_super_user() || viewer.is_administrator();
    if !is_member && old.is_decided_in(&new) {
        return Err(Error::Forbidden(
            "The Super User Group decides what becomes of a suggestion (policy 3).".to_owned(),
        ));
    }
    if !is_member && (current.filed_by != editor || old.state != SuggestionState::Filed) {
        return Err(Error::Forbidden(
            "A suggestion is changed by whoever filed it until it is taken up, then by the Super User Group."
                .to_owned(),
        ));
    }
    let new = checked(&old, &new)?;
    let change = Change::between(&old, &new)?;
    if change.is_empty() {
        return Ok(current);
    }
    let mut row = current.into_active_model();
    row.kind = Set(new.kind);
    row.title = Set(new.title);
    row.body = Set(new.body);
    row.state = Set(new.state);
    row.priority = Set(new.priority);
    row.outcome = Set(new.outcome);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    let (before, after) = change.into_audit(updated.version);
    tx.audit(viewer, UPDATED, id, before, after).await?;
    tell_filer(tx, editor, &updated).await?;
    Ok(updated)
}

fn checked(old: &Standing, new: &Standing) -> Result<Standing> {
    let mut refusals = Refusals::default();
    let new = Standing {
        title: Text::line("title", 200).required(&new.title, &mut refusals),
        body: Text::block("body", 10_000).required(&new.body, &mut refusals),
        outcome: Text::block("outcome", 2_000).optional(new.outcome.as_deref(), &mut refusals),
        ..new.clone()
    };
    refusals.add_if(
        !is_open(old.state) && new.state != old.state,
        RefusalCode::WrongState,
        "state",
        "It is over. File it again if it comes up again.",
    );
    refusals.add_if(
        new.state == SuggestionState::Filed && old.state != SuggestionState::Filed,
        RefusalCode::WrongState,
        "state",
        "The Group has taken it up already.",
    );
    refusals.add_if(
        !is_open(new.state) && new.outcome.is_none(),
        RefusalCode::Required,
        "outcome",
        "Say what came of it, for whoever filed it and whoever voted.",
    );
    refusals.into_result()?;
    Ok(new)
}

async fn locked(tx: &Tx, id: SuggestionId) -> Result<suggestion::Model> {
    suggestion::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("suggestionId", "suggestion"))
}

/// Tells whoever filed it what became of it, unless they did it themselves.
async fn tell_filer(tx: &mut Tx, editor: UserId, now: &suggestion::Model) -> Result<()> {
    if editor == now.filed_by {
        return Ok(());
    }
    let fields = json!({
        "title": now.title,
        "state": now.state,
        "priority": now.priority,
        "outcome": now.outcome,
        "suggestion_link": format!("/suggestions/{}", now.id),
    });
    let purpose = format!("suggestion/{}/{}", now.id, now.version);
    tell(tx, now.filed_by, "suggestion_changed", purpose, fields).await
}

async fn tell(
    tx: &mut Tx,
    user_id: UserId,
    template: &'static str,
    purpose: String,
    fields: serde_json::Value,
) -> Result<()> {
    if let Some(account) = user::Entity::find_by_id(user_id).one(tx.conn()).await? {
        let letter = Letter::to_account(&account, template, purpose, fields)?;
        notice::tell(tx, user_id, Topic::Suggestion, letter).await?;
    }
    Ok(())
}

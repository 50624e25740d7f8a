//! What is to be done next: whoever wrote it down is reminded on the day before, and says when it is done (policy 2.2).

use chrono::TimeDelta;
use entity::{
    access_grant::Permission,
    ids::NoteId,
    note, organisation,
    user::{self, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::visible;
use crate::{
    error::{Error, RefusalCode, Result},
    job::{Job, Queue},
    mail::Letter,
    notice::{self, Topic},
    store::Tx,
    viewer::Viewer,
};

/// How long before its time somebody is reminded.
const REMINDED_BEFORE: TimeDelta = TimeDelta::days(1);

/// Reminds whoever wrote a note of what it says is to be done next.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RemindOfAction {
    /// The note.
    pub note_id: NoteId,
}

impl Job for RemindOfAction {
    const KIND: &'static str = "note.remind_of_action";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.note_id))
    }
}

/// Has its author reminded of what a new note says is to be done by a time.
pub(crate) async fn schedule(tx: &mut Tx, note: &note::Model) -> Result<()> {
    if let Some(due) = note.next_action_due_at {
        let job = RemindOfAction { note_id: note.id };
        tx.enqueue(&job, Some(due - REMINDED_BEFORE)).await?;
    }
    Ok(())
}

/// Tells its author of what is due, unless it was done or they have left. Answers whether somebody was told.
pub async fn remind(tx: &mut Tx, id: NoteId) -> Result<bool> {
    let Some(note) = note::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
    else {
        return Ok(false);
    };
    let (Some(action), Some(due), None) = (
        &note.next_action,
        note.next_action_due_at,
        note.next_action_done_at,
    ) else {
        return Ok(false);
    };
    let author = user::Entity::find_by_id(note.author_id)
        .filter(user::Column::State.eq(UserState::Active))
        .one(tx.conn())
        .await?;
    let organisation = organisation::Entity::find_by_id(note.organisation_id)
        .one(tx.conn())
        .await?;
    let (Some(author), Some(organisation)) = (author, organisation) else {
        return Ok(false);
    };
    let fields = json!({
        "organisation": organisation.name,
        "action": action,
        "due_at": due,
        "note_link": format!("/notes/{id}"),
    });
    let purpose = format!("next_action/{id}");
    let letter = Letter::to_account(&author, "next_action_due", purpose, fields)?;
    notice::tell(tx, author.id, Topic::Engagement, letter).await?;
    Ok(true)
}

/// Says that what a note asked for next was done. Whoever records engagements may, because colleagues help each other out; a
/// second time changes nothing.
pub async fn complete(tx: &mut Tx, viewer: &Viewer, id: NoteId) -> Result<note::Model> {
    viewer.require(Permission::RecordEngagement)?;
    let current = visible(viewer)
        .filter(note::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("noteId", "note"))?;
    if current.next_action.is_none() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "noteId",
            "The note says nothing of what is to be done next.",
        ));
    }
    if current.next_action_done_at.is_some() {
        return Ok(current);
    }
    let mut row = current.into_active_model();
    row.next_action_done_at = Set(Some(tx.now()));
    row.next_action_done_by = Set(viewer.user_id());
    let done = row.update(tx.conn()).await?;
    let told = json!({ "nextActionDoneAt": done.next_action_done_at });
    tx.audit(viewer, "note.complete_action", id, None, Some(told))
        .await?;
    Ok(done)
}

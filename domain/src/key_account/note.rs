//! What notes have to do with key accounts: guidance stands in one, and contact without agreement shows in one.

use std::collections::HashSet;

use entity::{
    contact_without_agreement as flag,
    ids::{ContactId, NoteId},
    key_account_contact as held_contact, liaison_request,
    note::{self, NoteKind},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    guard::{Standing, standing},
    letters,
};
use crate::{
    error::{RefusalCode, Refusals, Result},
    store::Tx,
    viewer::Viewer,
};

/// Refuses guidance on a key account contact that isn't their Key Account Operator's.
pub async fn refuse_guidance_of_others(
    tx: &Tx,
    viewer: &Viewer,
    kind: NoteKind,
    contact_id: ContactId,
    refusals: &mut Refusals,
) -> Result<()> {
    if kind != NoteKind::GuidanceOnContact {
        return Ok(());
    }
    let held = standing(tx.conn(), viewer, tx.now(), contact_id).await?;
    if let Some(held) = held.filter(|held| Some(held.operator_id) != viewer.user_id()) {
        refusals.add(
            RefusalCode::WrongState,
            "kind",
            format!(
                "How this contact is to be approached is for {} to say, their Key Account Operator.",
                held.operator_name
            ),
        );
    }
    Ok(())
}

/// Looks at a note that was added. Guidance by the Key Account Operator takes the place of what stood there; contact that
/// was not agreed to is flagged, and the Key Account Operator is told.
pub async fn note_added(
    tx: &mut Tx,
    viewer: &Viewer,
    note: &note::Model,
    participants: &[ContactId],
) -> Result<()> {
    for contact_id in note.contact_id.iter().chain(participants) {
        look_at(tx, viewer, note, *contact_id).await?;
    }
    Ok(())
}

async fn look_at(
    tx: &mut Tx,
    viewer: &Viewer,
    note: &note::Model,
    contact_id: ContactId,
) -> Result<()> {
    let Some(held) = standing(tx.conn(), viewer, tx.now(), contact_id).await? else {
        return Ok(());
    };
    match note.kind {
        NoteKind::GuidanceOnContact => {
            held_contact::Entity::update_many()
                .col_expr(held_contact::Column::GuidanceNoteId, Expr::val(note.id))
                .filter(held_contact::Column::ContactId.eq(contact_id))
                .filter(held_contact::Column::EndedAt.is_null())
                .exec(tx.conn())
                .await?;
            Ok(())
        }
        NoteKind::Meeting | NoteKind::Call | NoteKind::Email | NoteKind::Visit => {
            if without_agreement(tx, viewer, note, &held).await? {
                // policy 2.3: it is recorded all the same, and the Key Account Operator is told.
                flag::Entity::insert(flag::ActiveModel {
                    note_id: Set(note.id),
                    key_account_id: Set(held.key_account_id),
                    recorded_at: Set(tx.now()),
                })
                // One flag says it of the note, however many of its people it is about.
                .on_conflict(
                    OnConflict::column(flag::Column::NoteId)
                        .do_nothing()
                        .to_owned(),
                )
                .exec_without_returning(tx.conn())
                .await?;
                letters::contacted_without_agreement(tx, viewer, note, &held).await?;
            }
            Ok(())
        }
        NoteKind::Event | NoteKind::Other => Ok(()),
    }
}

/// Whether the author had no agreement for this contact: neither now, nor when it took place. What took place before the
/// contact was claimed is nobody's business.
async fn without_agreement(
    tx: &Tx,
    viewer: &Viewer,
    note: &note::Model,
    held: &Standing,
) -> Result<bool> {
    if !held.must_liaise || note.happened_at < held.named_at {
        return Ok(false);
    }
    let agreed_then = liaison_request::Entity::find()
        .filter(liaison_request::Column::ContactId.eq(held.contact_id))
        .filter(liaison_request::Column::RequestedBy.eq(viewer.user_id()))
        .filter(liaison_request::Column::AnsweredAt.lte(note.happened_at))
        .filter(liaison_request::Column::AgreedUntil.gte(note.happened_at))
        .count(tx.conn())
        .await?;
    Ok(agreed_then == 0)
}

/// Those of the notes that tell of contact without agreement. The ids are of notes that exist for whoever asks.
pub async fn flagged(db: &impl ConnectionTrait, ids: &[NoteId]) -> Result<HashSet<NoteId>> {
    let found: Vec<NoteId> = flag::Entity::find()
        .select_only()
        .column(flag::Column::NoteId)
        .filter(flag::Column::NoteId.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(found.into_iter().collect())
}

//! The contacts of a key account: named with guidance, held by one operator.

use std::collections::HashSet;

use entity::{
    contact,
    ids::{ContactId, KeyAccountContactId, KeyAccountId, NoteId, OrganisationId, UserId},
    key_account::{self, KeyAccountScope},
    key_account_contact as held_contact,
    note::{self, NoteKind, NoteVisibility},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect,
};
use serde_json::json;

use super::{end, guard, lock_live};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    organisation::duplicates,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How many contacts are named at once.
const MOST_NAMED: usize = 100;

/// A contact to be named, with how they are to be approached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The contact.
    pub contact_id: ContactId,
    /// What others must know before they contact them. It becomes a note of kind `GUIDANCE_ON_CONTACT`.
    pub guidance: String,
}

/// Names further contacts of a key account.
pub async fn add_contacts(
    tx: &mut Tx,
    viewer: &Viewer,
    id: KeyAccountId,
    named: Vec<Named>,
) -> Result<key_account::Model> {
    let account = lock_live(tx, viewer, id).await?;
    end::lapse_of_organisation(tx, account.organisation_id).await?;
    let mut refusals = Refusals::default();
    refusals.add_if(
        named.is_empty(),
        RefusalCode::Required,
        "contacts",
        "Name at least one contact.",
    );
    let named = check(tx, account.organisation_id, named, &mut refusals).await?;
    refusals.into_result()?;
    let author = viewer.signed_in()?.id;
    let contacts = write(tx, author, &account, named).await?;
    let added = json!({ "contactIds": contacts });
    tx.audit(viewer, "key_account.add_contacts", id, None, Some(added))
        .await?;
    Ok(account)
}

/// Gives a contact of a key account back to everybody.
pub async fn remove_contact(
    tx: &mut Tx,
    viewer: &Viewer,
    id: KeyAccountId,
    contact_id: ContactId,
) -> Result<key_account::Model> {
    let account = lock_live(tx, viewer, id).await?;
    let held = held_contact::Entity::find()
        .filter(held_contact::Column::KeyAccountId.eq(id))
        .filter(held_contact::Column::EndedAt.is_null());
    let row = held
        .clone()
        .filter(held_contact::Column::ContactId.eq(contact_id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("contactId", "contact of this key account"))?;
    if account.scope == KeyAccountScope::Contacts && held.count(tx.conn()).await? == 1 {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "contactId",
            "This is the last contact that is held here: release the key account instead.",
        ));
    }
    let mut row = row.into_active_model();
    row.ended_at = Set(Some(tx.now()));
    row.update(tx.conn()).await?;
    crate::liaison::end_all(tx, &account, Some(contact_id)).await?;
    let removed = json!({ "contactId": contact_id });
    tx.audit(
        viewer,
        "key_account.remove_contact",
        id,
        Some(removed),
        None,
    )
    .await?;
    Ok(account)
}

/// The contacts as they can be named. All that is wrong is noted.
pub(super) async fn check(
    tx: &Tx,
    organisation_id: OrganisationId,
    named: Vec<Named>,
    refusals: &mut Refusals,
) -> Result<Vec<Named>> {
    const FIELD: &str = "contacts";
    if named.len() > MOST_NAMED {
        refusals.add(
            RefusalCode::TooLong,
            FIELD,
            format!("At most {MOST_NAMED} at once; {} were given.", named.len()),
        );
        return Ok(Vec::new());
    }
    let ids: Vec<ContactId> = named.iter().map(|named| named.contact_id).collect();
    let distinct: HashSet<ContactId> = ids.iter().copied().collect();
    refusals.add_if(
        distinct.len() < ids.len(),
        RefusalCode::Invalid,
        FIELD,
        "A contact is named twice.",
    );
    let there = contact::Entity::find()
        .filter(contact::Column::Id.is_in(ids.iter().copied()))
        .filter(crate::contact::working_at(
            &Viewer::system(),
            organisation_id,
        ))
        .count(tx.conn())
        .await?;
    // policy 2.3: the contact needs to be on the system
    refusals.add_if(
        usize::try_from(there).is_ok_and(|there| there < distinct.len()),
        RefusalCode::NotFound,
        FIELD,
        "The organisation has no such contact.",
    );
    for held in guard::standings(tx.conn(), &Viewer::system(), tx.now(), &ids).await? {
        refusals.add(
            RefusalCode::Taken,
            FIELD,
            format!(
                "{} holds one of these contacts already.",
                held.operator_name
            ),
        );
    }
    Ok(named
        .into_iter()
        .map(|named| Named {
            guidance: Text::block("guidance", 2_000).required(&named.guidance, refusals),
            ..named
        })
        .collect())
}

/// Forgets what is likely the same as the organisation, or as where the records of these contacts are: who works at one by a
/// further post has their number compared at the other.
async fn forget_pairs(tx: &Tx, at: OrganisationId, ids: &[ContactId]) -> Result<()> {
    let mut places: Vec<OrganisationId> = contact::Entity::find()
        .select_only()
        .column(contact::Column::OrganisationId)
        .filter(contact::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(tx.conn())
        .await?;
    places.push(at);
    duplicates::forget(tx, &places).await
}

/// Writes contacts that were looked at, each with its note.
pub(super) async fn write(
    tx: &Tx,
    author_id: UserId,
    account: &key_account::Model,
    named: Vec<Named>,
) -> Result<Vec<ContactId>> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let now = tx.now();
    let ids: Vec<ContactId> = named.iter().map(|named| named.contact_id).collect();
    let mut notes = Vec::with_capacity(named.len());
    let mut held = Vec::with_capacity(named.len());
    for Named {
        contact_id,
        guidance,
    } in named
    {
        let note_id = NoteId::new_at(now);
        notes.push(
            note::Model {
                id: note_id,
                organisation_id: account.organisation_id,
                contact_id: Some(contact_id),
                kind: NoteKind::GuidanceOnContact,
                visibility: NoteVisibility::Staff,
                happened_at: now,
                body: guidance,
                outcome: None,
                next_action: None,
                next_action_due_at: None,
                next_action_done_at: None,
                next_action_done_by: None,
                author_id,
                created_at: now,
            }
            .into_active_model()
            .reset_all(),
        );
        held.push(
            held_contact::Model {
                id: KeyAccountContactId::new_at(now),
                key_account_id: account.id,
                contact_id,
                guidance_note_id: note_id,
                named_at: now,
                ended_at: None,
            }
            .into_active_model()
            .reset_all(),
        );
    }
    note::Entity::insert_many(notes)
        .exec_without_returning(tx.conn())
        .await?;
    held_contact::Entity::insert_many(held)
        .exec_without_returning(tx.conn())
        .await?;
    forget_pairs(tx, account.organisation_id, &ids).await?;
    Ok(ids)
}

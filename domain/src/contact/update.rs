//! Changes of contacts, each behind the locks that it needs.

use entity::{access_grant::Permission, contact, ids::ContactId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};

use super::{Profile, UPDATED, check_email, hold, hold_email, visible};
use crate::{
    change::{self, Change},
    error::{Error, RefusalCode, Refusals, Result},
    key_account::guard::standing,
    store::Tx,
    viewer::Viewer,
};

/// Changes what `edit` changes in a contact that is at `version`.
///
/// A version that is no longer the current one is refused: somebody else's change would be lost.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
    edit: impl FnOnce(&mut Profile) + Send,
) -> Result<contact::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let seen = visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "contact"))?;
    let mut new = Profile::of(&seen);
    edit(&mut new);
    let current = lock_for(tx, &seen, version, &new).await?;
    Box::pin(change_locked(tx, viewer, current, move |profile| {
        *profile = new;
    }))
    .await
}

/// Locks a contact who was seen at `version` and is to become as `new` says, after what must be locked before: their new address,
/// and those who are put on hold with them, in the order of the ids. A contact who has been changed since is refused.
pub(super) async fn lock_for(
    tx: &Tx,
    seen: &contact::Model,
    version: i32,
    new: &Profile,
) -> Result<contact::Model> {
    let id = seen.id;
    if seen.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, seen.version).await?);
    }
    // What is wrong with it is told when it is written.
    let new = new.clone().checked(&mut Refusals::default());
    let mut of_hold = None;
    if new.email != seen.email {
        if let Some(email) = &new.email {
            hold_email(tx, seen.organisation_id, email).await?;
        }
    } else if new.on_hold && seen.on_hold_at.is_none() {
        of_hold = new.email.as_deref();
    }
    let (current, _) = hold::lock(tx, id, of_hold)
        .await?
        .ok_or_else(|| Error::not_found("id", "contact"))?;
    if current != *seen {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    Ok(current)
}

/// Changes what `edit` changes in the contact that `viewer` is: an employer keeps their own record (policy 2.2). It leaves the
/// address and the hold alone, so the row is all that is locked.
pub(crate) async fn update_own(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    edit: impl FnOnce(&mut Profile) + Send,
) -> Result<contact::Model> {
    if viewer.person().and_then(|person| person.contact_id) != Some(id) {
        return Err(Error::not_found("id", "contact"));
    }
    let current = contact::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "contact"))?;
    change_locked(tx, viewer, current, edit).await
}

pub(super) async fn change_locked(
    tx: &mut Tx,
    viewer: &Viewer,
    current: contact::Model,
    edit: impl FnOnce(&mut Profile) + Send,
) -> Result<contact::Model> {
    let (id, version) = (current.id, current.version);
    let old = Profile::of(&current);
    let mut new = old.clone();
    edit(&mut new);
    let mut refusals = Refusals::default();
    let mut new = new.checked(&mut refusals);
    if (&new.email, &new.telephone) != (&old.email, &old.telephone) {
        refuse_before_liaison(tx, viewer, id, &mut refusals).await?;
    }
    if new.email != old.email {
        check_email(
            tx,
            viewer,
            current.organisation_id,
            Some(id),
            new.email.as_deref(),
            &mut refusals,
        )
        .await?;
    }
    refusals.add_if(
        old.on_hold && !new.on_hold && new.email == old.email,
        RefusalCode::Required,
        "onHold",
        "Say why mail may go to them again: liftContactHold takes the reason and keeps it.",
    );
    refusals.into_result()?;
    let mut on_hold_at = current.on_hold_at;
    if new.email != old.email {
        if let (Some(since), Some(email)) = (current.on_hold_at, &current.email) {
            hold::remember(tx, email, since).await?;
        }
        // The bounces were another address's; this one may have had its own.
        on_hold_at = hold::since(tx, new.email.as_deref()).await?;
        new.on_hold = on_hold_at.is_some();
    } else if new.on_hold && !old.on_hold {
        on_hold_at = Some(tx.now());
        if let Some(email) = &new.email {
            hold::begin(tx, email, Some(id)).await?;
        }
    }
    let change = Change::between(&old, &new)?;
    if change.is_empty() {
        return Ok(current);
    }
    let mut row = current.into_active_model();
    row.on_hold_at = Set(on_hold_at);
    if new.bulk_opted_out != old.bulk_opted_out {
        row.bulk_opted_out_at = Set(new.bulk_opted_out.then(|| tx.now()));
    }
    row.name = Set(new.name);
    row.job_title = Set(new.job_title);
    row.email = Set(new.email);
    row.telephone = Set(new.telephone);
    row.visible_to_students = Set(new.visible_to_students);
    row.state = Set(new.state);
    row.subscriber_type = Set(new.subscriber_type);
    row.do_not_email = Set(new.do_not_email);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    let (before, after) = change.into_audit(updated.version);
    tx.audit(viewer, UPDATED, id, before, after).await?;
    Ok(updated)
}

/// Details that are withheld are not overwritten either.
async fn refuse_before_liaison(
    tx: &Tx,
    viewer: &Viewer,
    id: ContactId,
    refusals: &mut Refusals,
) -> Result<()> {
    let standing = standing(tx.conn(), viewer, tx.now(), id).await?;
    if let Some(standing) = standing.filter(|standing| standing.must_liaise) {
        refusals.add(
            RefusalCode::LiaiseFirst,
            "id",
            format!(
                "This is a key account contact. Liaise first with {}, the Key Account Operator.",
                standing.operator_name
            ),
        );
    }
    Ok(())
}

//! Ending a hold: mail that came back several times in a row puts a contact on hold, and an operator who knows better lets
//! mail go to them again (policy 2.5).
//!
//! What came back was mail to an address. So the address is remembered, as a hash: a contact who is given it, again or for the
//! first time, is on hold until somebody ends that.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{access_grant::Permission, contact, held_address, ids::ContactId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, sea_query::OnConflict,
};
use serde_json::json;

use super::{UPDATED, visible};
use crate::{
    change,
    error::{Error, RefusalCode, Refusals, Result},
    store::Tx,
    suppression::{self, AddressKey},
    text::Text,
    viewer::Viewer,
};

/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;

/// Remembers that mail to an address is held back. The first moment is the one that stays.
pub(crate) async fn remember(tx: &Tx, email: &str, since: DateTime<Utc>) -> Result<()> {
    held_address::Entity::insert(held_address::ActiveModel {
        address_hash: Set(hash_of(tx, email).await?),
        since: Set(since),
    })
    .on_conflict(
        OnConflict::column(held_address::Column::AddressHash)
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Since when mail to an address is held back; `None` when it is not.
pub(super) async fn since(tx: &Tx, email: Option<&str>) -> Result<Option<DateTime<Utc>>> {
    let Some(email) = email else {
        return Ok(None);
    };
    let hash = hash_of(tx, email).await?;
    let held = held_address::Entity::find_by_id(hash)
        .one(tx.conn())
        .await?;
    Ok(held.map(|row| row.since))
}

/// Puts those of new contacts on hold whose addresses are, with one statement.
pub(crate) async fn apply(tx: &Tx, rows: &mut [contact::ActiveModel]) -> Result<()> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let mut by_hash: HashMap<String, Vec<&mut contact::ActiveModel>> = HashMap::new();
    for row in rows {
        if let Set(Some(email)) = &row.email {
            let hash = suppression::written(&key.hash(email)?);
            by_hash.entry(hash).or_default().push(row);
        }
    }
    let held = held_address::Entity::find()
        .filter(held_address::Column::AddressHash.is_in(by_hash.keys()))
        .all(tx.conn())
        .await?;
    for held in held {
        for row in by_hash.remove(&held.address_hash).unwrap_or_default() {
            row.on_hold_at = Set(Some(held.since));
        }
    }
    Ok(())
}

async fn forget(tx: &Tx, email: &str) -> Result<()> {
    let hash = hash_of(tx, email).await?;
    held_address::Entity::delete_by_id(hash)
        .exec(tx.conn())
        .await?;
    Ok(())
}

async fn hash_of(tx: &Tx, email: &str) -> Result<String> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    Ok(suppression::written(&key.hash(email)?))
}

/// Lets mail go again to a contact who is on hold and at `version`. The reason is kept in the audit log. Should the next mail
/// come back too, the contact is on hold again.
pub async fn lift_hold(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
    reason: &str,
) -> Result<contact::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let current = visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "contact"))?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    let mut refusals = Refusals::default();
    let reason = Text::block("reason", LONGEST_REASON).required(reason, &mut refusals);
    refusals.add_if(
        current.on_hold_at.is_none(),
        RefusalCode::WrongState,
        "id",
        "This contact is not on hold.",
    );
    refusals.into_result()?;
    let since = current.on_hold_at;
    if let Some(email) = &current.email {
        forget(tx, email).await?;
    }
    let mut row = current.into_active_model();
    row.on_hold_at = Set(None);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let freed = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "contact.hold_lifted",
        id,
        Some(json!({ "onHold": true, "onHoldAt": since })),
        Some(json!({ "onHold": false, "reason": reason, change::VERSION: freed.version })),
    )
    .await?;
    Ok(freed)
}

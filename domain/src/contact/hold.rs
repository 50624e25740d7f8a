//! Ending a hold: mail that came back several times in a row puts a contact on hold, and an operator who knows better lets
//! mail go to them again (policy 2.5).

use entity::{access_grant::Permission, contact, ids::ContactId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::json;

use super::{UPDATED, visible};
use crate::{
    change,
    error::{Error, RefusalCode, Refusals, Result},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;

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

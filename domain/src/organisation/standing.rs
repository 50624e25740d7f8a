//! Where an organisation stands: put away when it is no longer used, and fetched again.

use entity::{
    access_grant::Permission,
    ids::OrganisationId,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QuerySelect,
};
use serde::Serialize;

use super::{UPDATED, visible};
use crate::{
    change::{self, Change},
    error::{Error, RefusalCode, Refusals, Result},
    key_account,
    store::Tx,
    text::Text,
    vacancy,
    viewer::Viewer,
};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// The part of a record that says where it stands, as the audit log keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Standing {
    /// Where it stands.
    pub state: OrganisationState,
    /// Why.
    pub state_reason: Option<String>,
}

impl Standing {
    fn of(organisation: &organisation::Model) -> Self {
        Self {
            state: organisation.state,
            state_reason: organisation.state_reason.clone(),
        }
    }
}

/// Puts an organisation away: it is kept, and no longer used. Students have it no longer, no bulk mail goes to it, and it
/// is no duplicate of anything.
///
/// One that is somebody's key account is released first (policy 2.3), and one with divisions lets go of them first.
pub async fn archive(
    tx: &mut Tx,
    viewer: &Viewer,
    id: OrganisationId,
    version: i32,
    reason: Option<&str>,
) -> Result<organisation::Model> {
    viewer.require(Permission::DeleteOrganisation)?;
    let mut refusals = Refusals::default();
    let reason = reason_of(reason, &mut refusals);
    let current = lock_at(tx, viewer, id, version).await?;
    refusals.add_if(
        current.state == OrganisationState::Archived,
        RefusalCode::WrongState,
        "id",
        "It is archived already.",
    );
    let divisions = organisation::Entity::find()
        .filter(organisation::Column::ParentId.eq(id))
        .filter(organisation::Column::State.ne(OrganisationState::Archived))
        .count(tx.conn())
        .await?;
    refusals.add_if(
        divisions > 0,
        RefusalCode::WrongState,
        "id",
        "It is the head office of divisions that are in use: archive them first, or give them another head office.",
    );
    // policy 2.3: a claim ends by its operator, never by the way.
    refusals.add_if(
        !key_account::live_claims(tx, id).await?.is_empty(),
        RefusalCode::WrongState,
        "id",
        "It is somebody's key account: the Key Account Operator releases it first.",
    );
    refusals.into_result()?;
    let from = current.state;
    let standing = Standing {
        state: OrganisationState::Archived,
        state_reason: reason,
    };
    put(
        tx,
        viewer,
        current,
        standing,
        Some(from),
        "organisation.archive",
    )
    .await
}

/// Fetches an organisation from the archive: it stands again where it stood.
pub async fn restore(
    tx: &mut Tx,
    viewer: &Viewer,
    id: OrganisationId,
    version: i32,
) -> Result<organisation::Model> {
    viewer.require(Permission::DeleteOrganisation)?;
    let current = lock_at(tx, viewer, id, version).await?;
    if current.state != OrganisationState::Archived {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "id",
            "It isn't archived.",
        ));
    }
    let standing = Standing {
        state: current.archived_from.unwrap_or(OrganisationState::Approved),
        state_reason: None,
    };
    put(tx, viewer, current, standing, None, "organisation.restore").await
}

pub(crate) fn reason_of(given: Option<&str>, refusals: &mut Refusals) -> Option<String> {
    Text::block("reason", LONGEST_REASON).optional(given, refusals)
}

/// The organisation, locked, if it exists for the viewer and is at this version.
pub(crate) async fn lock_at(
    tx: &Tx,
    viewer: &Viewer,
    id: OrganisationId,
    version: i32,
) -> Result<organisation::Model> {
    let current = visible(viewer)
        .filter(organisation::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "organisation"))?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    Ok(current)
}

/// Writes where an organisation stands, and what was done into the log. Its open vacancies follow it.
pub(crate) async fn put(
    tx: &mut Tx,
    viewer: &Viewer,
    current: organisation::Model,
    standing: Standing,
    archived_from: Option<OrganisationState>,
    action: &'static str,
) -> Result<organisation::Model> {
    let change = Change::between(&Standing::of(&current), &standing)?;
    let (id, version) = (current.id, current.version + 1);
    let mut row = current.into_active_model();
    row.state = Set(standing.state);
    row.state_reason = Set(standing.state_reason);
    row.archived_from = Set(archived_from);
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    let (before, after) = change.into_audit(version);
    tx.audit(viewer, action, id, before, after).await?;
    let reason = updated.state_reason.as_deref();
    vacancy::follow_organisation(tx, viewer, id, updated.state, reason).await?;
    Ok(updated)
}

//! Key accounts: an operator's claim on an organisation, with named contacts whom others don't contact before they have
//! liaised (policy 2.3).
//!
//! An organisation has one whole claim at most. One with many touch points has none; there several operators hold contacts,
//! and each contact has one holder. Every change of a claim holds the lock of its organisation.
//!
//! What follows from a claim is decided in [`guard`], by one rule for everybody who asks: a claim counts while its operator
//! may hold it, whether or not the job that marks lapsed claims has run.

mod contacts;
mod end;
pub mod guard;
mod hand_over;
pub(crate) mod letters;
mod lists;
mod note;

use entity::{
    access_grant::Permission,
    ids::{KeyAccountId, OrganisationId, UserId},
    key_account::{self, KeyAccountScope, KeyAccountState},
    organisation, user,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
};
use serde_json::json;

pub use self::{
    contacts::{Named, add_contacts, remove_contact},
    end::{LookAfterKeyAccounts, look_after, release},
    guard::{Standing, WithGuidance, show_with_guidance, standings, withheld_addresses},
    hand_over::{hand_over, hand_over_one},
    lists::{Filter, contacts_of, count, find_all, list, of_organisations, visible},
    note::{flagged, note_added, refuse_guidance_of_others},
};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    store::Tx,
    viewer::Viewer,
};

/// Claims an organisation for the viewer, with the contacts that others are to liaise about first.
///
/// Where the organisation has many touch points, the claim is on the named contacts alone.
pub async fn claim(
    tx: &mut Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    named: Vec<Named>,
) -> Result<key_account::Model> {
    viewer.require(Permission::ClaimKeyAccount)?;
    let operator_id = viewer.signed_in()?.id;
    let organisation = lock_organisation(tx, viewer, organisation_id).await?;
    // A claim whose operator's access has ended is in nobody's way.
    end::lapse_of_organisation(tx, organisation_id).await?;
    let live = live_of(tx, organisation_id).await?;
    let mut refusals = Refusals::default();
    let scope = if organisation.multiple_touch_points {
        refusals.add_if(
            named.is_empty(),
            RefusalCode::Required,
            "contacts",
            "This organisation has many touch points and can't be claimed whole: name the contacts you hold in it.",
        );
        KeyAccountScope::Contacts
    } else {
        KeyAccountScope::Whole
    };
    if live
        .iter()
        .any(|account| account.operator_id == operator_id)
    {
        refusals.add(
            RefusalCode::Taken,
            "organisationId",
            "This is a key account of yours already: add contacts to it.",
        );
    } else if let Some(other) = live
        .iter()
        .find(|account| scope == KeyAccountScope::Whole || account.scope == KeyAccountScope::Whole)
    {
        let name = name_of(tx, other.operator_id).await?;
        refusals.add(
            RefusalCode::Taken,
            "organisationId",
            format!("{name} is the Key Account Operator of this organisation."),
        );
    }
    let named = contacts::check(tx, organisation_id, named, &mut refusals).await?;
    refusals.into_result()?;
    let account = key_account::ActiveModel {
        id: Set(KeyAccountId::new_at(tx.now())),
        organisation_id: Set(organisation_id),
        operator_id: Set(operator_id),
        scope: Set(scope),
        state: Set(KeyAccountState::Live),
        claimed_at: Set(tx.now()),
        held_since: Set(tx.now()),
        ended_at: Set(None),
    }
    .insert(tx.conn())
    .await?;
    let contacts = contacts::write(tx, operator_id, &account, named).await?;
    tx.audit(
        viewer,
        "key_account.claim",
        account.id,
        None,
        Some(json!({ "organisationId": organisation_id, "scope": scope, "contactIds": contacts })),
    )
    .await?;
    Ok(account)
}

/// The claims on the organisation that count. Its lock is held; those that no longer do are ended first.
pub(crate) async fn live_claims(
    tx: &mut Tx,
    organisation_id: OrganisationId,
) -> Result<Vec<key_account::Model>> {
    end::lapse_of_organisation(tx, organisation_id).await?;
    live_of(tx, organisation_id).await
}

/// What becomes of the claims on an organisation when it is marked as one with many touch points, or is no longer.
///
/// A whole claim becomes one on its contacts. The other way, one operator may be left with the whole, but not two.
pub(crate) async fn touch_points_changed(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    multiple: bool,
) -> Result<()> {
    end::lapse_of_organisation(tx, organisation_id).await?;
    let live = live_of(tx, organisation_id).await?;
    if !multiple && live.len() > 1 {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "multipleTouchPoints",
            format!(
                "{} operators hold contacts in this organisation; it can't have one owner while they do.",
                live.len()
            ),
        ));
    }
    let scope = if multiple {
        KeyAccountScope::Contacts
    } else {
        KeyAccountScope::Whole
    };
    key_account::Entity::update_many()
        .col_expr(
            key_account::Column::Scope,
            sea_orm::sea_query::Expr::val(scope),
        )
        .filter(key_account::Column::OrganisationId.eq(organisation_id))
        .filter(key_account::Column::State.eq(KeyAccountState::Live))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// The organisation, if it exists for the viewer, locked: claims on it wait for each other.
async fn lock_organisation(
    tx: &Tx,
    viewer: &Viewer,
    id: OrganisationId,
) -> Result<organisation::Model> {
    crate::organisation::visible(viewer)
        .filter(organisation::Column::Id.eq(id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("organisationId", "organisation"))
}

/// The claims on an organisation that stand. Its lock is held.
async fn live_of(tx: &Tx, id: OrganisationId) -> Result<Vec<key_account::Model>> {
    Ok(key_account::Entity::find()
        .filter(key_account::Column::OrganisationId.eq(id))
        .filter(key_account::Column::State.eq(KeyAccountState::Live))
        .all(tx.conn())
        .await?)
}

/// A claim that stands, with the lock of its organisation, for its operator or for whoever may put somebody else in their
/// place (policy 3: granting access for the campus).
async fn lock_live(tx: &Tx, viewer: &Viewer, id: KeyAccountId) -> Result<key_account::Model> {
    let missing = || Error::not_found("keyAccountId", "key account");
    let found = visible(viewer)
        .filter(key_account::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(missing)?;
    organisation::Entity::find_by_id(found.organisation_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?;
    // Read again behind the lock: another change of it may have come first.
    let account = key_account::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(missing)?;
    // A key account belongs to no faculty, so that whoever gives it away grants for the campus.
    let grants = viewer.has_for(Permission::GrantAccess, None);
    if viewer.user_id() != Some(account.operator_id) && !grants {
        return Err(Error::Forbidden(
            "Only the Key Account Operator changes a key account, or somebody who grants access for the campus."
                .to_owned(),
        ));
    }
    if account.state != KeyAccountState::Live {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "keyAccountId",
            "This key account has ended.",
        ));
    }
    Ok(account)
}

async fn name_of(tx: &Tx, id: UserId) -> Result<String> {
    let found = user::Entity::find_by_id(id).one(tx.conn()).await?;
    Ok(found.map_or_else(|| "Somebody".to_owned(), |user| user.name))
}

//! Employers keep the contacts of their own organisation (policy 2.2: they take ownership of their own information).
//!
//! What a person alone can say stays theirs: a colleague takes consent back and opts somebody out, never the other way round,
//! and leaves alone whoever signs in and keeps their own record.

use entity::{
    contact,
    ids::{ContactId, OrganisationId},
    organisation,
    user::{self, UserState},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::{
    Profile, add,
    update::{change_locked, lock_for},
    visible,
};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    organisation as organisations,
    store::Tx,
    viewer::Viewer,
};

/// Adds a contact to the organisation that the viewer signs in for. Consent is asked of the person.
pub async fn create_own(tx: &mut Tx, viewer: &Viewer, profile: Profile) -> Result<contact::Model> {
    let organisation_id = own_organisation(tx, viewer).await?;
    add(tx, viewer, organisation_id, profile).await
}

/// Changes what `edit` changes in a contact at `version` of the organisation that the viewer signs in for.
pub async fn update_of_own(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
    edit: impl FnOnce(&mut Profile) + Send,
) -> Result<contact::Model> {
    let organisation_id = own_organisation(tx, viewer).await?;
    let seen = visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .filter(contact::Column::OrganisationId.eq(organisation_id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "contact"))?;
    let old = Profile::of(&seen);
    let mut new = old.clone();
    edit(&mut new);
    let current = lock_for(tx, &seen, version, &new).await?;
    let is_self = viewer.person().and_then(|person| person.contact_id) == Some(id);
    if !is_self {
        let signs_in = user::Entity::find()
            .filter(user::Column::ContactId.eq(id))
            .filter(user::Column::State.eq(UserState::Active))
            .count(tx.conn())
            .await?;
        if signs_in > 0 {
            return Err(Error::refused(
                RefusalCode::WrongState,
                "id",
                "They sign in and keep their own record. If they have left, tell the Careers Centre.",
            ));
        }
    }
    let mut refusals = Refusals::default();
    refusals.add_if(
        !is_self && new.visible_to_students && !old.visible_to_students,
        RefusalCode::NeedsAgreement,
        "visibleToStudents",
        "Being shown to students is theirs to agree to.",
    );
    refusals.add_if(
        !is_self && old.bulk_opted_out && !new.bulk_opted_out,
        RefusalCode::NeedsAgreement,
        "bulkOptedOut",
        "They opted out of bulk e-mail: it is theirs to take back.",
    );
    refusals.into_result()?;
    change_locked(tx, viewer, current, move |profile| *profile = new).await
}

/// The organisation that the viewer signs in for, while it isn't suspended. Its row is locked.
async fn own_organisation(tx: &Tx, viewer: &Viewer) -> Result<OrganisationId> {
    let own = viewer
        .signed_in()?
        .organisation_id
        .ok_or_else(|| Error::not_found("id", "organisation of yours"))?;
    let current = organisations::visible(viewer)
        .filter(organisation::Column::Id.eq(own))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "organisation of yours"))?;
    if organisations::is_kept_by_its_employer(current.state) {
        return Ok(own);
    }
    Err(Error::refused_whole(
        RefusalCode::WrongState,
        organisations::SUSPENDED,
    ))
}

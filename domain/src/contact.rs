//! Contacts: the people at organisations, and who may see them (policy 2.2 and 3).

pub mod duplicates;
pub(crate) mod hold;
mod own;
mod posts;
mod profile;
mod search;
mod update;

use entity::{
    access_grant::Permission,
    contact,
    ids::{ContactId, OrganisationId},
    organisation,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
};

pub use self::hold::{Lifted, lift_hold};
pub use self::own::{create_own, update_of_own};
pub use self::posts::{add_post, end_post, posts_of, with_posts_at};
pub(crate) use self::posts::{working_at, works_at};
pub use self::profile::Profile;
pub use self::search::{
    Filter, count, counts_of_organisations, find, key, list, of_organisations, visible, visible_to,
};
pub use self::update::update;
pub(crate) use self::update::update_own;
use crate::{
    error::{RefusalCode, Refusals, Result},
    key_account::guard::standing,
    store::Tx,
    viewer::Viewer,
};

/// What is shown behind the name of a key account contact, to staff alone (policy 2.3). No name ends with it.
const MARK: char = '*';

/// What the audit log calls a change of a contact.
const UPDATED: &str = "contact.update";

/// The name of a contact as staff read it: with the mark when it is a key account contact. Others are given the name as it
/// is.
#[must_use]
pub fn marked(name: &str) -> String {
    format!("{name} {MARK}")
}

/// Adds a contact to an organisation. Whom they are likely the same as is kept (policy 1): [`duplicates::of_contact`] tells.
pub async fn create(
    tx: &mut Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    profile: Profile,
) -> Result<contact::Model> {
    viewer.require(Permission::EditOrganisation)?;
    let profile = checked_for(tx, viewer, organisation_id, profile).await?;
    let alike = duplicates::of_profile(tx, viewer, organisation_id, &profile).await?;
    let created = insert(tx, viewer, organisation_id, profile).await?;
    duplicates::note(tx, &created, alike).await?;
    Ok(created)
}

async fn add(
    tx: &mut Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    profile: Profile,
) -> Result<contact::Model> {
    let profile = checked_for(tx, viewer, organisation_id, profile).await?;
    insert(tx, viewer, organisation_id, profile).await
}

/// The profile of a new contact of an organisation as it is kept. The organisation is there, and locked.
async fn checked_for(
    tx: &Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    profile: Profile,
) -> Result<Profile> {
    let mut refusals = Refusals::default();
    let profile = profile.checked(&mut refusals);
    // Locked, so that one address is not added twice at once.
    let organisation = crate::organisation::visible(viewer)
        .filter(organisation::Column::Id.eq(organisation_id))
        .lock_exclusive()
        .one(tx.conn())
        .await?;
    refusals.add_if(
        organisation.is_none(),
        RefusalCode::NotFound,
        "organisationId",
        "There is no such organisation, or it is not open to you.",
    );
    check_email(
        tx,
        viewer,
        organisation_id,
        None,
        profile.email.as_deref(),
        &mut refusals,
    )
    .await?;
    refusals.into_result()?;
    Ok(profile)
}

/// Writes a contact whose profile has been checked.
async fn insert(
    tx: &mut Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    profile: Profile,
) -> Result<contact::Model> {
    if let (true, Some(email)) = (profile.on_hold, &profile.email) {
        hold::begin(tx, email, None).await?;
    }
    let mut rows = [new_row(tx, organisation_id, profile)];
    hold::apply(tx, &mut rows).await?;
    let [row] = rows;
    let created = row.insert(tx.conn()).await?;
    tx.audit(
        viewer,
        "contact.create",
        created.id,
        None,
        Some(serde_json::to_value(Profile::of(&created))?),
    )
    .await?;
    Ok(created)
}

/// A row for a profile that has been checked.
pub(crate) fn new_row(
    tx: &Tx,
    organisation_id: OrganisationId,
    profile: Profile,
) -> contact::ActiveModel {
    contact::ActiveModel {
        id: Set(ContactId::new_at(tx.now())),
        organisation_id: Set(organisation_id),
        name: Set(profile.name),
        job_title: Set(profile.job_title),
        email: Set(profile.email),
        telephone: Set(profile.telephone),
        visible_to_students: Set(profile.visible_to_students),
        state: Set(profile.state),
        subscriber_type: Set(profile.subscriber_type),
        bulk_opted_out_at: Set(profile.bulk_opted_out.then(|| tx.now())),
        do_not_email: Set(profile.do_not_email),
        on_hold_at: Set(profile.on_hold.then(|| tx.now())),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    }
}

/// Waits until nobody else gives this address to a contact of the organisation: two at once would both find it free. It comes
/// before the lock of a contact's row: whoever adds a contact has it when they need the rows of those who are likely the same.
async fn hold_email(tx: &Tx, organisation_id: OrganisationId, email: &str) -> Result<()> {
    tx.hold(&format!("contact_email/{organisation_id}/{email}"))
        .await
}

/// One address belongs to one contact of an organisation.
async fn check_email(
    tx: &Tx,
    viewer: &Viewer,
    organisation_id: OrganisationId,
    id: Option<ContactId>,
    email: Option<&str>,
    refusals: &mut Refusals,
) -> Result<()> {
    let Some(email) = email else {
        return Ok(());
    };
    hold_email(tx, organisation_id, email).await?;
    let mut same = contact::Entity::find()
        .filter(contact::Column::OrganisationId.eq(organisation_id))
        .filter(contact::Column::Email.eq(email));
    if let Some(id) = id {
        same = same.filter(contact::Column::Id.ne(id));
    }
    if let Some(same) = same.one(tx.conn()).await? {
        let standing = standing(tx.conn(), viewer, tx.now(), same.id).await?;
        // Whose address is withheld isn't told with it.
        let whose = if standing.is_some_and(|standing| standing.must_liaise) {
            "A contact"
        } else {
            &same.name
        };
        refusals.add(
            RefusalCode::Taken,
            "email",
            format!("{whose} of this organisation has this address."),
        );
    }
    Ok(())
}

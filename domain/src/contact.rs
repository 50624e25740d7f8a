//! Contacts: the people at organisations, and who may see them (policy 2.2 and 3).

pub mod duplicates;
pub(crate) mod hold;
mod own;
mod posts;
mod search;

use entity::{
    access_grant::Permission,
    contact::{self, ContactState, SubscriberType},
    ids::{ContactId, OrganisationId},
    organisation::{self},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde::Serialize;

pub use self::hold::{Lifted, lift_hold};
pub use self::own::{create_own, update_of_own};
pub use self::posts::{add_post, end_post, posts_of, with_posts_at};
pub(crate) use self::posts::{working_at, works_at};
pub use self::search::{
    Filter, count, counts_of_organisations, find, key, list, of_organisations, visible, visible_to,
};
use crate::{
    change::{self, Change},
    email_address::EmailAddress,
    error::{Error, RefusalCode, Refusals, Result},
    key_account::guard::standing,
    store::Tx,
    text::Text,
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

/// The part of a contact that operators edit. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a state of its own: consent, opting out, no mail at all, mail held back"
)]
pub struct Profile {
    /// Their name.
    pub name: String,
    /// Their job title.
    pub job_title: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their telephone number.
    pub telephone: Option<String>,
    /// Whether they agreed to be shown to students.
    pub visible_to_students: bool,
    /// Whether they are still there.
    pub state: ContactState,
    /// What they have to do with the university.
    pub subscriber_type: SubscriberType,
    /// Whether they opted out of bulk e-mail.
    pub bulk_opted_out: bool,
    /// Whether they must not be sent any mail.
    pub do_not_email: bool,
    /// Whether mail is held back after bounces.
    pub on_hold: bool,
}

impl Profile {
    /// Somebody of whom nothing but the name is known, and who has agreed to nothing.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            job_title: None,
            email: None,
            telephone: None,
            visible_to_students: false,
            state: ContactState::Active,
            subscriber_type: SubscriberType::General,
            bulk_opted_out: false,
            do_not_email: false,
            on_hold: false,
        }
    }

    /// The profile of a contact as it is.
    #[must_use]
    pub fn of(contact: &contact::Model) -> Self {
        Self {
            name: contact.name.clone(),
            job_title: contact.job_title.clone(),
            email: contact.email.clone(),
            telephone: contact.telephone.clone(),
            visible_to_students: contact.visible_to_students,
            state: contact.state,
            subscriber_type: contact.subscriber_type,
            bulk_opted_out: contact.bulk_opted_out_at.is_some(),
            do_not_email: contact.do_not_email,
            on_hold: contact.on_hold_at.is_some(),
        }
    }

    /// The profile as it is kept. All that is wrong is noted.
    #[must_use]
    pub fn checked(self, refusals: &mut Refusals) -> Self {
        let email = self
            .email
            .filter(|given| !given.trim().is_empty())
            .and_then(|given| refusals.take(EmailAddress::from_input(&given, "email")))
            .map(String::from);
        let telephone = Text::line("telephone", 40).optional(self.telephone.as_deref(), refusals);
        refusals.add_if(
            telephone
                .as_deref()
                .is_some_and(|given| !is_telephone(given)),
            RefusalCode::Invalid,
            "telephone",
            "This is not a telephone number; one looks like +44 20 7946 0000 ext. 12.",
        );
        let name = Text::line("name", 120).required(&self.name, refusals);
        // policy 2.3: the mark of a key account contact is shown, never written.
        refusals.add_if(
            name.ends_with(MARK),
            RefusalCode::Invalid,
            "name",
            "Leave the * out: it is shown by itself for the contacts of key accounts.",
        );
        Self {
            name,
            job_title: Text::line("jobTitle", 120).optional(self.job_title.as_deref(), refusals),
            email,
            telephone,
            ..self
        }
    }
}

/// Digits, at least five of them, with the signs that people put between them, and perhaps an extension.
fn is_telephone(given: &str) -> bool {
    let given = given.to_lowercase().replace("ext", "");
    given.chars().filter(char::is_ascii_digit).count() >= 5
        && given
            .chars()
            .all(|c| c.is_ascii_digit() || " +()-./x".contains(c))
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
async fn lock_for(
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

async fn change_locked(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_refused(profile: Profile) -> Vec<&'static str> {
        let mut refusals = Refusals::default();
        let _ = profile.checked(&mut refusals);
        match refusals.into_result() {
            Err(Error::Refused(all)) => all.iter().filter_map(|refusal| refusal.field).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = Profile {
            email: Some("ann@".to_owned()),
            telephone: Some("call me".to_owned()),
            ..Profile::named(" ")
        };
        assert_eq!(fields_refused(wrong), ["email", "telephone", "name"]);
    }

    #[test]
    fn telephone_numbers_are_taken_as_people_write_them() {
        for given in [
            "+44 (0)20 7946-0000",
            "0113 496 0000 ext. 12",
            "0113.496.0000 x12",
        ] {
            let good = Profile {
                telephone: Some(given.to_owned()),
                ..Profile::named("Ann Lee")
            };
            assert_eq!(fields_refused(good), [""; 0], "{given}");
        }
    }
}

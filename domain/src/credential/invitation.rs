//! Inviting an employer: an account for a contact, whose owner chooses the password.

use chrono::TimeDelta;
use entity::{
    access_grant::Permission,
    contact::ContactState,
    ids::{ContactId, UserId},
    one_time_token::TokenPurpose,
    organisation::{self, OrganisationState},
    user::{self, UserKind, UserState},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{
    link::{self, NewLink, PASSWORD_PATH},
    password_of,
};
use crate::{
    contact,
    email_address::EmailAddress,
    error::{Error, RefusalCode, Result},
    mail::{self, Letter},
    session::hash_of,
    store::Tx,
    viewer::Viewer,
};

/// How long an invitation stands.
const ACCEPT_WITHIN: TimeDelta = TimeDelta::days(7);

/// Invites a contact to sign in for their organisation. The link in the letter chooses the password and proves the
/// address; a later invitation replaces an earlier one.
pub async fn invite_employer(tx: &mut Tx, viewer: &Viewer, id: ContactId) -> Result<()> {
    viewer.require(Permission::EditOrganisation)?;
    tx.hold(&format!("invite/{id}")).await?;
    let contact = contact::find(tx.conn(), viewer, id)
        .await?
        .ok_or_else(|| Error::not_found("contactId", "contact"))?;
    let organisation = organisation::Entity::find_by_id(contact.organisation_id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("contactId", "contact"))?;
    let cannot = |why: &str| Error::refused(RefusalCode::WrongState, "contactId", why);
    if contact.state != ContactState::Active {
        return Err(cannot("This contact is no longer there."));
    }
    if organisation.state != OrganisationState::Approved {
        return Err(cannot("The organisation has not been approved."));
    }
    // policy 3: somebody who wants no mail gets none.
    if contact.do_not_email {
        return Err(cannot("This contact wants no e-mail."));
    }
    let to: EmailAddress = contact
        .email
        .as_deref()
        .and_then(|email| email.parse().ok())
        .ok_or_else(|| cannot("This contact has no e-mail address."))?;
    let user_id = match account_of(tx, id).await? {
        Some(account) if password_of(tx.conn(), account.id).await?.is_some() => {
            return Err(cannot("This contact has an account already."));
        }
        Some(account) if account.state != UserState::Active || account.email != to.as_str() => {
            return Err(cannot(
                "This contact's account is closed or has another address.",
            ));
        }
        Some(account) => account.id,
        None => make_account(tx, id, &contact.name, &to).await?,
    };
    let new = NewLink {
        purpose: TokenPurpose::Invitation,
        user_id,
        email: Some(&to),
        challenge: None,
        lifetime: ACCEPT_WITHIN,
    };
    let token = link::make(tx, new).await?;
    let letter = Letter {
        template: "invitation",
        to,
        name: contact.name,
        user_id: Some(user_id),
        purpose_key: format!("invitation/{user_id}/{}", hash_of(&token)),
        fields: json!({
            "accept_link": format!("{PASSWORD_PATH}{token}"),
            "organisation": organisation.name,
            "expires_at": tx.now() + ACCEPT_WITHIN,
        }),
    };
    mail::post(tx, letter).await?;
    let after = json!({ "contactId": id, "organisationId": organisation.id });
    tx.audit(viewer, "employer.invite", user_id, None, Some(after))
        .await
}

async fn account_of(tx: &Tx, id: ContactId) -> Result<Option<user::Model>> {
    Ok(user::Entity::find()
        .filter(user::Column::ContactId.eq(id))
        .one(tx.conn())
        .await?)
}

async fn make_account(
    tx: &mut Tx,
    contact_id: ContactId,
    name: &str,
    email: &EmailAddress,
) -> Result<UserId> {
    tx.hold(&format!("account_email/{}", email.as_str()))
        .await?;
    let taken = user::Entity::find()
        .filter(user::Column::Email.eq(email.as_str()))
        .one(tx.conn())
        .await?
        .is_some();
    if taken {
        return Err(Error::refused(
            RefusalCode::Taken,
            "contactId",
            "An account with this contact's e-mail address exists.",
        ));
    }
    let id = UserId::new_at(tx.now());
    user::Entity::insert(user::ActiveModel {
        id: Set(id),
        email: Set(email.as_str().to_owned()),
        name: Set(name.to_owned()),
        kind: Set(UserKind::Employer),
        is_super_user: Set(false),
        is_administrator: Set(false),
        state: Set(UserState::Active),
        faculty_id: Set(None),
        programme_id: Set(None),
        year_of_study: Set(None),
        contact_id: Set(Some(contact_id)),
        email_verified_at: Set(None),
        session_version: Set(1),
        booking_blocked_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(id)
}

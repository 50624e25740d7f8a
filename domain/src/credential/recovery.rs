//! Choosing a password anew: with the old one, or through a link to one's address.

use chrono::TimeDelta;
use entity::{
    contact,
    one_time_token::TokenPurpose,
    organisation,
    user::{self, UserKind, UserState},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{
    About, acceptable_hash, check_password, keep_password,
    link::{self, NewLink, PASSWORD_PATH},
    password_of,
};
use crate::{
    email_address::EmailAddress,
    error::{Error, RefusalCode, Result},
    mail::{self, Letter},
    session::{self, Origin, limit},
    store::{Store, Tx},
    viewer::Viewer,
};

/// How long a link to choose a new password works.
const RESET_WITHIN: TimeDelta = TimeDelta::hours(1);

/// Chooses a new password. It takes the old one, and ends the person's other sessions.
pub async fn change_password(
    store: &Store,
    viewer: &Viewer,
    current: String,
    new: String,
) -> Result<()> {
    let person = viewer.signed_in()?;
    let account = user::Entity::find_by_id(person.id)
        .one(store.reader())
        .await?
        .ok_or_else(|| Error::not_found("currentPassword", "account"))?;
    confirm_password(store, &account, "currentPassword", current).await?;
    let about = about(store.reader(), &account).await?;
    let hash = acceptable_hash(about, "newPassword", new).await?;

    let mut tx = store.begin().await?;
    keep_password(&mut tx, account.id, hash).await?;
    session::end_others(&mut tx, viewer).await?;
    tell_of_new_password(&mut tx, &account).await?;
    tx.audit(viewer, "password.change", account.id, None, None)
        .await?;
    tx.commit().await
}

/// `Ok` when `given` is the password of `account`. Wrong tries count as those of signing in do.
pub(super) async fn confirm_password(
    store: &Store,
    account: &user::Model,
    field: &'static str,
    given: String,
) -> Result<()> {
    if password_of(store.reader(), account.id).await?.is_none() {
        return Err(Error::refused_whole(
            RefusalCode::WrongState,
            "This account has no password: you sign in with the university, which keeps your password and address.",
        ));
    }
    let attempt = limit::SIGN_IN.count(store, &account.email, None).await?;
    if check_password(store.reader(), Some(account), given)
        .await?
        .is_none()
    {
        return Err(Error::refused(
            RefusalCode::WrongCredentials,
            field,
            "This is not your password.",
        ));
    }
    let mut tx = store.begin().await?;
    limit::forgive(&mut tx, attempt).await?;
    tx.commit().await
}

/// Sends a link to choose a new password, when there is an account of that address which may have one. The answer is the
/// same when there is none.
pub async fn request_password_reset(
    store: &Store,
    email: &str,
    from: impl Into<Origin>,
) -> Result<()> {
    let email = EmailAddress::from_input(email, "email")
        .map_err(|refusal| Error::Refused(vec![refusal]))?;
    limit::LETTERS
        .count(store, email.as_str(), from.into().address)
        .await?;
    let account = user::Entity::find()
        .filter(user::Column::Email.eq(email.as_str()))
        .one(store.reader())
        .await?
        .filter(|account| account.state == UserState::Active);
    let Some(account) = account else {
        return Ok(());
    };
    // Whom the university signs in gets no second way in.
    if account.kind != UserKind::Employer
        && password_of(store.reader(), account.id).await?.is_none()
    {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    let new = NewLink {
        purpose: TokenPurpose::ResetPassword,
        user_id: account.id,
        email: Some(&email),
        challenge: None,
        lifetime: RESET_WITHIN,
    };
    let token = link::make(&mut tx, new).await?;
    let letter = Letter {
        template: "reset_password",
        to: email,
        name: account.name.clone(),
        user_id: Some(account.id),
        purpose_key: format!("reset_password/{}/{}", account.id, session::hash_of(&token)),
        fields: json!({
            "reset_link": format!("{PASSWORD_PATH}{token}"),
            "expires_at": tx.now() + RESET_WITHIN,
        }),
    };
    mail::post(&mut tx, letter).await?;
    tx.audit(
        &Viewer::system(),
        "password.request_reset",
        account.id,
        None,
        None,
    )
    .await?;
    tx.commit().await
}

/// Chooses a password through a link: the first one of an invitation, or one instead of a forgotten one. Whoever has the
/// link reads the mail of the address, which is thereby proved. All sessions end.
pub async fn reset_password(store: &Store, token: &str, new: String) -> Result<()> {
    const PURPOSES: &[TokenPurpose] = &[TokenPurpose::ResetPassword, TokenPurpose::Invitation];
    let read = link::read(store, token, PURPOSES)
        .await?
        .ok_or_else(link::not_valid)?;
    let account = user::Entity::find_by_id(read.user_id)
        .one(store.reader())
        .await?
        .filter(|account| account.state == UserState::Active)
        // The address may be somebody else's by now.
        .filter(|account| read.email.as_ref() == Some(&account.email))
        .ok_or_else(link::not_valid)?;
    let about = about(store.reader(), &account).await?;
    let hash = acceptable_hash(about, "newPassword", new).await?;

    let mut tx = store.begin().await?;
    let link = link::take(&mut tx, token, PURPOSES).await?;
    keep_password(&mut tx, account.id, hash).await?;
    user::Entity::update_many()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(tx.now()))
        .filter(user::Column::Id.eq(account.id))
        .filter(user::Column::EmailVerifiedAt.is_null())
        .exec(tx.conn())
        .await?;
    session::revoke_all(&mut tx, account.id).await?;
    if link.purpose == TokenPurpose::ResetPassword {
        tell_of_new_password(&mut tx, &account).await?;
    }
    tx.audit(&Viewer::system(), "password.reset", account.id, None, None)
        .await?;
    tx.commit().await
}

/// Tells somebody that their password is another one now: it may not have been them.
async fn tell_of_new_password(tx: &mut Tx, account: &user::Model) -> Result<()> {
    let Ok(to) = account.email.parse::<EmailAddress>() else {
        return Ok(());
    };
    let letter = Letter {
        template: "password_changed",
        to,
        name: account.name.clone(),
        user_id: Some(account.id),
        purpose_key: format!(
            "password_changed/{}/{}",
            account.id,
            tx.now().timestamp_micros()
        ),
        fields: json!({ "changed_at": tx.now() }),
    };
    mail::post(tx, letter).await?;
    Ok(())
}

/// What a guesser knows of the owner of an account.
async fn about(db: &impl ConnectionTrait, account: &user::Model) -> Result<About> {
    let organisation = match account.contact_id {
        Some(contact_id) => contact::Entity::find_by_id(contact_id)
            .find_also_related(organisation::Entity)
            .one(db)
            .await?
            .and_then(|(_, organisation)| organisation),
        None => None,
    };
    let texts = [account.name.as_str(), account.email.as_str()];
    Ok(About::of(texts.into_iter().chain(
        organisation.iter().map(|found| found.name.as_str()),
    )))
}

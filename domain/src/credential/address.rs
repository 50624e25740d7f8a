//! Proving that an address is its owner's: the first one, and one that is to follow it.

use chrono::TimeDelta;
use entity::{one_time_token::TokenPurpose, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};
use serde_json::json;

use super::{
    link::{self, NewLink, VERIFY_PATH},
    recovery::confirm_password,
};
use crate::{
    email_address::EmailAddress,
    error::{Error, RefusalCode, Result},
    mail::{self, Letter},
    session::{hash_of, limit},
    store::{Store, Tx},
    viewer::Viewer,
};

/// How long a link to prove an address works.
const VERIFY_WITHIN: TimeDelta = TimeDelta::hours(24);

/// Sends a link to the address of an account, to prove that it is its owner's.
pub async fn ask_to_verify(tx: &mut Tx, account: &user::Model) -> Result<()> {
    let Ok(to) = account.email.parse::<EmailAddress>() else {
        return Ok(());
    };
    send_link(tx, account, TokenPurpose::VerifyEmail, "verify_email", to).await
}

/// Asks to sign in with another address from now on: a link goes there, and nothing changes until it is followed.
pub async fn change_email(
    store: &Store,
    viewer: &Viewer,
    new_email: &str,
    password: String,
) -> Result<()> {
    let person = viewer.signed_in()?;
    let to = EmailAddress::from_input(new_email, "newEmail")
        .map_err(|refusal| Error::Refused(vec![refusal]))?;
    let account = user::Entity::find_by_id(person.id)
        .one(store.reader())
        .await?
        .ok_or_else(|| Error::not_found("newEmail", "account"))?;
    confirm_password(store, &account, "password", password).await?;
    // Nobody has letters sent to strangers.
    limit::LETTERS.count(store, &account.email, None).await?;
    let mut tx = store.begin().await?;
    tell_old_address(&mut tx, &account, "email_change_asked").await?;
    send_link(
        &mut tx,
        &account,
        TokenPurpose::ChangeEmail,
        "change_email",
        to,
    )
    .await?;
    tx.audit(viewer, "email.request_change", account.id, None, None)
        .await?;
    tx.commit().await
}

async fn send_link(
    tx: &mut Tx,
    account: &user::Model,
    purpose: TokenPurpose,
    template: &'static str,
    to: EmailAddress,
) -> Result<()> {
    let new = NewLink {
        purpose,
        user_id: account.id,
        email: Some(&to),
        challenge: None,
        lifetime: VERIFY_WITHIN,
    };
    let token = link::make(tx, new).await?;
    let letter = Letter {
        template,
        to,
        name: account.name.clone(),
        user_id: Some(account.id),
        purpose_key: format!("{template}/{}/{}", account.id, hash_of(&token)),
        fields: json!({
            "verify_link": format!("{VERIFY_PATH}{token}"),
            "expires_at": tx.now() + VERIFY_WITHIN,
        }),
    };
    mail::post(tx, letter).await?;
    Ok(())
}

/// Follows a link that proves an address. When it is a new one, the account has it from now on, and the old one is told.
pub async fn verify_email(tx: &mut Tx, token: &str) -> Result<()> {
    let link = link::take(
        tx,
        token,
        &[TokenPurpose::VerifyEmail, TokenPurpose::ChangeEmail],
    )
    .await?;
    let account = user::Entity::find_by_id(link.user_id)
        .one(tx.conn())
        .await?
        .ok_or_else(link::not_valid)?;
    let email = link.email.ok_or_else(link::not_valid)?;
    match link.purpose {
        // The address may have changed since the letter was written.
        _ if account.email == email => {}
        TokenPurpose::ChangeEmail => {
            move_to(tx, &account, &email).await?;
        }
        _ => return Err(link::not_valid()),
    }
    let before = json!({ "email": account.email });
    let after = json!({ "email": email });
    user::Entity::update_many()
        .col_expr(user::Column::Email, Expr::value(email))
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(tx.now()))
        .col_expr(user::Column::UpdatedAt, Expr::value(tx.now()))
        .filter(user::Column::Id.eq(account.id))
        .exec(tx.conn())
        .await?;
    // What was sent to the old address leads nowhere any more.
    link::forget(tx, account.id).await?;
    tx.audit(
        &Viewer::system(),
        "email.verify",
        account.id,
        Some(before),
        Some(after),
    )
    .await
}

/// Looks whether nobody else has the new address, which only whoever reads its mail gets to know, and tells the old one.
async fn move_to(tx: &mut Tx, account: &user::Model, email: &str) -> Result<()> {
    tx.hold(&format!("account_email/{email}")).await?;
    let taken = user::Entity::find()
        .filter(user::Column::Email.eq(email))
        .count(tx.conn())
        .await?;
    if taken > 0 {
        return Err(Error::refused(
            RefusalCode::Taken,
            "token",
            "Another account has this address. Sign in to that one, or ask the Careers Centre.",
        ));
    }
    tell_old_address(tx, account, "email_changed").await
}

/// Tells the address that the account has until now: it may not have been its owner who asked.
async fn tell_old_address(
    tx: &mut Tx,
    account: &user::Model,
    template: &'static str,
) -> Result<()> {
    let Ok(to) = account.email.parse::<EmailAddress>() else {
        return Ok(());
    };
    let letter = Letter {
        template,
        to,
        name: account.name.clone(),
        user_id: Some(account.id),
        purpose_key: format!("{template}/{}/{}", account.id, tx.now().timestamp_micros()),
        fields: json!({ "changed_at": tx.now() }),
    };
    mail::post(tx, letter).await?;
    Ok(())
}

//! Signing in and staying signed in.
//!
//! A person signs in with e-mail and password and gets two tokens. The access token is a short-lived JWT that says who
//! they are and nothing of what they may do. The refresh token is opaque, is kept as a hash alone, and can be exchanged
//! once: whoever presents a used one has a copy, so its whole session ends.

mod access_token;
mod limit;
mod password;

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    ids::{SessionId, UserId},
    refresh_token,
    session::{self, SessionEnd},
    user::{self, UserState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr,
};
use sha2::{Digest, Sha256};

use crate::{
    email_address::EmailAddress,
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    operator_access,
    store::{Store, Tx},
    viewer::Viewer,
};

pub use access_token::{ACCESS_TOKEN_LIFETIME, Keyring};
pub use password::{MINIMUM_LENGTH, hash as hash_password};

/// How long a person stays signed in without signing in again.
const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);

/// What somebody who has signed in holds.
#[derive(Clone)]
pub struct Tokens {
    /// Whose they are.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// A JWT, to be sent as `Authorization: Bearer …`.
    pub access_token: String,
    /// When the access token expires.
    pub access_token_expires_at: DateTime<Utc>,
    /// Good for one exchange, and to be kept safe.
    pub refresh_token: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}

/// Signs somebody in. Every try is counted for the account and for the address it comes from, and an unknown account
/// costs as long as a known one.
pub async fn sign_in(
    store: &Store,
    keyring: &Keyring,
    email: &str,
    given_password: String,
    from: Option<IpAddr>,
) -> Result<Tokens> {
    let mut refusals = Refusals::default();
    refusals.add_if(
        email.trim().is_empty(),
        RefusalCode::Required,
        "email",
        "Give your e-mail address.",
    );
    refusals.add_if(
        given_password.is_empty(),
        RefusalCode::Required,
        "password",
        "Give your password.",
    );
    refusals.into_result()?;
    let email = email.trim().to_lowercase();

    let attempt = limit::count_attempt(store, &email, from).await?;
    let account = user::Entity::find()
        .filter(user::Column::Email.eq(&email))
        .one(store.reader())
        .await?
        .filter(|account| account.state == UserState::Active);
    let stored = account
        .as_ref()
        .and_then(|account| account.password_hash.clone());
    let matches = password::matches(given_password, stored).await?;
    let Some(account) = account.filter(|_| matches) else {
        return Err(Error::refused_whole(
            RefusalCode::WrongCredentials,
            "The e-mail address or the password is wrong.",
        ));
    };

    let mut tx = store.begin().await?;
    limit::forgive(&mut tx, attempt).await?;
    let session_id = SessionId::new_at(tx.now());
    session::Entity::insert(session::ActiveModel {
        id: Set(session_id),
        user_id: Set(account.id),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + SESSION_LIFETIME),
        ended_at: Set(None),
        end_reason: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    let tokens = issue(&mut tx, keyring, &account, session_id, SESSION_LIFETIME).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// Exchanges a refresh token for its successors. A token that was used before ends its session.
pub async fn refresh(store: &Store, keyring: &Keyring, token: &str) -> Result<Tokens> {
    let unknown = || {
        Error::Unauthenticated(
            "The refresh token is unknown or has expired. Sign in again.".to_owned(),
        )
    };
    let hash = hash_of(token);
    let mut tx = store.begin().await?;
    let row = refresh_token::Entity::find_by_id(hash.clone())
        .one(tx.conn())
        .await?
        .ok_or_else(unknown)?;
    let session = session::Entity::find_by_id(row.session_id)
        .one(tx.conn())
        .await?
        .ok_or_else(unknown)?;
    if session.ended_at.is_some() || session.expires_at <= tx.now() || row.expires_at <= tx.now() {
        return Err(unknown());
    }
    // Guarded, so that of two exchanges at once one alone succeeds.
    let exchanged = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(tx.now()))
        .filter(refresh_token::Column::TokenHash.eq(hash))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx.conn())
        .await?
        .rows_affected;
    if exchanged == 0 {
        end(&mut tx, session.id, SessionEnd::RefreshReused).await?;
        tx.announce(LiveEvent::AccessChanged {
            user_id: session.user_id,
        });
        tx.commit().await?;
        return Err(Error::Unauthenticated(
            "The refresh token was used before: somebody may have a copy, so the session has been ended. Sign in again."
                .to_owned(),
        ));
    }
    let account = user::Entity::find_by_id(session.user_id)
        .one(tx.conn())
        .await?
        .filter(|account| account.state == UserState::Active)
        .ok_or_else(unknown)?;
    let remaining = session.expires_at - tx.now();
    let tokens = issue(&mut tx, keyring, &account, session.id, remaining).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// Ends the session of `viewer`, and with it every token of it.
pub async fn sign_out(tx: &mut Tx, viewer: &Viewer) -> Result<()> {
    match viewer.signed_in()?.session_id {
        Some(session_id) => end(tx, session_id, SessionEnd::SignedOut).await?,
        None => return Ok(()),
    }
    let user_id = viewer.signed_in()?.id;
    tx.announce(LiveEvent::AccessChanged { user_id });
    Ok(())
}

/// Ends every session of an account and makes its tokens worthless at their next use.
pub async fn revoke_all(tx: &mut Tx, user_id: UserId) -> Result<()> {
    user::Entity::update_many()
        .col_expr(
            user::Column::SessionVersion,
            Expr::col(user::Column::SessionVersion).add(1),
        )
        .filter(user::Column::Id.eq(user_id))
        .exec(tx.conn())
        .await?;
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
        .col_expr(session::Column::EndReason, Expr::value(SessionEnd::Revoked))
        .filter(session::Column::UserId.eq(user_id))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx.conn())
        .await?;
    tx.announce(LiveEvent::AccessChanged { user_id });
    Ok(())
}

/// Who sends the access token `token`. What they may do is read from the database as it is now.
pub async fn authenticate(store: &Store, keyring: &Keyring, token: &str) -> Result<Viewer> {
    let claims = keyring.verify(store, token).await?;
    viewer_of(
        store,
        claims.user_id,
        claims.session_id,
        claims.session_version,
    )
    .await
}

/// The viewer of a session that goes on; the error says that it has ended. For connections that outlive a request.
pub async fn still_signed_in(store: &Store, viewer: &Viewer) -> Result<Viewer> {
    let person = viewer.signed_in()?;
    let session_id = person.session_id.ok_or_else(ended)?;
    viewer_of(store, person.id, session_id, person.session_version).await
}

fn ended() -> Error {
    Error::Unauthenticated("The session has ended. Sign in again.".to_owned())
}

async fn viewer_of(
    store: &Store,
    user_id: UserId,
    session_id: SessionId,
    version: i32,
) -> Result<Viewer> {
    let now = store.now();
    let session = session::Entity::find_by_id(session_id)
        .one(store.reader())
        .await?;
    let goes_on =
        session.is_some_and(|s| s.user_id == user_id && s.ended_at.is_none() && s.expires_at > now);
    if !goes_on {
        return Err(ended());
    }
    Viewer::load(store.reader(), user_id, Some(session_id), now)
        .await?
        .filter(|viewer| {
            viewer
                .person()
                .is_some_and(|person| person.session_version == version)
        })
        .ok_or_else(ended)
}

async fn end(tx: &mut Tx, session_id: SessionId, reason: SessionEnd) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
        .col_expr(session::Column::EndReason, Expr::value(reason))
        .filter(session::Column::Id.eq(session_id))
        .filter(session::Column::EndedAt.is_null())
        .exec(tx.conn())
        .await?;
    Ok(())
}

async fn issue(
    tx: &mut Tx,
    keyring: &Keyring,
    account: &user::Model,
    session_id: SessionId,
    lifetime: TimeDelta,
) -> Result<Tokens> {
    let refresh_token = new_token();
    refresh_token::Entity::insert(refresh_token::ActiveModel {
        token_hash: Set(hash_of(&refresh_token)),
        session_id: Set(session_id),
        issued_at: Set(tx.now()),
        expires_at: Set(tx.now() + lifetime),
        used_at: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    let (access_token, access_token_expires_at) =
        keyring.sign(account.id, session_id, account.session_version, tx.now())?;
    Ok(Tokens {
        user_id: account.id,
        session_id,
        access_token,
        access_token_expires_at,
        refresh_token,
    })
}

/// 256 bits that nobody can guess, fit to stand in an address.
pub(crate) fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is kept of a token: SHA-256 in hexadecimal. It needs no salt, because nobody can try all tokens.
pub(crate) fn hash_of(token: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(token)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Makes the first administrator, or one more (design: outside the embedded default there are no accounts to begin with).
pub async fn create_administrator(
    tx: &mut Tx,
    email: &str,
    name: &str,
    password: String,
) -> Result<UserId> {
    let mut refusals = Refusals::default();
    let email = refusals.take(EmailAddress::from_input(email, "email"));
    refusals.add_if(
        name.trim().is_empty(),
        RefusalCode::Required,
        "name",
        "Give the name of the administrator.",
    );
    refusals.add_if(
        password.chars().count() < MINIMUM_LENGTH,
        RefusalCode::Invalid,
        "password",
        &format!("Choose a password of at least {MINIMUM_LENGTH} characters."),
    );
    refusals.into_result()?;
    let Some(email) = email else {
        return Err(Error::Fault(
            "an address was neither taken nor refused".to_owned(),
        ));
    };
    if user::Entity::find()
        .filter(user::Column::Email.eq(email.as_str()))
        .one(tx.conn())
        .await?
        .is_some()
    {
        return Err(Error::refused(
            RefusalCode::Taken,
            "email",
            "An account with this e-mail address exists.",
        ));
    }
    let id = UserId::new_at(tx.now());
    user::Entity::insert(user::ActiveModel {
        id: Set(id),
        email: Set(email.into()),
        password_hash: Set(Some(hash_password(password).await?)),
        name: Set(name.trim().to_owned()),
        kind: Set(user::UserKind::Staff),
        is_super_user: Set(true),
        is_administrator: Set(true),
        state: Set(UserState::Active),
        faculty_id: Set(None),
        programme_id: Set(None),
        year_of_study: Set(None),
        contact_id: Set(None),
        email_verified_at: Set(Some(tx.now())),
        session_version: Set(1),
        booking_blocked_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    tx.audit(&Viewer::system(), "administrator.create", id, None, None)
        .await?;
    operator_access::found(tx, id).await?;
    Ok(id)
}

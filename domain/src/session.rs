//! Signing in and staying signed in.
//!
//! A person signs in with e-mail and password and gets two tokens. The access token is a short-lived JWT that says who
//! they are and nothing of what they may do. The refresh token is opaque, is kept as a hash alone, and can be exchanged
//! once: whoever presents a used one has a copy, so its whole session ends.

mod access_token;
mod administrator;
pub(crate) mod limit;
mod origin;
mod own;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    ids::{SessionId, UserId},
    refresh_token,
    session::{self, SessionEnd},
    user::{self, UserState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    sea_query::Expr,
};
use sha2::{Digest, Sha256};

use crate::{
    credential,
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    store::{Store, Tx},
    viewer::Viewer,
};

pub use access_token::{ACCESS_TOKEN_LIFETIME, KEY_RIPENS, Keyring};
pub use administrator::create_administrator;
pub use origin::{Origin, subscriber};
pub use own::{end_one, end_others, open_of, purge};

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

/// Signs somebody in by password. Every try is counted for the account and for the address it comes from, and an unknown
/// account costs as long as a known one.
pub async fn sign_in(
    store: &Store,
    keyring: &Keyring,
    email: &str,
    given_password: String,
    from: impl Into<Origin>,
) -> Result<Tokens> {
    let from = from.into();
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

    keyring.keep_current(store).await?;
    let attempt = limit::SIGN_IN.count(store, &email, from.address).await?;
    let account = find_account(store.reader(), &email).await?;
    let credential =
        credential::check_password(store.reader(), account.as_ref(), given_password).await?;
    let Some((account, credential)) = account.zip(credential) else {
        return Err(Error::refused_whole(
            RefusalCode::WrongCredentials,
            "The e-mail address or the password is wrong.",
        ));
    };

    let mut tx = store.begin().await?;
    limit::forgive(&mut tx, attempt).await?;
    if account.email_verified_at.is_none() {
        tx.commit().await?;
        limit::LETTERS.count(store, &email, None).await?;
        let mut tx = store.begin().await?;
        credential::ask_to_verify(&mut tx, &account).await?;
        tx.commit().await?;
        return Err(Error::refused_whole(
            RefusalCode::EmailNotVerified,
            "Confirm your e-mail address first: a letter with a link is on its way there.",
        ));
    }
    credential::used(&mut tx, credential).await?;
    let tokens = open(&mut tx, keyring, &account, &from).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// The account that may sign in with this address.
async fn find_account(db: &impl ConnectionTrait, email: &str) -> Result<Option<user::Model>> {
    Ok(user::Entity::find()
        .filter(user::Column::Email.eq(email))
        .one(db)
        .await?
        .filter(|account| account.state == UserState::Active))
}

/// Opens a session for somebody who has proved who they are, however they did.
pub(crate) async fn open(
    tx: &mut Tx,
    keyring: &Keyring,
    account: &user::Model,
    from: &Origin,
) -> Result<Tokens> {
    let session_id = SessionId::new_at(tx.now());
    session::Entity::insert(session::ActiveModel {
        id: Set(session_id),
        user_id: Set(account.id),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + SESSION_LIFETIME),
        ended_at: Set(None),
        end_reason: Set(None),
        last_used_at: Set(None),
        device: Set(from.device.clone()),
        network: Set(from.network()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    issue(tx, keyring, account, session_id, SESSION_LIFETIME).await
}

/// Exchanges a refresh token for its successors. A token that was used before ends its session.
pub async fn refresh(store: &Store, keyring: &Keyring, token: &str) -> Result<Tokens> {
    let unknown = || {
        Error::Unauthenticated(
            "The refresh token is unknown or has expired. Sign in again.".to_owned(),
        )
    };
    keyring.keep_current(store).await?;
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
        end(
            &mut tx,
            session.user_id,
            session.id,
            SessionEnd::RefreshReused,
        )
        .await?;
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
    session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(tx.now()))
        .filter(session::Column::Id.eq(session.id))
        .exec(tx.conn())
        .await?;
    let remaining = session.expires_at - tx.now();
    let tokens = issue(&mut tx, keyring, &account, session.id, remaining).await?;
    tx.commit().await?;
    Ok(tokens)
}

/// Ends the session of `viewer`, and with it every token of it.
pub async fn sign_out(tx: &mut Tx, viewer: &Viewer) -> Result<()> {
    let person = viewer.signed_in()?;
    match person.session_id {
        Some(session_id) => {
            end(tx, person.id, session_id, SessionEnd::SignedOut).await?;
            tx.audit(viewer, "session.end", session_id, None, None)
                .await
        }
        None => Ok(()),
    }
}

/// Ends every session of an account and makes its tokens worthless at their next use; links on their way stop working.
pub async fn revoke_all(tx: &mut Tx, user_id: UserId) -> Result<()> {
    credential::forget_links(tx, user_id).await?;
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

async fn end(
    tx: &mut Tx,
    user_id: UserId,
    session_id: SessionId,
    reason: SessionEnd,
) -> Result<()> {
    tx.announce(LiveEvent::AccessChanged { user_id });
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
    let refresh_token = random_word();
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

/// A word that nobody guesses: 256 bits.
pub(crate) fn random_word() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// SHA-256 of a token that can't be guessed, in hexadecimal: what is kept of it.
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

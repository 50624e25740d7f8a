//! Signing in with the university: who somebody is there, and which account that is here (policy 2.1).
//!
//! The protocol is spoken elsewhere. Here a sign-in is begun and ended in one and the same browser, whoever arrives finds
//! their account or gets one without rights, and a code that works once carries the sign-in to the frontend.

mod taking_over;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta};
use entity::{
    identity,
    ids::UserId,
    one_time_token::TokenPurpose,
    university_sign_in,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    TryInsertResult,
};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    credential::{self, NewLink},
    email_address::EmailAddress,
    error::{Error, RefusalCode, Result},
    secret,
    session::{self, Keyring, Origin, Tokens, hash_of, limit, random_word},
    store::{Store, Tx},
    viewer::Viewer,
};

/// How long somebody may take to sign in at the university.
pub const WITHIN: TimeDelta = TimeDelta::minutes(10);

/// How long the code for the frontend works.
const CODE_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// What keeps the cookie of a sign-in from being made by anybody else.
const KEY: &str = "university_sign_in";

/// A sign-in that was begun.
pub struct Begun {
    /// What comes back with the answer. It follows from the cookie by a key of ours.
    pub state: String,
    /// What the browser keeps as a cookie, and nobody else has.
    pub browser: String,
    /// What only the two of them lead to.
    pub proofs: Proofs,
}

/// What ties the university's answer to the browser that asked.
pub struct Proofs {
    /// What the ID token must have in it (`nonce`).
    pub nonce: String,
    /// What whoever redeems the university's code must know (PKCE, RFC 7636).
    pub verifier: String,
}

impl Proofs {
    fn of(state: &str, browser: &str) -> Self {
        Self {
            nonce: hash_of(&format!("nonce/{state}/{browser}")),
            verifier: hash_of(&format!("verifier/{state}/{browser}")),
        }
    }
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Proofs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proofs").finish_non_exhaustive()
    }
}

/// A sign-in that has come back to the browser it was begun in.
#[derive(Debug)]
pub struct Returned {
    /// What the university's answer must fit.
    pub proofs: Proofs,
    /// What the frontend knows the secret to.
    challenge: Option<String>,
    /// Counted until it turns out to be good.
    attempt: limit::Attempt,
}

/// Begins a sign-in. Nothing is kept of it here: anybody can begin as many as they like.
///
/// `challenge` ties the code that it ends with to the frontend that began it, as PKCE does (RFC 7636, S256): whoever
/// exchanges the code must know the secret to it.
pub async fn begin(store: &Store, challenge: Option<&str>) -> Result<Begun> {
    if challenge.is_some_and(|challenge| !is_challenge(challenge)) {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "challenge",
            "Give BASE64URL(SHA-256(verifier)) without padding: 43 characters.",
        ));
    }
    let begun_at = store.now().timestamp();
    let browser = format!(
        "{}.{begun_at}.{}",
        random_word(),
        challenge.unwrap_or_default()
    );
    let state = state_of(store, &browser).await?;
    let proofs = Proofs::of(&state, &browser);
    Ok(Begun {
        state,
        browser,
        proofs,
    })
}

/// Takes up a sign-in that has come back, once: `None` when it was begun in another browser, is too old, was taken up
/// before, or was never begun. Each counts for the network it comes from until it turns out to be good.
pub async fn take_up(
    store: &Store,
    state: &str,
    browser: &str,
    from: &Origin,
) -> Result<Option<Returned>> {
    let attempt = limit::UNIVERSITY.count_address(store, from.address).await?;
    if hash_of(&state_of(store, browser).await?) != hash_of(state) {
        return Ok(None);
    }
    let mut parts = browser.split('.').skip(1);
    let begun_at = parts
        .next()
        .and_then(|begun_at| DateTime::from_timestamp(begun_at.parse().ok()?, 0));
    let challenge = parts.next().filter(|challenge| !challenge.is_empty());
    let Some(expires_at) = begun_at.map(|begun_at| begun_at + WITHIN) else {
        return Ok(None);
    };
    let tx = store.begin().await?;
    if expires_at <= tx.now() {
        return Ok(None);
    }
    let kept = university_sign_in::Entity::insert(university_sign_in::ActiveModel {
        state_hash: Set(hash_of(state)),
        expires_at: Set(expires_at),
    })
    .on_conflict_do_nothing()
    .exec_without_returning(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(
        matches!(kept, TryInsertResult::Inserted(1)).then(|| Returned {
            proofs: Proofs::of(state, browser),
            challenge: challenge.map(str::to_owned),
            attempt,
        }),
    )
}

async fn state_of(store: &Store, browser: &str) -> Result<String> {
    let key = secret::shared(store.reader(), KEY, store.now()).await?;
    secret::sign(&key, "state", browser.as_bytes()).map(|state| URL_SAFE_NO_PAD.encode(state))
}

/// Whether it has the form of a SHA-256 in base64url.
fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|bytes| bytes.len() == 32)
}

/// What `secret` is the secret to.
fn challenge_of(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret))
}

/// Whom the university says it is.
#[derive(Clone)]
pub struct Arrived {
    /// The provider.
    pub issuer: String,
    /// The person there.
    pub subject: String,
    /// Their address, and whether the university has proved it.
    pub email: Option<EmailAddress>,
    /// Whether it has.
    pub email_is_verified: bool,
    /// Their name.
    pub name: Option<String>,
    /// A student or a member of staff.
    pub kind: UserKind,
    /// The name of their faculty.
    pub faculty: Option<String>,
    /// The name of a student's programme.
    pub programme: Option<String>,
    /// The year of the programme a student is in.
    pub year_of_study: Option<i32>,
}

impl std::fmt::Debug for Arrived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrived")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Finds the account of whoever has arrived, or makes one, and gives the code that carries the sign-in to the frontend.
pub async fn arrive(tx: &mut Tx, arrived: &Arrived, returned: Returned) -> Result<String> {
    tx.hold(&format!("identity/{}/{}", arrived.issuer, arrived.subject))
        .await?;
    let known = identity::Entity::find_by_id((arrived.issuer.clone(), arrived.subject.clone()))
        .one(tx.conn())
        .await?;
    let account = match known {
        Some(known) => {
            let mut row = known.clone().into_active_model();
            row.last_used_at = Set(tx.now());
            row.update(tx.conn()).await?;
            account(tx, known.user_id).await?
        }
        None => find_or_make(tx, arrived).await?,
    };
    if account.state != UserState::Active {
        return Err(Error::refused_whole(
            RefusalCode::WrongState,
            "Your account is closed. Ask the Careers Centre.",
        ));
    }
    let user_id = account.id;
    taking_over::take_over(tx, account, arrived).await?;
    limit::forgive(tx, returned.attempt).await?;
    let code = NewLink {
        purpose: TokenPurpose::SignIn,
        user_id,
        email: None,
        challenge: returned.challenge.as_deref(),
        lifetime: CODE_WITHIN,
    };
    credential::make_link(tx, code).await
}

/// Exchanges the code for tokens, once. `verifier` is the secret to the challenge that the sign-in was begun with: a code
/// that somebody else's sign-in ended with is worth nothing.
pub async fn exchange(
    store: &Store,
    keyring: &Keyring,
    code: &str,
    verifier: Option<&str>,
    from: impl Into<Origin>,
) -> Result<Tokens> {
    keyring.keep_current(store).await?;
    let mut tx = store.begin().await?;
    let not_valid = || {
        Error::refused(
            RefusalCode::LinkNotValid,
            "code",
            "This code was used before, is too old, or belongs to a sign-in that was begun elsewhere. Sign in again.",
        )
    };
    let link = match credential::take_link(&mut tx, code, &[TokenPurpose::SignIn]).await {
        Err(Error::Refused(_)) => return Err(not_valid()),
        other => other?,
    };
    if link.challenge != verifier.map(challenge_of) {
        return Err(not_valid());
    }
    let account = account(&tx, link.user_id).await?;
    if account.state != UserState::Active {
        return Err(not_valid());
    }
    let tokens = session::open(&mut tx, keyring, &account, &from.into()).await?;
    tx.commit().await?;
    Ok(tokens)
}

async fn account(tx: &Tx, id: UserId) -> Result<user::Model> {
    user::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::Fault("an identity has no account".to_owned()))
}

/// The account with the same address, when the university has proved it and nobody else is behind the account; or a new
/// one.
async fn find_or_make(tx: &mut Tx, arrived: &Arrived) -> Result<user::Model> {
    let Some(email) = &arrived.email else {
        return Err(Error::refused_whole(
            RefusalCode::Required,
            "The university has not told your e-mail address. Ask its IT service to release it to MyCareer.",
        ));
    };
    tx.hold(&format!("account_email/{}", email.as_str()))
        .await?;
    let found = user::Entity::find()
        .filter(user::Column::Email.eq(email.as_str()))
        .one(tx.conn())
        .await?;
    if !arrived.email_is_verified {
        return Err(Error::refused_whole(
            RefusalCode::EmailNotVerified,
            "The university has not said that your e-mail address is yours. Ask its IT service to have it confirmed.",
        ));
    }
    let account = match found {
        None => make(tx, arrived, email).await?,
        Some(account) if may_be_linked(tx, &account).await? => account,
        Some(_) => {
            return Err(Error::refused_whole(
                RefusalCode::Taken,
                "Another account has your e-mail address. Ask the Careers Centre to sort it out.",
            ));
        }
    };
    identity::Entity::insert(identity::ActiveModel {
        issuer: Set(arrived.issuer.clone()),
        subject: Set(arrived.subject.clone()),
        user_id: Set(account.id),
        created_at: Set(tx.now()),
        last_used_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    tx.audit(
        &Viewer::system(),
        "identity.link",
        account.id,
        None,
        Some(json!({ "issuer": arrived.issuer })),
    )
    .await?;
    Ok(account)
}

async fn may_be_linked(tx: &Tx, account: &user::Model) -> Result<bool> {
    if account.email_verified_at.is_none() || account.kind == UserKind::Employer {
        return Ok(false);
    }
    Ok(identity::Entity::find()
        .filter(identity::Column::UserId.eq(account.id))
        .one(tx.conn())
        .await?
        .is_none())
}

/// A student, or a member of staff without any right (policy 3: rights follow training).
async fn make(tx: &mut Tx, arrived: &Arrived, email: &EmailAddress) -> Result<user::Model> {
    let model = user::Model {
        id: UserId::new_at(tx.now()),
        email: email.as_str().to_owned(),
        name: arrived
            .name
            .as_deref()
            .and_then(taking_over::one_line)
            .unwrap_or_else(|| email.as_str().to_owned()),
        kind: arrived.kind,
        is_super_user: false,
        is_administrator: false,
        state: UserState::Active,
        faculty_id: None,
        programme_id: None,
        year_of_study: None,
        contact_id: None,
        email_verified_at: Some(tx.now()),
        session_version: 1,
        booking_blocked_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    user::Entity::insert(model.clone().into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    tx.audit(
        &Viewer::system(),
        "account.create",
        model.id,
        None,
        Some(json!({ "email": model.email, "name": model.name, "kind": model.kind })),
    )
    .await?;
    Ok(model)
}

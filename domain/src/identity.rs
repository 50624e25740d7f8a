//! Signing in with the university: who somebody is there, and which account that is here (policy 2.1).
//!
//! The protocol is spoken elsewhere. Here a sign-in is begun and ended in one and the same browser, whoever arrives finds
//! their account or gets one without rights, and a code that works once carries the sign-in to the frontend.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    faculty, identity,
    ids::{FacultyId, ProgrammeId, UserId},
    one_time_token::TokenPurpose,
    programme, school, university_sign_in,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, ExprTrait, Func},
};

use crate::{
    credential,
    email_address::EmailAddress,
    error::{Error, RefusalCode, Result},
    session::{self, Keyring, Origin, Tokens, hash_of, random_word},
    store::{Store, Tx},
    viewer::Viewer,
};

/// How long somebody may take to sign in at the university.
pub const WITHIN: TimeDelta = TimeDelta::minutes(10);

/// How long the code for the frontend works.
const CODE_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// A sign-in that was begun.
pub struct Begun {
    /// What comes back with the answer, and finds the sign-in again.
    pub state: String,
    /// What the browser keeps, and nobody else has.
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
    /// They follow from the cookie, which is not kept here: the database alone can't end a sign-in.
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

/// Begins a sign-in.
pub async fn begin(tx: &mut Tx) -> Result<Begun> {
    let (state, browser) = (random_word(), random_word());
    university_sign_in::Entity::insert(university_sign_in::ActiveModel {
        state_hash: Set(hash_of(&state)),
        browser_hash: Set(hash_of(&browser)),
        created_at: Set(tx.now()),
        expires_at: Set(tx.now() + WITHIN),
    })
    .exec_without_returning(tx.conn())
    .await?;
    let proofs = Proofs::of(&state, &browser);
    Ok(Begun {
        state,
        browser,
        proofs,
    })
}

/// Takes up a sign-in again, once: `None` when it was begun in another browser, is too old, was taken up before, or was
/// never begun.
pub async fn take_up(tx: &mut Tx, state: &str, browser: &str) -> Result<Option<Proofs>> {
    let taken = university_sign_in::Entity::delete_many()
        .filter(university_sign_in::Column::StateHash.eq(hash_of(state)))
        .filter(university_sign_in::Column::BrowserHash.eq(hash_of(browser)))
        .filter(university_sign_in::Column::ExpiresAt.gt(tx.now()))
        .exec(tx.conn())
        .await?
        .rows_affected;
    Ok((taken == 1).then(|| Proofs::of(state, browser)))
}

/// Whom the university says it is.
#[derive(Clone, Debug)]
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

/// Finds the account of whoever has arrived, or makes one, and gives the code that carries the sign-in to the frontend.
pub async fn arrive(tx: &mut Tx, arrived: &Arrived) -> Result<String> {
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
    let account_id = account.id;
    update(tx, account, arrived).await?;
    credential::make_link(tx, TokenPurpose::SignIn, account_id, None, CODE_WITHIN).await
}

/// Exchanges the code for tokens, once.
pub async fn exchange(
    store: &Store,
    keyring: &Keyring,
    code: &str,
    from: impl Into<Origin>,
) -> Result<Tokens> {
    let mut tx = store.begin().await?;
    let not_valid = || {
        Error::refused(
            RefusalCode::LinkNotValid,
            "code",
            "This code was used before or is too old. Sign in again.",
        )
    };
    let link = match credential::take_link(&mut tx, code, &[TokenPurpose::SignIn]).await {
        Err(Error::Refused(_)) => return Err(not_valid()),
        other => other?,
    };
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
    let account = match found {
        None => make(tx, arrived, email).await?,
        Some(account) if may_be_linked(tx, &account, arrived).await? => account,
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
    tx.audit(&Viewer::system(), "identity.link", account.id, None, None)
        .await?;
    Ok(account)
}

async fn may_be_linked(tx: &Tx, account: &user::Model, arrived: &Arrived) -> Result<bool> {
    if !arrived.email_is_verified
        || account.email_verified_at.is_none()
        || account.kind == UserKind::Employer
    {
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
    let verified_at: Option<DateTime<Utc>> = arrived.email_is_verified.then_some(tx.now());
    let model = user::Model {
        id: UserId::new_at(tx.now()),
        email: email.as_str().to_owned(),
        name: arrived
            .name
            .clone()
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| email.as_str().to_owned()),
        kind: arrived.kind,
        is_super_user: false,
        is_administrator: false,
        state: UserState::Active,
        faculty_id: None,
        programme_id: None,
        year_of_study: None,
        contact_id: None,
        email_verified_at: verified_at,
        session_version: 1,
        booking_blocked_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    user::Entity::insert(model.clone().into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    tx.audit(&Viewer::system(), "account.create", model.id, None, None)
        .await?;
    Ok(model)
}

/// Takes over what the university knows better: faculty, programme and year. What it doesn't tell, or calls by a name
/// that we don't know, stays.
async fn update(tx: &mut Tx, account: user::Model, arrived: &Arrived) -> Result<()> {
    let programme = match (&arrived.programme, account.kind) {
        (Some(name), UserKind::Student) => programme_named(tx, name).await?,
        _ => None,
    };
    let faculty = match (&programme, &arrived.faculty) {
        (Some((_, faculty)), _) => Some(*faculty),
        (None, Some(name)) => faculty_named(tx, name).await?,
        (None, None) => None,
    };
    let year = arrived
        .year_of_study
        .filter(|year| account.kind == UserKind::Student && (1..=10).contains(year));
    let now = (
        faculty.or(account.faculty_id),
        programme.map(|(id, _)| id).or(account.programme_id),
        year.or(account.year_of_study),
    );
    if now
        == (
            account.faculty_id,
            account.programme_id,
            account.year_of_study,
        )
    {
        return Ok(());
    }
    let id = account.id;
    let mut row = account.into_active_model();
    (row.faculty_id, row.programme_id, row.year_of_study) = (Set(now.0), Set(now.1), Set(now.2));
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    tx.audit(
        &Viewer::system(),
        "account.update_from_university",
        id,
        None,
        None,
    )
    .await
}

async fn faculty_named(tx: &Tx, name: &str) -> Result<Option<FacultyId>> {
    Ok(faculty::Entity::find()
        .filter(
            Expr::expr(Func::lower(faculty::Column::Name.into_expr()))
                .eq(name.trim().to_lowercase()),
        )
        .one(tx.conn())
        .await?
        .map(|found| found.id))
}

async fn programme_named(tx: &Tx, name: &str) -> Result<Option<(ProgrammeId, FacultyId)>> {
    let Some(found) = programme::Entity::find()
        .filter(
            Expr::expr(Func::lower(programme::Column::Name.into_expr()))
                .eq(name.trim().to_lowercase()),
        )
        .one(tx.conn())
        .await?
    else {
        return Ok(None);
    };
    Ok(school::Entity::find_by_id(found.school_id)
        .one(tx.conn())
        .await?
        .map(|school| (found.id, school.faculty_id)))
}

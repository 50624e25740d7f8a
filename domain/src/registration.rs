//! Employers who register themselves: they find their organisation and ask to join it, or register it; their address is
//! proved, and an operator decides (policy 2.2: employers are able to register themselves).
//!
//! Whether somebody has an account already is told to the owner of the address alone, by mail.

mod letters;
mod own;
mod queue;
mod review;

use entity::{
    ids::{ContactId, OrganisationId, RegistrationId, UserId},
    organisation::{self, OrganisationState},
    registration::{self, RegistrationKind, RegistrationState},
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::ExprTrait,
};

pub(crate) use self::letters::employers_of;
pub use self::{
    own::{answer_held, held_count, held_list, held_of, held_visible, update_own},
    queue::{Signal, count, list, of_viewer, signals, visible},
    review::{Decision, answer_join, resubmit, review},
};
use crate::{
    contact,
    credential::{self, About},
    email_address::EmailAddress,
    error::{Error, RefusalCode, Refusals, Result},
    organisation as organisations, profile_field,
    search::{Kind, matching},
    session::{Origin, limit},
    store::{Store, Tx},
    text::part,
    viewer::Viewer,
};

/// How many organisations are shown to whoever looks for theirs.
const MOST_FOUND: u64 = 10;
/// The fewest letters that are looked for.
const SHORTEST_SEARCH: usize = 3;

/// Somebody who wants to sign in for an organisation.
#[derive(Clone)]
pub struct NewEmployer {
    /// Their name.
    pub name: String,
    /// Their address at work.
    pub email: String,
    /// The password they choose.
    pub password: String,
    /// Their job title.
    pub job_title: Option<String>,
    /// Their telephone number.
    pub telephone: Option<String>,
    /// For which organisation.
    pub into: Wanted,
}

impl std::fmt::Debug for NewEmployer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the person nor the password belongs into a log.
        f.debug_struct("NewEmployer").finish_non_exhaustive()
    }
}

/// The organisation somebody wants to sign in for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// One that is known.
    Known(OrganisationId),
    /// One that isn't.
    Unknown(Box<organisations::Profile>),
}

/// What anybody is shown of an organisation that may be theirs: nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: OrganisationId,
    /// Its name.
    pub name: String,
    /// The domain of its web site, or of its mail.
    pub domain: Option<String>,
}

/// Approved organisations by a part of their names or domains, for whoever wants to register. Nothing is found by fewer than
/// three letters.
pub async fn find(db: &impl ConnectionTrait, search: &str) -> Result<Vec<Found>> {
    let letters = search.chars().filter(|c| c.is_alphanumeric()).count();
    if letters < SHORTEST_SEARCH {
        return Ok(Vec::new());
    }
    let domain = search.trim().to_lowercase();
    let backend = db.get_database_backend();
    let mut like = Condition::any().add(matching(backend, Kind::Organisation, search));
    if domain.contains('.') {
        like = like
            .add(organisation::Column::Website.like(part(&domain)))
            .add(organisations::as_text(organisation::Column::EmailDomains).like(part(&domain)));
    }
    let found = organisation::Entity::find()
        .filter(organisation::Column::State.eq(OrganisationState::Approved))
        .filter(like)
        .order_by_asc(organisation::Column::Name)
        .order_by_asc(organisation::Column::Id)
        .limit(MOST_FOUND)
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .map(|row| Found {
            id: row.id,
            domain: organisations::own_domains(&row).into_iter().next(),
            name: row.name,
        })
        .collect())
}

/// Registers an employer. A letter goes to their address; nothing can be done with the account before it is proved, and the
/// registration is in nobody's queue.
pub async fn register(store: &Store, employer: NewEmployer, from: Origin) -> Result<()> {
    let mut refusals = Refusals::default();
    let person = contact::Profile {
        job_title: employer.job_title,
        email: Some(employer.email),
        telephone: employer.telephone,
        ..contact::Profile::named(employer.name)
    }
    .checked(&mut refusals);
    refusals.add_if(
        person.email.as_deref().is_none_or(str::is_empty),
        RefusalCode::Required,
        "email",
        "Give your e-mail address at work.",
    );
    let into = match employer.into {
        Wanted::Known(id) => {
            let known = organisation::Entity::find_by_id(id)
                .filter(organisation::Column::State.eq(OrganisationState::Approved))
                .one(store.reader())
                .await?;
            refusals.add_if(
                known.is_none(),
                RefusalCode::NotFound,
                "organisationId",
                "There is no such organisation, or it is not open to you.",
            );
            Wanted::Known(id)
        }
        Wanted::Unknown(profile) => {
            let profile = profile.checked(&mut refusals);
            let asked = profile_field::asked_at_registration(store.reader()).await?;
            profile_field::compared(&asked, None, profile.fields.clone(), &mut refusals);
            Wanted::Unknown(Box::new(profile))
        }
    };
    refusals.into_result()?;
    let email: EmailAddress = person
        .email
        .as_deref()
        .and_then(|email| email.parse().ok())
        .ok_or_else(|| Error::Fault("an address was neither taken nor refused".to_owned()))?;
    let about = match &into {
        Wanted::Unknown(profile) => About::of([&person.name, email.as_str(), &profile.name]),
        Wanted::Known(_) => About::of([&person.name, email.as_str()]),
    };
    let hash = credential::acceptable_hash(about, "password", employer.password).await?;
    limit::REGISTER
        .count(store, email.as_str(), from.address)
        .await?;

    let mut tx = store.begin().await?;
    tx.hold(&format!("account_email/{}", email.as_str()))
        .await?;
    let account = user::Entity::find()
        .filter(user::Column::Email.eq(email.as_str()))
        .one(tx.conn())
        .await?;
    match account {
        Some(account) => letters::known_already(&mut tx, &account).await?,
        None => enter(&mut tx, person, &email, hash, into).await?,
    }
    tx.commit().await
}

/// Writes down a registration that is good.
async fn enter(
    tx: &mut Tx,
    person: contact::Profile,
    email: &EmailAddress,
    password_hash: String,
    into: Wanted,
) -> Result<()> {
    let system = Viewer::system();
    let (name, job_title, telephone) = (
        person.name.clone(),
        person.job_title.clone(),
        person.telephone.clone(),
    );
    let (kind, organisation_id, contact_id) = match into {
        Wanted::Known(id) => (RegistrationKind::Join, id, None),
        Wanted::Unknown(profile) => {
            let id = organisations::register(tx, *profile).await?.id;
            let contact = contact::create(tx, &system, id, person).await?;
            (RegistrationKind::New, id, Some(contact.id))
        }
    };
    let account = insert_account(tx, &name, email, contact_id).await?;
    credential::keep_password(tx, account.id, password_hash).await?;
    let waits = kind == RegistrationKind::Join;
    let id = RegistrationId::new_at(tx.now());
    registration::Entity::insert(registration::ActiveModel {
        id: Set(id),
        user_id: Set(account.id),
        organisation_id: Set(organisation_id),
        kind: Set(kind),
        state: Set(RegistrationState::Submitted),
        job_title: Set(job_title.filter(|_| waits)),
        telephone: Set(telephone.filter(|_| waits)),
        submitted_at: Set(tx.now()),
        decided_by: Set(None),
        decided_at: Set(None),
        reason: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    credential::ask_to_verify(tx, &account).await?;
    let told = serde_json::json!({ "organisationId": organisation_id, "kind": kind });
    tx.audit(&system, "registration.submit", id, None, Some(told))
        .await
}

async fn insert_account(
    tx: &Tx,
    name: &str,
    email: &EmailAddress,
    contact_id: Option<ContactId>,
) -> Result<user::Model> {
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
        contact_id: Set(contact_id),
        email_verified_at: Set(None),
        session_version: Set(1),
        booking_blocked_at: Set(None),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    user::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::Fault("a new account is gone".to_owned()))
}

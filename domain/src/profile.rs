//! Everybody shapes their own profile (policy 1).
//!
//! Staff say how their name is shown, their post and their faculty. Employers keep their name, job title and telephone
//! number, which are those of their contact. Students choose their interests; their name and programme come from the
//! university. Everybody has a photo if they like, and chooses which notices reach them how.

mod photo;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{
    contact, faculty, faculty_role,
    ids::{FacultyId, UserId},
    list::TextList,
    profile, profile_photo,
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};
use serde::Serialize;

pub use self::photo::Photo;
use crate::{
    change::{self, Change},
    contact as contacts,
    error::{Error, RefusalCode, Refusals, Result},
    notice::{self, Channel, Topic},
    store::Tx,
    text::Text,
    viewer::Viewer,
};

/// What the audit log calls a change.
const UPDATED: &str = "profile.update";
/// How many interests are kept.
const MOST_INTERESTS: usize = 20;

/// Where somebody's photo is, without the photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoPlace {
    /// What its address ends in.
    pub token: String,
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// When it was uploaded.
    pub uploaded_at: DateTime<Utc>,
}

/// Somebody's own profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The account.
    pub account: user::Model,
    /// Raised at every change; 0 before the first.
    pub version: i32,
    /// The post of a member of staff.
    pub post: Option<String>,
    /// What they are interested in.
    pub interests: Vec<String>,
    /// The contact that an employer is.
    pub contact: Option<contact::Model>,
    /// Their photo.
    pub photo: Option<PhotoPlace>,
    /// How notices about each topic reach them.
    pub notices: Vec<(Topic, Channel)>,
}

/// What others are shown of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose it is.
    pub user_id: UserId,
    /// The post of a member of staff.
    pub post: Option<String>,
    /// What they are interested in.
    pub interests: Vec<String>,
    /// Their photo.
    pub photo: Option<PhotoPlace>,
}

/// What somebody may change of their profile. The field names are those of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// The name as shown.
    pub name: String,
    /// The post of a member of staff.
    pub post: Option<String>,
    /// The faculty of a member of staff.
    pub faculty_id: Option<FacultyId>,
    /// The job title of an employer.
    pub job_title: Option<String>,
    /// The telephone number of an employer.
    pub telephone: Option<String>,
    /// What they are interested in.
    pub interests: Vec<String>,
}

/// What becomes of the photo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PhotoChange {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// This one takes its place.
    Replace(Photo),
}

/// All that is compared to tell what changed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(flatten)]
    edit: Edit,
    photo: Option<DateTime<Utc>>,
    notices: BTreeMap<String, Channel>,
}

/// The profile of `viewer`.
pub async fn own(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<Own> {
    let user_id = viewer.signed_in()?.id;
    let account = user::Entity::find_by_id(user_id)
        .one(db)
        .await?
        .ok_or_else(|| Error::not_found("id", "account"))?;
    of(db, account).await
}

async fn of(db: &impl ConnectionTrait, account: user::Model) -> Result<Own> {
    let user_id = account.id;
    let row = profile::Entity::find_by_id(user_id).one(db).await?;
    let contact = match account.contact_id {
        Some(id) => contact::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    let photo = photo_places(db, &[user_id]).await?.pop();
    let notices = notice::choices(db, &[user_id])
        .await?
        .remove(&user_id)
        .unwrap_or_default();
    Ok(Own {
        version: row.as_ref().map_or(0, |row| row.version),
        post: row.as_ref().and_then(|row| row.post.clone()),
        interests: row.map(|row| row.interests.0).unwrap_or_default(),
        contact,
        photo: photo.map(|(_, place)| place),
        notices,
        account,
    })
}

/// What others are shown of these people. Whoever calls this has the ids from rows that exist for the viewer.
pub async fn shown(db: &impl ConnectionTrait, people: &[UserId]) -> Result<Vec<Shown>> {
    let rows = profile::Entity::find()
        .filter(profile::Column::UserId.is_in(people.iter().copied()))
        .all(db)
        .await?;
    let mut photos = photo_places(db, people).await?;
    let mut photo_of = |user_id| {
        let at = photos.iter().position(|(of, _)| *of == user_id)?;
        Some(photos.swap_remove(at).1)
    };
    Ok(people
        .iter()
        .map(|user_id| {
            let row = rows.iter().find(|row| row.user_id == *user_id);
            Shown {
                user_id: *user_id,
                post: row.and_then(|row| row.post.clone()),
                interests: row.map(|row| row.interests.0.clone()).unwrap_or_default(),
                photo: photo_of(*user_id),
            }
        })
        .collect())
}

async fn photo_places(
    db: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<Vec<(UserId, PhotoPlace)>> {
    let rows: Vec<(UserId, String, i32, i32, DateTime<Utc>)> = profile_photo::Entity::find()
        .select_only()
        .columns([
            profile_photo::Column::UserId,
            profile_photo::Column::Token,
            profile_photo::Column::Width,
            profile_photo::Column::Height,
            profile_photo::Column::UploadedAt,
        ])
        .filter(profile_photo::Column::UserId.is_in(people.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(user_id, token, width, height, uploaded_at)| {
            let place = PhotoPlace {
                token,
                width,
                height,
                uploaded_at,
            };
            (user_id, place)
        })
        .collect())
}

/// The photo at the address that ends in `token`, as JPEG.
pub async fn photo(db: &impl ConnectionTrait, token: &str) -> Result<Option<Vec<u8>>> {
    Ok(profile_photo::Entity::find()
        .filter(profile_photo::Column::Token.eq(token))
        .one(db)
        .await?
        .map(|row| row.bytes))
}

/// Changes what `edit` changes in the profile of `viewer`, which is at `version`, with the photo and the choices of
/// notices that are given.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    version: i32,
    photo: PhotoChange,
    notices: &[(Topic, Channel)],
    edit: impl FnOnce(&mut Edit) + Send,
) -> Result<Own> {
    let user_id = viewer.signed_in()?.id;
    // Locked, so that two changes at once don't both find the version they want.
    let account = user::Entity::find_by_id(user_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "account"))?;
    let current = of(tx.conn(), account).await?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, user_id, version, current.version).await?);
    }
    let old = Edit::of(&current);
    let mut new = old.clone();
    edit(&mut new);
    let new = checked(tx, &current, &old, new).await?;
    notice::choose(tx, user_id, notices).await?;
    keep_photo(tx, user_id, photo).await?;
    if let (Some(contact), UserKind::Employer) = (&current.contact, current.account.kind) {
        contacts::update_own(tx, viewer, contact.id, |contact| {
            contact.name.clone_from(&new.name);
            contact.job_title.clone_from(&new.job_title);
            contact.telephone.clone_from(&new.telephone);
        })
        .await?;
    }
    let account = keep_account(tx, &current, &new).await?;
    let updated = Own {
        version: version + 1,
        post: new.post,
        interests: new.interests,
        ..of(tx.conn(), account).await?
    };
    let change = Change::between(&Record::of(&current), &Record::of(&updated))?;
    if change.is_empty() {
        return Ok(current);
    }
    keep_profile(tx, &updated).await?;
    let (before, after) = change.into_audit(updated.version);
    tx.audit(viewer, UPDATED, user_id, before, after).await?;
    Ok(updated)
}

impl Edit {
    fn of(own: &Own) -> Self {
        let contact = own.contact.as_ref();
        Self {
            name: own.account.name.clone(),
            post: own.post.clone(),
            faculty_id: own.account.faculty_id,
            job_title: contact.and_then(|contact| contact.job_title.clone()),
            telephone: contact.and_then(|contact| contact.telephone.clone()),
            interests: own.interests.clone(),
        }
    }
}

impl Record {
    fn of(own: &Own) -> Self {
        use sea_orm::ActiveEnum;
        Self {
            edit: Edit::of(own),
            photo: own.photo.as_ref().map(|photo| photo.uploaded_at),
            notices: own
                .notices
                .iter()
                .map(|(topic, channel)| (topic.to_value(), *channel))
                .collect(),
        }
    }
}

/// The edit as it is kept. All that is wrong is told at once; the contact looks at what is its own.
async fn checked(tx: &Tx, current: &Own, old: &Edit, new: Edit) -> Result<Edit> {
    let mut refusals = Refusals::default();
    let kind = current.account.kind;
    let not_theirs = |changed: bool, may: bool| changed && !may;
    for (wrong, field, message) in [
        (
            not_theirs(
                new.name != old.name,
                matches!(kind, UserKind::Staff | UserKind::Employer),
            ),
            "name",
            "The names of students come from the university.",
        ),
        (
            not_theirs(new.post != old.post, kind == UserKind::Staff),
            "post",
            "Staff have a post.",
        ),
        (
            not_theirs(new.faculty_id != old.faculty_id, kind == UserKind::Staff),
            "facultyId",
            "Staff say which faculty they are of; that of students comes from the university.",
        ),
        (
            not_theirs(
                new.job_title != old.job_title,
                kind == UserKind::Employer && current.contact.is_some(),
            ),
            "jobTitle",
            "Employers have a job title.",
        ),
        (
            not_theirs(
                new.telephone != old.telephone,
                kind == UserKind::Employer && current.contact.is_some(),
            ),
            "telephone",
            "Employers say how they are reached.",
        ),
    ] {
        refusals.add_if(wrong, RefusalCode::Invalid, field, message);
    }
    if new.faculty_id != old.faculty_id {
        check_faculty(tx, current.account.id, new.faculty_id, &mut refusals).await?;
    }
    refusals.add_if(
        new.interests.len() > MOST_INTERESTS,
        RefusalCode::TooLong,
        "interests",
        "At most 20 interests are kept.",
    );
    let mut interests: Vec<String> = Vec::new();
    for given in new.interests.iter().take(MOST_INTERESTS) {
        let interest = Text::line("interests", 60).optional(Some(given), &mut refusals);
        if let Some(interest) = interest.filter(|interest| !interests.contains(interest)) {
            interests.push(interest);
        }
    }
    let new = Edit {
        name: Text::line("name", 120).required(&new.name, &mut refusals),
        post: Text::line("post", 120).optional(new.post.as_deref(), &mut refusals),
        interests,
        ..new
    };
    refusals.into_result()?;
    Ok(new)
}

async fn check_faculty(
    tx: &Tx,
    user_id: UserId,
    faculty_id: Option<FacultyId>,
    refusals: &mut Refusals,
) -> Result<()> {
    if let Some(faculty_id) = faculty_id {
        let known = faculty::Entity::find_by_id(faculty_id)
            .one(tx.conn())
            .await?;
        refusals.add_if(
            known.is_none(),
            RefusalCode::NotFound,
            "facultyId",
            "There is no such faculty.",
        );
    }
    // policy 3: whoever stands for a faculty is of it.
    let roles = faculty_role::Entity::find()
        .filter(faculty_role::Column::UserId.eq(user_id))
        .count(tx.conn())
        .await?;
    refusals.add_if(
        roles > 0,
        RefusalCode::WrongState,
        "facultyId",
        "You stand for your faculty in the Super User Group or as its disseminator. Ask an administrator to appoint \
         somebody else first.",
    );
    Ok(())
}

/// Keeps what stands in the account.
async fn keep_account(tx: &Tx, current: &Own, new: &Edit) -> Result<user::Model> {
    let account = current.account.clone();
    if new.name == account.name && new.faculty_id == account.faculty_id {
        return Ok(account);
    }
    let mut row = account.into_active_model();
    row.name = Set(new.name.clone());
    row.faculty_id = Set(new.faculty_id);
    row.updated_at = Set(tx.now());
    Ok(row.update(tx.conn()).await?)
}

/// Keeps the rest, under the next version.
async fn keep_profile(tx: &Tx, updated: &Own) -> Result<()> {
    profile::Entity::insert(profile::ActiveModel {
        user_id: Set(updated.account.id),
        post: Set(updated.post.clone()),
        interests: Set(TextList(updated.interests.clone())),
        version: Set(updated.version),
        updated_at: Set(tx.now()),
    })
    .on_conflict(
        OnConflict::column(profile::Column::UserId)
            .update_columns([
                profile::Column::Post,
                profile::Column::Interests,
                profile::Column::Version,
                profile::Column::UpdatedAt,
            ])
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

async fn keep_photo(tx: &Tx, user_id: UserId, change: PhotoChange) -> Result<()> {
    if change == PhotoChange::Keep {
        return Ok(());
    }
    profile_photo::Entity::delete_by_id(user_id)
        .exec(tx.conn())
        .await?;
    if let PhotoChange::Replace(photo) = change {
        profile_photo::ActiveModel {
            user_id: Set(user_id),
            token: Set(format!("{:032x}", rand::random::<u128>())),
            width: Set(photo.width),
            height: Set(photo.height),
            bytes: Set(photo.bytes),
            uploaded_at: Set(tx.now()),
        }
        .insert(tx.conn())
        .await?;
    }
    Ok(())
}

//! Everybody's own profile (policy 1).

use std::collections::HashMap;

use async_graphql::{
    Context, Enum, InputObject, MaybeUndefined, Object, Result, SimpleObject, dataloader::Loader,
};
use domain::{
    notice::{self, Channel, Topic},
    profile::{self as profiles, Edit, Own, Photo, PhotoChange, PhotoPlace, Shown},
};
use entity::ids::{FacultyId, UserId};

use super::{
    begin,
    errors::{Payload, payload},
    file::decoded,
    id::Id,
    rows::{LoadError, Rows, rows},
    store,
    university::{self, Faculty},
    viewer,
};
use crate::http::photo;

/// Mutations about the profile of the person who asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProfileMutation;

/// What somebody says of themselves.
#[derive(Clone, Debug)]
pub struct Profile(Own);

impl From<Own> for Profile {
    fn from(own: Own) -> Self {
        Self(own)
    }
}

/// The profile of the person who is signed in.
pub async fn own(ctx: &Context<'_>) -> Result<Profile> {
    Ok(Profile(
        profiles::own(store(ctx)?.reader(), viewer(ctx)?).await?,
    ))
}

/// The profile of the person who is signed in.
#[Object]
impl Profile {
    /// The version, for the next change: 0 before the first.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The name as shown.
    async fn name(&self) -> &str {
        &self.0.account.name
    }

    /// The post of a member of staff.
    async fn post(&self) -> Option<&str> {
        self.0.post.as_deref()
    }

    /// The faculty of a student or of a member of staff.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.account.faculty_id?)
            .await
            .transpose()
    }

    /// The job title of an employer.
    async fn job_title(&self) -> Option<&str> {
        self.0.contact.as_ref()?.job_title.as_deref()
    }

    /// The telephone number of an employer.
    async fn telephone(&self) -> Option<&str> {
        self.0.contact.as_ref()?.telephone.as_deref()
    }

    /// What they are interested in.
    async fn interests(&self) -> &[String] {
        &self.0.interests
    }

    /// Their photo.
    async fn photo(&self) -> Option<ProfilePhoto> {
        self.0.photo.as_ref().map(Into::into)
    }

    /// How notices reach them, topic by topic.
    async fn notices(&self) -> Vec<NoticeChoice> {
        self.0
            .notices
            .iter()
            .map(|(topic, channel)| NoticeChoice {
                topic: (*topic).into(),
                channel: (*channel).into(),
                at_least: notice::at_least(*topic).into(),
                by_itself: notice::by_itself(*topic).into(),
            })
            .collect()
    }
}

/// A photo: JPEG, with nothing in it but the picture.
#[derive(Clone, Debug, SimpleObject)]
pub struct ProfilePhoto {
    /// Its address, which nobody can guess; a new photo has a new one.
    url: String,
    /// In pixels.
    width: i32,
    /// In pixels.
    height: i32,
}

impl From<&PhotoPlace> for ProfilePhoto {
    fn from(place: &PhotoPlace) -> Self {
        Self {
            url: photo::address(&place.token),
            width: place.width,
            height: place.height,
        }
    }
}

/// How notices about a topic reach somebody.
#[derive(Clone, Debug, SimpleObject)]
pub struct NoticeChoice {
    /// What they are about.
    topic: NoticeTopic,
    /// How they reach them.
    channel: NoticeChannel,
    /// The least that can be chosen: some topics can't be switched off.
    at_least: NoticeChannel,
    /// How they reach whoever has chosen nothing.
    by_itself: NoticeChannel,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Topic")]
pub enum NoticeTopic {
    /// The account itself: its sessions, its password.
    Security,
    /// Training, agreements, and access that lapses (policy 3).
    Access,
    /// The policy changed (policy 3).
    PolicyChange,
    /// Other announcements: the system changed (policy 3).
    Announcement,
    /// Faults and improvements that one has filed (policy 3).
    Suggestion,
    /// The work of the Super User Group (policy 3).
    SuperUserGroup,
    /// Liaison with key account operators (policy 2.3).
    Liaison,
    /// What staff record of employers, and what is due next (policy 2.2).
    Engagement,
    /// Events that one organises, takes part in or is booked for (policy 2.4).
    Event,
    /// Vacancies (policy 2.2).
    Vacancy,
    /// Bulk e-mails that one sends (policy 2.5).
    BulkEmail,
    /// What is coming on the calendar, once a week: events that one can book, of one's faculty, or of one's sector. It comes to
    /// those who choose it (policy 1).
    ComingEvents,
}

/// How a notice reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Channel")]
pub enum NoticeChannel {
    /// Not at all.
    None,
    /// In one mail a day, with the others: at seven in the morning, UK time.
    DailyDigest,
    /// By a mail of its own, at once.
    MailAtOnce,
}

/// A choice of how notices about a topic reach one.
#[derive(Debug, InputObject)]
pub struct NoticeChoiceInput {
    /// What they are about.
    topic: NoticeTopic,
    /// How they are to come.
    channel: NoticeChannel,
}

/// A change of one's own profile. What is not given stays as it is; `null` empties a field.
#[derive(Debug, InputObject)]
pub struct UpdateProfileInput {
    /// The version that was read: when another change came first, this one is refused.
    version: i32,
    /// The name as shown; staff and employers.
    name: Option<String>,
    /// The post; staff.
    post: MaybeUndefined<String>,
    /// The faculty; staff.
    faculty_id: MaybeUndefined<Id<FacultyId>>,
    /// The job title; employers.
    job_title: MaybeUndefined<String>,
    /// The telephone number; employers.
    telephone: MaybeUndefined<String>,
    /// What one is interested in, at most 20; this list takes the place of the one before.
    interests: Option<Vec<String>>,
    /// The photo: a PNG, JPEG or WebP file of at most 700 kB in base 64, with or without `data:image/png;base64,` before it.
    photo: MaybeUndefined<String>,
    /// How notices are to come, for the topics that are named.
    #[graphql(default)]
    notices: Vec<NoticeChoiceInput>,
}

payload! {
    /// What became of a change of one's own profile.
    UpdateProfilePayload {
        /// The profile as it is now.
        profile: Profile,
    }
}

#[Object]
impl ProfileMutation {
    /// Changes one's own profile (policy 1).
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        viewer(ctx)?.signed_in()?;
        // Looked at before the transaction begins: it takes a while.
        let photo = match photo_change(&input.photo).await {
            Ok(photo) => photo,
            Err(error) => return UpdateProfilePayload::of::<Own>(Err(error)),
        };
        let notices: Vec<(Topic, Channel)> = input
            .notices
            .iter()
            .map(|choice| (choice.topic.into(), choice.channel.into()))
            .collect();
        let version = input.version;
        let mut tx = begin(ctx).await?;
        let edit = |profile: &mut Edit| input.apply(profile);
        let updated = profiles::update(&mut tx, viewer(ctx)?, version, photo, &notices, edit).await;
        UpdateProfilePayload::commit(tx, updated).await
    }
}

impl UpdateProfileInput {
    /// Changes the profile by what was given.
    fn apply(self, profile: &mut Edit) {
        if let Some(name) = self.name {
            profile.name = name;
        }
        if let Some(interests) = self.interests {
            profile.interests = interests;
        }
        self.post.update_to(&mut profile.post);
        self.faculty_id
            .map_value(|id| id.0)
            .update_to(&mut profile.faculty_id);
        self.job_title.update_to(&mut profile.job_title);
        self.telephone.update_to(&mut profile.telephone);
    }
}

async fn photo_change(given: &MaybeUndefined<String>) -> domain::Result<PhotoChange> {
    match given {
        MaybeUndefined::Undefined => Ok(PhotoChange::Keep),
        MaybeUndefined::Null => Ok(PhotoChange::Remove),
        MaybeUndefined::Value(text) => {
            let file = decoded("photo", text)?;
            Ok(PhotoChange::Replace(Photo::read("photo", file).await?))
        }
    }
}

/// What others are shown of somebody's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ShownOf(UserId);

impl Loader<ShownOf> for Rows {
    type Value = Shown;
    type Error = LoadError;

    async fn load(&self, keys: &[ShownOf]) -> Result<HashMap<ShownOf, Shown>, LoadError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let found = profiles::shown(self.store.reader(), &ids).await?;
        Ok(found
            .into_iter()
            .map(|shown| (ShownOf(shown.user_id), shown))
            .collect())
    }
}

/// What others are shown of somebody.
pub(super) async fn shown(ctx: &Context<'_>, id: UserId) -> Result<Option<Shown>> {
    Ok(rows(ctx)?.load_one(ShownOf(id)).await?)
}

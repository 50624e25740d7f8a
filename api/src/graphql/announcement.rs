//! Announcements, and who has read them (policy 3).

use std::collections::HashMap;

use async_graphql::{Context, Enum, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::announcement::{self as announcements, Draft, Filter, Receipt};
use entity::{
    announcement::{AnnouncementKind as Kind, Column, Model},
    ids::{AnnouncementId, FacultyId, UserId},
};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    person::{self, Person},
    rows::{LoadError, Rows, by_id, rows},
    store,
    university::{self, Faculty},
    viewer,
};

/// How many of those who have not read an announcement are named.
const MOST_NAMED: usize = 100;

/// Queries about announcements.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnnouncementQuery;

/// Mutations about announcements.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnnouncementMutation;

/// An announcement.
#[derive(Clone, Debug)]
pub struct Announcement(pub Model);

impl From<Model> for Announcement {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The announcement with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: AnnouncementId) -> Result<Option<Announcement>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Announcement))
}

/// An announcement to staff: the system or the policy changes.
#[Object]
impl Announcement {
    /// Its id.
    pub async fn id(&self) -> Id<AnnouncementId> {
        Id(self.0.id)
    }

    /// What it is about.
    async fn kind(&self) -> Option<AnnouncementKind> {
        Some(self.0.kind.into())
    }

    /// What it says, in a line.
    async fn title(&self) -> Option<&str> {
        Some(&self.0.title)
    }

    /// What it says.
    async fn body(&self) -> Option<&str> {
        Some(&self.0.body)
    }

    /// The faculties whose staff it is for; none when it is for all staff.
    async fn faculties(&self, ctx: &Context<'_>) -> Option<Result<Vec<Faculty>>> {
        Some(faculties(ctx, self.0.id).await)
    }

    /// Who published it.
    async fn published_by(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.published_by).await.transpose()
    }

    /// When it was published.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.published_at)
    }

    /// When those who have not read it are reminded; null when nobody is.
    async fn remind_at(&self) -> Option<DateTime<Utc>> {
        self.0.remind_at
    }

    /// When the viewer said that they have read it; null before that.
    async fn read_at(&self, ctx: &Context<'_>) -> Option<Result<DateTime<Utc>>> {
        read_at(ctx, self.0.id).await.transpose()
    }

    /// How far it came, by faculty: all of them for the Super User Group, their own for a disseminator, none for others.
    async fn receipts(&self, ctx: &Context<'_>) -> Option<Result<Vec<AnnouncementReceipt>>> {
        Some(receipts(ctx, self.0.id).await)
    }
}

/// How far an announcement came in one faculty.
#[derive(Clone, Debug)]
pub struct AnnouncementReceipt(Receipt);

/// How far an announcement came in one faculty.
#[Object]
impl AnnouncementReceipt {
    /// The faculty; null for staff of no faculty.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id?)
            .await
            .transpose()
    }

    /// How many of its staff the announcement is for.
    async fn people(&self) -> Option<i64> {
        Some(self.0.people)
    }

    /// How many of them have read it.
    async fn read(&self) -> Option<i64> {
        Some(self.0.read)
    }

    /// Who has not read it, by name, at most 100: for the disseminator of the faculty alone, so that they can speak to
    /// them; null for everybody else.
    async fn unread(&self, ctx: &Context<'_>) -> Option<Result<Vec<Person>>> {
        let key = UnreadOf(self.0.announcement_id, self.0.faculty_id?);
        unread(ctx, key).await.transpose()
    }
}

async fn faculties(ctx: &Context<'_>, id: AnnouncementId) -> Result<Vec<Faculty>> {
    let rows = rows(ctx)?;
    let ids = rows.load_one(FacultiesOf(id)).await?.unwrap_or_default();
    let mut faculties = rows.load_many(ids.iter().copied()).await?;
    Ok(ids.iter().filter_map(|id| faculties.remove(id)).collect())
}

async fn read_at(ctx: &Context<'_>, id: AnnouncementId) -> Result<Option<DateTime<Utc>>> {
    Ok(rows(ctx)?.load_one(ReadAt(id)).await?)
}

async fn receipts(ctx: &Context<'_>, id: AnnouncementId) -> Result<Vec<AnnouncementReceipt>> {
    let receipts = rows(ctx)?.load_one(ReceiptsOf(id)).await?;
    Ok(receipts
        .unwrap_or_default()
        .into_iter()
        .map(AnnouncementReceipt)
        .collect())
}

async fn unread(ctx: &Context<'_>, key: UnreadOf) -> Result<Option<Vec<Person>>> {
    let rows = rows(ctx)?;
    let Some(ids) = rows.load_one(key).await? else {
        return Ok(None);
    };
    let mut people = rows.load_many(ids.iter().copied()).await?;
    Ok(Some(
        ids.iter().filter_map(|id| people.remove(id)).collect(),
    ))
}

/// The faculties that an announcement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FacultiesOf(AnnouncementId);

/// When the viewer read an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ReadAt(AnnouncementId);

/// How far an announcement came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ReceiptsOf(AnnouncementId);

/// Who of a faculty has not read an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct UnreadOf(AnnouncementId, FacultyId);

by_id!(AnnouncementId => Model, visible |rows| announcements::visible(&rows.viewer), Column::Id);

impl Loader<FacultiesOf> for Rows {
    type Value = Vec<FacultyId>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[FacultiesOf],
    ) -> Result<HashMap<FacultiesOf, Vec<FacultyId>>, LoadError> {
        let ids: Vec<AnnouncementId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<FacultiesOf, Vec<FacultyId>> = HashMap::new();
        for row in announcements::faculties(self.store.reader(), &ids).await? {
            let key = FacultiesOf(row.announcement_id);
            found.entry(key).or_default().push(row.faculty_id);
        }
        Ok(found)
    }
}

impl Loader<ReadAt> for Rows {
    type Value = DateTime<Utc>;
    type Error = LoadError;

    async fn load(&self, keys: &[ReadAt]) -> Result<HashMap<ReadAt, DateTime<Utc>>, LoadError> {
        let Some(user_id) = self.viewer.user_id() else {
            return Ok(HashMap::new());
        };
        let ids: Vec<AnnouncementId> = keys.iter().map(|key| key.0).collect();
        let read = announcements::read_by(self.store.reader(), &ids, user_id).await?;
        Ok(read
            .into_iter()
            .map(|row| (ReadAt(row.announcement_id), row.read_at))
            .collect())
    }
}

impl Loader<ReceiptsOf> for Rows {
    type Value = Vec<Receipt>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ReceiptsOf],
    ) -> Result<HashMap<ReceiptsOf, Vec<Receipt>>, LoadError> {
        let ids: Vec<AnnouncementId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<ReceiptsOf, Vec<Receipt>> = HashMap::new();
        for receipt in announcements::receipts(self.store.reader(), &self.viewer, &ids).await? {
            let key = ReceiptsOf(receipt.announcement_id);
            found.entry(key).or_default().push(receipt);
        }
        Ok(found)
    }
}

impl Loader<UnreadOf> for Rows {
    type Value = Vec<UserId>;
    type Error = LoadError;

    async fn load(&self, keys: &[UnreadOf]) -> Result<HashMap<UnreadOf, Vec<UserId>>, LoadError> {
        let ids: Vec<AnnouncementId> = keys.iter().map(|key| key.0).collect();
        let reader = self.store.reader();
        let mine = domain::super_user_group::disseminates_for(reader, &self.viewer).await?;
        // Where everybody has read it, the list is empty; where it isn't theirs to know, there is none.
        let mut found: HashMap<UnreadOf, Vec<UserId>> = keys
            .iter()
            .filter(|key| mine == Some(key.1))
            .map(|key| (*key, Vec::new()))
            .collect();
        for (id, faculty, person) in announcements::unread_in(reader, &self.viewer, &ids).await? {
            if let Some(people) = found.get_mut(&UnreadOf(id, faculty))
                && people.len() < MOST_NAMED
            {
                people.push(person);
            }
        }
        Ok(found)
    }
}

/// What an announcement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum AnnouncementKind {
    /// The system changes.
    SystemUpdate,
    /// The policy changes.
    PolicyChange,
}

/// What a list of announcements is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AnnouncementFilter {
    /// What they are about.
    kind: Option<AnnouncementKind>,
    /// Whether the viewer has read them.
    is_read: Option<bool>,
}

impl From<AnnouncementFilter> for Filter {
    fn from(given: AnnouncementFilter) -> Self {
        Self {
            kind: given.kind.map(Into::into),
            is_read: given.is_read,
        }
    }
}

/// An announcement to be published.
#[derive(Debug, InputObject)]
pub struct PublishAnnouncementInput {
    /// What it is about.
    kind: AnnouncementKind,
    /// What it says, in a line.
    title: String,
    /// What it says.
    body: String,
    /// The faculties whose staff it is for; all staff when none is given.
    #[graphql(default)]
    faculty_ids: Vec<Id<FacultyId>>,
    /// After how many days those who have not read it are reminded. When it isn't given: 7 for a change of the policy,
    /// never for an update of the system.
    remind_after_days: Option<i32>,
}

/// An announcement that was read.
#[derive(Debug, InputObject)]
pub struct MarkAnnouncementReadInput {
    /// The announcement.
    announcement_id: Id<AnnouncementId>,
}

payload! {
    /// What became of an announcement.
    PublishAnnouncementPayload {
        /// The announcement.
        announcement: Announcement,
    }
}

payload! {
    /// What became of a receipt.
    MarkAnnouncementReadPayload {
        /// The announcement.
        announcement: Announcement,
    }
}

#[Object]
impl AnnouncementQuery {
    /// Announcements to the viewer, the latest first; the Super User Group has all of them.
    async fn announcements(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<AnnouncementFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Announcement>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(
    ctx: &Context<'_>,
    filter: Filter,
    page: &PageArgs,
) -> Result<Connection<Announcement>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "announcements",
        page,
        async |page| announcements::list(store.reader(), viewer, filter, &page).await,
        |row: &Model| row.id,
        Announcement,
        move || {
            let (store, viewer) = counted.clone();
            async move { announcements::count(store.reader(), &viewer, filter).await }
        },
    )
    .await
}

#[Object]
impl AnnouncementMutation {
    /// Publishes an announcement, and tells everybody it is for in the way they chose.
    async fn publish_announcement(
        &self,
        ctx: &Context<'_>,
        input: PublishAnnouncementInput,
    ) -> Result<PublishAnnouncementPayload> {
        let mut tx = begin(ctx).await?;
        let draft = Draft {
            kind: input.kind.into(),
            title: input.title,
            body: input.body,
            faculty_ids: input.faculty_ids.into_iter().map(|id| id.0).collect(),
            remind_after_days: input.remind_after_days,
        };
        let published = announcements::publish(&mut tx, viewer(ctx)?, draft).await;
        PublishAnnouncementPayload::commit(tx, published).await
    }

    /// Says that the viewer has read an announcement.
    async fn mark_announcement_read(
        &self,
        ctx: &Context<'_>,
        input: MarkAnnouncementReadInput,
    ) -> Result<MarkAnnouncementReadPayload> {
        let mut tx = begin(ctx).await?;
        let id = input.announcement_id.0;
        let read = announcements::mark_read(&mut tx, viewer(ctx)?, id).await;
        MarkAnnouncementReadPayload::commit(tx, read).await
    }
}

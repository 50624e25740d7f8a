//! Notes: the record of engagements with employers (policy 2.2).

use std::collections::HashMap;

use async_graphql::{Context, Enum, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::note::{self as notes, Engagement, Filter, Participants, Words};
use entity::{
    ids::{ContactId, NoteId, OrganisationId, UserId},
    note::{Column, Model, NoteKind as Kind, NoteVisibility as Visibility},
    user,
};
use futures_util::future::try_join_all;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    contact::{self, Contact},
    errors::{Payload, payload},
    id::Id,
    organisation::{self, Organisation},
    person::{self, Person},
    rows::{LoadError, Rows, by_id, rows},
    store, viewer,
};

/// Queries about notes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteQuery;

/// Mutations about notes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteMutation;

/// A note.
#[derive(Clone, Debug)]
pub struct Note(pub Model);

impl From<Model> for Note {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The note with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: NoteId) -> Result<Option<Note>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Note))
}

by_id!(NoteId => Model, visible |rows| notes::visible(&rows.viewer), Column::Id);

/// The name of whoever wrote a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct AuthorName(UserId);

impl Loader<AuthorName> for Rows {
    type Value = String;
    type Error = LoadError;

    async fn load(&self, keys: &[AuthorName]) -> Result<HashMap<AuthorName, String>, LoadError> {
        let names: Vec<(UserId, String)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::Name])
            .filter(user::Column::Id.is_in(keys.iter().map(|key| key.0)))
            .into_tuple()
            .all(self.store.reader())
            .await
            .map_err(domain::Error::from)?;
        Ok(names
            .into_iter()
            .map(|(id, name)| (AuthorName(id), name))
            .collect())
    }
}

/// That a note tells of contact without agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Unagreed(NoteId);

impl Loader<Unagreed> for Rows {
    type Value = bool;
    type Error = LoadError;

    async fn load(&self, keys: &[Unagreed]) -> Result<HashMap<Unagreed, bool>, LoadError> {
        let ids: Vec<NoteId> = keys.iter().map(|key| key.0).collect();
        let flagged = domain::key_account::flagged(self.store.reader(), &ids).await?;
        Ok(flagged.into_iter().map(|id| (Unagreed(id), true)).collect())
    }
}

/// The contacts who took part in an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ContactsIn(NoteId);

/// The members of staff who took part in an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ColleaguesIn(NoteId);

impl Loader<ContactsIn> for Rows {
    type Value = Vec<ContactId>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ContactsIn],
    ) -> Result<HashMap<ContactsIn, Self::Value>, LoadError> {
        let ids: Vec<NoteId> = keys.iter().map(|key| key.0).collect();
        let mut all: HashMap<ContactsIn, Self::Value> = HashMap::new();
        for row in notes::contacts_of(self.store.reader(), &ids).await? {
            let key = ContactsIn(row.note_id);
            all.entry(key).or_default().push(row.contact_id);
        }
        Ok(all)
    }
}

impl Loader<ColleaguesIn> for Rows {
    type Value = Vec<UserId>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[ColleaguesIn],
    ) -> Result<HashMap<ColleaguesIn, Self::Value>, LoadError> {
        let ids: Vec<NoteId> = keys.iter().map(|key| key.0).collect();
        let mut all: HashMap<ColleaguesIn, Self::Value> = HashMap::new();
        for row in notes::colleagues_of(self.store.reader(), &ids).await? {
            let key = ColleaguesIn(row.note_id);
            all.entry(key).or_default().push(row.user_id);
        }
        Ok(all)
    }
}

/// A note: the record of an engagement with an employer.
#[Object]
impl Note {
    /// Its id.
    pub async fn id(&self) -> Id<NoteId> {
        Id(self.0.id)
    }

    /// The organisation it is about.
    async fn organisation(&self, ctx: &Context<'_>) -> Option<Result<Organisation>> {
        organisation::find(ctx, self.0.organisation_id)
            .await
            .transpose()
    }

    /// The contact it is about.
    async fn contact(&self, ctx: &Context<'_>) -> Option<Result<Contact>> {
        contact::find(ctx, self.0.contact_id?).await.transpose()
    }

    /// The contacts who took part besides.
    async fn participants(&self, ctx: &Context<'_>) -> Option<Result<Vec<Contact>>> {
        Some(participants(ctx, self.0.id).await)
    }

    /// The members of staff who took part besides whoever wrote it down.
    async fn colleagues(&self, ctx: &Context<'_>) -> Option<Result<Vec<Person>>> {
        Some(colleagues(ctx, self.0.id).await)
    }

    /// What kind of engagement it was.
    async fn kind(&self) -> Option<NoteKind> {
        Some(self.0.kind.into())
    }

    /// Who sees it.
    async fn visibility(&self) -> Option<NoteVisibility> {
        Some(self.0.visibility.into())
    }

    /// When it took place.
    async fn happened_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.happened_at)
    }

    /// What was said and done.
    async fn body(&self) -> Option<&str> {
        Some(&self.0.body)
    }

    /// What came of it.
    async fn outcome(&self) -> Option<&str> {
        self.0.outcome.as_deref()
    }

    /// What is to be done next.
    async fn next_action(&self) -> Option<&str> {
        self.0.next_action.as_deref()
    }

    /// By when that is to be done.
    async fn next_action_due_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_action_due_at
    }

    /// When that was done; null while it is to be done.
    async fn next_action_done_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_action_done_at
    }

    /// Who wrote it.
    async fn author_name(&self, ctx: &Context<'_>) -> Option<Result<String>> {
        author_name(ctx, self.0.author_id).await.transpose()
    }

    /// Whether it tells of contact with a key account contact to which the Key Account Operator had not agreed (policy 2.3).
    async fn without_agreement(&self, ctx: &Context<'_>) -> Option<Result<bool>> {
        Some(without_agreement(ctx, self.0.id).await)
    }

    /// When it was written.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }
}

async fn participants(ctx: &Context<'_>, id: NoteId) -> Result<Vec<Contact>> {
    let rows = rows(ctx)?;
    let ids = rows.load_one(ContactsIn(id)).await?.unwrap_or_default();
    let mut found = rows.load_many(ids.iter().copied()).await?;
    let found = ids.iter().filter_map(|id| found.remove(id));
    Ok(found.map(Contact).collect())
}

async fn colleagues(ctx: &Context<'_>, id: NoteId) -> Result<Vec<Person>> {
    let ids = rows(ctx)?.load_one(ColleaguesIn(id)).await?;
    let ids = ids.unwrap_or_default();
    let found = ids.iter().map(|id| person::person(ctx, *id));
    let found = try_join_all(found).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn without_agreement(ctx: &Context<'_>, id: NoteId) -> Result<bool> {
    Ok(rows(ctx)?.load_one(Unagreed(id)).await?.unwrap_or_default())
}

async fn author_name(ctx: &Context<'_>, id: UserId) -> Result<Option<String>> {
    Ok(rows(ctx)?.load_one(AuthorName(id)).await?)
}

/// The kind of an engagement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum NoteKind {
    /// A meeting.
    Meeting,
    /// A telephone or video call.
    Call,
    /// An exchange of mails.
    Email,
    /// A visit.
    Visit,
    /// An event they took part in.
    Event,
    /// How a contact is to be approached (policy 2.3).
    GuidanceOnContact,
    /// Anything else.
    Other,
}

/// Who sees a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Visibility")]
pub enum NoteVisibility {
    /// All staff.
    Staff,
    /// Staff of the faculty of whoever wrote it, and administrators.
    Faculty,
}

/// What a list of notes is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct NoteFilter {
    /// The organisation they are about.
    organisation_id: Option<Id<OrganisationId>>,
    /// The contact they are about, or who took part.
    contact_id: Option<Id<ContactId>>,
    /// The kind of engagement.
    kind: Option<NoteKind>,
    /// Whether something is still to be done.
    has_next_action: Option<bool>,
    /// Whether the viewer wrote them.
    is_mine: Option<bool>,
}

impl From<NoteFilter> for Filter {
    fn from(given: NoteFilter) -> Self {
        Self {
            organisation_id: given.organisation_id.map(|id| id.0),
            contact_id: given.contact_id.map(|id| id.0),
            kind: given.kind.map(Into::into),
            has_next_action: given.has_next_action,
            is_mine: given.is_mine,
        }
    }
}

/// An engagement to be recorded.
#[derive(Debug, InputObject)]
pub struct AddNoteInput {
    /// The organisation it was with.
    organisation_id: Id<OrganisationId>,
    /// The contact it was with.
    contact_id: Option<Id<ContactId>>,
    /// The contacts who took part besides, at most 50.
    #[graphql(default)]
    participant_ids: Vec<Id<ContactId>>,
    /// The members of staff who took part besides the viewer, at most 50.
    #[graphql(default)]
    colleague_ids: Vec<Id<UserId>>,
    /// What kind of engagement it was.
    kind: NoteKind,
    /// When it took place; now when it isn't given.
    happened_at: Option<DateTime<Utc>>,
    /// What was said and done.
    body: String,
    /// What came of it.
    outcome: Option<String>,
    /// What is to be done next.
    next_action: Option<String>,
    /// By when that is to be done.
    next_action_due_at: Option<DateTime<Utc>>,
    /// Who sees it.
    #[graphql(default_with = "NoteVisibility::Staff")]
    visibility: NoteVisibility,
}

/// What was to be done next and is done.
#[derive(Debug, InputObject)]
pub struct CompleteNextActionInput {
    /// The note that said so.
    note_id: Id<NoteId>,
}

payload! {
    /// What became of what was to be done next.
    CompleteNextActionPayload {
        /// The note.
        note: Note,
    }
}

payload! {
    /// What became of a note.
    AddNotePayload {
        /// The note.
        note: Note,
    }
}

#[Object]
impl NoteQuery {
    /// Notes, the latest first.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<NoteFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Note>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(ctx: &Context<'_>, filter: Filter, page: &PageArgs) -> Result<Connection<Note>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "notes",
        page,
        async |page| notes::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| row.id,
        Note,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { notes::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl NoteMutation {
    /// Records an engagement with an employer.
    async fn add_note(&self, ctx: &Context<'_>, input: AddNoteInput) -> Result<AddNotePayload> {
        let mut tx = begin(ctx).await?;
        let engagement = Engagement {
            organisation_id: input.organisation_id.0,
            contact_id: input.contact_id.map(|id| id.0),
            participants: Participants {
                contacts: input.participant_ids.into_iter().map(|id| id.0).collect(),
                colleagues: input.colleague_ids.into_iter().map(|id| id.0).collect(),
            },
            kind: input.kind.into(),
            words: Words {
                happened_at: input.happened_at,
                body: input.body,
                outcome: input.outcome,
                next_action: input.next_action,
                next_action_due_at: input.next_action_due_at,
                visibility: input.visibility.into(),
            },
        };
        let added = notes::add_note(&mut tx, viewer(ctx)?, engagement).await;
        AddNotePayload::commit(tx, added).await
    }

    /// Says that what a note asked for next was done.
    async fn complete_next_action(
        &self,
        ctx: &Context<'_>,
        input: CompleteNextActionInput,
    ) -> Result<CompleteNextActionPayload> {
        let mut tx = begin(ctx).await?;
        let done = notes::complete(&mut tx, viewer(ctx)?, input.note_id.0).await;
        CompleteNextActionPayload::commit(tx, done).await
    }
}

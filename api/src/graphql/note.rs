//! Notes: the record of engagements with employers (policy 2.2).

use std::collections::HashMap;

use async_graphql::{Context, Enum, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::note::{self as notes, Engagement, Filter};
use entity::{
    ids::{ContactId, NoteId, OrganisationId, UserId},
    note::{Column, Model, NoteKind as Kind},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    contact::{self, Contact},
    errors::{Payload, payload},
    id::Id,
    organisation::{self, Organisation},
    rows::{LoadError, Rows, rows},
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

impl Loader<NoteId> for Rows {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, ids: &[NoteId]) -> Result<HashMap<NoteId, Model>, LoadError> {
        let found = notes::visible(&self.viewer)
            .filter(Column::Id.is_in(ids.iter().copied()))
            .all(self.store.reader())
            .await
            .map_err(domain::Error::from)?;
        Ok(found.into_iter().map(|row| (row.id, row)).collect())
    }
}

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

    /// What kind of engagement it was.
    async fn kind(&self) -> Option<NoteKind> {
        Some(self.0.kind.into())
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

/// What a list of notes is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct NoteFilter {
    /// The organisation they are about.
    organisation_id: Option<Id<OrganisationId>>,
    /// The contact they are about.
    contact_id: Option<Id<ContactId>>,
    /// The kind of engagement.
    kind: Option<NoteKind>,
}

impl From<NoteFilter> for Filter {
    fn from(given: NoteFilter) -> Self {
        Self {
            organisation_id: given.organisation_id.map(|id| id.0),
            contact_id: given.contact_id.map(|id| id.0),
            kind: given.kind.map(Into::into),
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
            kind: input.kind.into(),
            happened_at: input.happened_at,
            body: input.body,
            outcome: input.outcome,
            next_action: input.next_action,
            next_action_due_at: input.next_action_due_at,
        };
        let added = notes::add_note(&mut tx, viewer(ctx)?, engagement).await;
        AddNotePayload::commit(tx, added).await
    }
}

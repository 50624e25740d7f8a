//! Tags: the themes that organisations are found by (policy 2.2).

use async_graphql::{Context, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use domain::{
    Error, RefusalCode,
    tag::{self as tags, Filter, Which},
};
use entity::{
    ids::{OrganisationId, TagId},
    tag::{Column, Model},
};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    organisation::OrganisationFilter,
    rows::{by_id, rows},
    store, viewer,
};

/// Queries about tags.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagQuery;

/// Mutations about tags.
#[derive(Clone, Copy, Debug, Default)]
pub struct TagMutation;

/// A tag.
#[derive(Clone, Debug)]
pub struct Tag(pub Model);

impl From<Model> for Tag {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The tag with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: TagId) -> Result<Option<Tag>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Tag))
}

by_id!(TagId => Model, visible |rows| tags::visible(&rows.viewer), Column::Id);

/// A tag: a theme that organisations are found by.
#[Object]
impl Tag {
    /// Its id.
    pub async fn id(&self) -> Id<TagId> {
        Id(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// The category it belongs to.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// When it was taken out of use; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }
}

/// What a list of tags is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TagFilter {
    /// A part of the name.
    search: Option<String>,
    /// The category.
    category: Option<String>,
    /// Whether those that are out of use are listed too.
    #[graphql(default)]
    archived: bool,
}

impl From<TagFilter> for Filter {
    fn from(given: TagFilter) -> Self {
        Self {
            search: given.search,
            category: given.category,
            archived: given.archived,
        }
    }
}

/// A tag to be added.
#[derive(Debug, InputObject)]
pub struct CreateTagInput {
    /// Its name; no other tag has it, in whatever case.
    name: String,
    /// The category it belongs to.
    category: Option<String>,
}

/// A tag to be taken out of use.
#[derive(Debug, InputObject)]
pub struct ArchiveTagInput {
    /// The tag.
    id: Id<TagId>,
}

/// Tags that mean the same.
#[derive(Debug, InputObject)]
pub struct MergeTagsInput {
    /// The tag that is left.
    tag_id: Id<TagId>,
    /// The others, at most 20. They are out of use afterwards.
    other_ids: Vec<Id<TagId>>,
}

/// Which tags are put on which organisations.
#[derive(Debug, InputObject)]
pub struct TagOrganisationsInput {
    /// The organisations, at most 10,000. Give these or a filter.
    organisation_ids: Option<Vec<Id<OrganisationId>>>,
    /// All organisations that meet this.
    filter: Option<OrganisationFilter>,
    /// The tags, at most 20.
    tag_ids: Vec<Id<TagId>>,
}

/// Which tags are taken off which organisations.
#[derive(Debug, InputObject)]
pub struct UntagOrganisationsInput {
    /// The organisations, at most 10,000. Give these or a filter.
    organisation_ids: Option<Vec<Id<OrganisationId>>>,
    /// All organisations that meet this.
    filter: Option<OrganisationFilter>,
    /// The tags, at most 20.
    tag_ids: Vec<Id<TagId>>,
}

/// The organisations that are meant, or the refusal when that isn't clear.
fn which(
    ids: Option<Vec<Id<OrganisationId>>>,
    filter: Option<OrganisationFilter>,
) -> domain::Result<Which> {
    match (ids, filter) {
        (Some(ids), None) => Ok(Which::These(ids.into_iter().map(|id| id.0).collect())),
        (None, Some(filter)) => Ok(Which::Matching(filter.into())),
        (Some(_), Some(_)) | (None, None) => Err(Error::refused(
            RefusalCode::Required,
            "organisationIds",
            "Give organisations or a filter, and not both.",
        )),
    }
}

fn plain(ids: Vec<Id<TagId>>) -> Vec<TagId> {
    ids.into_iter().map(|id| id.0).collect()
}

payload! {
    /// What became of making one tag of several.
    MergeTagsPayload {
        /// The tag that is left.
        tag: Tag,
    }
}

payload! {
    /// What became of a new tag.
    CreateTagPayload {
        /// The tag.
        tag: Tag,
    }
}

payload! {
    /// What became of taking a tag out of use.
    ArchiveTagPayload {
        /// The tag.
        tag: Tag,
    }
}

payload! {
    /// What became of tagging organisations.
    TagOrganisationsPayload {
        /// How many tags were put on; those that were there already don't count.
        tagged: u64,
    }
}

payload! {
    /// What became of taking tags off organisations.
    UntagOrganisationsPayload {
        /// How many tags were taken off.
        untagged: u64,
    }
}

#[Object]
impl TagQuery {
    /// Tags, by name.
    async fn tags(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<TagFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Tag>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(ctx: &Context<'_>, filter: Filter, page: &PageArgs) -> Result<Connection<Tag>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone(), filter.clone());
    connect(
        ctx,
        "tags",
        page,
        async |page| tags::list(store.reader(), viewer, &filter, &page).await,
        |row: &Model| (row.name_key.clone(), row.id),
        Tag,
        move || {
            let (store, viewer, filter) = counted.clone();
            async move { tags::count(store.reader(), &viewer, &filter).await }
        },
    )
    .await
}

#[Object]
impl TagMutation {
    /// Adds a tag to the list that organisations are tagged from.
    async fn create_tag(
        &self,
        ctx: &Context<'_>,
        input: CreateTagInput,
    ) -> Result<CreateTagPayload> {
        let mut tx = begin(ctx).await?;
        let category = input.category.as_deref();
        let created = tags::create(&mut tx, viewer(ctx)?, &input.name, category).await;
        CreateTagPayload::commit(tx, created).await
    }

    /// Takes a tag out of use. It stays on the organisations that have it.
    async fn archive_tag(
        &self,
        ctx: &Context<'_>,
        input: ArchiveTagInput,
    ) -> Result<ArchiveTagPayload> {
        let mut tx = begin(ctx).await?;
        let archived = tags::archive(&mut tx, viewer(ctx)?, input.id.0).await;
        ArchiveTagPayload::commit(tx, archived).await
    }

    /// Puts every one of the tags on every one of the organisations.
    async fn tag_organisations(
        &self,
        ctx: &Context<'_>,
        input: TagOrganisationsInput,
    ) -> Result<TagOrganisationsPayload> {
        let which = match which(input.organisation_ids, input.filter) {
            Ok(which) => which,
            Err(error) => return TagOrganisationsPayload::of::<u64>(Err(error)),
        };
        let mut tx = begin(ctx).await?;
        let tags = plain(input.tag_ids);
        let tagged = tags::tag_organisations(&mut tx, viewer(ctx)?, &which, &tags).await;
        TagOrganisationsPayload::commit(tx, tagged).await
    }

    /// Takes every one of the tags off every one of the organisations.
    async fn untag_organisations(
        &self,
        ctx: &Context<'_>,
        input: UntagOrganisationsInput,
    ) -> Result<UntagOrganisationsPayload> {
        let which = match which(input.organisation_ids, input.filter) {
            Ok(which) => which,
            Err(error) => return UntagOrganisationsPayload::of::<u64>(Err(error)),
        };
        let mut tx = begin(ctx).await?;
        let tags = plain(input.tag_ids);
        let untagged = tags::untag_organisations(&mut tx, viewer(ctx)?, &which, &tags).await;
        UntagOrganisationsPayload::commit(tx, untagged).await
    }

    /// Makes one tag of several: organisations and segments that have one of the others have the one that is left.
    async fn merge_tags(
        &self,
        ctx: &Context<'_>,
        input: MergeTagsInput,
    ) -> Result<MergeTagsPayload> {
        let mut tx = begin(ctx).await?;
        let others: Vec<TagId> = input.other_ids.iter().map(|id| id.0).collect();
        let merged = tags::merge(&mut tx, viewer(ctx)?, input.tag_id.0, &others).await;
        MergeTagsPayload::commit(tx, merged).await
    }
}

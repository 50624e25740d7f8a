//! Segments: searches for organisations that staff keep under a name (policy 2.2).

use std::collections::HashMap;

use async_graphql::{Context, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::{
    Error, RefusalCode,
    segment::{self as segments, Criteria},
};
use entity::{
    ids::{SegmentId, TagId},
    segment::{Column, Model},
};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    organisation::{OrganisationFilter, OrganisationState},
    person::{self, Person},
    profile_field::{self, SoughtProfileField},
    rows::{LoadError, Rows, by_id, rows},
    scalars::Date,
    store,
    tag::Tag,
    university::{Faculty, faculty},
    viewer,
};

/// Queries about segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct SegmentQuery;

/// Mutations about segments.
#[derive(Clone, Copy, Debug, Default)]
pub struct SegmentMutation;

/// A segment.
#[derive(Clone, Debug)]
pub struct Segment(pub Model);

impl From<Model> for Segment {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// The segment with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: SegmentId) -> Result<Option<Segment>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Segment))
}

/// How many organisations are in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SizeOf(SegmentId);

by_id!(SegmentId => Model, visible |rows| segments::visible(&rows.viewer), Column::Id);

impl Loader<SizeOf> for Rows {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[SizeOf]) -> Result<HashMap<SizeOf, i64>, LoadError> {
        let ids: Vec<SegmentId> = keys.iter().map(|key| key.0).collect();
        let found = segments::sizes(self.store.reader(), &self.viewer, &ids).await?;
        Ok(found
            .into_iter()
            .map(|(id, size)| (SizeOf(id), size))
            .collect())
    }
}

/// A search for organisations that is kept under a name. Whoever meets it today is in it: `organisations(filter: { segmentId })`.
#[Object]
impl Segment {
    /// Its id.
    pub async fn id(&self) -> Id<SegmentId> {
        Id(self.0.id)
    }

    /// Its name.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.name)
    }

    /// Whether all staff have it.
    async fn is_shared(&self) -> Option<bool> {
        Some(self.0.is_shared)
    }

    /// Whether it is the viewer's own, to change.
    async fn is_mine(&self, ctx: &Context<'_>) -> Option<Result<bool>> {
        Some(viewer(ctx).map(|viewer| viewer.user_id() == Some(self.0.owner_id)))
    }

    /// Whose it is.
    async fn owner(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.owner_id).await.transpose()
    }

    /// Words that are all in the name.
    async fn search(&self) -> Option<&str> {
        self.0.search.as_deref()
    }

    /// Tags that are all on an organisation in it.
    async fn all_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.all_of.0).await)
    }

    /// Tags of which at least one is; empty asks nothing.
    async fn any_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.any_of.0).await)
    }

    /// Tags of which none is.
    async fn none_of_tags(&self, ctx: &Context<'_>) -> Option<Result<Vec<Tag>>> {
        Some(tags(ctx, &self.0.none_of.0).await)
    }

    /// The sector.
    async fn sector(&self) -> Option<&str> {
        self.0.sector.as_deref()
    }

    /// Where an organisation in it stands in approval.
    async fn state(&self) -> Option<OrganisationState> {
        self.0.state.map(Into::into)
    }

    /// The faculty that has worked with an organisation in it.
    async fn engaged_by(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        faculty(ctx, self.0.engaged_by?).await.transpose()
    }

    /// Nobody has contacted an organisation in it on this day or later.
    async fn last_contacted_before(&self) -> Option<Date> {
        self.0.last_contacted_before.map(Into::into)
    }

    /// What fields of the profile of an organisation in it are that administrators defined.
    async fn profile_fields(&self, ctx: &Context<'_>) -> Option<Result<Vec<SoughtProfileField>>> {
        Some(profile_field::sought(ctx, &self.0.profile_fields.0).await)
    }

    /// How many organisations are in it today.
    async fn organisation_count(&self, ctx: &Context<'_>) -> Option<Result<i64>> {
        Some(size(ctx, self.0.id).await)
    }

    /// Raised at every change; `saveSegment` asks for it.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }

    /// When it was saved first.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.created_at)
    }

    /// When it was saved last.
    async fn updated_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.updated_at)
    }
}

async fn size(ctx: &Context<'_>, id: SegmentId) -> Result<i64> {
    let found = rows(ctx)?.load_one(SizeOf(id)).await?;
    Ok(found.unwrap_or_default())
}

/// Tags in the order of their ids in a list.
pub(super) async fn tags(ctx: &Context<'_>, ids: &[TagId]) -> Result<Vec<Tag>> {
    let mut found = rows(ctx)?.load_many(ids.iter().copied()).await?;
    Ok(ids
        .iter()
        .filter_map(|id| found.remove(id))
        .map(Tag)
        .collect())
}

/// A segment to be kept.
#[derive(Debug, InputObject)]
pub struct SaveSegmentInput {
    /// One of one's own, to be changed; left out for a new one.
    id: Option<Id<SegmentId>>,
    /// The version of it that was read.
    version: Option<i32>,
    /// Its name.
    name: String,
    /// Whether all staff have it.
    #[graphql(default)]
    is_shared: bool,
    /// What it asks.
    filter: OrganisationFilter,
}

/// A segment to be taken away.
#[derive(Debug, InputObject)]
pub struct DeleteSegmentInput {
    /// One of one's own.
    id: Id<SegmentId>,
}

payload! {
    /// What became of keeping a segment.
    SaveSegmentPayload {
        /// The segment.
        segment: Segment,
    }
}

payload! {
    /// What became of taking a segment away.
    DeleteSegmentPayload {
        /// What it was.
        segment: Segment,
    }
}

#[Object]
impl SegmentQuery {
    /// The viewer's segments and those that are shared, by name.
    async fn segments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Segment>>> {
        Some(list(ctx, &PageArgs::new(first, after, last, before)).await)
    }
}

async fn list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<Segment>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "segments",
        page,
        async |page| segments::list(store.reader(), viewer, &page).await,
        segments::key,
        Segment,
        move || {
            let (store, viewer) = counted.clone();
            async move { segments::count(store.reader(), &viewer).await }
        },
    )
    .await
}

#[Object]
impl SegmentMutation {
    /// Keeps a search for organisations under a name, or changes one of one's own.
    async fn save_segment(
        &self,
        ctx: &Context<'_>,
        input: SaveSegmentInput,
    ) -> Result<SaveSegmentPayload> {
        let known = match (input.id, input.version) {
            (None, _) => None,
            (Some(id), Some(version)) => Some((id.0, version)),
            (Some(_), None) => {
                let refused = Error::refused(
                    RefusalCode::Required,
                    "version",
                    "Say which version you have read.",
                );
                return SaveSegmentPayload::of(Err::<Model, _>(refused));
            }
        };
        let mut tx = begin(ctx).await?;
        let criteria = Criteria {
            name: input.name,
            is_shared: input.is_shared,
            filter: input.filter.into(),
        };
        let saved = Box::pin(segments::save(&mut tx, viewer(ctx)?, known, criteria)).await;
        SaveSegmentPayload::commit(tx, saved).await
    }

    /// Takes a segment of one's own away. What was made from it stays.
    async fn delete_segment(
        &self,
        ctx: &Context<'_>,
        input: DeleteSegmentInput,
    ) -> Result<DeleteSegmentPayload> {
        let mut tx = begin(ctx).await?;
        let deleted = segments::delete(&mut tx, viewer(ctx)?, input.id.0).await;
        DeleteSegmentPayload::commit(tx, deleted).await
    }
}

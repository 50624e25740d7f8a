//! Venues: the rooms and halls in which events take place (policy 2.4).

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::{DateTime, Utc};
use domain::venue::{self as venues, Filter, VenueChanges, VenueDraft};
use entity::{ids::VenueId, venue::Model};

use super::{
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    id::Id,
    rows::{by_id, rows},
    store, viewer,
};

/// Queries about venues.
#[derive(Clone, Copy, Debug, Default)]
pub struct VenueQuery;

/// Mutations about venues.
#[derive(Clone, Copy, Debug, Default)]
pub struct VenueMutation;

/// A venue.
#[derive(Clone, Debug)]
pub struct Venue(pub Model);

impl From<Model> for Venue {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// The venue with this id.
pub async fn find(ctx: &Context<'_>, id: VenueId) -> Result<Option<Venue>> {
    Ok(rows(ctx)?.load_one(id).await?.map(Venue))
}

by_id!(VenueId => Model, found |rows, ids| venues::find_all(rows.store.reader(), ids));

/// A venue: a room or hall in which events take place.
#[Object]
impl Venue {
    /// Its id.
    pub async fn id(&self) -> Id<VenueId> {
        Id(self.0.id)
    }

    /// Its name, such as `Great Hall`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The building it is in.
    async fn building(&self) -> Option<&str> {
        self.0.building.as_deref()
    }

    /// The campus that is on.
    async fn campus(&self) -> Option<&str> {
        self.0.campus.as_deref()
    }

    /// Where it is in one line, as calendars and mails have it: `Great Hall, Parkinson Building, City Campus`.
    async fn label(&self) -> String {
        venues::label(&self.0)
    }

    /// How many people it holds; null when nobody has said.
    async fn capacity(&self) -> Option<i32> {
        self.0.capacity
    }

    /// How people with disabilities get there and find their way in it.
    async fn accessibility(&self) -> Option<&str> {
        self.0.accessibility.as_deref()
    }

    /// The web address of a map.
    async fn map_link(&self) -> Option<&str> {
        self.0.map_link.as_deref()
    }

    /// When it was taken out of use; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.0.archived_at
    }

    /// Which version it is, for `updateVenue`.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }
}

/// What a list of venues is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct VenueFilter {
    /// A part of the name, the building or the campus.
    search: Option<String>,
    /// So many people at least fit in.
    holds: Option<i32>,
    /// Whether those that are out of use are listed too.
    #[graphql(default)]
    archived: bool,
}

impl From<VenueFilter> for Filter {
    fn from(given: VenueFilter) -> Self {
        Self {
            search: given.search,
            holds: given.holds,
            archived: given.archived,
        }
    }
}

/// A venue to be added to the list.
#[derive(Debug, InputObject)]
pub struct CreateVenueInput {
    /// Its name, at most 120 characters. No other venue has it in the same building.
    name: String,
    /// The building it is in.
    building: Option<String>,
    /// The campus that is on.
    campus: Option<String>,
    /// How many people it holds.
    capacity: Option<i32>,
    /// How people with disabilities get there and find their way in it.
    accessibility: Option<String>,
    /// The web address of a map.
    map_link: Option<String>,
}

impl From<CreateVenueInput> for VenueDraft {
    fn from(input: CreateVenueInput) -> Self {
        Self {
            name: input.name,
            building: input.building,
            campus: input.campus,
            capacity: input.capacity,
            accessibility: input.accessibility,
            map_link: input.map_link,
        }
    }
}

/// What changes about a venue. What is left out stays; null empties what may be empty.
#[derive(Debug, InputObject)]
pub struct UpdateVenueInput {
    /// The venue.
    venue_id: Id<VenueId>,
    /// The version that is being changed: `Venue.version` as it was read.
    version: i32,
    /// Its name.
    name: Option<String>,
    /// The building it is in.
    building: MaybeUndefined<String>,
    /// The campus that is on.
    campus: MaybeUndefined<String>,
    /// How many people it holds.
    capacity: MaybeUndefined<i32>,
    /// How people with disabilities get there and find their way in it.
    accessibility: MaybeUndefined<String>,
    /// The web address of a map.
    map_link: MaybeUndefined<String>,
    /// Whether another name is only a better spelling, of which nobody is told.
    #[graphql(default)]
    quietly: bool,
}

impl From<UpdateVenueInput> for VenueChanges {
    fn from(input: UpdateVenueInput) -> Self {
        Self {
            name: input.name,
            building: input.building.into(),
            campus: input.campus.into(),
            capacity: input.capacity.into(),
            accessibility: input.accessibility.into(),
            map_link: input.map_link.into(),
        }
    }
}

/// A venue to be taken out of use, or back into it.
#[derive(Debug, InputObject)]
pub struct ArchiveVenueInput {
    /// The venue.
    venue_id: Id<VenueId>,
    /// False takes it back into use.
    #[graphql(default = true)]
    archived: bool,
}

/// What means one and the same venue.
#[derive(Debug, InputObject)]
pub struct MergeVenuesInput {
    /// The venue that remains.
    venue_id: Id<VenueId>,
    /// The venues that are the same, at most 50.
    other_ids: Option<Vec<Id<VenueId>>>,
    /// What organisers wrote for it, at most 50 texts as they stand in `Event.venue`.
    spellings: Option<Vec<String>>,
}

payload! {
    /// What became of a new venue.
    CreateVenuePayload {
        /// The venue.
        venue: Venue,
    }
}

payload! {
    /// What became of changing a venue.
    UpdateVenuePayload {
        /// The venue.
        venue: Venue,
    }
}

payload! {
    /// What became of taking a venue out of use.
    ArchiveVenuePayload {
        /// The venue.
        venue: Venue,
    }
}

payload! {
    /// What became of making one venue of several.
    MergeVenuesPayload {
        /// How many events ahead take place at it now that named another, or none on the list.
        events: u64,
    }
}

#[Object]
impl VenueQuery {
    /// The venues, by name.
    async fn venues(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those that meet all of this.")] filter: Option<VenueFilter>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Venue>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, filter.unwrap_or_default().into(), &page).await)
    }
}

async fn list(ctx: &Context<'_>, filter: Filter, page: &PageArgs) -> Result<Connection<Venue>> {
    let store = store(ctx)?;
    let counted = (store.clone(), filter.clone());
    connect(
        ctx,
        "venues",
        page,
        async |page| venues::list(store.reader(), &filter, &page).await,
        |row: &Model| (row.name_key.clone(), row.id),
        Venue,
        move || {
            let (store, filter) = counted.clone();
            async move { venues::count(store.reader(), &filter).await }
        },
    )
    .await
}

#[Object]
impl VenueMutation {
    /// Adds a venue to the list that events name. For whoever organises events.
    async fn create_venue(
        &self,
        ctx: &Context<'_>,
        input: CreateVenueInput,
    ) -> Result<CreateVenuePayload> {
        let mut tx = begin(ctx).await?;
        let created = venues::create(&mut tx, viewer(ctx)?, input.into()).await;
        CreateVenuePayload::commit(tx, created).await
    }

    /// Changes a venue. When it is called otherwise, so are events ahead that take place there, and whoever means to come is
    /// told. For operators of the whole campus.
    async fn update_venue(
        &self,
        ctx: &Context<'_>,
        input: UpdateVenueInput,
    ) -> Result<UpdateVenuePayload> {
        let mut tx = begin(ctx).await?;
        let (id, version, quietly) = (input.venue_id.0, input.version, input.quietly);
        let viewer = viewer(ctx)?;
        let changes = input.into();
        let updated = Box::pin(venues::update(
            &mut tx, viewer, id, version, changes, quietly,
        ))
        .await;
        UpdateVenuePayload::commit(tx, updated).await
    }

    /// Takes a venue out of use, or back into it. Events that take place there stay. For operators of the whole campus.
    async fn archive_venue(
        &self,
        ctx: &Context<'_>,
        input: ArchiveVenueInput,
    ) -> Result<ArchiveVenuePayload> {
        let mut tx = begin(ctx).await?;
        let (id, archived) = (input.venue_id.0, input.archived);
        let archived = venues::archive(&mut tx, viewer(ctx)?, id, archived).await;
        ArchiveVenuePayload::commit(tx, archived).await
    }

    /// Makes one venue of several, and of what organisers wrote for it: events ahead take place at the one that remains, and the
    /// others are out of use. Nobody is told, since the place is the same. For operators of the whole campus.
    async fn merge_venues(
        &self,
        ctx: &Context<'_>,
        input: MergeVenuesInput,
    ) -> Result<MergeVenuesPayload> {
        let mut tx = begin(ctx).await?;
        let others: Vec<VenueId> = input
            .other_ids
            .unwrap_or_default()
            .iter()
            .map(|id| id.0)
            .collect();
        let spellings = input.spellings.unwrap_or_default();
        let viewer = viewer(ctx)?;
        let merged = Box::pin(venues::merge(
            &mut tx,
            viewer,
            input.venue_id.0,
            &others,
            &spellings,
        ))
        .await;
        MergeVenuesPayload::commit(tx, merged).await
    }
}

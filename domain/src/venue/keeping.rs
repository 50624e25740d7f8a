//! Adding venues, changing them, taking them out of use, and making one of two.
//!
//! Whoever organises events adds the room they need. What others' events name is changed by operators for the whole campus.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    access_grant::Permission,
    event::{self, EventState},
    ids::{EventId, VenueId},
    venue::{self, Model},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use url::Url;

use super::{key, label, labelled};
use crate::{
    change::{self, Change},
    error::{Error, RefusalCode, Refusals, Result},
    event::place_at,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

const UPDATE: &str = "venue.update";
const LARGEST_CAPACITY: i32 = 100_000;
/// How many venues, and how many spellings, are made one at once.
const MOST_MERGED: usize = 50;

/// What is said about a venue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueDraft {
    /// Its name.
    pub name: String,
    /// The building it is in.
    pub building: Option<String>,
    /// The campus that is on.
    pub campus: Option<String>,
    /// How many people it holds.
    pub capacity: Option<i32>,
    /// How people with disabilities get there and find their way in it.
    pub accessibility: Option<String>,
    /// The web address of a map.
    pub map_link: Option<String>,
}

/// What changes about a venue; `None` leaves it as it is, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
#[expect(
    missing_docs,
    reason = "each is the field of `VenueDraft` with its name"
)]
pub struct VenueChanges {
    pub name: Option<String>,
    pub building: Option<Option<String>>,
    pub campus: Option<Option<String>>,
    pub capacity: Option<Option<i32>>,
    pub accessibility: Option<Option<String>>,
    pub map_link: Option<Option<String>>,
}

impl VenueDraft {
    fn of(row: &Model) -> Self {
        Self {
            name: row.name.clone(),
            building: row.building.clone(),
            campus: row.campus.clone(),
            capacity: row.capacity,
            accessibility: row.accessibility.clone(),
            map_link: row.map_link.clone(),
        }
    }

    fn with(self, changes: VenueChanges) -> Self {
        Self {
            name: changes.name.unwrap_or(self.name),
            building: changes.building.unwrap_or(self.building),
            campus: changes.campus.unwrap_or(self.campus),
            capacity: changes.capacity.unwrap_or(self.capacity),
            accessibility: changes.accessibility.unwrap_or(self.accessibility),
            map_link: changes.map_link.unwrap_or(self.map_link),
        }
    }

    /// The same as it is kept, with its key; or everything that is wrong with it. `id` is the venue that it is said of.
    async fn checked(self, tx: &Tx, id: Option<VenueId>) -> Result<(Self, String)> {
        let mut refusals = Refusals::default();
        let draft = Self {
            name: Text::line("name", 120).required(&self.name, &mut refusals),
            building: Text::line("building", 120).optional(self.building.as_deref(), &mut refusals),
            campus: Text::line("campus", 50).optional(self.campus.as_deref(), &mut refusals),
            capacity: self.capacity,
            accessibility: Text::block("accessibility", 2_000)
                .optional(self.accessibility.as_deref(), &mut refusals),
            map_link: Text::line("mapLink", 2_000)
                .optional(self.map_link.as_deref(), &mut refusals),
        };
        refusals.add_if(
            draft
                .capacity
                .is_some_and(|people| !(1..=LARGEST_CAPACITY).contains(&people)),
            RefusalCode::Invalid,
            "capacity",
            "Say how many people it holds, from 1 to 100,000, or leave it out.",
        );
        let is_link = |text: &str| {
            Url::parse(text).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
        };
        refusals.add_if(
            !draft.map_link.as_deref().is_none_or(is_link),
            RefusalCode::Invalid,
            "mapLink",
            "Give a whole web address, such as https://maps.example.org/great-hall.",
        );
        let name_key = key(&labelled(
            &draft.name,
            draft.building.as_deref(),
            draft.campus.as_deref(),
        ));
        refusals.add_if(
            key(&draft.name).is_empty() && !draft.name.is_empty(),
            RefusalCode::Invalid,
            "name",
            "A name has letters or digits.",
        );
        // Two who give a venue the same name at once don't see each other's.
        tx.hold(&format!("venue_name/{name_key}")).await?;
        let same = venue::Entity::find()
            .filter(venue::Column::NameKey.eq(name_key.as_str()))
            .one(tx.conn())
            .await?
            .filter(|same| Some(same.id) != id);
        if let Some(same) = same {
            let archived = same.archived_at.map_or("", |_| ", which is out of use");
            refusals.add(
                RefusalCode::Taken,
                "name",
                format!("There is {:?}{archived}.", label(&same)),
            );
        }
        refusals.into_result()?;
        Ok((draft, name_key))
    }

    fn fill(self, name_key: String, row: &mut venue::ActiveModel) {
        row.name = Set(self.name);
        row.building = Set(self.building);
        row.campus = Set(self.campus);
        row.name_key = Set(name_key);
        row.capacity = Set(self.capacity);
        row.accessibility = Set(self.accessibility);
        row.map_link = Set(self.map_link);
    }
}

/// Adds a venue to the list.
pub async fn create(tx: &mut Tx, viewer: &Viewer, draft: VenueDraft) -> Result<Model> {
    viewer.require(Permission::ManageEvent)?;
    let (draft, name_key) = draft.checked(tx, None).await?;
    let mut row = venue::ActiveModel {
        id: Set(VenueId::new_at(tx.now())),
        archived_at: Set(None),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    draft.fill(name_key, &mut row);
    let row = row.insert(tx.conn()).await?;
    tx.audit(viewer, "venue.create", row.id, None, Some(summary(&row)))
        .await?;
    Ok(row)
}

/// Changes a venue. When it is called otherwise, events ahead that take place there are too, and whoever means to come to
/// one is told, unless `quietly` says that the name was only spelt wrongly.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VenueId,
    version: i32,
    changes: VenueChanges,
    quietly: bool,
) -> Result<Model> {
    let before = locked(tx, viewer, id, "venueId").await?;
    if before.version != version {
        return Err(change::stale(tx.conn(), UPDATE, id, version, before.version).await?);
    }
    let draft = VenueDraft::of(&before).with(changes);
    let (draft, name_key) = draft.checked(tx, Some(id)).await?;
    let mut row = before.clone().into_active_model();
    draft.fill(name_key, &mut row);
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let row = row.update(tx.conn()).await?;
    let (told_before, told_after) =
        Change::between(&summary(&before), &summary(&row))?.into_audit(row.version);
    tx.audit(viewer, UPDATE, id, told_before, told_after)
        .await?;
    if label(&row) != label(&before) {
        let there = Condition::all().add(event::Column::VenueId.eq(id));
        place_all_at(tx, viewer, there, &row, !quietly).await?;
    }
    Ok(row)
}

/// Takes a venue out of use, or back into it. Events that take place there stay; no other can name it.
pub async fn archive(tx: &mut Tx, viewer: &Viewer, id: VenueId, archived: bool) -> Result<Model> {
    let before = locked(tx, viewer, id, "venueId").await?;
    if before.archived_at.is_some() == archived {
        return Ok(before);
    }
    let mut row = before.clone().into_active_model();
    row.archived_at = Set(archived.then(|| tx.now()));
    row.version = Set(before.version + 1);
    row.updated_at = Set(tx.now());
    let row = row.update(tx.conn()).await?;
    let (told_before, told_after) =
        Change::between(&summary(&before), &summary(&row))?.into_audit(row.version);
    tx.audit(viewer, "venue.archive", id, told_before, told_after)
        .await?;
    Ok(row)
}

/// Makes one venue of several spellings of it: events at `others`, and those ahead whose organisers wrote one of
/// `spellings`, take place at `id`, and the others are out of use. Nobody is told: the place is the same. Gives how many events ahead
/// were changed.
pub async fn merge(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VenueId,
    others: &[VenueId],
    spellings: &[String],
) -> Result<u64> {
    viewer.require_for(Permission::ManageEvent, None)?;
    let mut refusals = Refusals::default();
    refusals.add_if(
        others.is_empty() && spellings.is_empty(),
        RefusalCode::Required,
        "otherIds",
        "Name the venues or the spellings that mean it.",
    );
    for (number, field) in [(others.len(), "otherIds"), (spellings.len(), "spellings")] {
        refusals.add_if(
            number > MOST_MERGED,
            RefusalCode::TooLong,
            field,
            "Give at most 50 at once.",
        );
    }
    refusals.add_if(
        others.contains(&id),
        RefusalCode::Invalid,
        "otherIds",
        "A venue is not another than itself.",
    );
    refusals.into_result()?;
    let distinct: BTreeSet<VenueId> = others.iter().copied().collect();
    // In the order of their ids: two who merge the same venues crosswise don't wait for each other.
    let mut found = BTreeMap::new();
    for each in distinct
        .iter()
        .copied()
        .chain([id])
        .collect::<BTreeSet<_>>()
    {
        let field = if each == id { "venueId" } else { "otherIds" };
        found.insert(each, locked(tx, viewer, each, field).await?);
    }
    let into = found
        .remove(&id)
        .filter(|venue| venue.archived_at.is_none())
        .ok_or_else(|| {
            Error::refused(
                RefusalCode::WrongState,
                "venueId",
                "The venue is out of use.",
            )
        })?;
    for other in &distinct {
        archive(tx, viewer, *other, true).await?;
    }
    let meant = Condition::any()
        .add(event::Column::VenueId.is_in(distinct.iter().copied()))
        .add(
            Condition::all()
                .add(event::Column::VenueId.is_null())
                .add(event::Column::Venue.is_in(spellings.iter().map(|text| text.trim()))),
        );
    let changed = place_all_at(tx, viewer, meant, &into, false).await?;
    let what = json!({ "otherIds": distinct, "spellings": spellings, "events": changed });
    tx.audit(viewer, "venue.merge", id, None, Some(what))
        .await?;
    Ok(changed)
}

/// The venue, for an operator of the whole campus: what it is called stands in the events of all faculties.
async fn locked(tx: &Tx, viewer: &Viewer, id: VenueId, field: &'static str) -> Result<Model> {
    viewer.require_for(Permission::ManageEvent, None)?;
    venue::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found(field, "venue"))
}

/// Has the events that meet `condition` and are not over or cancelled take place at a venue, in the order in which everybody
/// locks them. Answers how many there were.
async fn place_all_at(
    tx: &mut Tx,
    viewer: &Viewer,
    condition: Condition,
    venue: &Model,
    told: bool,
) -> Result<u64> {
    let ahead = Condition::all()
        .add(condition)
        .add(event::Column::State.is_in([EventState::Draft, EventState::Published]))
        .add(event::Column::EndsAt.gt(tx.now()));
    let there: Vec<EventId> = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(ahead.clone())
        .order_by_asc(event::Column::Id)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut changed = 0;
    for event in there {
        let placed = Box::pin(place_at(tx, viewer, event, ahead.clone(), venue, told)).await?;
        changed += u64::from(placed);
    }
    Ok(changed)
}

/// What the audit log keeps of a venue.
fn summary(row: &Model) -> Value {
    json!({
        "name": row.name,
        "building": row.building,
        "campus": row.campus,
        "capacity": row.capacity,
        "accessibility": row.accessibility,
        "mapLink": row.map_link,
        "archivedAt": row.archived_at,
    })
}

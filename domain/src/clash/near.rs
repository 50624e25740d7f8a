//! The events near a moment, with what is compared of them. However many they are, they take the same few statements.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    event::{self, EventKind, EventState},
    event_opportunity, event_organisation, faculty,
    ids::{EventId, FacultyId, OrganisationId, ProgrammeId, TagId, UserId, VenueId},
    organisation, organisation_tag,
    programme::{self, StudyLevel},
    school, venue,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    RelationDef,
};

use super::score::{Group, NEAR_DAYS, Profile, Room, TakingPart};
use crate::{
    error::{Error, Result},
    event::{AudienceGroup, EventDraft},
};

/// How long before a moment an event may have begun and still be compared with what happens then. Whatever goes on for
/// longer, such as an exhibition, competes with nothing at its hour. The bound is what lets the index answer.
const LONGEST_DAYS: i64 = 14;

/// An event, as far as clashes go.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub id: EventId,
    pub title: String,
    pub state: EventState,
    pub organiser_id: UserId,
    pub faculty_id: Option<FacultyId>,
    /// The name of that faculty.
    pub faculty: Option<String>,
    pub profile: Profile,
}

/// What an event is, before what belongs to it was fetched.
struct Sketch {
    kind: EventKind,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    venue_id: Option<VenueId>,
    venue: Option<String>,
    organisations: Vec<OrganisationId>,
    audience: Vec<AudienceGroup>,
    opportunities: Vec<event_opportunity::OpportunityKind>,
}

/// From when to when an event must take place to be near one that takes place from `from` to `until`: whole days more than
/// are compared, so that no difference between the clocks of summer and winter matters.
pub(super) fn around(from: DateTime<Utc>, until: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let margin = TimeDelta::days(NEAR_DAYS + 1);
    let until = until.min(from + TimeDelta::days(LONGEST_DAYS));
    (from - margin, until + margin)
}

/// The events of these states that take place in between, by their start.
pub(super) async fn between(
    db: &impl ConnectionTrait,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    states: &[EventState],
) -> Result<Vec<Candidate>> {
    type Row = (
        EventId,
        String,
        EventKind,
        EventState,
        UserId,
        Option<FacultyId>,
        DateTime<Utc>,
        DateTime<Utc>,
        Option<VenueId>,
        Option<String>,
    );
    let rows: Vec<Row> = event::Entity::find()
        .select_only()
        .columns([
            event::Column::Id,
            event::Column::Title,
            event::Column::Kind,
            event::Column::State,
            event::Column::OrganiserId,
            event::Column::FacultyId,
            event::Column::StartsAt,
            event::Column::EndsAt,
            event::Column::VenueId,
            event::Column::Venue,
        ])
        .filter(event::Column::State.is_in(states.iter().copied()))
        .filter(event::Column::StartsAt.gt(from - TimeDelta::days(LONGEST_DAYS)))
        .filter(event::Column::StartsAt.lt(until))
        .filter(event::Column::EndsAt.gt(from))
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(event::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let ids: Vec<EventId> = rows.iter().map(|row| row.0).collect();
    let mut organisations = organisations_at(db, &ids).await?;
    let mut audiences = audiences_of(db, &ids).await?;
    let mut offered = offered_at(db, &ids).await?;
    let sketches = rows
        .iter()
        .map(
            |(id, _, kind, _, _, _, starts_at, ends_at, venue_id, venue)| Sketch {
                kind: *kind,
                starts_at: *starts_at,
                ends_at: *ends_at,
                venue_id: *venue_id,
                venue: venue.clone(),
                organisations: organisations.remove(id).unwrap_or_default(),
                audience: audiences.remove(id).unwrap_or_default(),
                opportunities: offered.remove(id).unwrap_or_default(),
            },
        )
        .collect();
    let (profiles, faculties) = profiles(db, sketches).await?;
    Ok(rows
        .into_iter()
        .zip(profiles)
        .map(
            |((id, title, _, state, organiser_id, faculty_id, ..), profile)| Candidate {
                id,
                title,
                state,
                organiser_id,
                faculty_id,
                faculty: faculty_id.and_then(|id| faculties.get(&id).cloned()),
                profile,
            },
        )
        .collect())
}

/// What is compared of an event that is only being thought of.
pub(super) async fn of_draft(db: &impl ConnectionTrait, draft: &EventDraft) -> Result<Profile> {
    let sketch = Sketch {
        kind: draft.kind,
        starts_at: draft.starts_at,
        ends_at: draft.ends_at,
        venue_id: draft.venue_id,
        venue: draft.venue.clone(),
        organisations: draft.organisation_ids.clone(),
        audience: draft.audience.clone(),
        opportunities: draft.opportunity_kinds.clone(),
    };
    let (mut made, _) = profiles(db, vec![sketch]).await?;
    made.pop()
        .ok_or_else(|| Error::Fault("a draft has no profile".to_owned()))
}

async fn profiles(
    db: &impl ConnectionTrait,
    sketches: Vec<Sketch>,
) -> Result<(Vec<Profile>, HashMap<FacultyId, String>)> {
    let taking_part = taking_part(db, &sketches).await?;
    let programmes = programmes_of(db, &sketches).await?;
    let venues = venues_of(db, &sketches).await?;
    let faculties: HashMap<FacultyId, String> = faculty::Entity::find()
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    let named = |id: FacultyId| (id, faculties.get(&id).cloned().unwrap_or_default());
    let group = |group: &AudienceGroup| {
        let programme = group.programme_id.and_then(|id| programmes.get(&id));
        Group {
            faculty: group
                .faculty_id
                .or(programme.map(|known| known.faculty_id))
                .map(named),
            programme: group.programme_id.map(|id| {
                (
                    id,
                    programme.map_or_else(String::new, |known| known.name.clone()),
                )
            }),
            level: group.level.or(programme.map(|known| known.level)),
        }
    };
    let made = sketches
        .iter()
        .map(|sketch| Profile {
            kind: sketch.kind,
            starts_at: sketch.starts_at,
            ends_at: sketch.ends_at,
            opportunities: sketch.opportunities.clone(),
            organisations: sketch
                .organisations
                .iter()
                .filter_map(|id| taking_part.get(id).cloned())
                .collect(),
            venue: room(sketch, &venues),
            audience: sketch.audience.iter().map(group).collect(),
        })
        .collect();
    Ok((made, faculties))
}

async fn venues_of(
    db: &impl ConnectionTrait,
    sketches: &[Sketch],
) -> Result<HashMap<VenueId, venue::Model>> {
    let ids = distinct(
        sketches
            .iter()
            .filter_map(|sketch| sketch.venue_id.as_ref()),
    );
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = crate::venue::find_all(db, &ids).await?;
    Ok(found.into_iter().map(|venue| (venue.id, venue)).collect())
}

/// Where an event takes place. A draft that names a venue has no words of it yet.
fn room(sketch: &Sketch, venues: &HashMap<VenueId, venue::Model>) -> Option<Room> {
    let known = sketch.venue_id.and_then(|id| venues.get(&id));
    let words = known
        .map(crate::venue::label)
        .or_else(|| sketch.venue.clone())?;
    Some(Room {
        known: known.map(|venue| (venue.id, venue.name.clone())),
        words,
    })
}

async fn organisations_at(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<HashMap<EventId, Vec<OrganisationId>>> {
    let rows = event_organisation::Entity::find()
        .filter(event_organisation::Column::EventId.is_in(ids.iter().copied()))
        .order_by_asc(event_organisation::Column::OrganisationId)
        .all(db)
        .await?;
    Ok(gathered(
        rows.into_iter()
            .map(|row| (row.event_id, row.organisation_id)),
    ))
}

async fn audiences_of(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<HashMap<EventId, Vec<AudienceGroup>>> {
    Ok(gathered(crate::event::audiences(db, ids).await?))
}

async fn offered_at(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<HashMap<EventId, Vec<event_opportunity::OpportunityKind>>> {
    Ok(gathered(crate::event::opportunities(db, ids).await?))
}

async fn taking_part(
    db: &impl ConnectionTrait,
    sketches: &[Sketch],
) -> Result<HashMap<OrganisationId, TakingPart>> {
    type Row = (
        OrganisationId,
        String,
        Option<OrganisationId>,
        Option<String>,
    );
    let ids = distinct(sketches.iter().flat_map(|sketch| &sketch.organisations));
    let rows: Vec<Row> = organisation::Entity::find()
        .select_only()
        .columns([
            organisation::Column::Id,
            organisation::Column::Name,
            organisation::Column::ParentId,
            organisation::Column::Sector,
        ])
        .filter(organisation::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?;
    let tagged: Vec<(OrganisationId, TagId)> = organisation_tag::Entity::find()
        .select_only()
        .columns([
            organisation_tag::Column::OrganisationId,
            organisation_tag::Column::TagId,
        ])
        .filter(organisation_tag::Column::OrganisationId.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let mut tags = gathered(tagged);
    Ok(rows
        .into_iter()
        .map(|(id, name, parent_id, sector)| {
            let organisation = TakingPart {
                id,
                name,
                parent_id,
                sector,
                tags: tags.remove(&id).unwrap_or_default(),
            };
            (id, organisation)
        })
        .collect())
}

/// What follows from being on a programme.
struct Known {
    name: String,
    level: StudyLevel,
    faculty_id: FacultyId,
}

async fn programmes_of(
    db: &impl ConnectionTrait,
    sketches: &[Sketch],
) -> Result<HashMap<ProgrammeId, Known>> {
    type Row = (ProgrammeId, String, StudyLevel, FacultyId);
    let groups = sketches.iter().flat_map(|sketch| &sketch.audience);
    let ids = distinct(groups.filter_map(|group| group.programme_id.as_ref()));
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = programme::Entity::find()
        .select_only()
        .columns([
            programme::Column::Id,
            programme::Column::Name,
            programme::Column::Level,
        ])
        .column(school::Column::FacultyId)
        .join(JoinType::InnerJoin, to_school())
        .filter(programme::Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, name, level, faculty_id)| {
            let known = Known {
                name,
                level,
                faculty_id,
            };
            (id, known)
        })
        .collect())
}

fn to_school() -> RelationDef {
    programme::Entity::belongs_to(school::Entity)
        .from(programme::Column::SchoolId)
        .to(school::Column::Id)
        .into()
}

fn gathered<K: Eq + std::hash::Hash, V>(
    rows: impl IntoIterator<Item = (K, V)>,
) -> HashMap<K, Vec<V>> {
    let mut all: HashMap<K, Vec<V>> = HashMap::new();
    for (key, value) in rows {
        all.entry(key).or_default().push(value);
    }
    all
}

fn distinct<'a, T: Copy + Ord + 'a>(items: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut items: Vec<T> = items.copied().collect();
    items.sort_unstable();
    items.dedup();
    items
}

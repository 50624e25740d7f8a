//! Venues: the rooms and halls in which events take place (policy 2.4).
//!
//! An event names one of them, or its organiser writes where it is: not every place is ours. An event keeps what its venue is
//! called, as people were told; when a venue that events ahead take place at is called otherwise, they are changed with it.

mod keeping;

use entity::{
    event,
    ids::VenueId,
    venue::{self, Model},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    sea_query::Expr,
};

pub use self::keeping::{VenueChanges, VenueDraft, archive, create, merge, update};

use crate::{
    error::Result,
    page::{Page, Slice},
    text::{part, sought},
};

/// What a list of venues is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the name, the building or the campus.
    pub search: Option<String>,
    /// So many people at least fit in.
    pub holds: Option<i32>,
    /// Whether those that are out of use are listed too.
    pub archived: bool,
}

impl Filter {
    fn condition(&self) -> Condition {
        let mut all = Condition::all();
        if let Some(search) = &self.search {
            all = all.add(venue::Column::NameKey.like(part(&key(&sought(search)))));
        }
        if let Some(people) = self.holds {
            all = all.add(venue::Column::Capacity.gte(people));
        }
        if !self.archived {
            all = all.add(venue::Column::ArchivedAt.is_null());
        }
        all
    }
}

/// One page of the venues that meet the filter, by name. Rooms are no secret: they exist for everybody.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &Filter,
    page: &Page<(String, VenueId)>,
) -> Result<Slice<Model>> {
    let columns = [
        Expr::col((venue::Entity, venue::Column::NameKey)),
        Expr::col((venue::Entity, venue::Column::Id)),
    ];
    let query = venue::Entity::find().filter(filter.condition());
    page.read(db, query, columns, Order::Asc).await
}

/// How many venues meet the filter.
pub async fn count(db: &impl ConnectionTrait, filter: &Filter) -> Result<u64> {
    Ok(venue::Entity::find()
        .filter(filter.condition())
        .count(db)
        .await?)
}

/// Those of these venues that there are.
pub async fn find_all(db: &impl ConnectionTrait, ids: &[VenueId]) -> Result<Vec<Model>> {
    Ok(venue::Entity::find()
        .filter(venue::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// How people read where a venue is: `Great Hall, Parkinson Building, City Campus`.
#[must_use]
pub fn label(venue: &Model) -> String {
    labelled(
        &venue.name,
        venue.building.as_deref(),
        venue.campus.as_deref(),
    )
}

fn labelled(name: &str, building: Option<&str>, campus: Option<&str>) -> String {
    [Some(name), building, campus]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// What an organiser should know of the venue of an event, in sentences: that it is too small, or out of use.
#[must_use]
pub fn warnings(venue: &Model, event: &event::Model) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(holds) = venue.capacity.filter(|holds| *holds < event.capacity) {
        warnings.push(format!(
            "{} holds {holds} people, and the event has {} places.",
            venue.name, event.capacity
        ));
    }
    if venue.archived_at.is_some() {
        warnings.push(format!("{} is out of use.", venue.name));
    }
    warnings
}

/// The words of a place as they are compared: `Great Hall` is `great hall` and `The Great Hall.`.
#[must_use]
pub fn key(place: &str) -> String {
    let lower = place.to_lowercase();
    let words = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .skip_while(|word| *word == "the")
        .collect::<Vec<_>>()
        .join(" ")
}

//! Finding organisations by name, tags, sector and state (policy 2.2).

use chrono::NaiveDate;
use entity::{
    ids::{FacultyId, OrganisationId, SegmentId, TagId},
    list::SoughtField,
    organisation::{self, OrganisationState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, Order, PaginatorTrait, QueryFilter,
};
use serde::{Deserialize, Serialize};

use super::{engagement, visible};
use crate::{
    error::Result,
    first_of_each::first_of_each,
    page::{Page, Slice},
    profile_field,
    search::{Kind, matching},
    tag,
    text::sought,
    viewer::Viewer,
};

/// What a list of organisations is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// What the words in its name or in a name it trades under begin with, all of it.
    pub search: Option<String>,
    /// Tags that are all on it.
    pub all_of_tags: Vec<TagId>,
    /// Tags of which at least one is on it.
    pub any_of_tags: Vec<TagId>,
    /// Tags of which none is on it.
    pub none_of_tags: Vec<TagId>,
    /// Its sector.
    pub sector: Option<String>,
    /// Where it stands in approval.
    pub state: Option<OrganisationState>,
    /// The faculty that has worked with it: its staff wrote a note, or it came to an event of theirs.
    pub engaged_by: Option<FacultyId>,
    /// Nobody has contacted it on this day, in the university's time, or later.
    pub last_contacted_before: Option<NaiveDate>,
    /// What fields are that administrators defined. Those that are not open to whoever asks are refused by
    /// [`crate::segment::resolve`].
    #[serde(default)]
    pub profile_fields: Vec<SoughtField>,
    /// It is in this segment, which [`crate::segment::resolve`] looks up. Until then the filter finds nothing.
    pub segment_id: Option<SegmentId>,
    /// What the segment asks.
    #[serde(skip)]
    pub within: Option<Box<Self>>,
}

impl Filter {
    /// Whether it asks for something that not nearly every organisation has.
    #[must_use]
    pub fn asks_something(&self) -> bool {
        self.search.is_some()
            || !self.all_of_tags.is_empty()
            || !self.any_of_tags.is_empty()
            || self.sector.is_some()
            || self.engaged_by.is_some()
            || self.last_contacted_before.is_some()
            || !self.profile_fields.is_empty()
    }

    /// The filter as a condition on `organisation`.
    #[must_use]
    pub fn condition(&self, backend: DbBackend) -> Condition {
        let mut all = Condition::all().add(tag::having(
            &self.all_of_tags,
            &self.any_of_tags,
            &self.none_of_tags,
        ));
        if let Some(search) = &self.search {
            all = all.add(matching(backend, Kind::Organisation, search));
        }
        if let Some(sector) = &self.sector {
            all = all.add(organisation::Column::Sector.eq(sought(sector)));
        }
        if let Some(state) = self.state {
            all = all.add(organisation::Column::State.eq(state));
        }
        if let Some(faculty) = self.engaged_by {
            all = all.add(engagement::engaged_by(faculty));
        }
        if let Some(day) = self.last_contacted_before {
            all = all.add(engagement::not_contacted_since(day));
        }
        for sought in &self.profile_fields {
            all = all.add(profile_field::having(sought));
        }
        if self.segment_id.is_some() {
            all = all.add(super::nothing());
        }
        if let Some(segment) = &self.within {
            all = all.add(segment.condition(backend));
        }
        all
    }
}

/// What a list of organisations is ordered by.
pub type Key = (String, OrganisationId);

/// The key of a row.
#[must_use]
pub fn key(organisation: &organisation::Model) -> Key {
    (organisation.name.clone(), organisation.id)
}

/// One page of the organisations that exist for `viewer` and meet the filter, by name.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<Key>,
) -> Result<Slice<organisation::Model>> {
    let columns = [
        organisation::Column::Name.into_expr(),
        organisation::Column::Id.into_expr(),
    ];
    let query = visible(viewer).filter(filter.condition(db.get_database_backend()));
    page.read(db, query, columns, Order::Asc).await
}

/// How many organisations exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(visible(viewer)
        .filter(filter.condition(db.get_database_backend()))
        .count(db)
        .await?)
}

/// The first `limit` divisions, by name, that exist for `viewer` of each of these head offices.
pub async fn divisions_of(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<Vec<organisation::Model>> {
    first_of_each(
        db,
        visible(viewer).filter(organisation::Column::ParentId.is_in(ids.iter().copied())),
        organisation::Column::ParentId,
        [
            (organisation::Column::Name.into_expr(), Order::Asc),
            (organisation::Column::Id.into_expr(), Order::Asc),
        ],
        limit,
    )
    .await
}

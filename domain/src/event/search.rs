//! Finding events: lists, the calendar, and one by its id (policy 2.4).

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    event::{self, EventKind, EventState},
    event_audience,
    event_opportunity::{self, OpportunityKind},
    event_organisation,
    ids::{EventId, FacultyId, OrganisationId},
    organisation, programme, school,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, Order, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, RelationDef, Select, sea_query::Expr,
};

use super::{AudienceGroup, concerning::for_viewer, days, visible_to};
use crate::{
    error::Result,
    organisation::visible_to as organisations_visible_to,
    page::{Page, Slice},
    viewer::Viewer,
};

/// What a list of events is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Events that end after this moment.
    pub from: Option<DateTime<Utc>>,
    /// Events that start before this moment.
    pub until: Option<DateTime<Utc>>,
    /// What kind of event it is.
    pub kind: Option<EventKind>,
    /// The faculty that organises it.
    pub faculty_id: Option<FacultyId>,
    /// Where it stands.
    pub state: Option<EventState>,
    /// Whether drafts are left out.
    pub without_drafts: bool,
    /// An organisation that takes part.
    pub organisation_id: Option<OrganisationId>,
    /// A faculty some of whose students it is for; what is for every student is among them.
    pub for_faculty_id: Option<FacultyId>,
    /// Whether it is only what concerns the viewer, or was booked by them.
    pub concerning_viewer: bool,
}

impl EventFilter {
    /// What takes place on these days, as days go at the university.
    pub fn calendar(from: NaiveDate, to: NaiveDate) -> Result<Self> {
        let (from, until) = days(from, to)?;
        Ok(Self {
            from: Some(from),
            until: Some(until),
            without_drafts: true,
            ..Self::default()
        })
    }

    /// The filter as a condition on `event`. An organisation that doesn't exist for `viewer` takes part in nothing.
    #[must_use]
    pub fn condition(&self, viewer: &Viewer) -> Condition {
        Condition::all()
            .add_option(self.from.map(|from| event::Column::EndsAt.gt(from)))
            .add_option(self.until.map(|until| event::Column::StartsAt.lt(until)))
            .add_option(self.kind.map(|kind| event::Column::Kind.eq(kind)))
            .add_option(self.faculty_id.map(|id| event::Column::FacultyId.eq(id)))
            .add_option(self.state.map(|state| event::Column::State.eq(state)))
            .add_option(
                self.without_drafts
                    .then(|| event::Column::State.ne(EventState::Draft)),
            )
            .add_option(self.organisation_id.map(|id| with_organisation(viewer, id)))
            .add_option(self.for_faculty_id.map(for_students_of))
            .add_option(self.concerning_viewer.then(|| for_viewer(viewer)))
    }
}

fn with_organisation(viewer: &Viewer, id: OrganisationId) -> Expr {
    let taking_part = event_organisation::Entity::find()
        .select_only()
        .column(event_organisation::Column::EventId)
        .join(JoinType::InnerJoin, to_organisation())
        .filter(event_organisation::Column::OrganisationId.eq(id))
        .filter(organisations_visible_to(viewer));
    event::Column::Id.in_subquery(taking_part.into_query())
}

/// Events with a group that students of the faculty can be in, or with no group at all.
fn for_students_of(id: FacultyId) -> Condition {
    let limited = event_audience::Entity::find()
        .select_only()
        .column(event_audience::Column::EventId);
    let its_programmes = programme::Entity::find()
        .select_only()
        .column(programme::Column::Id)
        .inner_join(school::Entity)
        .filter(school::Column::FacultyId.eq(id));
    let of_any = event_audience::Column::FacultyId.is_null();
    let open = limited.clone().filter(
        Condition::any()
            .add(event_audience::Column::FacultyId.eq(id))
            .add(
                Condition::all().add(of_any).add(
                    Condition::any()
                        .add(event_audience::Column::ProgrammeId.is_null())
                        .add(
                            event_audience::Column::ProgrammeId
                                .in_subquery(its_programmes.into_query()),
                        ),
                ),
            ),
    );
    Condition::any()
        .add(event::Column::Id.not_in_subquery(limited.into_query()))
        .add(event::Column::Id.in_subquery(open.into_query()))
}

/// What a list of events is ordered by: the start, then the id.
pub type Key = (DateTime<Utc>, EventId);

/// The key of a row.
#[must_use]
pub fn key(event: &event::Model) -> Key {
    (event.starts_at, event.id)
}

/// The events that exist for `viewer`, to be narrowed.
fn visible(viewer: &Viewer) -> Select<event::Entity> {
    event::Entity::find().filter(visible_to(viewer))
}

/// One page of the events that exist for `viewer` and meet the filter, by their start.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &EventFilter,
    page: &Page<Key>,
) -> Result<Slice<event::Model>> {
    let columns = [
        event::Column::StartsAt.into_expr(),
        event::Column::Id.into_expr(),
    ];
    let query = visible(viewer).filter(filter.condition(viewer));
    page.read(db, query, columns, Order::Asc).await
}

/// How many events exist for `viewer` and meet the filter.
pub async fn count(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &EventFilter,
) -> Result<u64> {
    Ok(visible(viewer)
        .filter(filter.condition(viewer))
        .count(db)
        .await?)
}

/// Those of the events that exist for `viewer`.
pub async fn find_all(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[EventId],
) -> Result<Vec<event::Model>> {
    Ok(visible(viewer)
        .filter(event::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// Whom each of the events is for; one that is for everybody is left out.
pub async fn audiences(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<Vec<(EventId, AudienceGroup)>> {
    Ok(event_audience::Entity::find()
        .filter(event_audience::Column::EventId.is_in(ids.iter().copied()))
        .order_by_asc(event_audience::Column::Id)
        .all(db)
        .await?
        .into_iter()
        .map(|row| {
            let group = AudienceGroup {
                faculty_id: row.faculty_id,
                programme_id: row.programme_id,
                level: row.level,
            };
            (row.event_id, group)
        })
        .collect())
}

/// What is offered at each of the events; where the organiser didn't say, the event is left out.
pub async fn opportunities(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<Vec<(EventId, OpportunityKind)>> {
    Ok(event_opportunity::Entity::find()
        .filter(event_opportunity::Column::EventId.is_in(ids.iter().copied()))
        .order_by_asc(event_opportunity::Column::Kind)
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.event_id, row.kind))
        .collect())
}

/// The organisations that take part in each of the events, by name, as far as they exist for `viewer`.
pub async fn organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[EventId],
) -> Result<Vec<(EventId, organisation::Model)>> {
    let found = event_organisation::Entity::find()
        .select_also(organisation::Entity)
        .join(JoinType::InnerJoin, to_organisation())
        .filter(event_organisation::Column::EventId.is_in(ids.iter().copied()))
        .filter(organisations_visible_to(viewer))
        .order_by_asc(organisation::Column::Name)
        .order_by_asc(organisation::Column::Id)
        .all(db)
        .await?;
    Ok(found
        .into_iter()
        .filter_map(|(takes_part, organisation)| Some((takes_part.event_id, organisation?)))
        .collect())
}

fn to_organisation() -> RelationDef {
    event_organisation::Entity::belongs_to(organisation::Entity)
        .from(event_organisation::Column::OrganisationId)
        .to(organisation::Column::Id)
        .into()
}

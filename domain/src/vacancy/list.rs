//! Which vacancies exist for whom, and lists of them.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    event_opportunity::OpportunityKind,
    ids::{OrganisationId, ProgrammeId, VacancyId},
    organisation::{self, OrganisationState},
    user::UserKind,
    vacancy::{self, VacancyHours, VacancyState},
    vacancy_programme,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order as Direction, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, Func, Query, SelectStatement},
};

use crate::{
    clock::university_day,
    error::Result,
    first_of_each::first_of_each,
    organisation::nothing,
    page::{Page, Slice},
    text::part,
    viewer::Viewer,
};

/// Which vacancies exist for `viewer`.
///
/// Staff share all that was submitted, and have the drafts that they write themselves. An employer has those of its own
/// organisation. Students and graduates have those that are open today, of organisations that are approved, and that suit
/// their programme. Anybody else has none.
#[must_use]
pub fn visible_to(viewer: &Viewer, now: DateTime<Utc>) -> Condition {
    if viewer.is_system() {
        return Condition::all();
    }
    let person = viewer.person();
    match viewer.kind() {
        Some(UserKind::Staff) => Condition::any()
            .add(vacancy::Column::State.ne(VacancyState::Draft))
            .add_option(person.map(|person| vacancy::Column::CreatedBy.eq(person.id))),
        Some(UserKind::Employer) => Condition::all().add(
            person
                .and_then(|person| person.organisation_id)
                .map_or_else(nothing, |own| vacancy::Column::OrganisationId.eq(own)),
        ),
        Some(UserKind::Student | UserKind::Graduate) => {
            let approved = organisation::Entity::find()
                .select_only()
                .column(organisation::Column::Id)
                .filter(organisation::Column::State.eq(OrganisationState::Approved));
            open_on(university_day(now))
                .add(vacancy::Column::OrganisationId.in_subquery(approved.into_query()))
                .add(suits(person.and_then(|person| person.programme_id)))
        }
        None => Condition::all().add(nothing()),
    }
}

fn open_on(today: NaiveDate) -> Condition {
    Condition::all()
        .add(vacancy::Column::State.eq(VacancyState::Approved))
        .add(vacancy::Column::PublishedFrom.lte(today))
        .add(vacancy::Column::ClosesOn.gte(today))
}

/// What waits for an operator. One whose day is past doesn't, whether or not a job has closed it yet.
fn awaits_review(today: NaiveDate) -> Condition {
    Condition::all()
        .add(vacancy::Column::State.eq(VacancyState::Submitted))
        .add(vacancy::Column::ClosesOn.gte(today))
}

/// Whether a vacancy suits a programme: it names it, or none. Whoever is on none has those that suit all.
fn suits(programme_id: Option<ProgrammeId>) -> Condition {
    Condition::any()
        .add(Expr::not_exists(named(None)))
        .add_option(programme_id.map(|id| Expr::exists(named(Some(id)))))
}

/// The programmes that a vacancy names, or this one among them.
fn named(programme_id: Option<ProgrammeId>) -> SelectStatement {
    let mut named = Query::select()
        .expr(Expr::val(1))
        .from(vacancy_programme::Entity)
        .and_where(
            Expr::col((
                vacancy_programme::Entity,
                vacancy_programme::Column::VacancyId,
            ))
            .equals((vacancy::Entity, vacancy::Column::Id)),
        )
        .to_owned();
    if let Some(id) = programme_id {
        named.and_where(vacancy_programme::Column::ProgrammeId.eq(id));
    }
    named
}

/// The vacancies that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer, now: DateTime<Utc>) -> Select<vacancy::Entity> {
    vacancy::Entity::find().filter(visible_to(viewer, now))
}

/// What a list of vacancies is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The latest written first.
    #[default]
    Newest,
    /// The earliest written first: the queue.
    Oldest,
    /// What closes next first.
    ClosingSoonest,
}

/// What a list of vacancies is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the title, the location or the name of the organisation.
    pub search: Option<String>,
    /// Whose they are.
    pub organisation_id: Option<OrganisationId>,
    /// One of these kinds.
    pub kinds: Option<Vec<OpportunityKind>>,
    /// How much work they are.
    pub hours: Option<VacancyHours>,
    /// The programme they suit.
    pub programme_id: Option<ProgrammeId>,
    /// Where they stand.
    pub state: Option<VacancyState>,
    /// Whether students find them today.
    pub is_open: Option<bool>,
    /// Whether they wait for an operator.
    pub awaits_review: Option<bool>,
}

impl Filter {
    fn condition(&self, viewer: &Viewer, now: DateTime<Utc>) -> Condition {
        let today = university_day(now);
        let mut all = Condition::all();
        if let Some(search) = &self.search {
            all = all.add(is_found(viewer, search));
        }
        if let Some(id) = self.organisation_id {
            all = all.add(vacancy::Column::OrganisationId.eq(id));
        }
        if let Some(kinds) = &self.kinds {
            all = all.add(vacancy::Column::Kind.is_in(kinds.iter().copied()));
        }
        if let Some(hours) = self.hours {
            all = all.add(vacancy::Column::Hours.eq(hours));
        }
        if let Some(id) = self.programme_id {
            all = all.add(suits(Some(id)));
        }
        if let Some(state) = self.state {
            all = all.add(vacancy::Column::State.eq(state));
        }
        if let Some(is_open) = self.is_open {
            let open = Expr::from(open_on(today));
            // A draft has no first day: what can't be said of it isn't so.
            let open = Expr::expr(Func::coalesce([open, Expr::val(false)]));
            all = all.add(if is_open { open } else { open.not() });
        }
        if let Some(waits) = self.awaits_review {
            let waiting = Expr::from(awaits_review(today));
            all = all.add(if waits { waiting } else { waiting.not() });
        }
        all
    }
}

fn is_found(viewer: &Viewer, search: &str) -> Condition {
    let pattern = part(&search.trim().to_lowercase());
    let has = |text: Expr| Expr::expr(Func::lower(text)).like(pattern.clone());
    let named = organisation::Entity::find()
        .select_only()
        .column(organisation::Column::Id)
        .filter(crate::organisation::visible_to(viewer))
        .filter(has(organisation::Column::Name.into_expr()));
    Condition::any()
        .add(has(vacancy::Column::Title.into_expr()))
        .add(has(vacancy::Column::Location.into_expr()))
        .add(vacancy::Column::OrganisationId.in_subquery(named.into_query()))
}

/// One page of the vacancies that exist for `viewer` and meet the filter, the latest written first, or the earliest.
pub async fn list_by_id(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &Filter,
    order: Order,
    page: &Page<VacancyId>,
) -> Result<Slice<vacancy::Model>> {
    let query = visible(viewer, now).filter(filter.condition(viewer, now));
    let direction = if order == Order::Oldest {
        Direction::Asc
    } else {
        Direction::Desc
    };
    page.read(db, query, [vacancy::Column::Id.into_expr()], direction)
        .await
}

/// The same, what closes next first.
pub async fn list_by_closing(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &Filter,
    page: &Page<(NaiveDate, VacancyId)>,
) -> Result<Slice<vacancy::Model>> {
    let query = visible(viewer, now).filter(filter.condition(viewer, now));
    let key = [
        vacancy::Column::ClosesOn.into_expr(),
        vacancy::Column::Id.into_expr(),
    ];
    page.read(db, query, key, Direction::Asc).await
}

/// How many vacancies exist for `viewer` and meet the filter.
pub async fn count(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    filter: &Filter,
) -> Result<u64> {
    Ok(visible(viewer, now)
        .filter(filter.condition(viewer, now))
        .count(db)
        .await?)
}

/// The last `limit` vacancies that exist for `viewer` of each of these organisations, the latest written first.
pub async fn of_organisations(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    now: DateTime<Utc>,
    ids: &[OrganisationId],
    limit: u64,
) -> Result<Vec<vacancy::Model>> {
    first_of_each(
        db,
        visible(viewer, now).filter(vacancy::Column::OrganisationId.is_in(ids.iter().copied())),
        vacancy::Column::OrganisationId,
        [(vacancy::Column::Id.into_expr(), Direction::Desc)],
        limit,
    )
    .await
}

/// The programmes that each of the vacancies names.
pub async fn programmes_of(
    db: &impl ConnectionTrait,
    ids: &[VacancyId],
) -> Result<Vec<vacancy_programme::Model>> {
    Ok(vacancy_programme::Entity::find()
        .filter(vacancy_programme::Column::VacancyId.is_in(ids.iter().copied()))
        .order_by_asc(vacancy_programme::Column::ProgrammeId)
        .all(db)
        .await?)
}

//! What is sent about vacancies, and the words for it.

use async_graphql::{Enum, InputObject, MaybeUndefined};
use domain::vacancy::{Advert, Decision, Filter, Order, Outcome};
use entity::{
    ids::{ContactId, OrganisationId, ProgrammeId, VacancyId, VacancyRuleId},
    vacancy::{SalaryPeriod as Period, VacancyHours as Hours, VacancyState as State},
};

use crate::graphql::{event::OpportunityKind, id::Id, scalars::Date};

/// Where a vacancy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum VacancyState {
    /// It is being written.
    Draft,
    /// It waits for an operator.
    Submitted,
    /// Students it suits find it from the day on which it is published to the day on which it closes.
    Approved,
    /// It was declined; it may be mended and submitted again.
    Declined,
    /// Its closing date is past, or somebody closed it.
    Closed,
    /// Somebody was found.
    Filled,
    /// It was taken back.
    Withdrawn,
}

/// How much work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Hours")]
pub enum VacancyHours {
    /// The whole week.
    FullTime,
    /// A part of the week.
    PartTime,
    /// As it is agreed.
    Flexible,
}

/// What a salary is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Period")]
pub enum SalaryPeriod {
    /// A year.
    Year,
    /// A month.
    Month,
    /// A week.
    Week,
    /// A day.
    Day,
    /// An hour.
    Hour,
}

/// What a list of vacancies is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "Order")]
pub enum VacancyOrder {
    /// The latest written first.
    #[default]
    Newest,
    /// The earliest written first: the queue.
    Oldest,
    /// What closes next first.
    ClosingSoonest,
}

/// What is decided about a vacancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Decision")]
pub enum VacancyDecision {
    /// Students find it.
    Approve,
    /// They don't; its employer reads why.
    Decline,
}

/// How a vacancy ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Outcome")]
pub enum VacancyOutcome {
    /// Nobody applies any more.
    Closed,
    /// Somebody was found.
    Filled,
    /// It is taken back.
    Withdrawn,
}

/// What a list of vacancies is narrowed by. Everything that is given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct VacancyFilter {
    /// A part of the title, the location or the name of the organisation.
    search: Option<String>,
    /// Whose they are.
    organisation_id: Option<Id<OrganisationId>>,
    /// One of these kinds.
    kinds: Option<Vec<OpportunityKind>>,
    /// How much work they are.
    hours: Option<VacancyHours>,
    /// The programme they suit.
    programme_id: Option<Id<ProgrammeId>>,
    /// Where they stand.
    state: Option<VacancyState>,
    /// Whether students find them today.
    is_open: Option<bool>,
    /// Whether they wait for an operator. One whose closing date is past never does.
    awaits_review: Option<bool>,
}

impl From<VacancyFilter> for Filter {
    fn from(given: VacancyFilter) -> Self {
        let kinds = |kinds: Vec<OpportunityKind>| kinds.into_iter().map(Into::into).collect();
        Self {
            search: given.search,
            organisation_id: given.organisation_id.map(|id| id.0),
            kinds: given.kinds.map(kinds),
            hours: given.hours.map(Into::into),
            programme_id: given.programme_id.map(|id| id.0),
            state: given.state.map(Into::into),
            is_open: given.is_open,
            awaits_review: given.awaits_review,
        }
    }
}

/// A vacancy to be written.
#[derive(Debug, InputObject)]
pub struct CreateVacancyInput {
    /// Whose it is; an employer's is their own organisation's.
    organisation_id: Option<Id<OrganisationId>>,
    /// What it is called.
    title: String,
    /// What there is to do.
    description: Option<String>,
    /// What kind of opportunity it is.
    kind: OpportunityKind,
    /// How much work it is.
    hours: Option<VacancyHours>,
    /// What is paid: a number or a range, and what it is for, such as `£28,000 to £32,000 a year`.
    salary: Option<String>,
    /// Where it is.
    location: Option<String>,
    /// How to apply, in words.
    how_to_apply: Option<String>,
    /// Where to apply on the web.
    apply_link: Option<String>,
    /// Whom to ask: a contact of the organisation, whom students have only under consent.
    contact_id: Option<Id<ContactId>>,
    /// The programmes it suits; left out or empty means all.
    programme_ids: Option<Vec<Id<ProgrammeId>>>,
    /// The first day on which students find it; left out means when it is approved.
    published_from: Option<Date>,
    /// The last day on which students find it; left out means a month from publication.
    closes_on: Option<Date>,
}

impl CreateVacancyInput {
    /// Whose it is and what it says.
    pub(super) fn into_advert(self) -> (Option<OrganisationId>, Advert) {
        let advert = Advert {
            description: self.description,
            hours: self.hours.map(Into::into),
            salary: self.salary,
            location: self.location,
            how_to_apply: self.how_to_apply,
            apply_link: self.apply_link,
            contact_id: self.contact_id.map(|id| id.0),
            programme_ids: self.programme_ids.map(ids).unwrap_or_default(),
            published_from: self.published_from.map(|day| day.0),
            closes_on: self.closes_on.map(|day| day.0),
            ..Advert::titled(self.title, self.kind.into())
        };
        (self.organisation_id.map(|id| id.0), advert)
    }
}

fn ids(given: Vec<Id<ProgrammeId>>) -> Vec<ProgrammeId> {
    given.into_iter().map(|id| id.0).collect()
}

/// A change of a vacancy. What is not given stays as it is; `null` empties a field.
#[derive(Debug, InputObject)]
pub struct UpdateVacancyInput {
    /// The vacancy.
    pub(super) id: Id<VacancyId>,
    /// The version that was read: when another change came first, this one is refused.
    pub(super) version: i32,
    /// What it is called.
    title: Option<String>,
    /// What there is to do.
    description: MaybeUndefined<String>,
    /// What kind of opportunity it is.
    kind: Option<OpportunityKind>,
    /// How much work it is.
    hours: MaybeUndefined<VacancyHours>,
    /// What is paid: a number or a range, and what it is for.
    salary: MaybeUndefined<String>,
    /// Where it is.
    location: MaybeUndefined<String>,
    /// How to apply, in words.
    how_to_apply: MaybeUndefined<String>,
    /// Where to apply on the web.
    apply_link: MaybeUndefined<String>,
    /// Whom to ask: a contact of the organisation, whom students have only under consent.
    contact_id: MaybeUndefined<Id<ContactId>>,
    /// The programmes it suits; empty means all.
    programme_ids: Option<Vec<Id<ProgrammeId>>>,
    /// The first day on which students find it.
    published_from: MaybeUndefined<Date>,
    /// The last day on which students find it; `null` means a month from publication.
    closes_on: MaybeUndefined<Date>,
}

impl UpdateVacancyInput {
    /// Changes the advert by what was given.
    pub(super) fn apply(self, advert: &mut Advert) {
        if let Some(title) = self.title {
            advert.title = title;
        }
        if let Some(kind) = self.kind {
            advert.kind = kind.into();
        }
        if let Some(programmes) = self.programme_ids {
            advert.programme_ids = ids(programmes);
        }
        self.description.update_to(&mut advert.description);
        self.hours
            .map_value(Into::into)
            .update_to(&mut advert.hours);
        self.salary.update_to(&mut advert.salary);
        self.location.update_to(&mut advert.location);
        self.how_to_apply.update_to(&mut advert.how_to_apply);
        self.apply_link.update_to(&mut advert.apply_link);
        self.contact_id
            .map_value(|id| id.0)
            .update_to(&mut advert.contact_id);
        self.published_from
            .map_value(|day| day.0)
            .update_to(&mut advert.published_from);
        self.closes_on
            .map_value(|day| day.0)
            .update_to(&mut advert.closes_on);
    }
}

/// A vacancy to be submitted.
#[derive(Debug, InputObject)]
pub struct SubmitVacancyInput {
    /// The vacancy.
    pub(super) id: Id<VacancyId>,
    /// The version that was read.
    pub(super) version: i32,
}

/// A decision about a vacancy.
#[derive(Debug, InputObject)]
pub struct ReviewVacancyInput {
    /// The vacancy.
    pub(super) id: Id<VacancyId>,
    /// The version that was read.
    pub(super) version: i32,
    /// What is decided.
    pub(super) decision: VacancyDecision,
    /// Why; needed for declining, and read by the employer.
    pub(super) reason: Option<String>,
    /// Another first day than was asked for.
    pub(super) published_from: Option<Date>,
    /// Another last day than was asked for.
    pub(super) closes_on: Option<Date>,
}

/// The end of a vacancy.
#[derive(Debug, InputObject)]
pub struct CloseVacancyInput {
    /// The vacancy.
    pub(super) id: Id<VacancyId>,
    /// The version that was read.
    pub(super) version: i32,
    /// How it ends.
    pub(super) outcome: VacancyOutcome,
    /// Why; an operator gives one, and the employer reads it.
    pub(super) reason: Option<String>,
}

/// An organisation to be trusted.
#[derive(Debug, InputObject)]
pub struct SetVacancyRuleInput {
    /// The organisation.
    pub(super) organisation_id: Id<OrganisationId>,
    /// Which kind of vacancies; left out means all.
    pub(super) kind: Option<OpportunityKind>,
    /// Why it is trusted.
    pub(super) reason: String,
}

/// A rule to be ended.
#[derive(Debug, InputObject)]
pub struct EndVacancyRuleInput {
    /// The rule.
    pub(super) rule_id: Id<VacancyRuleId>,
}

//! Vacancies: what employers offer students and graduates, looked at before it is shown (policy 2.2).
//!
//! ```text
//! DRAFT --submit--> SUBMITTED --approve--> APPROVED --close--> CLOSED | FILLED | WITHDRAWN
//!                    ^   '-----decline---> DECLINED
//!                    '------submit------------'
//! ```
//!
//! What hasn't been published yet can be withdrawn. An approved vacancy that says something else afterwards is submitted
//! again. It closes on its day, a month after publication when nobody gave one, and one whose day is past is never in the
//! queue. Vacancies of an organisation that a rule trusts are published at once.

mod advert;
mod close;
mod letters;
mod list;
mod review;
mod rule;
mod salary;

use chrono::NaiveDate;
use entity::{
    access_grant::Permission,
    ids::{OrganisationId, VacancyId},
    organisation::{self, OrganisationState},
    user::UserKind,
    vacancy::{self, VacancyState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect,
};
use serde_json::json;

pub(crate) use self::close::follow_organisation;
pub use self::{
    advert::Advert,
    close::{LookAfterVacancies, Outcome, close, look_after},
    list::{
        Filter, Order, count, list_by_closing, list_by_id, of_organisations, programmes_of,
        visible, visible_to,
    },
    review::{Dates, Decision, review, submit},
    rule::{end_rule, rules_of, set_rule},
    salary::Salary,
};
use crate::{
    change::{self, Change},
    clock::university_day,
    error::{Error, RefusalCode, Refusals, Result},
    organisation as organisations,
    store::Tx,
    viewer::Viewer,
};

/// What the audit log calls a change.
const UPDATED: &str = "vacancy.update";

/// Whether `viewer` writes the vacancies of this organisation: its employer does, and whoever moderates all.
fn manages(viewer: &Viewer, id: OrganisationId) -> bool {
    viewer.has(Permission::ModerateVacancy) || is_employer_of(viewer, id)
}

fn is_employer_of(viewer: &Viewer, id: OrganisationId) -> bool {
    viewer.kind() == Some(UserKind::Employer)
        && viewer.person().and_then(|person| person.organisation_id) == Some(id)
}

fn require_to_manage(viewer: &Viewer, id: OrganisationId) -> Result<()> {
    if manages(viewer, id) {
        return Ok(());
    }
    viewer.require(Permission::ModerateVacancy)
}

/// Writes a draft, which needs no more than a title. An employer writes it for their own organisation.
pub async fn create(
    tx: &mut Tx,
    viewer: &Viewer,
    organisation_id: Option<OrganisationId>,
    advert: Advert,
) -> Result<vacancy::Model> {
    let person = viewer.signed_in()?;
    let organisation_id = organisation_id.or(person.organisation_id).ok_or_else(|| {
        Error::refused(
            RefusalCode::Required,
            "organisationId",
            "Say whose vacancy it is.",
        )
    })?;
    let organisation = organisations::visible(viewer)
        .filter(organisation::Column::Id.eq(organisation_id))
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("organisationId", "organisation"))?;
    require_to_manage(viewer, organisation_id)?;
    let today = university_day(tx.now());
    let mut refusals = Refusals::default();
    refusals.add_if(
        !matches!(
            organisation.state,
            OrganisationState::Approved | OrganisationState::Pending
        ),
        RefusalCode::WrongState,
        "organisationId",
        "The organisation has no vacancies while it is declined, suspended or archived.",
    );
    let (advert, salary) = advert.checked(&mut refusals);
    advert.check_days(today, &mut refusals);
    advert
        .check_others(tx, &organisation, &mut refusals)
        .await?;
    refusals.into_result()?;
    let id = VacancyId::new_at(tx.now());
    let mut row = vacancy::ActiveModel {
        id: Set(id),
        organisation_id: Set(organisation_id),
        state: Set(VacancyState::Draft),
        reason: Set(None),
        submitted_at: Set(None),
        decided_by: Set(None),
        decided_at: Set(None),
        closed_at: Set(None),
        reminded_for: Set(None),
        created_by: Set(person.id),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    };
    advert.fill(&mut row, salary, today);
    let created = row.insert(tx.conn()).await?;
    advert.write_programmes(tx, id).await?;
    let told = json!({ "organisationId": organisation_id, "advert": advert });
    tx.audit(viewer, "vacancy.create", id, None, Some(told))
        .await?;
    Ok(created)
}

/// Changes what `edit` changes in a vacancy that is at `version`.
///
/// What is approved and says something else than before waits for an operator again, unless a rule trusts the organisation
/// or an operator changes it. Its closing date is its employer's to move.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VacancyId,
    version: i32,
    edit: impl FnOnce(&mut Advert) + Send,
) -> Result<vacancy::Model> {
    let (current, organisation) = lock_to_manage(tx, viewer, id, version).await?;
    if matches!(
        current.state,
        VacancyState::Closed | VacancyState::Filled | VacancyState::Withdrawn
    ) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "id",
            "It is over. Write a new one.",
        ));
    }
    let today = university_day(tx.now());
    let old = Advert::of(tx.conn(), &current).await?;
    let mut new = old.clone();
    edit(&mut new);
    let mut refusals = Refusals::default();
    let (new, salary) = new.checked(&mut refusals);
    if (new.published_from, new.closes_on) != (old.published_from, old.closes_on) {
        new.check_days(today, &mut refusals);
    }
    if matches!(
        current.state,
        VacancyState::Submitted | VacancyState::Approved
    ) {
        new.require_whole(&mut refusals);
    }
    new.check_others(tx, &organisation, &mut refusals).await?;
    refusals.into_result()?;
    let change = Change::between(&old, &new)?;
    if change.is_empty() {
        return Ok(current);
    }
    let is_looked_at_again = current.state == VacancyState::Approved
        && new.says_otherwise_than(&old)
        && !viewer.has(Permission::ModerateVacancy)
        && !rule::trusts(tx, organisation.id, new.kind).await?;
    let published_from = current.published_from;
    let mut row = current.into_active_model();
    // A closing date that nobody gave follows from the day of publication, which stays.
    let opens = published_from.unwrap_or(today);
    new.fill(&mut row, salary, opens);
    if is_looked_at_again {
        row.state = Set(VacancyState::Submitted);
        row.submitted_at = Set(Some(tx.now()));
    }
    row.version = Set(version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    new.write_programmes(tx, id).await?;
    let (before, after) = change.into_audit(updated.version);
    tx.audit(viewer, UPDATED, id, before, after).await?;
    Ok(updated)
}

/// The vacancy and its organisation, locked, if it exists for the viewer, who manages it, and is at this version.
///
/// The organisation is locked first, as it is by whoever suspends it: no vacancy is published behind their back.
async fn lock_to_manage(
    tx: &Tx,
    viewer: &Viewer,
    id: VacancyId,
    version: i32,
) -> Result<(vacancy::Model, organisation::Model)> {
    let not_there = || Error::not_found("id", "vacancy");
    let seen = visible(viewer, tx.now())
        .filter(vacancy::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(not_there)?;
    require_to_manage(viewer, seen.organisation_id)?;
    let organisation = organisation::Entity::find_by_id(seen.organisation_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(not_there)?;
    let current = vacancy::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .filter(|current| current.organisation_id == organisation.id)
        .ok_or_else(not_there)?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    Ok((current, organisation))
}

/// Where a vacancy stands after a change, and why.
struct Standing {
    state: VacancyState,
    reason: Option<String>,
}

/// Writes where a vacancy stands, and what was done into the log. What else changes is in `row` already.
async fn put(
    tx: &mut Tx,
    viewer: &Viewer,
    current: &vacancy::Model,
    mut row: vacancy::ActiveModel,
    standing: Standing,
    action: &'static str,
) -> Result<vacancy::Model> {
    let before = json!({ "state": current.state, "reason": current.reason });
    let after = json!({ "state": standing.state, "reason": standing.reason });
    row.state = Set(standing.state);
    row.reason = Set(standing.reason);
    row.version = Set(current.version + 1);
    row.updated_at = Set(tx.now());
    let updated = row.update(tx.conn()).await?;
    tx.audit(viewer, action, current.id, Some(before), Some(after))
        .await?;
    Ok(updated)
}

/// Whether its closing date is past on `today`.
#[must_use]
pub fn is_expired(row: &vacancy::Model, today: NaiveDate) -> bool {
    row.closes_on < today
}

/// Whether students find it on `today`, as far as it suits them.
#[must_use]
pub fn is_open(row: &vacancy::Model, today: NaiveDate) -> bool {
    row.state == VacancyState::Approved
        && row.published_from.is_some_and(|from| from <= today)
        && !is_expired(row, today)
}

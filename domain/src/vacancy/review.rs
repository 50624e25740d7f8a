//! How a vacancy is submitted and looked at.

use chrono::NaiveDate;
use entity::{
    access_grant::Permission,
    ids::VacancyId,
    organisation::OrganisationState,
    vacancy::{self, VacancyState},
};
use sea_orm::{ActiveValue::Set, IntoActiveModel};

use super::{Advert, Standing, is_expired, letters, lock_to_manage, put, rule};
use crate::{
    clock::university_day,
    error::{RefusalCode, Refusals, Result},
    organisation as organisations,
    store::Tx,
    viewer::Viewer,
};

/// What is decided about a vacancy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Students find it.
    Approve,
    /// They don't; its employer reads why.
    Decline,
}

/// The days on which a vacancy is open, where the operator gives others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// The first one.
    pub published_from: Option<NaiveDate>,
    /// The last one.
    pub closes_on: Option<NaiveDate>,
}

/// Hands a draft, or what was declined, to the operators. Where a rule trusts the organisation, it is published at once.
pub async fn submit(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VacancyId,
    version: i32,
) -> Result<vacancy::Model> {
    let (current, organisation) = lock_to_manage(tx, viewer, id, version).await?;
    let today = university_day(tx.now());
    let advert = Advert::of(tx.conn(), &current).await?;
    let mut refusals = Refusals::default();
    refusals.add_if(
        !matches!(current.state, VacancyState::Draft | VacancyState::Declined),
        RefusalCode::WrongState,
        "id",
        "It has been submitted already.",
    );
    refusals.add_if(
        organisation.state != OrganisationState::Approved,
        RefusalCode::WrongState,
        "id",
        "The organisation is not approved: its vacancies wait until it is.",
    );
    advert.require_whole(&mut refusals);
    advert.check_days(today, &mut refusals);
    advert
        .check_others(tx, &organisation, &mut refusals)
        .await?;
    refusals.into_result()?;
    let mut row = current.clone().into_active_model();
    row.closes_on = Set(advert.closing_day(today));
    row.submitted_at = Set(Some(tx.now()));
    row.decided_by = Set(None);
    row.decided_at = Set(None);
    let standing = Standing {
        state: VacancyState::Submitted,
        reason: None,
    };
    let submitted = put(tx, viewer, &current, row, standing, "vacancy.submit").await?;
    if !rule::trusts(tx, organisation.id, submitted.kind).await? {
        return Ok(submitted);
    }
    publish(tx, &Viewer::system(), &submitted, Dates::default()).await
}

/// Decides about a vacancy that waits, and tells its employer. Who is declined reads why.
pub async fn review(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VacancyId,
    version: i32,
    decision: Decision,
    reason: Option<&str>,
    dates: Dates,
) -> Result<vacancy::Model> {
    viewer.require(Permission::ModerateVacancy)?;
    let mut refusals = Refusals::default();
    let reason = organisations::reason_of(reason, &mut refusals);
    let (current, organisation) = lock_to_manage(tx, viewer, id, version).await?;
    refusals.add_if(
        decision == Decision::Decline && reason.is_none(),
        RefusalCode::Required,
        "reason",
        "Say why: the employer reads it.",
    );
    let today = university_day(tx.now());
    refusals.add_if(
        current.state != VacancyState::Submitted
            || (dates.closes_on.is_none() && is_expired(&current, today)),
        RefusalCode::WrongState,
        "id",
        "It doesn't wait for anybody.",
    );
    if decision == Decision::Approve {
        refusals.add_if(
            organisation.state != OrganisationState::Approved,
            RefusalCode::WrongState,
            "id",
            "Its organisation is not approved.",
        );
        let mut advert = Advert::of(tx.conn(), &current).await?;
        advert.published_from = dates.published_from.or(advert.published_from);
        advert.closes_on = dates.closes_on.or(advert.closes_on);
        advert.check_days(today, &mut refusals);
        // Somebody may have taken their consent back since it was written.
        advert
            .check_others(tx, &organisation, &mut refusals)
            .await?;
    }
    refusals.into_result()?;
    match decision {
        Decision::Approve => publish(tx, viewer, &current, dates).await,
        Decision::Decline => {
            let mut row = current.clone().into_active_model();
            row.decided_by = Set(viewer.user_id());
            row.decided_at = Set(Some(tx.now()));
            let standing = Standing {
                state: VacancyState::Declined,
                reason,
            };
            let declined = put(tx, viewer, &current, row, standing, "vacancy.review").await?;
            letters::decided(tx, viewer, &declined, "DECLINED").await?;
            Ok(declined)
        }
    }
}

/// Publishes what was submitted. A closing date that nobody gave is a month from the first day.
async fn publish(
    tx: &mut Tx,
    viewer: &Viewer,
    current: &vacancy::Model,
    dates: Dates,
) -> Result<vacancy::Model> {
    let today = university_day(tx.now());
    let mut advert = Advert::of(tx.conn(), current).await?;
    advert.published_from = dates.published_from.or(advert.published_from);
    advert.closes_on = dates.closes_on.or(advert.closes_on);
    let first = advert.published_from.unwrap_or(today).max(today);
    let mut row = current.clone().into_active_model();
    row.published_from = Set(Some(first));
    row.closes_on = Set(advert.closing_day(today));
    row.closing_is_default = Set(advert.closes_on.is_none());
    row.decided_by = Set(viewer.user_id());
    row.decided_at = Set(Some(tx.now()));
    let standing = Standing {
        state: VacancyState::Approved,
        reason: None,
    };
    let action = if viewer.is_system() {
        "vacancy.publish_by_rule"
    } else {
        "vacancy.review"
    };
    let published = put(tx, viewer, current, row, standing, action).await?;
    letters::decided(tx, viewer, &published, "APPROVED").await?;
    Ok(published)
}

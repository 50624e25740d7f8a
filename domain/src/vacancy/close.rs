//! How a vacancy ends: its employer or an operator closes it, its day is past, or its organisation is no longer approved.

use chrono::Days;
use entity::{
    access_grant::Permission,
    ids::{OrganisationId, VacancyId},
    organisation::{self, OrganisationState},
    vacancy::{self, VacancyState},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};

use super::{Standing, letters, lock_to_manage, put};
use crate::{
    clock::university_day,
    error::{RefusalCode, Refusals, Result},
    job::{Job, Queue},
    organisation as organisations,
    store::Tx,
    viewer::Viewer,
};

/// How many vacancies one run of [`look_after`] closes, and of how many it reminds.
const AT_ONCE: u64 = 200;
/// How many days before its closing date an employer is reminded.
const REMINDED_BEFORE: Days = Days::new(3);

/// How a vacancy ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody applies any more.
    Closed,
    /// Somebody was found.
    Filled,
    /// It is taken back.
    Withdrawn,
}

impl Outcome {
    const fn state(self) -> VacancyState {
        match self {
            Self::Closed => VacancyState::Closed,
            Self::Filled => VacancyState::Filled,
            Self::Withdrawn => VacancyState::Withdrawn,
        }
    }
}

/// Closes vacancies whose day is past, and reminds of those whose day is near: comes by the clock.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LookAfterVacancies {}

impl Job for LookAfterVacancies {
    const KIND: &'static str = "vacancy.look_after";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Ends a vacancy that is at `version`. One that was never published is withdrawn; one that has closed by itself can still be
/// called filled.
pub async fn close(
    tx: &mut Tx,
    viewer: &Viewer,
    id: VacancyId,
    version: i32,
    outcome: Outcome,
    reason: Option<&str>,
) -> Result<vacancy::Model> {
    let (current, _) = lock_to_manage(tx, viewer, id, version).await?;
    let mut refusals = Refusals::default();
    let reason = organisations::reason_of(reason, &mut refusals);
    let can_be = match current.state {
        VacancyState::Draft | VacancyState::Submitted | VacancyState::Declined => {
            outcome == Outcome::Withdrawn
        }
        VacancyState::Approved => true,
        VacancyState::Closed => outcome == Outcome::Filled,
        VacancyState::Filled | VacancyState::Withdrawn => false,
    };
    refusals.add_if(
        !can_be,
        RefusalCode::WrongState,
        "outcome",
        "A vacancy that was never open is withdrawn; one that is over stays so.",
    );
    // Somebody else's vacancy isn't taken from students without telling its employer why.
    let is_moderated = viewer.has(Permission::ModerateVacancy);
    refusals.add_if(
        is_moderated && reason.is_none() && outcome != Outcome::Filled,
        RefusalCode::Required,
        "reason",
        "Say why: the employer reads it.",
    );
    refusals.into_result()?;
    let standing = Standing {
        state: outcome.state(),
        reason,
    };
    let mut row = current.clone().into_active_model();
    row.closed_at = Set(Some(tx.now()));
    let closed = put(tx, viewer, &current, row, standing, "vacancy.close").await?;
    if is_moderated && current.state != VacancyState::Draft {
        let outcome = match outcome {
            Outcome::Closed => "CLOSED",
            Outcome::Filled => "FILLED",
            Outcome::Withdrawn => "WITHDRAWN",
        };
        letters::decided(tx, viewer, &closed, outcome).await?;
    }
    Ok(closed)
}

/// Closes what is past its day and reminds of what soon will be, some of each at once. Answers how many were closed, and of how many
/// somebody was reminded.
pub async fn look_after(tx: &mut Tx) -> Result<(usize, usize)> {
    let today = university_day(tx.now());
    let past = Condition::all()
        .add(vacancy::Column::State.is_in([VacancyState::Approved, VacancyState::Submitted]))
        .add(vacancy::Column::ClosesOn.lt(today));
    let past = some(tx, past).await?;
    let closed = past.len();
    for current in past {
        let reason = (current.state == VacancyState::Submitted).then(|| {
            "Its closing date passed before it could be looked at. Write a new one with a later date.".to_owned()
        });
        let mut row = current.clone().into_active_model();
        row.closed_at = Set(Some(tx.now()));
        let standing = Standing {
            state: VacancyState::Closed,
            reason,
        };
        let over = put(
            tx,
            &Viewer::system(),
            &current,
            row,
            standing,
            "vacancy.close",
        )
        .await?;
        letters::closed(tx, &over).await?;
    }
    let soon = today.checked_add_days(REMINDED_BEFORE).unwrap_or(today);
    let near = Condition::all()
        .add(vacancy::Column::State.eq(VacancyState::Approved))
        .add(vacancy::Column::ClosesOn.gte(today))
        .add(vacancy::Column::ClosesOn.lte(soon))
        .add(vacancy::Column::PublishedFrom.lte(today))
        .add(
            Condition::any()
                .add(vacancy::Column::RemindedFor.is_null())
                .add(
                    vacancy::Column::RemindedFor
                        .into_expr()
                        .ne(Expr::col((vacancy::Entity, vacancy::Column::ClosesOn))),
                ),
        );
    let near = some(tx, near).await?;
    let reminded = near.len();
    for current in near {
        letters::closes_soon(tx, &current).await?;
        let closes_on = current.closes_on;
        let mut row = current.into_active_model();
        row.reminded_for = Set(Some(closes_on));
        row.update(tx.conn()).await?;
    }
    Ok((closed, reminded))
}

/// Some of the vacancies that meet a condition, behind the locks of their organisations, as everybody locks them.
async fn some(tx: &Tx, condition: Condition) -> Result<Vec<vacancy::Model>> {
    let found = vacancy::Entity::find()
        .filter(condition.clone())
        .order_by_asc(vacancy::Column::ClosesOn)
        .order_by_asc(vacancy::Column::Id)
        .limit(AT_ONCE)
        .all(tx.conn())
        .await?;
    let mut whose: Vec<OrganisationId> = found.iter().map(|row| row.organisation_id).collect();
    whose.sort_unstable();
    whose.dedup();
    organisation::Entity::find()
        .filter(organisation::Column::Id.is_in(whose))
        .order_by_asc(organisation::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    // Read again behind the locks: somebody may have closed or moved one.
    Ok(vacancy::Entity::find()
        .filter(vacancy::Column::Id.is_in(found.iter().map(|row| row.id)))
        .filter(condition)
        .order_by_asc(vacancy::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?)
}

/// Takes the open vacancies of an organisation from students when it is no longer approved (policy 2.2). Its lock is held. What
/// was declined or suspended with it can be submitted again; what was put away with it is withdrawn. Answers how many.
pub(crate) async fn follow_organisation(
    tx: &mut Tx,
    viewer: &Viewer,
    id: OrganisationId,
    state: OrganisationState,
    reason: Option<&str>,
) -> Result<usize> {
    let becomes = match state {
        OrganisationState::Approved | OrganisationState::Pending => return Ok(0),
        OrganisationState::Declined | OrganisationState::Suspended => VacancyState::Declined,
        OrganisationState::Archived => VacancyState::Withdrawn,
    };
    let open = vacancy::Entity::find()
        .filter(vacancy::Column::OrganisationId.eq(id))
        .filter(vacancy::Column::State.is_in([VacancyState::Approved, VacancyState::Submitted]))
        .order_by_asc(vacancy::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let count = open.len();
    for current in open {
        let mut row = current.clone().into_active_model();
        row.decided_by = Set(viewer.user_id());
        row.decided_at = Set(Some(tx.now()));
        if becomes == VacancyState::Withdrawn {
            row.closed_at = Set(Some(tx.now()));
        }
        let standing = Standing {
            state: becomes,
            reason: reason.map(str::to_owned),
        };
        put(tx, viewer, &current, row, standing, "vacancy.follow").await?;
    }
    Ok(count)
}

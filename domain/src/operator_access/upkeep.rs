//! What time alone brings about: reminders before training lapses, and standings that have moved (policy 3).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant, agreement, agreement_version,
    ids::{TrainingCourseId, UserId},
    operator_access::{self, AccessState},
    training_course, training_record,
    user::{self, UserState},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use serde::{Deserialize, Serialize};

use super::{counting, letters, stage::review};
use crate::{
    agreement::unaccepting,
    error::Result,
    job::{Job, Queue},
    store::Tx,
    training_course::remind_of_named,
    viewer::Viewer,
};

/// How many days before the end of training its holder is reminded.
pub const REMINDERS: [i64; 2] = [30, 7];

/// How many standings are looked at in one transaction.
const AT_ONCE: u64 = 500;

/// Writes to those whose training lapses soon, and to those who have a new version of an agreement still to accept.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RemindOperators {}

impl Job for RemindOperators {
    const KIND: &'static str = "operator_access.remind";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Writes down who has moved by time alone: training that is too old, terms that were not accepted in time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LapseAccess {}

impl Job for LapseAccess {
    const KIND: &'static str = "operator_access.lapse";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Training that somebody's access rests on, and its end.
#[derive(FromQueryResult)]
struct Ending {
    user_id: UserId,
    training_course_id: TrainingCourseId,
    ends_at: DateTime<Utc>,
}

/// Posts the letters that are due, and answers how many people are reminded. One letter per person, course and number of
/// days; a job that comes late or twice writes none again.
pub async fn remind(tx: &mut Tx) -> Result<u64> {
    let of_training = remind_of_training(tx).await?;
    let of_versions = remind_of_agreements(tx).await?;
    Ok(of_training + of_versions + remind_of_named(tx).await?)
}

async fn remind_of_training(tx: &mut Tx) -> Result<u64> {
    let now = tx.now();
    let ending = ending_soon(tx, now).await?;
    if ending.is_empty() {
        return Ok(0);
    }
    let courses: HashMap<TrainingCourseId, training_course::Model> =
        training_course::Entity::find()
            .all(tx.conn())
            .await?
            .into_iter()
            .map(|course| (course.id, course))
            .collect();
    let people: HashMap<UserId, user::Model> = user::Entity::find()
        .filter(user::Column::Id.is_in(ending.iter().map(|ending| ending.user_id)))
        .filter(user::Column::State.eq(UserState::Active))
        .all(tx.conn())
        .await?
        .into_iter()
        .map(|person| (person.id, person))
        .collect();
    let mut sessions = HashMap::new();
    for course in courses.keys() {
        sessions.insert(*course, letters::sessions(tx, *course).await?);
    }
    let mut reminded = 0;
    for Ending {
        user_id,
        training_course_id,
        ends_at,
    } in ending
    {
        let days = REMINDERS
            .into_iter()
            .rev()
            .find(|days| ends_at <= now + TimeDelta::days(*days));
        let (Some(person), Some(course), Some(days)) =
            (people.get(&user_id), courses.get(&training_course_id), days)
        else {
            continue;
        };
        let sessions = sessions.get(&course.id).map_or(&[][..], Vec::as_slice);
        letters::refresher(tx, person, course, ends_at, days, sessions).await?;
        reminded += 1;
    }
    Ok(reminded)
}

/// The latest training of each person in each course that a grant of theirs rests on, when it ends within the longest
/// reminder.
async fn ending_soon(tx: &Tx, now: DateTime<Utc>) -> Result<Vec<Ending>> {
    let last = now + TimeDelta::days(REMINDERS[0]);
    let rests = access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::Id)
        .filter(
            access_grant::Column::UserId
                .into_expr()
                .eq(training_record::Column::UserId.into_expr()),
        )
        .filter(
            access_grant::Column::TrainingCourseId
                .into_expr()
                .eq(training_record::Column::TrainingCourseId.into_expr()),
        )
        .filter(counting::is_given())
        .into_query();
    let end = || training_record::Column::ValidUntil.into_expr().max();
    Ok(training_record::Entity::find()
        .select_only()
        .column(training_record::Column::UserId)
        .column(training_record::Column::TrainingCourseId)
        .expr_as(end(), "ends_at")
        .filter(Expr::exists(rests))
        .group_by(training_record::Column::UserId)
        .group_by(training_record::Column::TrainingCourseId)
        .having(Condition::all().add(end().gt(now)).add(end().lte(last)))
        .into_model::<Ending>()
        .all(tx.conn())
        .await?)
}

/// In the last week of grace those are reminded who have not accepted yet.
async fn remind_of_agreements(tx: &mut Tx) -> Result<u64> {
    let now = tx.now();
    let versions = agreement_version::Entity::find()
        .join(
            JoinType::InnerJoin,
            agreement_version::Entity::belongs_to(agreement::Entity)
                .from(agreement_version::Column::AgreementId)
                .to(agreement::Column::Id)
                .into(),
        )
        .filter(agreement_version::Column::BindingFrom.gt(now))
        .filter(agreement_version::Column::BindingFrom.lte(now + TimeDelta::days(REMINDERS[1])))
        .select_also(agreement::Entity)
        .all(tx.conn())
        .await?;
    let mut reminded = 0;
    for (version, agreement) in versions {
        let Some(agreement) = agreement else {
            continue;
        };
        let people = unaccepting(&version)
            .order_by_asc(user::Column::Id)
            .all(tx.conn())
            .await?;
        for person in &people {
            letters::new_version(tx, person, &agreement, &version, "reminder").await?;
            reminded += 1;
        }
    }
    Ok(reminded)
}

/// Looks again at standings that say more than is true, some at a time. Answers how many have moved and whether there may
/// be more.
pub async fn lapse(tx: &mut Tx) -> Result<(usize, bool)> {
    let now = tx.now();
    let grounded = access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::UserId)
        .filter(counting::has_grounds(now))
        .into_query();
    let trained = training_record::Entity::find()
        .select_only()
        .column(training_record::Column::UserId)
        .filter(training_record::Column::ValidUntil.gt(now))
        .into_query();
    let said = |states: [AccessState; 2]| operator_access::Column::State.is_in(states);
    let people: Vec<UserId> = operator_access::Entity::find()
        .select_only()
        .column(operator_access::Column::UserId)
        .filter(
            Condition::any()
                .add(
                    operator_access::Column::State
                        .eq(AccessState::Active)
                        .and(operator_access::Column::UserId.not_in_subquery(grounded)),
                )
                .add(
                    said([AccessState::Trained, AccessState::TermsAccepted])
                        .and(operator_access::Column::UserId.not_in_subquery(trained)),
                ),
        )
        .order_by_asc(operator_access::Column::UserId)
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let moved = review(tx, &Viewer::system(), &people).await?;
    Ok((moved, moved > 0 && people.len() as u64 == AT_ONCE))
}

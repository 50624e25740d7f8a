//! The agreements that a course names: those it can't do without, and those that it names anew (policy 2.5 and 3).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::{self, Permission},
    agreement::{self, AgreementKind},
    agreement_acceptance, agreement_version, course_agreement,
    ids::{AgreementId, TrainingCourseId},
    training_course, user,
};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType,
    QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;

use super::{Course, opened_by};
use crate::{
    error::{RefusalCode, Refusals, Result},
    notice::{self, Circular, Topic},
    operator_access::{REMINDERS, counting},
    store::Tx,
};

/// The kinds of agreement that a course must name which opens these permissions.
fn required(permissions: &[Permission]) -> Vec<AgreementKind> {
    let mut kinds = Vec::new();
    if !permissions.is_empty() {
        // policy 3: access is subject to the terms and to data protection.
        kinds.extend([AgreementKind::OperatorTerms, AgreementKind::DataProtection]);
    }
    if permissions.contains(&Permission::SendBulkEmail) {
        // policy 2.5: and bulk e-mail to the university's guidance.
        kinds.push(AgreementKind::BulkEmailGuidance);
    }
    kinds
}

/// Refuses agreements that don't exist, and a course without those that access needs.
pub(super) async fn check(tx: &Tx, course: &Course, refusals: &mut Refusals) -> Result<()> {
    let named = agreement::Entity::find()
        .filter(agreement::Column::Id.is_in(course.agreement_ids.iter().copied()))
        .all(tx.conn())
        .await?;
    refusals.add_if(
        named.len() != course.agreement_ids.len(),
        RefusalCode::NotFound,
        "agreementIds",
        "There is no such agreement.",
    );
    let missing: Vec<String> = required(&course.permissions)
        .into_iter()
        .filter(|kind| named.iter().all(|agreement| agreement.kind != *kind))
        .map(|kind| kind.to_value())
        .collect();
    if !missing.is_empty() {
        refusals.add(
            RefusalCode::Required,
            "agreementIds",
            format!(
                "What this course opens needs an agreement of the kind {}: name one.",
                missing.join(", and one of the kind ")
            ),
        );
    }
    Ok(())
}

/// Those of the courses that don't name the agreements which access needs.
pub(crate) async fn without_terms(
    db: &impl ConnectionTrait,
    courses: &[training_course::Model],
) -> Result<HashSet<TrainingCourseId>> {
    let ids: Vec<TrainingCourseId> = courses.iter().map(|course| course.id).collect();
    let mut named: HashMap<TrainingCourseId, Vec<AgreementKind>> = HashMap::new();
    for (course, agreement) in agreements_of(db, &ids).await? {
        named.entry(course).or_default().push(agreement.kind);
    }
    Ok(courses
        .iter()
        .filter(|course| {
            let named = named.get(&course.id).map_or(&[][..], Vec::as_slice);
            required(&opened_by(course))
                .iter()
                .any(|kind| !named.contains(kind))
        })
        .map(|course| course.id)
        .collect())
}

/// Has a course name these agreements: from its beginning, or since a moment.
pub(super) async fn name(
    tx: &Tx,
    id: TrainingCourseId,
    agreements: &[AgreementId],
    since: Option<DateTime<Utc>>,
) -> Result<()> {
    if agreements.is_empty() {
        return Ok(());
    }
    let rows = agreements
        .iter()
        .map(|agreement_id| course_agreement::ActiveModel {
            training_course_id: Set(id),
            agreement_id: Set(*agreement_id),
            named_at: Set(since),
        });
    course_agreement::Entity::insert_many(rows)
        .exec_without_returning(tx.conn())
        .await?;
    Ok(())
}

/// Has a course name other agreements than before, and tells those whose access rests on it of the new ones.
pub(super) async fn change(
    tx: &mut Tx,
    course: &training_course::Model,
    before: &[AgreementId],
    after: &[AgreementId],
) -> Result<()> {
    let gone = before.iter().filter(|id| !after.contains(id)).copied();
    course_agreement::Entity::delete_many()
        .filter(course_agreement::Column::TrainingCourseId.eq(course.id))
        .filter(course_agreement::Column::AgreementId.is_in(gone))
        .exec(tx.conn())
        .await?;
    let new: Vec<AgreementId> = after
        .iter()
        .filter(|id| !before.contains(id))
        .copied()
        .collect();
    let now = tx.now();
    name(tx, course.id, &new, Some(now)).await?;
    let named = agreement::Entity::find()
        .filter(agreement::Column::Id.is_in(new))
        .all(tx.conn())
        .await?;
    for agreement in named {
        tell(tx, course, &agreement, now, "named").await?;
    }
    Ok(())
}

/// In the last week of grace those are reminded who have not accepted what a course has newly named. Answers how many.
pub(crate) async fn remind_of_named(tx: &mut Tx) -> Result<u64> {
    let last_week =
        tx.now() - counting::GRACE..tx.now() - counting::GRACE + TimeDelta::days(REMINDERS[1]);
    let named = course_agreement::Entity::find()
        .filter(course_agreement::Column::NamedAt.gt(last_week.start))
        .filter(course_agreement::Column::NamedAt.lte(last_week.end))
        .all(tx.conn())
        .await?;
    let mut reminded = 0;
    for row in named {
        let course = training_course::Entity::find_by_id(row.training_course_id);
        let agreement = agreement::Entity::find_by_id(row.agreement_id);
        if let (Some(course), Some(agreement), Some(named_at)) = (
            course.one(tx.conn()).await?,
            agreement.one(tx.conn()).await?,
            row.named_at,
        ) {
            reminded += tell(tx, &course, &agreement, named_at, "reminder").await? as u64;
        }
    }
    Ok(reminded)
}

/// Tells those whose access rests on a course of an agreement that it names since `named_at`, unless they have accepted it.
async fn tell(
    tx: &mut Tx,
    course: &training_course::Model,
    agreement: &agreement::Model,
    named_at: DateTime<Utc>,
    occasion: &'static str,
) -> Result<usize> {
    let holders = access_grant::Entity::find()
        .select_only()
        .column(access_grant::Column::UserId)
        .filter(access_grant::Column::TrainingCourseId.eq(course.id))
        .filter(counting::is_given())
        .into_query();
    let accepted = agreement_acceptance::Entity::find()
        .select_only()
        .column(agreement_acceptance::Column::UserId)
        .join(
            JoinType::InnerJoin,
            agreement_acceptance::Entity::belongs_to(agreement_version::Entity)
                .from(agreement_acceptance::Column::AgreementVersionId)
                .to(agreement_version::Column::Id)
                .into(),
        )
        .filter(agreement_version::Column::AgreementId.eq(agreement.id))
        .into_query();
    let audience = Condition::all()
        .add(user::Column::Id.in_subquery(holders))
        .add(user::Column::Id.not_in_subquery(accepted));
    let circular = Circular {
        template: "agreement_named",
        purpose: format!(
            "agreement_named/{}/{}/{}/{occasion}",
            course.id,
            agreement.id,
            named_at.timestamp()
        ),
        fields: json!({
            "agreement": agreement.title,
            "course": course.title,
            "asked_from": named_at + counting::GRACE,
            "agreement_link": format!("/agreements/{}", agreement.id),
        }),
    };
    notice::tell_all(tx, Topic::Access, &circular, &audience).await
}

/// The agreements that each of these courses names, by title.
pub async fn agreements_of(
    db: &impl ConnectionTrait,
    ids: &[TrainingCourseId],
) -> Result<Vec<(TrainingCourseId, agreement::Model)>> {
    let rows = course_agreement::Entity::find()
        .join(
            JoinType::InnerJoin,
            course_agreement::Entity::belongs_to(agreement::Entity)
                .from(course_agreement::Column::AgreementId)
                .to(agreement::Column::Id)
                .into(),
        )
        .filter(course_agreement::Column::TrainingCourseId.is_in(ids.iter().copied()))
        .order_by_asc(agreement::Column::Title)
        .select_also(agreement::Entity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(named, agreement)| Some((named.training_course_id, agreement?)))
        .collect())
}

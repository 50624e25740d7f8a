//! What counts: grants behind attended training and accepted terms, as conditions of the SQL that reads them (policy 3).
//! They are asked at every request; nothing that is stored decides it.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::{self, GrantState},
    agreement_acceptance, agreement_version, course_agreement,
    operator_access::{self, AccessState},
    training_course, training_record,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Alias, BinOper, Expr, Query, SelectStatement},
};

use crate::{agreement::GRACE_DAYS, viewer::BY_FACULTY};

/// For how long what a course newly names is not asked of those who had attended it before.
pub(crate) const GRACE: TimeDelta = TimeDelta::days(GRACE_DAYS as i64);

/// Whether `user` has attended `course`, and not too long ago.
pub(crate) fn is_trained(user: Expr, course: Expr, now: DateTime<Utc>) -> Expr {
    Expr::exists(
        training_record::Entity::find()
            .select_only()
            .column(training_record::Column::Id)
            .filter(training_record::Column::UserId.into_expr().eq(user))
            .filter(
                training_record::Column::TrainingCourseId
                    .into_expr()
                    .eq(course),
            )
            .filter(training_record::Column::ValidUntil.gt(now))
            .into_query(),
    )
}

/// Whether `user` has accepted every agreement that `course` names, each in a version that is still enough. What the course
/// came to name lately is not asked of those who had attended it before, for the days of grace.
pub(crate) fn has_accepted(user: Expr, course: Expr, now: DateTime<Utc>) -> Expr {
    let had_attended = training_record::Entity::find()
        .select_only()
        .column(training_record::Column::Id)
        .filter(training_record::Column::UserId.into_expr().eq(user.clone()))
        .filter(
            training_record::Column::TrainingCourseId
                .into_expr()
                .eq(course_agreement::Column::TrainingCourseId.into_expr()),
        )
        .filter(
            training_record::Column::AttendedAt
                .into_expr()
                .lte(course_agreement::Column::NamedAt.into_expr()),
        )
        .into_query();
    let is_asked_for = Condition::any()
        .add(course_agreement::Column::NamedAt.is_null())
        .add(course_agreement::Column::NamedAt.lte(now - GRACE))
        .add(Expr::exists(had_attended).not());
    Expr::exists(
        course_agreement::Entity::find()
            .select_only()
            .column(course_agreement::Column::AgreementId)
            .filter(
                course_agreement::Column::TrainingCourseId
                    .into_expr()
                    .eq(course),
            )
            .filter(is_asked_for)
            .filter(course_agreement::Column::AgreementId.not_in_subquery(accepted(user, now)))
            .into_query(),
    )
    .not()
}

/// The agreements that `user` has accepted in a version that is still enough: none after it is binding yet. So the days of
/// grace of a new version are for those who had accepted the one before.
pub(crate) fn accepted(user: Expr, now: DateTime<Utc>) -> SelectStatement {
    let later = Alias::new("later");
    let later_column = |column: agreement_version::Column| Expr::col((later.clone(), column));
    let binding = Query::select()
        .expr(Expr::val(1))
        .from_as(agreement_version::Entity, later.clone())
        .and_where(
            later_column(agreement_version::Column::AgreementId)
                .eq(agreement_version::Column::AgreementId.into_expr()),
        )
        .and_where(
            later_column(agreement_version::Column::Number)
                .gt(agreement_version::Column::Number.into_expr()),
        )
        .and_where(later_column(agreement_version::Column::BindingFrom).lte(now))
        .take();
    agreement_version::Entity::find()
        .select_only()
        .column(agreement_version::Column::AgreementId)
        .join(
            sea_orm::JoinType::InnerJoin,
            agreement_version::Entity::belongs_to(agreement_acceptance::Entity)
                .from(agreement_version::Column::Id)
                .to(agreement_acceptance::Column::AgreementVersionId)
                .into(),
        )
        .filter(agreement_acceptance::Column::UserId.into_expr().eq(user))
        .filter(Expr::exists(binding).not())
        .into_query()
}

/// Grants that were given and not taken back, whether they count or not. One for a faculty of what belongs to no faculty is
/// as good as none.
#[must_use]
pub(crate) fn is_given() -> Condition {
    Condition::all()
        .add(access_grant::Column::State.eq(GrantState::Active))
        .add(
            Condition::any()
                .add(access_grant::Column::FacultyId.is_null())
                .add(access_grant::Column::Permission.is_in(BY_FACULTY)),
        )
}

/// Whether the training a grant rests on opens its permission still.
pub(crate) fn grant_is_opened() -> Expr {
    const JOINED: BinOper = BinOper::Custom("||");
    // The list of names is JSON, in which each stands in quotes.
    let quoted = Expr::cust("'%\"'")
        .binary(JOINED, access_grant::Column::Permission.into_expr())
        .binary(JOINED, Expr::cust("'\"%'"));
    let permissions = Expr::col((
        training_course::Entity,
        training_course::Column::Permissions,
    ))
    .cast_as("text");
    access_grant::Column::TrainingCourseId
        .is_null()
        .or(Expr::exists(
            training_course::Entity::find()
                .select_only()
                .column(training_course::Column::Id)
                .filter(
                    training_course::Column::Id
                        .into_expr()
                        .eq(access_grant::Column::TrainingCourseId.into_expr()),
                )
                .filter(permissions.binary(BinOper::Like, quoted))
                .into_query(),
        ))
}

/// Whether the training a grant rests on was attended; a grant that rests on nothing needs none.
pub(crate) fn grant_is_trained(now: DateTime<Utc>) -> Expr {
    access_grant::Column::TrainingCourseId
        .is_null()
        .or(is_trained(
            access_grant::Column::UserId.into_expr(),
            access_grant::Column::TrainingCourseId.into_expr(),
            now,
        ))
}

/// Whether the agreements that this training names were accepted.
pub(crate) fn grant_is_accepted(now: DateTime<Utc>) -> Expr {
    access_grant::Column::TrainingCourseId
        .is_null()
        .or(has_accepted(
            access_grant::Column::UserId.into_expr(),
            access_grant::Column::TrainingCourseId.into_expr(),
            now,
        ))
}

/// Grants with everything that they rest on, whether access is suspended or not.
#[must_use]
pub(super) fn has_grounds(now: DateTime<Utc>) -> Condition {
    is_given()
        .add(grant_is_opened())
        .add(grant_is_trained(now))
        .add(grant_is_accepted(now))
}

/// Grants that count (policy 3): given and not taken back, on training that opens them and was attended within its validity,
/// on accepted terms, of somebody whose access is not suspended. A condition on `access_grant`.
#[must_use]
pub(crate) fn counts(now: DateTime<Utc>) -> Condition {
    has_grounds(now).add(access_grant::Column::UserId.not_in_subquery(suspended()))
}

/// Those whose access is suspended.
pub(crate) fn suspended() -> SelectStatement {
    operator_access::Entity::find()
        .select_only()
        .column(operator_access::Column::UserId)
        .filter(operator_access::Column::State.eq(AccessState::Suspended))
        .into_query()
}

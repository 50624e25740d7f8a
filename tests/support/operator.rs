//! Operators as they come to be: trained, with the terms accepted, and granted something.

use chrono::TimeDelta;
use domain::{Store, viewer::permission_name};
use entity::{
    access_grant::{self, GrantState, Permission},
    agreement::{self, AgreementKind},
    agreement_acceptance, agreement_version, course_agreement,
    ids::{
        AgreementId, AgreementVersionId, FacultyId, GrantId, TrainingCourseId, TrainingRecordId,
        UserId,
    },
    list::TextList,
    operator_access::{self, AccessState},
    training_course, training_record,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};

/// Long enough for every clock that a test sets.
const VALIDITY_DAYS: i32 = 3_650;

/// Gives a member of staff a permission that counts: for the campus, or for one faculty. They have attended a course that
/// opens it and have accepted what the course names; where there is no such course, it is made.
pub async fn grant(
    store: &Store,
    user_id: UserId,
    permission: Permission,
    faculty_id: Option<FacultyId>,
) -> GrantId {
    let now = store.now();
    let course = course_that_opens(store, permission).await;
    let named = course_agreement::Entity::find()
        .filter(course_agreement::Column::TrainingCourseId.eq(course.id))
        .all(store.reader())
        .await
        .unwrap();
    for named in named {
        let current = agreement_version::Entity::find()
            .filter(agreement_version::Column::AgreementId.eq(named.agreement_id))
            .order_by_desc(agreement_version::Column::Number)
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        put::<agreement_acceptance::Entity>(
            store,
            agreement_acceptance::Model {
                agreement_version_id: current.id,
                user_id,
                accepted_at: now,
            },
        )
        .await;
    }
    put::<training_record::Entity>(
        store,
        training_record::Model {
            id: TrainingRecordId::new_at(now),
            user_id,
            training_course_id: course.id,
            event_id: None,
            attended_at: now,
            valid_until: now + TimeDelta::days(course.validity_days.into()),
        },
    )
    .await;
    let grant = access_grant::Model {
        id: GrantId::new_at(now),
        user_id,
        permission,
        faculty_id,
        training_course_id: Some(course.id),
        state: GrantState::Active,
        granted_by: None,
        granted_at: now,
    };
    let id = grant.id;
    put::<access_grant::Entity>(store, grant).await;
    put::<operator_access::Entity>(
        store,
        operator_access::Model {
            user_id,
            state: AccessState::Active,
            changed_at: now,
            suspended_because: None,
        },
    )
    .await;
    id
}

async fn course_that_opens(store: &Store, permission: Permission) -> training_course::Model {
    let name = permission_name(permission);
    let known = training_course::Entity::find()
        .order_by_asc(training_course::Column::Title)
        .all(store.reader())
        .await
        .unwrap()
        .into_iter()
        .find(|course| course.permissions.0.contains(&name));
    if let Some(known) = known {
        return known;
    }
    let course = training_course::Model {
        id: TrainingCourseId::new_at(store.now()),
        title: format!("Training for {name}"),
        permissions: TextList(vec![name]),
        validity_days: VALIDITY_DAYS,
        created_at: store.now(),
    };
    put::<training_course::Entity>(store, course.clone()).await;
    for kind in [
        AgreementKind::OperatorTerms,
        AgreementKind::DataProtection,
        AgreementKind::BulkEmailGuidance,
    ] {
        let agreement_id = agreement_of(store, kind).await;
        put::<course_agreement::Entity>(
            store,
            course_agreement::Model {
                training_course_id: course.id,
                agreement_id,
                named_at: None,
            },
        )
        .await;
    }
    course
}

async fn agreement_of(store: &Store, kind: AgreementKind) -> AgreementId {
    let now = store.now();
    let known = agreement::Entity::find()
        .filter(agreement::Column::Kind.eq(kind))
        .one(store.reader())
        .await
        .unwrap();
    if let Some(known) = known {
        return known.id;
    }
    let row = agreement::Model {
        id: AgreementId::new_at(now),
        kind,
        title: format!("What operators accept: {kind:?}"),
        created_at: now,
    };
    let id = row.id;
    put::<agreement::Entity>(store, row).await;
    put::<agreement_version::Entity>(
        store,
        agreement_version::Model {
            id: AgreementVersionId::new_at(now),
            agreement_id: id,
            number: 1,
            text: "I work with care.".to_owned(),
            grace_days: 14,
            published_at: now,
            binding_from: now + TimeDelta::days(14),
            published_by: None,
        },
    )
    .await;
    id
}

/// Writes a row, unless it is there.
async fn put<E>(store: &Store, row: E::Model)
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    E::insert(row.into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(store.reader())
        .await
        .unwrap();
}

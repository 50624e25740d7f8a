//! Who attended which course, and until when it counts (policy 3).

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking,
    event::{self, EventKind},
    ids::{TrainingCourseId, TrainingRecordId, UserId},
    training_course, training_record,
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde_json::json;

use super::taught_at;
use crate::{
    error::{Error, Result},
    operator_access,
    store::Tx,
    viewer::Viewer,
};

/// Until when attending `course` at that moment counts.
pub(super) fn valid_until(
    course: &training_course::Model,
    attended_at: DateTime<Utc>,
) -> DateTime<Utc> {
    attended_at + TimeDelta::days(course.validity_days.into())
}

/// Somebody was marked at an event. At a session of a course that is their training, from this moment on.
///
/// Nobody marks themselves there: it would be granting access to themselves.
pub(crate) async fn attended(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    booking: &booking::Model,
) -> Result<()> {
    if event.kind != EventKind::Training {
        return Ok(());
    }
    let Some((_, course)) = taught_at(tx.conn(), &[event.id]).await?.pop() else {
        return Ok(());
    };
    // policy 3: nobody grants to themselves.
    if viewer.user_id() == Some(booking.user_id) {
        return Err(Error::Forbidden(
            "Somebody else marks that you attended training.".to_owned(),
        ));
    }
    let is_staff = user::Entity::find_by_id(booking.user_id)
        .filter(user::Column::Kind.eq(UserKind::Staff))
        .one(tx.conn())
        .await?
        .is_some();
    if !is_staff {
        return Ok(());
    }
    // Who is marked late was there when it took place.
    let attended_at = tx.now().min(event.ends_at);
    let record = training_record::Model {
        id: TrainingRecordId::new_at(tx.now()),
        user_id: booking.user_id,
        training_course_id: course.id,
        event_id: Some(event.id),
        attended_at,
        valid_until: valid_until(&course, attended_at),
    };
    let written = training_record::Entity::insert(record.clone().into_active_model().reset_all())
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx.conn())
        .await?;
    if written > 0 {
        tx.audit(
            viewer,
            "training_record.write",
            record.id,
            None,
            Some(json!({
                "userId": record.user_id,
                "trainingCourseId": course.id,
                "eventId": event.id,
                "validUntil": record.valid_until,
            })),
        )
        .await?;
    }
    operator_access::review(tx, viewer, &[booking.user_id]).await?;
    Ok(())
}

/// It was a mistake that somebody was marked at an event. What they have of it as training goes with the mark, from this moment
/// on.
pub(crate) async fn mark_taken_back(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    user_id: UserId,
) -> Result<()> {
    let records = training_record::Entity::find()
        .filter(training_record::Column::UserId.eq(user_id))
        .filter(training_record::Column::EventId.eq(event.id))
        .all(tx.conn())
        .await?;
    for record in records {
        training_record::Entity::delete_by_id(record.id)
            .exec(tx.conn())
            .await?;
        tx.audit(
            viewer,
            "training_record.take_back",
            record.id,
            Some(json!({
                "userId": record.user_id,
                "trainingCourseId": record.training_course_id,
                "eventId": event.id,
                "attendedAt": record.attended_at,
                "validUntil": record.valid_until,
            })),
            None,
        )
        .await?;
    }
    bookings_changed(tx, viewer, event, Some(&[user_id])).await
}

/// Bookings for an event were made or have ended: those of `people`, or all. At training that moves where they stand.
pub(crate) async fn bookings_changed(
    tx: &mut Tx,
    viewer: &Viewer,
    event: &event::Model,
    people: Option<&[UserId]>,
) -> Result<()> {
    if event.kind != EventKind::Training {
        return Ok(());
    }
    if let Some(people) = people {
        operator_access::review(tx, viewer, people).await?;
        return Ok(());
    }
    let everybody: Vec<UserId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .distinct()
        .filter(booking::Column::EventId.eq(event.id))
        .into_tuple()
        .all(tx.conn())
        .await?;
    operator_access::review(tx, viewer, &everybody).await?;
    Ok(())
}

/// The courses whose training somebody has at this moment.
pub async fn valid_courses_of(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<TrainingCourseId>> {
    Ok(training_record::Entity::find()
        .select_only()
        .column(training_record::Column::TrainingCourseId)
        .distinct()
        .filter(training_record::Column::UserId.eq(user_id))
        .filter(training_record::Column::ValidUntil.gt(now))
        .into_tuple()
        .all(db)
        .await?)
}

/// Everybody who ever attended a course.
pub(super) async fn trained_in(
    db: &impl ConnectionTrait,
    course: TrainingCourseId,
) -> Result<Vec<UserId>> {
    Ok(training_record::Entity::find()
        .select_only()
        .column(training_record::Column::UserId)
        .distinct()
        .filter(training_record::Column::TrainingCourseId.eq(course))
        .into_tuple()
        .all(db)
        .await?)
}

/// What each of these people attended, the latest first. Whoever calls this has the people from
/// [`operator_access::list`], or is one of them.
pub async fn records_of(
    db: &impl ConnectionTrait,
    people: &[UserId],
) -> Result<Vec<training_record::Model>> {
    Ok(training_record::Entity::find()
        .filter(training_record::Column::UserId.is_in(people.iter().copied()))
        .order_by_desc(training_record::Column::AttendedAt)
        .order_by_desc(training_record::Column::Id)
        .all(db)
        .await?)
}

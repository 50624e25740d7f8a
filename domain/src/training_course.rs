//! Training courses: what they open, the sessions at which they are taught, and who attended (policy 3).
//!
//! A session is an event of the kind TRAINING that an administrator, or somebody who grants access for the campus, has named
//! as a session of the course. It is booked, waited for and attended like any other event; attending it is what counts, from
//! the moment in which it is marked.

mod agreements;
mod attendance;

pub use self::agreements::agreements_of;
pub(crate) use self::agreements::{remind_of_named, without_terms};
pub(crate) use self::attendance::{attended, bookings_changed, mark_taken_back};
pub use self::attendance::{records_of, valid_courses_of};
use chrono::{DateTime, Utc};
use entity::{
    access_grant::{self, Permission},
    course_agreement,
    event::{self, EventKind, EventState},
    ids::{AgreementId, EventId, TrainingCourseId},
    list::TextList,
    training_course, training_record, training_session,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, JoinType, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::OnConflict,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    account,
    change::Change,
    error::{Error, RefusalCode, Refusals, Result},
    event as events, operator_access,
    organisation::nothing,
    page::{Page, Slice},
    store::Tx,
    text::Text,
    viewer::{Viewer, permission_name},
};

/// For how many days training counts when nothing else is said: a year (policy 3).
pub const VALIDITY_DAYS: i32 = 365;

/// The longest validity, in days.
const LONGEST_VALIDITY: i32 = 3_650;

/// How many records are written at a time.
const CHUNK: usize = 1_000;

/// A course as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// Its title.
    pub title: String,
    /// The permissions that it opens.
    pub permissions: Vec<Permission>,
    /// For how many days attending it counts.
    pub validity_days: i32,
    /// The agreements to be accepted besides.
    pub agreement_ids: Vec<AgreementId>,
}

/// What changes about a course. What is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CourseChanges {
    /// Its title.
    pub title: Option<String>,
    /// The permissions that it opens. Grants of others that rest on the course stay, and don't count.
    pub permissions: Option<Vec<Permission>>,
    /// For how many days attending it counts, those who have attended among them.
    pub validity_days: Option<i32>,
    /// The agreements to be accepted besides.
    pub agreement_ids: Option<Vec<AgreementId>>,
}

impl Course {
    async fn check(&mut self, tx: &Tx) -> Result<()> {
        let mut refusals = Refusals::default();
        self.title = Text::line("title", 200).required(&self.title, &mut refusals);
        refusals.add_if(
            self.permissions.is_empty(),
            RefusalCode::Required,
            "permissions",
            "Name at least one permission that the course opens.",
        );
        if !(1..=LONGEST_VALIDITY).contains(&self.validity_days) {
            refusals.add(
                RefusalCode::Invalid,
                "validityDays",
                format!("Give a number of days from 1 to {LONGEST_VALIDITY}."),
            );
        }
        let mut seen = Vec::new();
        self.permissions.retain(|permission| {
            let new = !seen.contains(permission);
            seen.push(*permission);
            new
        });
        self.agreement_ids.sort_unstable();
        self.agreement_ids.dedup();
        agreements::check(tx, self, &mut refusals).await?;
        refusals.into_result()
    }

    fn permission_names(&self) -> TextList {
        TextList(
            self.permissions
                .iter()
                .copied()
                .map(permission_name)
                .collect(),
        )
    }
}

/// The permissions that a course opens.
#[must_use]
pub fn opened_by(course: &training_course::Model) -> Vec<Permission> {
    use sea_orm::ActiveEnum;
    course
        .permissions
        .0
        .iter()
        .filter_map(|name| Permission::try_from_value(name).ok())
        .collect()
}

/// Makes a course.
pub async fn create(
    tx: &mut Tx,
    viewer: &Viewer,
    mut course: Course,
) -> Result<training_course::Model> {
    require_administrator(viewer)?;
    course.check(tx).await?;
    check_title(tx, &course.title, None).await?;
    let row = training_course::ActiveModel {
        id: Set(TrainingCourseId::new_at(tx.now())),
        title: Set(course.title.clone()),
        permissions: Set(course.permission_names()),
        validity_days: Set(course.validity_days),
        created_at: Set(tx.now()),
    }
    .insert(tx.conn())
    .await?;
    agreements::name(tx, row.id, &course.agreement_ids, None).await?;
    let after = serde_json::to_value(&course)?;
    tx.audit(viewer, "training_course.create", row.id, None, Some(after))
        .await?;
    Ok(row)
}

/// Changes a course. A shorter or longer validity holds for those who have attended already, too; an agreement that is
/// named anew is asked of them after some days of grace, and a letter tells them. What it no longer opens counts no longer.
///
/// Nobody changes what their own access rests on, while somebody else can.
pub async fn update(
    tx: &mut Tx,
    viewer: &Viewer,
    id: TrainingCourseId,
    changes: CourseChanges,
) -> Result<training_course::Model> {
    require_administrator(viewer)?;
    let row = training_course::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("trainingCourseId", "training course"))?;
    let mut named: Vec<AgreementId> = course_agreement::Entity::find()
        .filter(course_agreement::Column::TrainingCourseId.eq(id))
        .all(tx.conn())
        .await?
        .into_iter()
        .map(|row| row.agreement_id)
        .collect();
    named.sort_unstable();
    let before = Course {
        title: row.title.clone(),
        permissions: opened_by(&row),
        validity_days: row.validity_days,
        agreement_ids: named,
    };
    let mut after = Course {
        title: changes.title.unwrap_or_else(|| before.title.clone()),
        permissions: changes
            .permissions
            .unwrap_or_else(|| before.permissions.clone()),
        validity_days: changes.validity_days.unwrap_or(before.validity_days),
        agreement_ids: changes
            .agreement_ids
            .unwrap_or_else(|| before.agreement_ids.clone()),
    };
    after.check(tx).await?;
    check_title(tx, &after.title, Some(id)).await?;
    if after == before {
        return Ok(row);
    }
    let only_the_title = Course {
        title: before.title.clone(),
        ..after.clone()
    } == before;
    if !only_the_title {
        refuse_own(tx, viewer, id).await?;
    }
    let mut row = row.into_active_model();
    row.title = Set(after.title.clone());
    row.permissions = Set(after.permission_names());
    row.validity_days = Set(after.validity_days);
    let row = row.update(tx.conn()).await?;
    agreements::change(tx, &row, &before.agreement_ids, &after.agreement_ids).await?;
    if after.validity_days != before.validity_days {
        count_anew(tx, &row).await?;
    }
    let change = Change::between(&before, &after)?;
    let (told_before, told_after) = change.into_audit(0);
    tx.audit(
        viewer,
        "training_course.update",
        id,
        told_before,
        told_after,
    )
    .await?;
    let trained = attendance::trained_in(tx.conn(), id).await?;
    for some in trained.chunks(CHUNK) {
        operator_access::review(tx, viewer, some).await?;
    }
    Ok(row)
}

/// policy 3: nobody grants to themselves. Whoever has access through a course changes nothing of it but its title, as long as
/// there is another administrator.
async fn refuse_own(tx: &Tx, viewer: &Viewer, id: TrainingCourseId) -> Result<()> {
    let Some(user_id) = viewer.user_id() else {
        return Ok(());
    };
    let own = access_grant::Entity::find()
        .filter(access_grant::Column::UserId.eq(user_id))
        .filter(access_grant::Column::TrainingCourseId.eq(id))
        .filter(operator_access::counting::is_given())
        .count(tx.conn())
        .await?;
    if own > 0 && account::is_another_administrator(tx, user_id).await? {
        return Err(Error::Forbidden(
            "Your own access rests on this course: another administrator changes it.".to_owned(),
        ));
    }
    Ok(())
}

/// Writes the end of every record of a course as its validity is now.
async fn count_anew(tx: &Tx, course: &training_course::Model) -> Result<()> {
    let records = training_record::Entity::find()
        .filter(training_record::Column::TrainingCourseId.eq(course.id))
        .all(tx.conn())
        .await?;
    for some in records.chunks(CHUNK) {
        let rows = some.iter().cloned().map(|mut record| {
            record.valid_until = attendance::valid_until(course, record.attended_at);
            record.into_active_model().reset_all()
        });
        training_record::Entity::insert_many(rows)
            .on_conflict(
                OnConflict::column(training_record::Column::Id)
                    .update_column(training_record::Column::ValidUntil)
                    .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await?;
    }
    Ok(())
}

async fn check_title(tx: &Tx, title: &str, except: Option<TrainingCourseId>) -> Result<()> {
    let same = training_course::Entity::find()
        .filter(training_course::Column::Title.eq(title))
        .one(tx.conn())
        .await?;
    match same {
        Some(same) if Some(same.id) != except => Err(Error::refused(
            RefusalCode::Taken,
            "title",
            "There is a course of this title.",
        )),
        _ => Ok(()),
    }
}

/// Names an event as a session of a course: whoever is marked there has attended the course.
pub async fn link_session(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    course_id: TrainingCourseId,
) -> Result<training_course::Model> {
    if !viewer.is_administrator() {
        viewer.require_for(Permission::GrantAccess, None)?;
    }
    let event = events::lock_visible(tx, viewer, event_id).await?;
    let course = training_course::Entity::find_by_id(course_id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("trainingCourseId", "training course"))?;
    let refuse = |message: &str| {
        Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            message.to_owned(),
        ))
    };
    if event.kind != EventKind::Training {
        return refuse("Only an event of the kind TRAINING is a session of a course.");
    }
    if !matches!(event.state, EventState::Draft | EventState::Published) {
        return refuse("The event is over or cancelled.");
    }
    if tx.now() >= crate::register::opens_at(&event) {
        return refuse(
            "The register of the event is open: who is marked there was not told what it counts for.",
        );
    }
    let before = training_session::Entity::find_by_id(event_id)
        .one(tx.conn())
        .await?
        .map(|session| session.training_course_id);
    training_session::Entity::insert(training_session::ActiveModel {
        event_id: Set(event_id),
        training_course_id: Set(course_id),
    })
    .on_conflict(
        OnConflict::column(training_session::Column::EventId)
            .update_column(training_session::Column::TrainingCourseId)
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    tx.audit(
        viewer,
        "training_session.link",
        event_id,
        Some(json!({ "trainingCourseId": before })),
        Some(json!({ "trainingCourseId": course_id })),
    )
    .await?;
    bookings_changed(tx, viewer, &event, None).await?;
    Ok(course)
}

/// Makes the copy of a session a session of the same course, where `viewer` may say so; otherwise it is one of none.
pub(crate) async fn copy_session(
    tx: &mut Tx,
    viewer: &Viewer,
    from: EventId,
    to: EventId,
) -> Result<()> {
    let may =
        viewer.is_administrator() || viewer.require_for(Permission::GrantAccess, None).is_ok();
    let taught = training_session::Entity::find_by_id(from)
        .one(tx.conn())
        .await?;
    if let (true, Some(session)) = (may, taught) {
        Box::pin(link_session(tx, viewer, to, session.training_course_id)).await?;
    }
    Ok(())
}

fn require_administrator(viewer: &Viewer) -> Result<()> {
    if viewer.is_administrator() {
        return Ok(());
    }
    viewer.signed_in()?;
    Err(Error::Forbidden(
        "This is for the administrators of the Careers Centre.".to_owned(),
    ))
}

/// The courses that exist for `viewer`: staff see what training there is.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.is_staff() {
        Condition::all()
    } else {
        Condition::all().add(nothing())
    }
}

/// The courses that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<training_course::Entity> {
    training_course::Entity::find().filter(visible_to(viewer))
}

/// One page of the courses that exist for `viewer`, by title.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    page: &Page<(String, TrainingCourseId)>,
) -> Result<Slice<training_course::Model>> {
    let columns = [
        training_course::Column::Title.into_expr(),
        training_course::Column::Id.into_expr(),
    ];
    page.read(db, visible(viewer), columns, Order::Asc).await
}

/// How many courses exist for `viewer`.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer) -> Result<u64> {
    Ok(visible(viewer).count(db).await?)
}

/// The sessions of each of these courses that are still to come and can be booked, the next first.
pub async fn next_sessions(
    db: &impl ConnectionTrait,
    ids: &[TrainingCourseId],
    now: DateTime<Utc>,
) -> Result<Vec<(TrainingCourseId, event::Model)>> {
    let rows = training_session::Entity::find()
        .join(
            JoinType::InnerJoin,
            training_session::Entity::belongs_to(event::Entity)
                .from(training_session::Column::EventId)
                .to(event::Column::Id)
                .into(),
        )
        .filter(training_session::Column::TrainingCourseId.is_in(ids.iter().copied()))
        .filter(event::Column::State.eq(EventState::Published))
        .filter(event::Column::StartsAt.gt(now))
        .filter(
            Condition::any()
                .add(event::Column::BookingClosesAt.is_null())
                .add(event::Column::BookingClosesAt.gt(now)),
        )
        .order_by_asc(event::Column::StartsAt)
        .order_by_asc(event::Column::Id)
        .select_also(event::Entity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(session, event)| Some((session.training_course_id, event?)))
        .collect())
}

/// The course that is taught at each of these events.
pub async fn taught_at(
    db: &impl ConnectionTrait,
    events: &[EventId],
) -> Result<Vec<(EventId, training_course::Model)>> {
    let rows = training_session::Entity::find()
        .join(
            JoinType::InnerJoin,
            training_session::Entity::belongs_to(training_course::Entity)
                .from(training_session::Column::TrainingCourseId)
                .to(training_course::Column::Id)
                .into(),
        )
        .filter(training_session::Column::EventId.is_in(events.iter().copied()))
        .select_also(training_course::Entity)
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(session, course)| Some((session.event_id, course?)))
        .collect())
}

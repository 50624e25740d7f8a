//! Opening events to students of other faculties, by agreement between operators (policy 2.4: by prior consultation).
//!
//! `REQUESTED -> AGREED | DECLINED | EXPIRED`. The audience grows when the other faculty agrees, and only then. Whoever
//! manages events of the whole campus, such as the Careers Centre, needs nobody's leave: consultation is their office.

mod letters;

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    access_grant::Permission,
    event::{self, EventKind, EventState},
    event_audience,
    event_sharing_request::{self, SharingState},
    faculty,
    ids::{EventAudienceId, EventId, EventSharingRequestId, FacultyId, ProgrammeId},
    programme, school, user,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, JoinType, Order, PaginatorTrait, QueryFilter, QuerySelect, RelationDef,
    Select,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    booking::reason_given,
    error::{Error, RefusalCode, Refusals, Result},
    event::{AudienceGroup, EventDraft, audience, lock, lock_to_manage, managed_by},
    job::{Job, Queue},
    operator_access::counting,
    organisation::nothing,
    page::{Page, Slice},
    store::Tx,
    text::Text,
    viewer::{Reach, Viewer},
};

/// For how long a request can be answered; never beyond the start of the event. Two weeks: longer than a leave, shorter than
/// the notice that a good event is announced with.
pub const ANSWER_DAYS: i64 = 14;

const LONGEST_MESSAGE: usize = 2_000;

/// Ends a request that nobody has answered.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireEventSharing {
    /// The request.
    pub request_id: EventSharingRequestId,
}

impl Job for ExpireEventSharing {
    const KIND: &'static str = "event_sharing.expire";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.request_id))
    }
}

/// Whom an event of a faculty's operator is for when they don't say: the students of the organising faculty. Whoever manages
/// events of the whole campus means every student.
pub(crate) fn usual_audience(viewer: &Viewer, draft: &mut EventDraft) {
    if let (Reach::Faculties(_), Some(_), true) = (
        viewer.reach(Permission::ManageEvent),
        draft.faculty_id,
        draft.audience.is_empty() && draft.kind != EventKind::Training,
    ) {
        draft.audience = vec![AudienceGroup {
            faculty_id: draft.faculty_id,
            ..AudienceGroup::default()
        }];
    }
}

/// Leaves out the groups of `draft` that `viewer` may invite by agreement alone, and those of whole faculties that had
/// agreed to another event. Where nobody is left, the usual audience is meant.
pub(crate) async fn without_agreement(
    tx: &Tx,
    viewer: &Viewer,
    draft: &mut EventDraft,
) -> Result<()> {
    let Reach::Faculties(own) = viewer.reach(Permission::ManageEvent) else {
        return Ok(());
    };
    if draft.kind == EventKind::Training {
        return Ok(());
    }
    let programmes = faculties_of(
        tx.conn(),
        draft.audience.iter().filter_map(|group| group.programme_id),
    )
    .await?;
    draft
        .audience
        .retain(|group| faculty_of(group, &programmes).is_some_and(|id| own.contains(&id)));
    Ok(())
}

/// The faculty of a group of students; none when the group is of no faculty.
fn faculty_of(group: &AudienceGroup, programmes: &[(ProgrammeId, FacultyId)]) -> Option<FacultyId> {
    group.faculty_id.or_else(|| {
        let id = group.programme_id?;
        programmes
            .iter()
            .find(|(programme, _)| *programme == id)
            .map(|(_, faculty)| *faculty)
    })
}

/// Refuses students of faculties that `viewer` doesn't manage events for, unless they were in the audience `before`.
pub(crate) async fn check_audience(
    tx: &Tx,
    viewer: &Viewer,
    draft: &EventDraft,
    before: Option<&EventDraft>,
) -> Result<()> {
    let Reach::Faculties(own) = viewer.reach(Permission::ManageEvent) else {
        return Ok(());
    };
    if draft.kind == EventKind::Training
        || before.is_some_and(|before| before.audience == draft.audience)
    {
        return Ok(());
    }
    let programmes = faculties_of(
        tx.conn(),
        draft.audience.iter().filter_map(|group| group.programme_id),
    )
    .await?;
    let known = |group: &AudienceGroup| {
        before.is_some_and(|before| before.audience.contains(group))
            || faculty_of(group, &programmes).is_some_and(|faculty| own.contains(&faculty))
    };
    let mut refusals = Refusals::default();
    refusals.add_if(
        draft.audience.is_empty() || !draft.audience.iter().all(known),
        RefusalCode::NeedsAgreement,
        "audience",
        "Students of other faculties are invited by agreement: name your own faculty here, and ask theirs by requestEventSharing.",
    );
    refusals.into_result()
}

pub(crate) async fn faculties_of(
    db: &impl ConnectionTrait,
    programmes: impl Iterator<Item = ProgrammeId>,
) -> Result<Vec<(ProgrammeId, FacultyId)>> {
    let to_school: RelationDef = programme::Entity::belongs_to(school::Entity)
        .from(programme::Column::SchoolId)
        .to(school::Column::Id)
        .into();
    Ok(programme::Entity::find()
        .select_only()
        .column(programme::Column::Id)
        .column(school::Column::FacultyId)
        .join(JoinType::InnerJoin, to_school)
        .filter(programme::Column::Id.is_in(programmes))
        .into_tuple()
        .all(db)
        .await?)
}

/// Asks the operators of `faculty_id` to open an event to its students. They are told by mail.
pub async fn request(
    tx: &mut Tx,
    viewer: &Viewer,
    event_id: EventId,
    faculty_id: FacultyId,
    message: &str,
) -> Result<event_sharing_request::Model> {
    let event = lock_to_manage(tx, viewer, event_id).await?;
    let organiser = viewer.signed_in()?;
    let mut refusals = Refusals::default();
    let message = Text::block("message", LONGEST_MESSAGE).required(message, &mut refusals);
    refusals.into_result()?;
    let faculty = faculty::Entity::find_by_id(faculty_id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("facultyId", "faculty"))?;
    if !is_ahead(&event, tx.now()) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "eventId",
            "Only an event that is ahead is opened to more students.",
        ));
    }
    let groups = audience(tx.conn(), event_id).await?;
    if groups.is_empty() || groups.contains(&whole(faculty_id)) {
        return Err(Error::refused(
            RefusalCode::Taken,
            "facultyId",
            "The event is open to the students of this faculty already.",
        ));
    }
    let open = event_sharing_request::Entity::find()
        .filter(event_sharing_request::Column::EventId.eq(event_id))
        .filter(event_sharing_request::Column::FacultyId.eq(faculty_id))
        .filter(event_sharing_request::Column::State.eq(SharingState::Requested))
        .count(tx.conn())
        .await?;
    if open > 0 {
        return Err(Error::refused(
            RefusalCode::Taken,
            "facultyId",
            "This faculty has been asked and has not answered yet.",
        ));
    }
    let row = event_sharing_request::Model {
        id: EventSharingRequestId::new_at(tx.now()),
        event_id,
        faculty_id,
        state: SharingState::Requested,
        message,
        requested_by: organiser.id,
        requested_at: tx.now(),
        expires_at: event.starts_at.min(tx.now() + TimeDelta::days(ANSWER_DAYS)),
        answered_by: None,
        answered_at: None,
        answer: None,
    };
    event_sharing_request::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    let kept = json!({ "eventId": event_id, "facultyId": faculty_id, "message": row.message });
    tx.audit(viewer, "event_sharing.request", row.id, None, Some(kept))
        .await?;
    tx.enqueue(
        &ExpireEventSharing { request_id: row.id },
        Some(row.expires_at),
    )
    .await?;
    letters::requested(tx, &row, &event, &faculty, &organiser.name).await?;
    Ok(row)
}

/// Answers for a faculty. When it agrees, its students are in the audience from then on; the one who asked is told either way.
pub async fn answer(
    tx: &mut Tx,
    viewer: &Viewer,
    id: EventSharingRequestId,
    agree: bool,
    answer: Option<&str>,
) -> Result<event_sharing_request::Model> {
    let request = visible(viewer)
        .filter(event_sharing_request::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("sharingRequestId", "request"))?;
    viewer.require_for(Permission::ManageEvent, Some(request.faculty_id))?;
    let answer = match answer.map(str::trim).filter(|answer| !answer.is_empty()) {
        None if agree => None,
        given => Some(reason_given(given.unwrap_or_default(), "answer")?),
    };
    // The event's lock makes answers wait for each other, and for a change of the audience.
    let event = lock(tx, request.event_id)
        .await?
        .ok_or_else(|| Error::not_found("sharingRequestId", "event"))?;
    let Some(request) = still_open(tx, id).await? else {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "sharingRequestId",
            "The request has been answered, or its time is over.",
        ));
    };
    if tx.now() >= request.expires_at || !is_ahead(&event, tx.now()) {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "sharingRequestId",
            "The time to answer is over.",
        ));
    }
    let state = if agree {
        grow(tx, &event, request.faculty_id).await?;
        SharingState::Agreed
    } else {
        SharingState::Declined
    };
    let mut row = request.clone().into_active_model();
    row.state = Set(state);
    row.answered_by = Set(viewer.user_id());
    row.answered_at = Set(Some(tx.now()));
    row.answer = Set(answer);
    let row = row.update(tx.conn()).await?;
    let before = json!({ "state": request.state });
    let after = json!({ "state": row.state, "eventId": row.event_id, "facultyId": row.faculty_id, "answer": row.answer });
    tx.audit(
        viewer,
        "event_sharing.answer",
        id,
        Some(before),
        Some(after),
    )
    .await?;
    letters::answered(tx, &row, &event).await?;
    Ok(row)
}

/// Ends a request that nobody has answered in time. Answers whether it did.
pub async fn expire(tx: &mut Tx, id: EventSharingRequestId) -> Result<bool> {
    let Some(event_id) = event_sharing_request::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .map(|request| request.event_id)
    else {
        return Ok(false);
    };
    let Some(event) = lock(tx, event_id).await? else {
        return Ok(false);
    };
    let Some(request) = still_open(tx, id).await? else {
        return Ok(false);
    };
    if request.expires_at > tx.now() {
        return Ok(false);
    }
    let mut row = request.into_active_model();
    row.state = Set(SharingState::Expired);
    let row = row.update(tx.conn()).await?;
    let after = json!({ "state": row.state });
    tx.audit(
        &Viewer::system(),
        "event_sharing.expire",
        id,
        None,
        Some(after),
    )
    .await?;
    letters::answered(tx, &row, &event).await?;
    Ok(true)
}

/// The request as it is under the event's lock, while it waits for an answer.
async fn still_open(
    tx: &Tx,
    id: EventSharingRequestId,
) -> Result<Option<event_sharing_request::Model>> {
    Ok(event_sharing_request::Entity::find_by_id(id)
        .filter(event_sharing_request::Column::State.eq(SharingState::Requested))
        .one(tx.conn())
        .await?)
}

/// Puts a faculty's students into the audience.
async fn grow(tx: &Tx, event: &event::Model, faculty_id: FacultyId) -> Result<()> {
    let groups = audience(tx.conn(), event.id).await?;
    if groups.is_empty() || groups.contains(&whole(faculty_id)) {
        return Ok(());
    }
    event_audience::Entity::insert(event_audience::ActiveModel {
        id: Set(EventAudienceId::new_at(tx.now())),
        event_id: Set(event.id),
        faculty_id: Set(Some(faculty_id)),
        programme_id: Set(None),
        level: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    // Whoever is writing a change of the event has an audience before them that is no longer true.
    let mut row = event.clone().into_active_model();
    row.version = Set(event.version + 1);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    Ok(())
}

fn whole(faculty_id: FacultyId) -> AudienceGroup {
    AudienceGroup {
        faculty_id: Some(faculty_id),
        ..AudienceGroup::default()
    }
}

fn is_ahead(event: &event::Model, now: DateTime<Utc>) -> bool {
    matches!(event.state, EventState::Draft | EventState::Published) && event.starts_at > now
}

/// What a list of requests is narrowed by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Where they stand.
    pub state: Option<SharingState>,
    /// The event.
    pub event_id: Option<EventId>,
    /// The faculty that is asked.
    pub faculty_id: Option<FacultyId>,
}

impl Filter {
    fn condition(&self) -> Condition {
        use event_sharing_request::Column;
        Condition::all()
            .add_option(self.state.map(|state| Column::State.eq(state)))
            .add_option(self.event_id.map(|id| Column::EventId.eq(id)))
            .add_option(self.faculty_id.map(|id| Column::FacultyId.eq(id)))
    }
}

/// The requests that exist for `viewer`: those of the events that they manage, and those to faculties that they answer for.
fn visible(viewer: &Viewer) -> Select<event_sharing_request::Entity> {
    let to_event: RelationDef = event_sharing_request::Entity::belongs_to(event::Entity)
        .from(event_sharing_request::Column::EventId)
        .to(event::Column::Id)
        .into();
    let asked = match viewer.reach(Permission::ManageEvent) {
        Reach::Campus => event_sharing_request::Column::Id.is_not_null(),
        Reach::Nothing => nothing(),
        Reach::Faculties(own) => event_sharing_request::Column::FacultyId.is_in(own),
    };
    event_sharing_request::Entity::find()
        .join(JoinType::InnerJoin, to_event)
        .filter(Condition::any().add(managed_by(viewer)).add(asked))
}

/// One page of the requests, the latest first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: &Filter,
    page: &Page<EventSharingRequestId>,
) -> Result<Slice<event_sharing_request::Model>> {
    let query = visible(viewer).filter(filter.condition());
    let key = [event_sharing_request::Column::Id.into_expr()];
    page.read(db, query, key, Order::Desc).await
}

/// How many there are.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: &Filter) -> Result<u64> {
    Ok(visible(viewer).filter(filter.condition()).count(db).await?)
}

/// Those of the requests that exist for `viewer`.
pub async fn find_all(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[EventSharingRequestId],
) -> Result<Vec<event_sharing_request::Model>> {
    Ok(visible(viewer)
        .filter(event_sharing_request::Column::Id.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// The events of requests in a few words: whoever is asked may not see a draft, and yet must know what they are asked.
pub async fn titles(
    db: &impl ConnectionTrait,
    ids: &[EventId],
) -> Result<Vec<(EventId, String, DateTime<Utc>)>> {
    Ok(event::Entity::find()
        .select_only()
        .columns([
            event::Column::Id,
            event::Column::Title,
            event::Column::StartsAt,
        ])
        .filter(event::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(db)
        .await?)
}

/// The operators of a faculty; where it has none, those of the campus.
async fn operators_of(tx: &Tx, faculty_id: FacultyId) -> Result<Vec<user::Model>> {
    use entity::access_grant;
    let grants = access_grant::Entity::find()
        .filter(access_grant::Column::Permission.eq(Permission::ManageEvent))
        .filter(counting::counts(tx.now()))
        .filter(
            Condition::any()
                .add(access_grant::Column::FacultyId.eq(faculty_id))
                .add(access_grant::Column::FacultyId.is_null()),
        )
        .all(tx.conn())
        .await?;
    let own = grants.iter().any(|grant| grant.faculty_id.is_some());
    let ids: HashSet<_> = grants
        .iter()
        .filter(|grant| grant.faculty_id.is_some() == own)
        .map(|grant| grant.user_id)
        .collect();
    Ok(user::Entity::find()
        .filter(user::Column::Id.is_in(ids))
        .filter(user::Column::State.eq(user::UserState::Active))
        .all(tx.conn())
        .await?)
}

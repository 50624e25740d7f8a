//! Training courses, their sessions and who attended (policy 3).

use std::collections::HashMap;

use async_graphql::{Context, InputObject, Object, Result, dataloader::Loader};
use chrono::{DateTime, Utc};
use domain::training_course::{self as courses, Course, CourseChanges, VALIDITY_DAYS};
use entity::{
    access_grant, agreement, event,
    ids::{AgreementId, EventId, TrainingCourseId, UserId},
    training_course::{Column, Model},
    training_record,
};
use sea_orm::QueryOrder;

use super::{
    agreement::Agreement,
    begin,
    connection::{Connection, PageArgs, connect},
    errors::{Payload, payload},
    event::{Event, event as find_event},
    id::Id,
    rows::{LoadError, Rows, by_id, rows},
    store, viewer,
    viewer::Permission,
};

/// Queries about training.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainingCourseQuery;

/// Mutations about training.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainingCourseMutation;

/// A training course.
#[derive(Clone, Debug)]
pub struct TrainingCourse(Model);

impl From<Model> for TrainingCourse {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// A training course and the permissions that it opens (policy 3).
#[Object]
impl TrainingCourse {
    /// Its id.
    pub async fn id(&self) -> Id<TrainingCourseId> {
        Id(self.0.id)
    }

    /// Its title.
    async fn title(&self) -> Option<&str> {
        Some(&self.0.title)
    }

    /// The permissions that it opens.
    async fn permissions(&self) -> Option<Vec<Permission>> {
        let opened = courses::opened_by(&self.0);
        Some(opened.into_iter().map(Into::into).collect())
    }

    /// For how many days attending it counts.
    async fn validity_days(&self) -> Option<i32> {
        Some(self.0.validity_days)
    }

    /// The agreements to be accepted besides, by title.
    async fn agreements(&self, ctx: &Context<'_>) -> Option<Result<Vec<Agreement>>> {
        Some(
            agreements_of(ctx, self.0.id)
                .await
                .map(|found| found.into_iter().map(Agreement::from).collect()),
        )
    }

    /// The sessions that are still to come and can be booked, the next first.
    async fn next_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those with a free place.", default)] with_free_places: bool,
    ) -> Option<Result<Vec<Event>>> {
        let found = async {
            let rows = rows(ctx)?.load_one(SessionsOf(self.0.id)).await?;
            Ok(rows
                .unwrap_or_default()
                .into_iter()
                .filter(|event| !with_free_places || domain::event::places_left(event) > 0)
                .map(Event::from)
                .collect())
        };
        Some(found.await)
    }

    /// The viewer's own training in it that counts the longest; null when they never attended.
    async fn viewer_record(&self, ctx: &Context<'_>) -> Option<Result<TrainingRecord>> {
        let found = async {
            let Some(user_id) = viewer(ctx)?.user_id() else {
                return Ok(None);
            };
            let records = records_of(ctx, user_id).await?;
            Ok(records
                .into_iter()
                .filter(|record| record.training_course_id == self.0.id)
                .max_by_key(|record| record.valid_until)
                .map(TrainingRecord))
        };
        found.await.transpose()
    }
}

/// The course with this id, if it exists for the viewer.
pub async fn find(ctx: &Context<'_>, id: TrainingCourseId) -> Result<Option<TrainingCourse>> {
    Ok(rows(ctx)?.load_one(id).await?.map(TrainingCourse))
}

/// The course that is taught at an event, if there is one.
pub async fn taught_at(ctx: &Context<'_>, id: EventId) -> Result<Option<TrainingCourse>> {
    Ok(rows(ctx)?.load_one(TaughtAt(id)).await?.map(TrainingCourse))
}

/// The courses that open a permission, by title.
pub(super) async fn opening(
    ctx: &Context<'_>,
    permission: access_grant::Permission,
) -> Result<Vec<Model>> {
    Ok(rows(ctx)?
        .load_one(Opening(permission))
        .await?
        .unwrap_or_default())
}

pub(super) async fn agreements_of(
    ctx: &Context<'_>,
    id: TrainingCourseId,
) -> Result<Vec<agreement::Model>> {
    Ok(rows(ctx)?.load_one(NamedBy(id)).await?.unwrap_or_default())
}

/// What somebody attended, the latest first.
pub(super) async fn records_of(
    ctx: &Context<'_>,
    id: UserId,
) -> Result<Vec<training_record::Model>> {
    Ok(rows(ctx)?
        .load_one(RecordsOf(id))
        .await?
        .unwrap_or_default())
}

/// A course that somebody attended.
#[derive(Clone, Debug)]
pub struct TrainingRecord(pub(super) training_record::Model);

/// A course that a member of staff attended, and until when that counts.
#[Object]
impl TrainingRecord {
    /// The course.
    async fn course(&self, ctx: &Context<'_>) -> Option<Result<TrainingCourse>> {
        find(ctx, self.0.training_course_id).await.transpose()
    }

    /// The session; null for training from before there were sessions in the system.
    async fn session(&self, ctx: &Context<'_>) -> Option<Result<Event>> {
        find_event(ctx, self.0.event_id?).await.transpose()
    }

    /// When.
    async fn attended_at(&self) -> Option<DateTime<Utc>> {
        Some(self.0.attended_at)
    }

    /// Until when it counts.
    async fn valid_until(&self) -> Option<DateTime<Utc>> {
        Some(self.0.valid_until)
    }
}

/// The agreements that a course names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct NamedBy(TrainingCourseId);

/// The sessions of a course that are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SessionsOf(TrainingCourseId);

/// What somebody attended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct RecordsOf(UserId);

/// The course that is taught at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct TaughtAt(EventId);

/// The courses that open a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Opening(access_grant::Permission);

by_id!(TrainingCourseId => Model, visible |rows| courses::visible(&rows.viewer), Column::Id);

impl Loader<Opening> for Rows {
    type Value = Vec<Model>;
    type Error = LoadError;

    async fn load(&self, keys: &[Opening]) -> Result<HashMap<Opening, Vec<Model>>, LoadError> {
        let all = courses::visible(&self.viewer)
            .order_by_asc(Column::Title)
            .all(self.store.reader())
            .await
            .map_err(domain::Error::from)?;
        Ok(keys
            .iter()
            .map(|key| {
                let opening = all
                    .iter()
                    .filter(|course| courses::opened_by(course).contains(&key.0));
                (*key, opening.cloned().collect())
            })
            .collect())
    }
}

impl Loader<NamedBy> for Rows {
    type Value = Vec<agreement::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[NamedBy],
    ) -> Result<HashMap<NamedBy, Vec<agreement::Model>>, LoadError> {
        let ids: Vec<TrainingCourseId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<NamedBy, Vec<agreement::Model>> = HashMap::new();
        for (course, row) in courses::agreements_of(self.store.reader(), &ids).await? {
            found.entry(NamedBy(course)).or_default().push(row);
        }
        Ok(found)
    }
}

impl Loader<SessionsOf> for Rows {
    type Value = Vec<event::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[SessionsOf],
    ) -> Result<HashMap<SessionsOf, Vec<event::Model>>, LoadError> {
        let ids: Vec<TrainingCourseId> = keys.iter().map(|key| key.0).collect();
        let now = self.store.now();
        let mut found: HashMap<SessionsOf, Vec<event::Model>> = HashMap::new();
        for (course, row) in courses::next_sessions(self.store.reader(), &ids, now).await? {
            found.entry(SessionsOf(course)).or_default().push(row);
        }
        Ok(found)
    }
}

impl Loader<RecordsOf> for Rows {
    type Value = Vec<training_record::Model>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[RecordsOf],
    ) -> Result<HashMap<RecordsOf, Vec<training_record::Model>>, LoadError> {
        let people: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<RecordsOf, Vec<training_record::Model>> = HashMap::new();
        for row in courses::records_of(self.store.reader(), &people).await? {
            found.entry(RecordsOf(row.user_id)).or_default().push(row);
        }
        Ok(found)
    }
}

impl Loader<TaughtAt> for Rows {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, keys: &[TaughtAt]) -> Result<HashMap<TaughtAt, Model>, LoadError> {
        let ids: Vec<EventId> = keys.iter().map(|key| key.0).collect();
        let found = courses::taught_at(self.store.reader(), &ids).await?;
        Ok(found
            .into_iter()
            .map(|(event, course)| (TaughtAt(event), course))
            .collect())
    }
}

/// A course to be made.
#[derive(Debug, InputObject)]
pub struct CreateTrainingCourseInput {
    /// Its title; no other course has it.
    title: String,
    /// The permissions that it opens.
    permissions: Vec<Permission>,
    /// For how many days attending it counts; a year when left out.
    validity_days: Option<i32>,
    /// The agreements to be accepted besides: one of the kind `OPERATOR_TERMS` and one of the kind `DATA_PROTECTION` at the
    /// least, and for `SEND_BULK_EMAIL` one of the kind `BULK_EMAIL_GUIDANCE`.
    agreement_ids: Option<Vec<Id<AgreementId>>>,
}

impl From<CreateTrainingCourseInput> for Course {
    fn from(given: CreateTrainingCourseInput) -> Self {
        Self {
            title: given.title,
            permissions: given.permissions.into_iter().map(Into::into).collect(),
            validity_days: given.validity_days.unwrap_or(VALIDITY_DAYS),
            agreement_ids: plain(given.agreement_ids.unwrap_or_default()),
        }
    }
}

fn plain(ids: Vec<Id<AgreementId>>) -> Vec<AgreementId> {
    ids.into_iter().map(|id| id.0).collect()
}

/// What changes about a course. What is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateTrainingCourseInput {
    /// The course.
    training_course_id: Id<TrainingCourseId>,
    /// Its title.
    title: Option<String>,
    /// The permissions that it opens. Grants that rest on the course stay, and count only for what it opens.
    permissions: Option<Vec<Permission>>,
    /// For how many days attending it counts, for those who have attended already, too.
    validity_days: Option<i32>,
    /// The agreements to be accepted besides; one that is named anew is asked of those who have attended after 14 days.
    agreement_ids: Option<Vec<Id<AgreementId>>>,
}

/// An event that is to be a session of a course.
#[derive(Debug, InputObject)]
pub struct LinkTrainingSessionInput {
    /// The event, of the kind TRAINING.
    event_id: Id<EventId>,
    /// The course that is taught there.
    training_course_id: Id<TrainingCourseId>,
}

payload! {
    /// What became of a new course.
    CreateTrainingCoursePayload {
        /// The course.
        training_course: TrainingCourse,
    }
}

payload! {
    /// What became of changing a course.
    UpdateTrainingCoursePayload {
        /// The course as it is now.
        training_course: TrainingCourse,
    }
}

payload! {
    /// What became of naming a session.
    LinkTrainingSessionPayload {
        /// The course, with its sessions.
        training_course: TrainingCourse,
    }
}

#[Object]
impl TrainingCourseQuery {
    /// The training that there is, by title.
    async fn training_courses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<TrainingCourse>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(list(ctx, &page).await)
    }
}

async fn list(ctx: &Context<'_>, page: &PageArgs) -> Result<Connection<TrainingCourse>> {
    let (store, viewer) = (store(ctx)?, viewer(ctx)?);
    let counted = (store.clone(), viewer.clone());
    connect(
        ctx,
        "trainingCourses",
        page,
        async |page| courses::list(store.reader(), viewer, &page).await,
        |row: &Model| (row.title.clone(), row.id),
        TrainingCourse,
        move || {
            let (store, viewer) = counted.clone();
            async move { courses::count(store.reader(), &viewer).await }
        },
    )
    .await
}

#[Object]
impl TrainingCourseMutation {
    /// Makes a training course that opens permissions.
    async fn create_training_course(
        &self,
        ctx: &Context<'_>,
        input: CreateTrainingCourseInput,
    ) -> Result<CreateTrainingCoursePayload> {
        let mut tx = begin(ctx).await?;
        let created = courses::create(&mut tx, viewer(ctx)?, input.into()).await;
        CreateTrainingCoursePayload::commit(tx, created).await
    }

    /// Changes a training course.
    async fn update_training_course(
        &self,
        ctx: &Context<'_>,
        input: UpdateTrainingCourseInput,
    ) -> Result<UpdateTrainingCoursePayload> {
        let mut tx = begin(ctx).await?;
        let changes = CourseChanges {
            title: input.title,
            permissions: input
                .permissions
                .map(|all| all.into_iter().map(Into::into).collect()),
            validity_days: input.validity_days,
            agreement_ids: input.agreement_ids.map(plain),
        };
        let id = input.training_course_id.0;
        let updated = courses::update(&mut tx, viewer(ctx)?, id, changes).await;
        UpdateTrainingCoursePayload::commit(tx, updated).await
    }

    /// Names an event as a session of a course: whoever is marked as present there has attended the course from that
    /// moment on.
    async fn link_training_session(
        &self,
        ctx: &Context<'_>,
        input: LinkTrainingSessionInput,
    ) -> Result<LinkTrainingSessionPayload> {
        let mut tx = begin(ctx).await?;
        let (event, course) = (input.event_id.0, input.training_course_id.0);
        let linked = courses::link_session(&mut tx, viewer(ctx)?, event, course).await;
        LinkTrainingSessionPayload::commit(tx, linked).await
    }
}

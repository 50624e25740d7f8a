//! Announcements: what staff must know of changes to the system and to the policy, and who has read it (policy 3).

mod receipts;

use chrono::TimeDelta;
use entity::{
    announcement::{self, AnnouncementKind},
    announcement_faculty, announcement_read,
    ids::{AnnouncementId, FacultyId, UserId},
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Select,
    sea_query::{OnConflict, SelectStatement},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::receipts::{Receipt, receipts, unread_in};
use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    job::{Job, Queue},
    notice::{self, Circular, Topic},
    organisation::nothing,
    page::{Page, Slice},
    store::Tx,
    super_user_group::require_member,
    text::Text,
    viewer::Viewer,
};

/// After how many days those who have not read a change of the policy are reminded, unless it says otherwise.
pub const REMIND_AFTER_DAYS: i32 = 7;

/// Tells staff of an announcement.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct TellOfAnnouncement {
    /// The announcement.
    pub announcement_id: AnnouncementId,
}

impl Job for TellOfAnnouncement {
    const KIND: &'static str = "announcement.tell";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.announcement_id))
    }
}

/// Reminds those who have not read an announcement.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RemindOfAnnouncement {
    /// The announcement.
    pub announcement_id: AnnouncementId,
}

impl Job for RemindOfAnnouncement {
    const KIND: &'static str = "announcement.remind";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(format!("{}/{}", Self::KIND, self.announcement_id))
    }
}

/// Which announcements exist for `viewer`: staff have those for all staff and for their faculty, the Super User Group has
/// all of them, and nobody else has any.
#[must_use]
pub fn visible_to(viewer: &Viewer) -> Condition {
    if viewer.is_super_user() || viewer.is_administrator() {
        return Condition::all();
    }
    if !viewer.is_staff() {
        return Condition::all().add(nothing());
    }
    let for_all = announcement::Column::Id.not_in_subquery(faculties_of_announcements(None));
    let mine = viewer.person().and_then(|person| person.faculty_id);
    Condition::any()
        .add(for_all)
        .add_option(mine.map(|faculty| {
            announcement::Column::Id.in_subquery(faculties_of_announcements(Some(faculty)))
        }))
}

fn faculties_of_announcements(faculty: Option<FacultyId>) -> SelectStatement {
    announcement_faculty::Entity::find()
        .select_only()
        .column(announcement_faculty::Column::AnnouncementId)
        .apply_if(faculty, |query, faculty| {
            query.filter(announcement_faculty::Column::FacultyId.eq(faculty))
        })
        .into_query()
}

/// The announcements that exist for `viewer`, to be narrowed.
#[must_use]
pub fn visible(viewer: &Viewer) -> Select<announcement::Entity> {
    announcement::Entity::find().filter(visible_to(viewer))
}

/// What a list of announcements is narrowed by. Everything that is given must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// What they are about.
    pub kind: Option<AnnouncementKind>,
    /// Whether the viewer has read them.
    pub is_read: Option<bool>,
}

impl Filter {
    fn condition(self, viewer: &Viewer) -> Condition {
        let mut all = Condition::all();
        if let Some(kind) = self.kind {
            all = all.add(announcement::Column::Kind.eq(kind));
        }
        if let (Some(is_read), Some(user_id)) = (self.is_read, viewer.user_id()) {
            let read = announcement_read::Entity::find()
                .select_only()
                .column(announcement_read::Column::AnnouncementId)
                .filter(announcement_read::Column::UserId.eq(user_id))
                .into_query();
            all = all.add(if is_read {
                announcement::Column::Id.in_subquery(read)
            } else {
                announcement::Column::Id.not_in_subquery(read)
            });
        }
        all
    }
}

/// One page of the announcements that exist for `viewer` and meet the filter, the latest first.
pub async fn list(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    filter: Filter,
    page: &Page<AnnouncementId>,
) -> Result<Slice<announcement::Model>> {
    let query = visible(viewer).filter(filter.condition(viewer));
    let key = [announcement::Column::Id.into_expr()];
    page.read(db, query, key, Order::Desc).await
}

/// How many announcements exist for `viewer` and meet the filter.
pub async fn count(db: &impl ConnectionTrait, viewer: &Viewer, filter: Filter) -> Result<u64> {
    let query = visible(viewer).filter(filter.condition(viewer));
    Ok(query.count(db).await?)
}

/// The faculties that each of the announcements is for; one for all staff is left out.
pub async fn faculties(
    db: &impl ConnectionTrait,
    ids: &[AnnouncementId],
) -> Result<Vec<announcement_faculty::Model>> {
    Ok(announcement_faculty::Entity::find()
        .filter(announcement_faculty::Column::AnnouncementId.is_in(ids.iter().copied()))
        .all(db)
        .await?)
}

/// When `user_id` read each of the announcements; one that they have not read is left out.
pub async fn read_by(
    db: &impl ConnectionTrait,
    ids: &[AnnouncementId],
    user_id: UserId,
) -> Result<Vec<announcement_read::Model>> {
    Ok(announcement_read::Entity::find()
        .filter(announcement_read::Column::AnnouncementId.is_in(ids.iter().copied()))
        .filter(announcement_read::Column::UserId.eq(user_id))
        .all(db)
        .await?)
}

/// An announcement to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What it is about.
    pub kind: AnnouncementKind,
    /// What it says, in a line.
    pub title: String,
    /// What it says.
    pub body: String,
    /// The faculties whose staff it is for; all staff when there is none.
    pub faculty_ids: Vec<FacultyId>,
    /// After how many days those who have not read it are reminded. Of a change of the policy they are in any case.
    pub remind_after_days: Option<i32>,
}

/// Publishes an announcement, and has its audience told.
pub async fn publish(tx: &mut Tx, viewer: &Viewer, draft: Draft) -> Result<announcement::Model> {
    require_member(viewer)?;
    let published_by = viewer.signed_in()?.id;
    let mut refusals = Refusals::default();
    let title = Text::line("title", 200).required(&draft.title, &mut refusals);
    let body = Text::block("body", 10_000).required(&draft.body, &mut refusals);
    let days = match draft.kind {
        AnnouncementKind::PolicyChange => {
            Some(draft.remind_after_days.unwrap_or(REMIND_AFTER_DAYS))
        }
        AnnouncementKind::SystemUpdate => draft.remind_after_days,
    };
    refusals.add_if(
        days.is_some_and(|days| !(1..=90).contains(&days)),
        RefusalCode::Invalid,
        "remindAfterDays",
        "Give 1 to 90 days.",
    );
    let mut faculty_ids = draft.faculty_ids;
    faculty_ids.sort_unstable();
    faculty_ids.dedup();
    let known = crate::university::faculties_with(tx.conn(), &faculty_ids).await?;
    refusals.add_if(
        known.len() != faculty_ids.len(),
        RefusalCode::NotFound,
        "facultyIds",
        "There is no such faculty.",
    );
    refusals.into_result()?;
    let remind_at = days.map(|days| tx.now() + TimeDelta::days(days.into()));
    let published = announcement::ActiveModel {
        id: Set(AnnouncementId::new_at(tx.now())),
        kind: Set(draft.kind),
        title: Set(title),
        body: Set(body),
        published_by: Set(published_by),
        published_at: Set(tx.now()),
        remind_at: Set(remind_at),
    }
    .insert(tx.conn())
    .await?;
    let announcement_id = published.id;
    if !faculty_ids.is_empty() {
        announcement_faculty::Entity::insert_many(faculty_ids.iter().map(|faculty_id| {
            announcement_faculty::ActiveModel {
                announcement_id: Set(announcement_id),
                faculty_id: Set(*faculty_id),
            }
        }))
        .exec_without_returning(tx.conn())
        .await?;
    }
    tx.enqueue(&TellOfAnnouncement { announcement_id }, None)
        .await?;
    if remind_at.is_some() {
        tx.enqueue(&RemindOfAnnouncement { announcement_id }, remind_at)
            .await?;
    }
    tx.audit(
        viewer,
        "announcement.publish",
        announcement_id,
        None,
        Some(
            json!({ "kind": published.kind, "title": published.title, "facultyIds": faculty_ids }),
        ),
    )
    .await?;
    Ok(published)
}

/// Notes that `viewer` has read an announcement. A second time changes nothing.
pub async fn mark_read(
    tx: &mut Tx,
    viewer: &Viewer,
    id: AnnouncementId,
) -> Result<announcement::Model> {
    let user_id = viewer.signed_in()?.id;
    let found = visible(viewer)
        .filter(announcement::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("announcementId", "announcement"))?;
    let written = announcement_read::Entity::insert(announcement_read::ActiveModel {
        announcement_id: Set(id),
        user_id: Set(user_id),
        read_at: Set(tx.now()),
    })
    .on_conflict(
        OnConflict::columns([
            announcement_read::Column::AnnouncementId,
            announcement_read::Column::UserId,
        ])
        .do_nothing()
        .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    if written > 0 {
        tx.audit(viewer, "announcement.read", id, None, None)
            .await?;
    }
    Ok(found)
}

/// Tells the audience of an announcement, in the way that each of them chose. Answers how many were told.
pub async fn tell_audience(tx: &mut Tx, job: TellOfAnnouncement) -> Result<usize> {
    tell(tx, job.announcement_id, false).await
}

/// Reminds those who have not read an announcement. Answers how many were reminded; nobody is reminded twice.
pub async fn remind_unread(tx: &mut Tx, job: RemindOfAnnouncement) -> Result<usize> {
    tell(tx, job.announcement_id, true).await
}

async fn tell(tx: &mut Tx, id: AnnouncementId, again: bool) -> Result<usize> {
    let Some(found) = announcement::Entity::find_by_id(id).one(tx.conn()).await? else {
        return Ok(0);
    };
    let faculty_ids: Vec<FacultyId> = faculties(tx.conn(), &[id])
        .await?
        .into_iter()
        .map(|row| row.faculty_id)
        .collect();
    let mut audience = audience(&faculty_ids).add(user::Column::Id.ne(found.published_by));
    if again {
        let readers = announcement_read::Entity::find()
            .select_only()
            .column(announcement_read::Column::UserId)
            .filter(announcement_read::Column::AnnouncementId.eq(id))
            .into_query();
        audience = audience.add(user::Column::Id.not_in_subquery(readers));
    }
    let topic = match found.kind {
        AnnouncementKind::PolicyChange => Topic::PolicyChange,
        AnnouncementKind::SystemUpdate => Topic::Announcement,
    };
    let circular = Circular {
        template: if again {
            "announcement_reminder"
        } else {
            "announcement"
        },
        purpose: format!(
            "{}/{id}",
            if again {
                "announcement_reminder"
            } else {
                "announcement"
            }
        ),
        fields: json!({
            "title": found.title,
            "body": found.body,
            "is_policy_change": found.kind == AnnouncementKind::PolicyChange,
            "published_at": found.published_at,
            "announcement_link": format!("/announcements/{id}"),
        }),
    };
    notice::tell_all(tx, topic, &circular, &audience).await
}

/// The staff whom an announcement to these faculties is for.
fn audience(faculty_ids: &[FacultyId]) -> Condition {
    let staff = Condition::all().add(user::Column::Kind.eq(UserKind::Staff));
    if faculty_ids.is_empty() {
        staff
    } else {
        staff.add(user::Column::FacultyId.is_in(faculty_ids.iter().copied()))
    }
}

//! Who has read an announcement: counts by faculty for the Super User Group, names for the disseminator of a faculty.

use entity::{
    announcement, announcement_faculty, announcement_read,
    ids::{AnnouncementId, FacultyId, UserId},
    user::{self, UserKind, UserState},
};
use sea_orm::{
    Condition, ConnectionTrait, ExprTrait,
    sea_query::{Expr, Func, JoinType, Query, SelectStatement},
};

use crate::{error::Result, super_user_group::disseminates_for, viewer::Viewer};

/// How far an announcement came in one faculty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The announcement.
    pub announcement_id: AnnouncementId,
    /// The faculty; none for staff of no faculty.
    pub faculty_id: Option<FacultyId>,
    /// How many of its staff the announcement is for.
    pub people: i64,
    /// How many of them have read it.
    pub read: i64,
}

/// The receipts of each of the announcements by faculty, as far as `viewer` may know them: the Super User Group knows all,
/// a disseminator those of their faculty.
///
/// One statement, whatever the number of announcements and people.
pub async fn receipts(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[AnnouncementId],
) -> Result<Vec<Receipt>> {
    let mut query = audience_of(ids);
    query
        .column((announcement::Entity, announcement::Column::Id))
        .column((user::Entity, user::Column::FacultyId))
        .expr_as(
            Func::count(Expr::col((user::Entity, user::Column::Id))),
            "people",
        )
        .expr_as(
            Func::count(Expr::col((
                announcement_read::Entity,
                announcement_read::Column::UserId,
            ))),
            "read_by",
        )
        .group_by_col((announcement::Entity, announcement::Column::Id))
        .group_by_col((user::Entity, user::Column::FacultyId));
    if !(viewer.is_super_user() || viewer.is_administrator()) {
        let Some(faculty_id) = disseminates_for(db, viewer).await? else {
            return Ok(Vec::new());
        };
        query.and_where(Expr::col((user::Entity, user::Column::FacultyId)).eq(faculty_id));
    }
    let mut receipts = Vec::new();
    for row in db.query_all(&query).await? {
        receipts.push(Receipt {
            announcement_id: row.try_get("", "id")?,
            faculty_id: row.try_get("", "faculty_id")?,
            people: row.try_get("", "people")?,
            read: row.try_get("", "read_by")?,
        });
    }
    Ok(receipts)
}

/// Who of the faculty that `viewer` disseminates for has not read each of the announcements, by name. Nobody else learns
/// names.
pub async fn unread_in(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: &[AnnouncementId],
) -> Result<Vec<(AnnouncementId, FacultyId, UserId)>> {
    let Some(faculty_id) = disseminates_for(db, viewer).await? else {
        return Ok(Vec::new());
    };
    let mut query = audience_of(ids);
    query
        .expr_as(
            Expr::col((announcement::Entity, announcement::Column::Id)),
            "announcement_id",
        )
        .expr_as(Expr::col((user::Entity, user::Column::Id)), "user_id")
        .and_where(Expr::col((user::Entity, user::Column::FacultyId)).eq(faculty_id))
        .and_where(
            Expr::col((announcement_read::Entity, announcement_read::Column::UserId)).is_null(),
        )
        .order_by((user::Entity, user::Column::Name), sea_orm::Order::Asc);
    let mut unread = Vec::new();
    for row in db.query_all(&query).await? {
        unread.push((
            row.try_get("", "announcement_id")?,
            faculty_id,
            row.try_get("", "user_id")?,
        ));
    }
    Ok(unread)
}

/// `FROM` these announcements, the staff that each is for, and their receipts where there are any.
fn audience_of(ids: &[AnnouncementId]) -> SelectStatement {
    let announcement_id = || Expr::col((announcement::Entity, announcement::Column::Id));
    let account = |column: user::Column| Expr::col((user::Entity, column));
    let faculties = |of_reader: bool| {
        let mut query = Query::select();
        query
            .expr(Expr::val(1))
            .from(announcement_faculty::Entity)
            .and_where(
                Expr::col((
                    announcement_faculty::Entity,
                    announcement_faculty::Column::AnnouncementId,
                ))
                .eq(announcement_id()),
            );
        if of_reader {
            query.and_where(
                Expr::col((
                    announcement_faculty::Entity,
                    announcement_faculty::Column::FacultyId,
                ))
                .eq(account(user::Column::FacultyId)),
            );
        }
        query
    };
    let reader = Condition::all()
        .add(account(user::Column::Kind).eq(Expr::val(UserKind::Staff)))
        .add(account(user::Column::State).eq(Expr::val(UserState::Active)))
        .add(account(user::Column::Id).ne(Expr::col((
            announcement::Entity,
            announcement::Column::PublishedBy,
        ))))
        .add(
            Condition::any()
                .add(Expr::exists(faculties(false)).not())
                .add(Expr::exists(faculties(true))),
        );
    let receipt = Condition::all()
        .add(
            Expr::col((
                announcement_read::Entity,
                announcement_read::Column::AnnouncementId,
            ))
            .eq(announcement_id()),
        )
        .add(
            Expr::col((announcement_read::Entity, announcement_read::Column::UserId))
                .eq(account(user::Column::Id)),
        );
    Query::select()
        .from(announcement::Entity)
        .join(JoinType::InnerJoin, user::Entity, reader)
        .join(JoinType::LeftJoin, announcement_read::Entity, receipt)
        .and_where(announcement_id().is_in(ids.iter().copied()))
        .to_owned()
}

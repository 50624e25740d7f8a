//! Operator access: permissions that are earned by training and accepted terms, watched and given back (policy 3).
//!
//! A grant is given by somebody who holds `GRANT_ACCESS` for its scope, or by an administrator. It counts with attended
//! training and accepted agreements, and not a moment longer: [`counting`] says so in SQL, at every request. A grant that
//! names no course rests on nothing and counts until it is taken back; such grants are made on the command line alone, for
//! the first administrator, who holds the first training.

pub mod counting;
mod hand_over;
pub(crate) mod letters;
mod overview;
mod stage;
mod standing;
mod suspension;
mod upkeep;

use entity::{
    access_grant::{self, GrantState, Permission},
    faculty,
    ids::{FacultyId, GrantId, TrainingCourseId, UserId},
    training_course,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use serde_json::json;

pub(crate) use self::stage::review;
pub use self::standing::{Filter, Grant, Standing, count, find_all, grants_of, list, overseen_by};
pub use self::suspension::{restore, suspend};
pub use self::upkeep::{LapseAccess, REMINDERS, RemindOperators, lapse, remind};
pub use self::{
    hand_over::{HandedOver, hand_over},
    overview::{Cell, CellKey, Trained, overview, people_in},
};
use crate::{
    error::{Error, RefusalCode, Result},
    store::Tx,
    training_course as courses,
    viewer::{BY_FACULTY, Viewer, permission_name},
};

/// What is to be granted.
#[derive(Clone, Copy, Debug)]
pub struct NewGrant {
    /// To whom.
    pub user_id: UserId,
    /// What it allows.
    pub permission: Permission,
    /// The faculty it is limited to; none means the whole campus.
    pub faculty_id: Option<FacultyId>,
    /// The training it is to rest on; none leaves the choice to the courses that open the permission.
    pub training_course_id: Option<TrainingCourseId>,
}

/// Gives a permission to a member of staff. Until they are trained and have accepted what the training names it does not
/// count, and a letter tells them the way.
pub async fn grant(tx: &mut Tx, viewer: &Viewer, new: NewGrant) -> Result<Standing> {
    require_to_grant(viewer, new.faculty_id)?;
    if new.faculty_id.is_some() && !BY_FACULTY.contains(&new.permission) {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "facultyId",
            format!(
                "{} is given for the whole campus or not at all: what it is about belongs to no faculty.",
                permission_name(new.permission)
            ),
        ));
    }
    // policy 3: nobody grants to themselves.
    require_another(viewer, new.user_id, "Nobody grants access to themselves.")?;
    let person = member_of_staff(tx, new.user_id, "userId").await?;
    if let Some(id) = new.faculty_id
        && faculty::Entity::find_by_id(id)
            .one(tx.conn())
            .await?
            .is_none()
    {
        return Err(Error::not_found("facultyId", "faculty"));
    }
    tx.hold(&format!("access_grant/{}", person.id)).await?;
    let course = course_for(tx, new).await?;
    let given = access_grant::Entity::find()
        .filter(access_grant::Column::UserId.eq(person.id))
        .filter(access_grant::Column::Permission.eq(new.permission))
        .filter(counting::is_given())
        .all(tx.conn())
        .await?;
    if given.iter().any(|grant| grant.faculty_id == new.faculty_id) {
        return Err(Error::refused(
            RefusalCode::Taken,
            "permission",
            "They have been given this permission already.",
        ));
    }
    let row = access_grant::Model {
        id: GrantId::new_at(tx.now()),
        user_id: person.id,
        permission: new.permission,
        faculty_id: new.faculty_id,
        training_course_id: Some(course.id),
        state: GrantState::Active,
        granted_by: viewer.user_id(),
        granted_at: tx.now(),
    };
    access_grant::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(tx.conn())
        .await?;
    tx.audit(
        viewer,
        "access_grant.give",
        row.id,
        None,
        Some(json!({
            "userId": person.id,
            "permission": row.permission,
            "facultyId": row.faculty_id,
            "trainingCourseId": row.training_course_id,
        })),
    )
    .await?;
    review(tx, viewer, &[person.id]).await?;
    let counts = access_grant::Entity::find_by_id(row.id)
        .filter(counting::counts(tx.now()))
        .one(tx.conn())
        .await?
        .is_some();
    if !counts {
        letters::invitation(tx, &person, &row, &course).await?;
    }
    standing_of(tx, person.id).await
}

/// Takes a permission back. It is gone at the holder's next request.
pub async fn revoke(tx: &mut Tx, viewer: &Viewer, id: GrantId) -> Result<Standing> {
    let not_found = || Error::not_found("grantId", "grant");
    let row = access_grant::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .ok_or_else(not_found)?;
    find_all(tx.conn(), viewer, &[row.user_id])
        .await?
        .pop()
        .ok_or_else(not_found)?;
    require_to_grant(viewer, row.faculty_id)?;
    if row.state == GrantState::Revoked {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "grantId",
            "This grant was taken back already.",
        ));
    }
    let user_id = row.user_id;
    end_grant(tx, viewer, row).await?;
    review(tx, viewer, &[user_id]).await?;
    standing_of(tx, user_id).await
}

pub(crate) async fn end_grant(
    tx: &mut Tx,
    viewer: &Viewer,
    row: access_grant::Model,
) -> Result<()> {
    let (id, before) = (row.id, row.state);
    let mut row = row.into_active_model();
    row.state = Set(GrantState::Revoked);
    row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "access_grant.revoke",
        id,
        Some(json!({ "state": before })),
        Some(json!({ "state": GrantState::Revoked })),
    )
    .await
}

/// Gives somebody what holding the first training and granting the first access needs: two grants that rest on nothing.
/// For the command line alone.
pub(crate) async fn found(tx: &mut Tx, user_id: UserId) -> Result<()> {
    for permission in [Permission::ManageEvent, Permission::GrantAccess] {
        let row = access_grant::Model {
            id: GrantId::new_at(tx.now()),
            user_id,
            permission,
            faculty_id: None,
            training_course_id: None,
            state: GrantState::Active,
            granted_by: None,
            granted_at: tx.now(),
        };
        access_grant::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(tx.conn())
            .await?;
    }
    review(tx, &Viewer::system(), &[user_id]).await?;
    Ok(())
}

/// `Ok` when `viewer` may give and take grants for `faculty`; `None` is the whole campus.
fn require_to_grant(viewer: &Viewer, faculty: Option<FacultyId>) -> Result<()> {
    if viewer.is_administrator() {
        return Ok(());
    }
    viewer.require_for(Permission::GrantAccess, faculty)
}

fn require_another(viewer: &Viewer, user_id: UserId, otherwise: &str) -> Result<()> {
    if viewer.user_id() == Some(user_id) {
        return Err(Error::Forbidden(otherwise.to_owned()));
    }
    Ok(())
}

/// A member of staff whose account is open.
async fn member_of_staff(tx: &Tx, id: UserId, field: &'static str) -> Result<user::Model> {
    let person = staff(tx, id, field).await?;
    if person.state == UserState::Active {
        return Ok(person);
    }
    Err(Error::not_found(field, "member of staff"))
}

async fn staff(tx: &Tx, id: UserId, field: &'static str) -> Result<user::Model> {
    user::Entity::find_by_id(id)
        .filter(user::Column::Kind.eq(UserKind::Staff))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found(field, "member of staff"))
}

async fn standing_of(tx: &Tx, id: UserId) -> Result<Standing> {
    find_all(tx.conn(), &Viewer::system(), &[id])
        .await?
        .pop()
        .ok_or_else(|| Error::Fault(format!("{id} is no member of staff")))
}

/// The course a grant is to rest on: the one that was named, else the one they have attended, else the first by title. One
/// that doesn't name the agreements which access needs carries no grant.
async fn course_for(tx: &Tx, new: NewGrant) -> Result<training_course::Model> {
    let name = permission_name(new.permission);
    let mut opening = training_course::Entity::find()
        .order_by_asc(training_course::Column::Title)
        .all(tx.conn())
        .await?;
    opening.retain(|course| course.permissions.0.contains(&name));
    if let Some(id) = new.training_course_id {
        opening.retain(|course| course.id == id);
        if opening.is_empty() {
            return Err(Error::refused(
                RefusalCode::Invalid,
                "trainingCourseId",
                format!("That is no training course that opens {name}."),
            ));
        }
    }
    if opening.is_empty() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "permission",
            format!("No training leads to {name} yet: make a course that opens it first."),
        ));
    }
    let bare = courses::without_terms(tx.conn(), &opening).await?;
    opening.retain(|course| !bare.contains(&course.id));
    if opening.is_empty() {
        return Err(Error::refused(
            RefusalCode::WrongState,
            "trainingCourseId",
            format!(
                "The training that leads to {name} doesn't name the agreements that access needs: name them first."
            ),
        ));
    }
    let attended = courses::valid_courses_of(tx.conn(), new.user_id, tx.now()).await?;
    let chosen = opening
        .iter()
        .position(|course| attended.contains(&course.id))
        .unwrap_or(0);
    Ok(opening.swap_remove(chosen))
}

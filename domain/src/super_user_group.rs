//! The Super User Group: one representative of each faculty and staff of the Careers Centre, who discuss the system and
//! its policy, and one person in each faculty who passes on what they decide (policy 3).
//!
//! Whoever is in the group has the mark of it on the account, which every right is read from. Only whom somebody stands
//! for is kept here; a member who stands for no faculty is of the Careers Centre.

mod digest;

use entity::{
    faculty, faculty_role,
    faculty_role::FacultyRoleKind,
    ids::{FacultyId, UserId},
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, RelationDef,
    sea_query::OnConflict,
};
use serde_json::json;

pub use self::digest::{DigestGroup, post_group_digest};
use crate::{
    error::{Error, RefusalCode, Result},
    live::LiveEvent,
    store::Tx,
    viewer::Viewer,
};

/// A member of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub user_id: UserId,
    /// The faculty they represent; none for staff of the Careers Centre.
    pub faculty_id: Option<FacultyId>,
}

/// Who stands for a faculty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The faculty.
    pub faculty: faculty::Model,
    /// Who represents it in the group; none where nobody does.
    pub representative: Option<UserId>,
    /// Who passes on updates, policy changes, faults and improvements; none where nobody does.
    pub disseminator: Option<UserId>,
}

/// The members, by name. Whoever may not sign in any more is none.
pub async fn members(db: &impl ConnectionTrait) -> Result<Vec<Member>> {
    let people: Vec<UserId> = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::IsSuperUser.eq(true))
        .filter(user::Column::State.eq(UserState::Active))
        .order_by_asc(user::Column::Name)
        .order_by_asc(user::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let roles = faculty_role::Entity::find()
        .filter(faculty_role::Column::Role.eq(FacultyRoleKind::Representative))
        .all(db)
        .await?;
    Ok(people
        .into_iter()
        .map(|user_id| Member {
            user_id,
            faculty_id: roles
                .iter()
                .find(|role| role.user_id == user_id)
                .map(|role| role.faculty_id),
        })
        .collect())
}

/// Every faculty with who stands for it, by name: a faculty for which nobody does is shown too.
pub async fn coverage(db: &impl ConnectionTrait) -> Result<Vec<Coverage>> {
    let standing: Vec<faculty_role::Model> = faculty_role::Entity::find()
        .join(JoinType::InnerJoin, who_stands())
        .filter(user::Column::State.eq(UserState::Active))
        .all(db)
        .await?;
    let who = |faculty_id, role| {
        standing
            .iter()
            .find(|row| row.faculty_id == faculty_id && row.role == role)
            .map(|row| row.user_id)
    };
    let faculties = crate::university::faculties(db).await?;
    Ok(faculties
        .into_iter()
        .map(|faculty| Coverage {
            representative: who(faculty.id, FacultyRoleKind::Representative),
            disseminator: who(faculty.id, FacultyRoleKind::Disseminator),
            faculty,
        })
        .collect())
}

/// The faculty that `viewer` is the disseminator of.
pub async fn disseminates_for(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
) -> Result<Option<FacultyId>> {
    let Some(user_id) = viewer.user_id() else {
        return Ok(None);
    };
    let role = faculty_role::Entity::find()
        .filter(faculty_role::Column::Role.eq(FacultyRoleKind::Disseminator))
        .filter(faculty_role::Column::UserId.eq(user_id))
        .one(db)
        .await?;
    Ok(role.map(|role| role.faculty_id))
}

/// Takes somebody into the group: as the representative of `faculty_id`, or as staff of the Careers Centre. A member may
/// be given another faculty by the same way.
pub async fn add_super_user(
    tx: &mut Tx,
    viewer: &Viewer,
    user_id: UserId,
    faculty_id: Option<FacultyId>,
) -> Result<Member> {
    may_appoint(viewer, user_id)?;
    let person = member_of_staff(tx, user_id, faculty_id).await?;
    let before = role_of(tx, FacultyRoleKind::Representative, user_id).await?;
    if person.is_super_user && before == faculty_id {
        return Ok(Member {
            user_id,
            faculty_id,
        });
    }
    if before.is_some() {
        leave(tx, FacultyRoleKind::Representative, user_id).await?;
    }
    if let Some(faculty_id) = faculty_id {
        // policy 3: a representative from each faculty, and one only.
        let row = faculty_role::ActiveModel {
            faculty_id: Set(faculty_id),
            role: Set(FacultyRoleKind::Representative),
            user_id: Set(user_id),
            since: Set(tx.now()),
        };
        let written = faculty_role::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([faculty_role::Column::FacultyId, faculty_role::Column::Role])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(tx.conn())
            .await?;
        if written == 0 {
            return Err(Error::refused(
                RefusalCode::Taken,
                "facultyId",
                "This faculty has a representative. Remove them from the group first.",
            ));
        }
    }
    let was_member = person.is_super_user;
    let mut row = person.into_active_model();
    row.is_super_user = Set(true);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "super_user.add",
        user_id,
        Some(json!({ "isSuperUser": was_member, "representativeOf": before })),
        Some(json!({ "isSuperUser": true, "representativeOf": faculty_id })),
    )
    .await?;
    tx.announce(LiveEvent::AccessChanged { user_id });
    Ok(Member {
        user_id,
        faculty_id,
    })
}

/// Takes somebody out of the group. Their faculty has no representative then.
pub async fn remove_super_user(tx: &mut Tx, viewer: &Viewer, user_id: UserId) -> Result<()> {
    if !viewer.is_administrator() {
        return Err(not_administrator(viewer));
    }
    if !take_out(tx, viewer, user_id).await? {
        return Err(Error::not_found("userId", "member of the Super User Group"));
    }
    Ok(())
}

/// How many marks somebody has: of a member of the group, and of whom they stand for.
pub(crate) async fn marks(tx: &Tx, user_id: UserId) -> Result<u64> {
    let roles = faculty_role::Entity::find()
        .filter(faculty_role::Column::UserId.eq(user_id))
        .count(tx.conn())
        .await?;
    let member = user::Entity::find_by_id(user_id)
        .filter(user::Column::IsSuperUser.eq(true))
        .count(tx.conn())
        .await?;
    Ok(roles + member)
}

/// Takes all of them from somebody who leaves.
pub(crate) async fn release(tx: &mut Tx, viewer: &Viewer, user_id: UserId) -> Result<()> {
    take_out(tx, viewer, user_id).await?;
    if let Some(faculty_id) = role_of(tx, FacultyRoleKind::Disseminator, user_id).await? {
        leave(tx, FacultyRoleKind::Disseminator, user_id).await?;
        audit_disseminator(tx, viewer, faculty_id, Some(user_id), None).await?;
    }
    Ok(())
}

/// Takes somebody out of the group, if they are in it.
async fn take_out(tx: &mut Tx, viewer: &Viewer, user_id: UserId) -> Result<bool> {
    let person = user::Entity::find_by_id(user_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .filter(|person| person.is_super_user);
    let Some(person) = person else {
        return Ok(false);
    };
    let before = role_of(tx, FacultyRoleKind::Representative, user_id).await?;
    leave(tx, FacultyRoleKind::Representative, user_id).await?;
    let mut row = person.into_active_model();
    row.is_super_user = Set(false);
    row.updated_at = Set(tx.now());
    row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "super_user.remove",
        user_id,
        Some(json!({ "isSuperUser": true, "representativeOf": before })),
        Some(json!({ "isSuperUser": false, "representativeOf": null })),
    )
    .await?;
    tx.announce(LiveEvent::AccessChanged { user_id });
    Ok(true)
}

async fn audit_disseminator(
    tx: &mut Tx,
    viewer: &Viewer,
    faculty_id: FacultyId,
    before: Option<UserId>,
    after: Option<UserId>,
) -> Result<()> {
    tx.audit(
        viewer,
        "disseminator.set",
        faculty_id,
        Some(json!({ "disseminator": before })),
        Some(json!({ "disseminator": after })),
    )
    .await
}

/// Makes somebody the one disseminator of a faculty, in place of whoever was; with no person, nobody is.
pub async fn set_disseminator(
    tx: &mut Tx,
    viewer: &Viewer,
    faculty_id: FacultyId,
    user_id: Option<UserId>,
) -> Result<Coverage> {
    match user_id {
        Some(user_id) => {
            may_appoint(viewer, user_id)?;
            member_of_staff(tx, user_id, Some(faculty_id)).await?;
        }
        None if !viewer.is_administrator() => return Err(not_administrator(viewer)),
        None => {}
    }
    let faculty = faculty::Entity::find_by_id(faculty_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("facultyId", "faculty"))?;
    let before = faculty_role::Entity::find_by_id((faculty_id, FacultyRoleKind::Disseminator))
        .one(tx.conn())
        .await?
        .map(|role| role.user_id);
    if before != user_id {
        if let Some(before) = before {
            leave(tx, FacultyRoleKind::Disseminator, before).await?;
        }
        if let Some(user_id) = user_id {
            // Whoever has changed faculties since stands for the new one only.
            leave(tx, FacultyRoleKind::Disseminator, user_id).await?;
            faculty_role::ActiveModel {
                faculty_id: Set(faculty_id),
                role: Set(FacultyRoleKind::Disseminator),
                user_id: Set(user_id),
                since: Set(tx.now()),
            }
            .insert(tx.conn())
            .await?;
        }
        audit_disseminator(tx, viewer, faculty_id, before, user_id).await?;
    }
    coverage(tx.conn())
        .await?
        .into_iter()
        .find(|covered| covered.faculty.id == faculty.id)
        .ok_or_else(|| Error::not_found("facultyId", "faculty"))
}

/// `Ok` when `viewer` may publish for the group: its members and administrators.
pub(crate) fn require_member(viewer: &Viewer) -> Result<()> {
    if viewer.is_super_user() || viewer.is_administrator() {
        return Ok(());
    }
    viewer.signed_in()?;
    Err(Error::Forbidden(
        "This is for the Super User Group (policy 3).".to_owned(),
    ))
}

/// policy 3: nobody gives rights to themselves.
fn may_appoint(viewer: &Viewer, user_id: UserId) -> Result<()> {
    if !viewer.is_administrator() {
        return Err(not_administrator(viewer));
    }
    if viewer.user_id() == Some(user_id) {
        return Err(Error::Forbidden(
            "Nobody appoints themselves: ask another administrator.".to_owned(),
        ));
    }
    Ok(())
}

fn not_administrator(viewer: &Viewer) -> Error {
    viewer.signed_in().err().unwrap_or_else(|| {
        Error::Forbidden("The Careers Centre's administrators do this.".to_owned())
    })
}

/// The account, if it is one of staff in use, of the faculty that is named.
async fn member_of_staff(
    tx: &Tx,
    user_id: UserId,
    faculty_id: Option<FacultyId>,
) -> Result<user::Model> {
    let person = user::Entity::find_by_id(user_id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
        .filter(|person| person.kind == UserKind::Staff && person.state == UserState::Active)
        .ok_or_else(|| Error::not_found("userId", "member of staff"))?;
    if faculty_id.is_some() && person.faculty_id != faculty_id {
        return Err(Error::refused(
            RefusalCode::Invalid,
            "facultyId",
            "This person is not of that faculty.",
        ));
    }
    Ok(person)
}

async fn role_of(tx: &Tx, role: FacultyRoleKind, user_id: UserId) -> Result<Option<FacultyId>> {
    let found = faculty_role::Entity::find()
        .filter(faculty_role::Column::Role.eq(role))
        .filter(faculty_role::Column::UserId.eq(user_id))
        .one(tx.conn())
        .await?;
    Ok(found.map(|row| row.faculty_id))
}

async fn leave(tx: &Tx, role: FacultyRoleKind, user_id: UserId) -> Result<()> {
    faculty_role::Entity::delete_many()
        .filter(faculty_role::Column::Role.eq(role))
        .filter(faculty_role::Column::UserId.eq(user_id))
        .exec(tx.conn())
        .await?;
    Ok(())
}

fn who_stands() -> RelationDef {
    faculty_role::Entity::belongs_to(user::Entity)
        .from(faculty_role::Column::UserId)
        .to(user::Column::Id)
        .into()
}

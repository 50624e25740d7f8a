//! Access that is withheld as a whole, and given back (policy 3).

use entity::{
    ids::UserId,
    operator_access::{self, AccessState},
    user::{self, UserKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::OnConflict,
};
use serde_json::json;

use super::{Standing, overseen_by, require_another, require_to_grant, review, standing_of};
use crate::{
    account::{ADMINISTRATORS, require_another_administrator},
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

const LONGEST_REASON: usize = 1_000;

/// Withholds everything that was granted to somebody, the marks of a super user and of an administrator among it, until it is
/// restored. It acts at their next request. The last administrator's stays.
pub async fn suspend(
    tx: &mut Tx,
    viewer: &Viewer,
    user_id: UserId,
    reason: &str,
) -> Result<Standing> {
    require_another(viewer, user_id, "Nobody suspends their own access.")?;
    let person = overseen(tx, viewer, user_id).await?;
    let reason = reason_given(reason)?;
    if person.is_administrator {
        tx.hold(ADMINISTRATORS).await?;
        require_another_administrator(tx, person.id).await?;
    }
    let before = state_of(tx, person.id).await?;
    if before == AccessState::Suspended {
        return wrong_state("Their access is suspended already.");
    }
    let row = operator_access::Model {
        user_id: person.id,
        state: AccessState::Suspended,
        changed_at: tx.now(),
        suspended_because: Some(reason.clone()),
    };
    operator_access::Entity::insert(row.into_active_model().reset_all())
        .on_conflict(
            OnConflict::column(operator_access::Column::UserId)
                .update_columns([
                    operator_access::Column::State,
                    operator_access::Column::ChangedAt,
                    operator_access::Column::SuspendedBecause,
                ])
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    tx.audit(
        viewer,
        "operator_access.suspend",
        person.id,
        Some(json!({ "state": before })),
        Some(json!({ "state": AccessState::Suspended, "reason": reason })),
    )
    .await?;
    tx.announce(LiveEvent::AccessChanged { user_id: person.id });
    standing_of(tx, person.id).await
}

/// Ends a suspension. What counts then is what training and terms still carry.
pub async fn restore(tx: &mut Tx, viewer: &Viewer, user_id: UserId) -> Result<Standing> {
    require_another(viewer, user_id, "Nobody restores their own access.")?;
    let person = overseen(tx, viewer, user_id).await?;
    let row = operator_access::Entity::find_by_id(person.id)
        .one(tx.conn())
        .await?
        .filter(|row| row.state == AccessState::Suspended);
    let Some(row) = row else {
        return wrong_state("Their access is not suspended.");
    };
    let reason = row.suspended_because.clone();
    let mut row = row.into_active_model();
    row.state = Set(AccessState::Invited);
    row.changed_at = Set(tx.now());
    row.suspended_because = Set(None);
    row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "operator_access.restore",
        person.id,
        Some(json!({ "state": AccessState::Suspended, "reason": reason })),
        None,
    )
    .await?;
    review(tx, viewer, &[person.id]).await?;
    standing_of(tx, person.id).await
}

/// A member of staff whose access as a whole `viewer` may withhold: anybody's for the campus, else those of the faculties.
async fn overseen(tx: &Tx, viewer: &Viewer, id: UserId) -> Result<user::Model> {
    let person = user::Entity::find_by_id(id)
        .filter(user::Column::Kind.eq(UserKind::Staff))
        .filter(overseen_by(viewer))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("userId", "member of staff"))?;
    // The marks are for the campus, so that whoever withholds them grants for the campus.
    let marked = person.is_administrator || person.is_super_user;
    require_to_grant(viewer, person.faculty_id.filter(|_| !marked))?;
    Ok(person)
}

async fn state_of(tx: &Tx, id: UserId) -> Result<AccessState> {
    let row = operator_access::Entity::find_by_id(id)
        .one(tx.conn())
        .await?;
    Ok(row.map_or(AccessState::Invited, |row| row.state))
}

fn reason_given(given: &str) -> Result<String> {
    let mut refusals = Refusals::default();
    let reason = Text::block("reason", LONGEST_REASON).required(given, &mut refusals);
    refusals.into_result()?;
    Ok(reason)
}

fn wrong_state<T>(message: &str) -> Result<T> {
    Err(Error::refused(RefusalCode::WrongState, "userId", message))
}

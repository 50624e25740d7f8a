//! Accounts as administrators look after them: who administers, and who may sign in at all (policy 3).
//!
//! Somebody always administers. Every change that could leave nobody waits for every other such change, so that of two
//! administrators who remove each other one stays.

mod unused;

use entity::{
    ids::UserId,
    user::{self, UserKind, UserState},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::json;

use crate::{
    error::{Error, RefusalCode, Refusals, Result},
    live::LiveEvent,
    operator_access::counting,
    session,
    store::Tx,
    text::Text,
    viewer::Viewer,
};

pub use self::unused::UNUSED_FOR;
pub(crate) use self::unused::close_unused;

/// What changes of the set of administrators are held by.
pub(crate) const ADMINISTRATORS: &str = "administrators";

const LONGEST_REASON: usize = 1_000;

/// Makes an administrator of a member of staff.
pub async fn make_administrator(
    tx: &mut Tx,
    viewer: &Viewer,
    user_id: UserId,
) -> Result<user::Model> {
    require_administrator(viewer)?;
    let person = account(tx, user_id).await?;
    if person.kind != UserKind::Staff {
        return wrong_state("Only a member of staff administers the system.");
    }
    if person.state != UserState::Active {
        return wrong_state("The account is suspended.");
    }
    if person.is_administrator {
        return wrong_state("They are an administrator already.");
    }
    set_administrator(tx, viewer, person, true).await
}

/// Takes the administration from somebody, who may be the one who asks. The last administrator stays.
pub async fn remove_administrator(
    tx: &mut Tx,
    viewer: &Viewer,
    user_id: UserId,
) -> Result<user::Model> {
    require_administrator(viewer)?;
    tx.hold(ADMINISTRATORS).await?;
    let person = account(tx, user_id).await?;
    if !person.is_administrator {
        return wrong_state("They are no administrator.");
    }
    require_another_administrator(tx, user_id).await?;
    set_administrator(tx, viewer, person, false).await
}

/// Closes an account: nobody signs in with it, and whoever is signed in with it no longer is. The last administrator's
/// stays open.
pub async fn suspend(
    tx: &mut Tx,
    viewer: &Viewer,
    user_id: UserId,
    reason: &str,
) -> Result<user::Model> {
    require_administrator(viewer)?;
    let mut refusals = Refusals::default();
    let reason = Text::block("reason", LONGEST_REASON).required(reason, &mut refusals);
    refusals.into_result()?;
    tx.hold(ADMINISTRATORS).await?;
    let person = account(tx, user_id).await?;
    if person.state == UserState::Suspended {
        return wrong_state("The account is suspended already.");
    }
    if person.is_administrator {
        require_another_administrator(tx, user_id).await?;
    }
    session::revoke_all(tx, user_id).await?;
    // Read again: its session version has moved.
    let person = account(tx, user_id).await?;
    set_state(tx, viewer, person, UserState::Suspended, Some(reason)).await
}

/// Opens an account again.
pub async fn restore(tx: &mut Tx, viewer: &Viewer, user_id: UserId) -> Result<user::Model> {
    require_administrator(viewer)?;
    let person = account(tx, user_id).await?;
    if person.state != UserState::Suspended {
        return wrong_state("The account is not suspended.");
    }
    set_state(tx, viewer, person, UserState::Active, None).await
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

/// Whether somebody else than `than` administers the system, with an account that is open and access that is not suspended;
/// so it stays until this change is over.
pub(crate) async fn is_another_administrator(tx: &Tx, than: UserId) -> Result<bool> {
    // Without it two who go at once could each see the other.
    tx.hold(ADMINISTRATORS).await?;
    let others = user::Entity::find()
        .filter(user::Column::IsAdministrator.eq(true))
        .filter(user::Column::State.eq(UserState::Active))
        .filter(user::Column::Id.ne(than))
        .filter(user::Column::Id.not_in_subquery(counting::suspended()))
        .count(tx.conn())
        .await?;
    Ok(others > 0)
}

pub(crate) async fn require_another_administrator(tx: &Tx, than: UserId) -> Result<()> {
    if is_another_administrator(tx, than).await? {
        return Ok(());
    }
    Err(Error::refused(
        RefusalCode::LastAdministrator,
        "userId",
        "Nobody else administers the system: make somebody an administrator first.",
    ))
}

async fn account(tx: &Tx, id: UserId) -> Result<user::Model> {
    user::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("userId", "account"))
}

async fn set_administrator(
    tx: &mut Tx,
    viewer: &Viewer,
    person: user::Model,
    is: bool,
) -> Result<user::Model> {
    let mut row = person.into_active_model();
    row.is_administrator = Set(is);
    row.updated_at = Set(tx.now());
    let person = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        if is {
            "user.make_administrator"
        } else {
            "user.remove_administrator"
        },
        person.id,
        Some(json!({ "isAdministrator": !is })),
        Some(json!({ "isAdministrator": is })),
    )
    .await?;
    tx.announce(LiveEvent::AccessChanged { user_id: person.id });
    Ok(person)
}

async fn set_state(
    tx: &mut Tx,
    viewer: &Viewer,
    person: user::Model,
    state: UserState,
    reason: Option<String>,
) -> Result<user::Model> {
    let before = person.state;
    let mut row = person.into_active_model();
    row.state = Set(state);
    row.updated_at = Set(tx.now());
    let person = row.update(tx.conn()).await?;
    tx.audit(
        viewer,
        "user.set_state",
        person.id,
        Some(json!({ "state": before })),
        Some(json!({ "state": state, "reason": reason })),
    )
    .await?;
    tx.announce(LiveEvent::AccessChanged { user_id: person.id });
    Ok(person)
}

fn wrong_state<T>(message: &str) -> Result<T> {
    Err(Error::refused(RefusalCode::WrongState, "userId", message))
}

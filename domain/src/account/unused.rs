//! Accounts that nobody uses any more: they are closed by themselves, so that the period after which a closed account lapses
//! begins for everybody (policy 3, and the retention periods that act by themselves).

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    credential, identity, session,
    user::{self, UserState},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};
use serde_json::json;

use super::set_state;
use crate::{
    error::Result,
    mail::{self, Letter},
    session as sessions,
    store::Tx,
    viewer::Viewer,
};

/// After how many days in which nobody signed in an account is closed.
pub const UNUSED_FOR: TimeDelta = TimeDelta::days(2 * 365);
/// How many are closed at one time.
const AT_ONCE: u64 = 100;

/// Closes accounts with which nobody has signed in for [`UNUSED_FOR`], and tells their people by mail, who have them opened
/// again if they like. Those of administrators and super users stay: somebody always administers. Answers how many it closed,
/// and whether there may be more.
pub(crate) async fn close_unused(tx: &mut Tx) -> Result<(u64, bool)> {
    let limit = tx.now() - UNUSED_FOR;
    let unused = user::Entity::find()
        .filter(user::Column::State.eq(UserState::Active))
        .filter(user::Column::IsAdministrator.eq(false))
        .filter(user::Column::IsSuperUser.eq(false))
        .filter(user::Column::UpdatedAt.lt(limit))
        .filter(not_signed_in_since(limit))
        .order_by_asc(user::Column::Id)
        .limit(AT_ONCE)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let closed = unused.len() as u64;
    for account in unused {
        sessions::revoke_all(tx, account.id).await?;
        let letter = Letter::to_account(
            &account,
            "account_closed",
            format!("account_closed/{}/{}", account.id, tx.now().timestamp()),
            json!({ "years": UNUSED_FOR.num_days() / 365 }),
        )?;
        mail::post(tx, letter).await?;
        let why = "Nobody has signed in with it for two years.".to_owned();
        set_state(
            tx,
            &Viewer::system(),
            account,
            UserState::Suspended,
            Some(why),
        )
        .await?;
    }
    Ok((closed, closed == AT_ONCE))
}

/// Neither with a password nor with the university, and no session has gone on.
fn not_signed_in_since(limit: DateTime<Utc>) -> Condition {
    let by_credential = credential::Entity::find()
        .select_only()
        .column(credential::Column::UserId)
        .filter(
            Condition::any()
                .add(credential::Column::LastUsedAt.gte(limit))
                .add(credential::Column::CreatedAt.gte(limit)),
        );
    let by_identity = identity::Entity::find()
        .select_only()
        .column(identity::Column::UserId)
        .filter(identity::Column::LastUsedAt.gte(limit));
    let by_session = session::Entity::find()
        .select_only()
        .column(session::Column::UserId)
        .filter(
            Condition::any()
                .add(session::Column::LastUsedAt.gte(limit))
                .add(session::Column::CreatedAt.gte(limit)),
        );
    Condition::all()
        .add(user::Column::Id.not_in_subquery(by_credential.into_query()))
        .add(user::Column::Id.not_in_subquery(by_identity.into_query()))
        .add(user::Column::Id.not_in_subquery(by_session.into_query()))
}

//! One's own sessions: looked at and ended by their owner; and what is cleared away of all.

use entity::{
    ids::SessionId,
    one_time_token,
    session::{self, SessionEnd},
    sign_in_attempt, university_sign_in,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::Expr,
};

use super::{end, limit};
use crate::{
    error::{Error, Result},
    live::LiveEvent,
    store::{Store, Tx},
    viewer::Viewer,
};

/// How many of one's sessions are shown; nobody has as many devices.
const MOST: u64 = 100;

/// The viewer's sessions that go on, the newest first.
pub async fn open_of(store: &Store, viewer: &Viewer) -> Result<Vec<session::Model>> {
    let person = viewer.signed_in()?;
    Ok(session::Entity::find()
        .filter(session::Column::UserId.eq(person.id))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(store.now()))
        .order_by_desc(session::Column::CreatedAt)
        .order_by_desc(session::Column::Id)
        .limit(MOST)
        .all(store.reader())
        .await?)
}

/// Ends a session of the viewer's own. Others' don't exist for them.
pub async fn end_one(tx: &mut Tx, viewer: &Viewer, id: SessionId) -> Result<()> {
    let person = viewer.signed_in()?;
    session::Entity::find_by_id(id)
        .filter(session::Column::UserId.eq(person.id))
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("id", "session"))?;
    end(tx, person.id, id, SessionEnd::SignedOut).await?;
    tx.audit(viewer, "session.end", id, None, None).await
}

/// Ends all sessions of the viewer but the one they ask in. Answers how many.
pub async fn end_others(tx: &mut Tx, viewer: &Viewer) -> Result<u64> {
    let person = viewer.signed_in()?;
    tx.announce(LiveEvent::AccessChanged { user_id: person.id });
    let mut others = Condition::all()
        .add(session::Column::UserId.eq(person.id))
        .add(session::Column::EndedAt.is_null())
        .add(session::Column::ExpiresAt.gt(tx.now()));
    if let Some(current) = person.session_id {
        others = others.add(session::Column::Id.ne(current));
    }
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
        .col_expr(
            session::Column::EndReason,
            Expr::value(SessionEnd::SignedOut),
        )
        .filter(others)
        .exec(tx.conn())
        .await?
        .rows_affected;
    tx.audit(viewer, "session.end_others", person.id, None, None)
        .await?;
    Ok(ended)
}

/// Deletes what signing in leaves behind and nobody needs any more: tries that no longer count, links and codes that no
/// longer work. At most `at_once` of each kind; answers how many rows, and whether there may be more.
pub async fn purge(tx: &mut Tx, at_once: u64) -> Result<(u64, bool)> {
    let now = tx.now();
    let db = tx.conn();
    let counts = [
        delete_some::<sign_in_attempt::Entity>(
            db,
            sign_in_attempt::Column::Id,
            Condition::all().add(sign_in_attempt::Column::AttemptedAt.lte(now - limit::LONGEST)),
            at_once,
        )
        .await?,
        delete_some::<one_time_token::Entity>(
            db,
            one_time_token::Column::TokenHash,
            Condition::all().add(one_time_token::Column::ExpiresAt.lte(now)),
            at_once,
        )
        .await?,
        delete_some::<university_sign_in::Entity>(
            db,
            university_sign_in::Column::StateHash,
            Condition::all().add(university_sign_in::Column::ExpiresAt.lte(now)),
            at_once,
        )
        .await?,
    ];
    Ok((
        counts.iter().sum(),
        counts.iter().any(|count| *count >= at_once),
    ))
}

/// Deletes some of the rows that meet `old`.
async fn delete_some<E: EntityTrait>(
    db: &impl ConnectionTrait,
    key: E::Column,
    old: Condition,
    at_once: u64,
) -> Result<u64> {
    let some = E::find()
        .select_only()
        .column(key)
        .filter(old)
        .limit(at_once)
        .into_query();
    Ok(E::delete_many()
        .filter(Expr::col(key).in_subquery(some))
        .exec(db)
        .await?
        .rows_affected)
}

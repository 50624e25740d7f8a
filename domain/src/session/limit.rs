//! The limit on signing in, for every account and for every network address.

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::sign_in_attempt;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use super::hash_of;
use crate::{
    error::{Error, Result},
    store::{Store, Tx},
};

/// How far back failed tries count.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// Failed tries within the window before an account is closed to further ones.
const PER_ACCOUNT: u64 = 10;
/// Failed tries within the window before a network address is; many people may share one.
const PER_ADDRESS: u64 = 100;

/// A try that has been counted.
#[derive(Debug)]
pub(super) struct Attempt(Vec<Uuid>);

/// Counts a try before it is made, so that many at once can't slip under the limit together. A good one is forgiven.
pub(super) async fn count_attempt(
    store: &Store,
    email: &str,
    from: Option<IpAddr>,
) -> Result<Attempt> {
    let mut subjects = vec![(hash_of(&format!("account/{email}")), PER_ACCOUNT)];
    subjects.extend(from.map(|address| (hash_of(&format!("address/{address}")), PER_ADDRESS)));

    let mut tx = store.begin().await?;
    sign_in_attempt::Entity::delete_many()
        .filter(sign_in_attempt::Column::AttemptedAt.lte(tx.now() - WINDOW))
        .exec(tx.conn())
        .await?;
    let mut ids = Vec::with_capacity(subjects.len());
    for (subject, most) in subjects {
        ids.push(count(&mut tx, subject, most).await?);
    }
    tx.commit().await?;
    Ok(Attempt(ids))
}

async fn count(tx: &mut Tx, subject: String, most: u64) -> Result<Uuid> {
    tx.hold(&format!("sign_in/{subject}")).await?;
    let id = Uuid::from_u128(rand::random());
    sign_in_attempt::Entity::insert(sign_in_attempt::ActiveModel {
        id: Set(id),
        subject: Set(subject.clone()),
        attempted_at: Set(tx.now()),
    })
    .exec_without_returning(tx.conn())
    .await?;
    let tries = sign_in_attempt::Entity::find()
        .filter(sign_in_attempt::Column::Subject.eq(&subject))
        .count(tx.conn())
        .await?;
    if tries <= most {
        return Ok(id);
    }
    let oldest = sign_in_attempt::Entity::find()
        .filter(sign_in_attempt::Column::Subject.eq(&subject))
        .order_by_asc(sign_in_attempt::Column::AttemptedAt)
        .one(tx.conn())
        .await?
        .map_or(tx.now(), |oldest| oldest.attempted_at);
    Err(Error::TooMany {
        retry_after_seconds: (oldest + WINDOW - tx.now()).num_seconds().max(1),
    })
}

/// Takes a good try off the count.
pub(super) async fn forgive(tx: &mut Tx, attempt: Attempt) -> Result<()> {
    sign_in_attempt::Entity::delete_many()
        .filter(sign_in_attempt::Column::Id.is_in(attempt.0))
        .exec(tx.conn())
        .await?;
    Ok(())
}

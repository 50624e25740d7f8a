//! The limits on signing in and on asking for letters, for every account and for every network address.

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::sign_in_attempt;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use super::{hash_of, origin::subscriber};
use crate::{
    error::{Error, Result},
    store::{Store, Tx},
};

/// How often something may be tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    name: &'static str,
    /// How far back tries count.
    window: TimeDelta,
    /// Tries within the window before an account is closed to further ones.
    per_account: u64,
    /// Tries within the window before a network address is; many people may share one.
    per_address: u64,
}

/// Failed tries to sign in.
pub(crate) const SIGN_IN: Limit = Limit {
    name: "sign_in",
    window: TimeDelta::minutes(15),
    per_account: 10,
    per_address: 100,
};

/// Letters with a link, which anybody can have sent.
pub(crate) const LETTERS: Limit = Limit {
    name: "letters",
    window: LONGEST,
    per_account: 3,
    per_address: 30,
};

/// Sign-ins with the university that come back and are not good.
pub(crate) const UNIVERSITY: Limit = Limit {
    name: "university",
    window: TimeDelta::minutes(15),
    per_account: 10,
    per_address: 100,
};

/// Registrations of employers.
pub(crate) const REGISTER: Limit = Limit {
    name: "register",
    window: LONGEST,
    per_account: 3,
    per_address: 30,
};

/// The longest that any limit looks back.
pub(crate) const LONGEST: TimeDelta = TimeDelta::hours(1);

/// A try that has been counted.
#[derive(Debug)]
pub(crate) struct Attempt(Vec<Uuid>);

impl Limit {
    /// Counts a try before it is made, so that many at once can't slip under the limit together. A good one may be
    /// forgiven.
    pub(crate) async fn count(
        self,
        store: &Store,
        email: &str,
        from: Option<IpAddr>,
    ) -> Result<Attempt> {
        self.count_all(store, Some(email), from).await
    }

    /// The same where nobody has said yet who they are.
    pub(crate) async fn count_address(
        self,
        store: &Store,
        from: Option<IpAddr>,
    ) -> Result<Attempt> {
        self.count_all(store, None, from).await
    }

    async fn count_all(
        self,
        store: &Store,
        email: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<Attempt> {
        let subject = |what: String| hash_of(&format!("{}/{what}", self.name));
        let account = email.map(|email| (subject(format!("account/{email}")), self.per_account));
        let address = from.map(|address| {
            let subscriber = subscriber(address);
            (subject(format!("address/{subscriber}")), self.per_address)
        });
        let subjects: Vec<_> = account.into_iter().chain(address).collect();

        let mut tx = store.begin().await?;
        let mut ids = Vec::with_capacity(subjects.len());
        for (subject, most) in subjects {
            ids.push(self.count_one(&mut tx, subject, most).await?);
        }
        tx.commit().await?;
        Ok(Attempt(ids))
    }

    async fn count_one(self, tx: &mut Tx, subject: String, most: u64) -> Result<Uuid> {
        tx.hold(&format!("limit/{subject}")).await?;
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
            .filter(sign_in_attempt::Column::AttemptedAt.gt(tx.now() - self.window));
        if tries.clone().count(tx.conn()).await? <= most {
            return Ok(id);
        }
        let oldest = tries
            .order_by_asc(sign_in_attempt::Column::AttemptedAt)
            .one(tx.conn())
            .await?
            .map_or(tx.now(), |oldest| oldest.attempted_at);
        Err(Error::TooMany {
            retry_after_seconds: (oldest + self.window - tx.now()).num_seconds().max(1),
        })
    }
}

/// Takes a good try off the count.
pub(crate) async fn forgive(tx: &mut Tx, attempt: Attempt) -> Result<()> {
    sign_in_attempt::Entity::delete_many()
        .filter(sign_in_attempt::Column::Id.is_in(attempt.0))
        .exec(tx.conn())
        .await?;
    Ok(())
}

//! Taking jobs: who may run which job, and for how long.
//!
//! A claim is one guarded statement. It counts the attempt before any work is done, so a job that kills its worker runs out
//! of attempts instead of coming back for ever. A claim lasts for a lease; a worker that is alive extends it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::{
    ids::JobId,
    job::{self, JobState},
};
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExprTrait, FromQueryResult, QueryResult, StatementBuilder,
    sea_query::{
        CaseStatement, CommonTableExpression, Expr, LockBehavior, LockType, Order, Query,
        SelectStatement, SimpleExpr, WithClause,
    },
};
use serde_json::Value;

use super::{Queue, in_state};
use crate::{
    error::{Error, Result},
    store::Store,
};

/// A job that this process holds and nobody else may finish.
///
/// `(state, attempt, owner)` is the fence: once the lease has run out and somebody else has claimed the job, whatever this
/// claim still wants to write is refused.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The job.
    pub id: JobId,
    /// What is to be done.
    pub kind: String,
    /// The queue it waited in.
    pub queue: String,
    /// What it is to be done with.
    pub payload: Value,
    /// Which attempt this is, counted from 1.
    pub attempt: i32,
    /// How many attempts it has.
    pub max_attempts: i32,
    /// The name under which it was claimed.
    pub owner: String,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When it was due.
    pub run_at: DateTime<Utc>,
}

impl Claimed {
    /// Whether there is an attempt left after this one.
    #[must_use]
    pub fn may_try_again(&self) -> bool {
        self.attempt < self.max_attempts
    }

    fn from_row(row: job::Model, owner: &str) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            queue: row.queue,
            payload: row.payload,
            attempt: row.attempts,
            max_attempts: row.max_attempts,
            owner: owner.to_owned(),
            request_id: row.request_id,
            run_at: row.run_at,
        }
    }
}

/// Who claims, and for how long.
#[derive(Clone, Debug)]
pub struct Lease {
    /// A name that no other process has, now or after a restart.
    pub owner: String,
    /// How long the claim lasts without being extended.
    pub duration: Duration,
}

impl Lease {
    fn expiry(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.duration
    }
}

/// Claims up to `limit` jobs of `queue` that are due, the longest due first.
pub async fn claim(store: &Store, queue: Queue, lease: &Lease, limit: u64) -> Result<Vec<Claimed>> {
    let due = due(store.now())
        .and_where(Expr::col(job::Column::Queue).eq(queue.name()))
        .order_by(job::Column::RunAt, Order::Asc)
        .limit(limit)
        .to_owned();
    take(store, due, lease).await
}

/// Claims those of the jobs `ids` that are due and that nobody has claimed yet.
pub async fn claim_these(store: &Store, ids: &[JobId], lease: &Lease) -> Result<Vec<Claimed>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let due = due(store.now())
        .and_where(Expr::col(job::Column::Id).is_in(ids.iter().copied()))
        .to_owned();
    take(store, due, lease).await
}

/// Claims one job, if it is due and nobody has claimed it yet.
pub async fn claim_one(store: &Store, id: JobId, lease: &Lease) -> Result<Option<Claimed>> {
    Ok(claim_these(store, &[id], lease).await?.pop())
}

/// Puts jobs whose worker has gone back into their queue, and gives up those that have no attempt left.
///
/// Answers which jobs changed.
pub async fn release_expired(store: &Store) -> Result<Vec<JobId>> {
    let now = store.now();
    let expired = in_state(JobState::Running).and(Expr::col(job::Column::LeaseExpiresAt).lte(now));
    let look = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(expired.clone())
        .limit(1)
        .to_owned();
    // Nearly always there is nothing to do, and SQLite has only one writer to spare.
    if store.reader().query_one(&look).await?.is_none() {
        return Ok(Vec::new());
    }
    let exhausted = Expr::col(job::Column::Attempts).gte(Expr::col(job::Column::MaxAttempts));
    let update = Query::update()
        .table(job::Entity)
        .value(
            job::Column::State,
            CaseStatement::new()
                .case(exhausted.clone(), literal(JobState::Dead))
                .finally(literal(JobState::Queued)),
        )
        .value(
            job::Column::FinishedAt,
            CaseStatement::new()
                .case(exhausted, now)
                .finally(Option::<DateTime<Utc>>::None),
        )
        .value(job::Column::LeaseOwner, Option::<String>::None)
        .value(job::Column::LeaseExpiresAt, Option::<DateTime<Utc>>::None)
        .value(
            job::Column::LastError,
            "its worker stopped answering before it was done",
        )
        .and_where(expired)
        .returning_col(job::Column::Id)
        .to_owned();
    write(store, &update)
        .await?
        .iter()
        .map(|row| row.try_get("", "id").map_err(Error::from))
        .collect()
}

/// Extends the claims on `ids` by a whole lease and answers which of them are still held.
pub async fn extend_leases(store: &Store, lease: &Lease, ids: &[JobId]) -> Result<Vec<JobId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let update = Query::update()
        .table(job::Entity)
        .value(job::Column::LeaseExpiresAt, lease.expiry(store.now()))
        .and_where(Expr::col(job::Column::Id).is_in(ids.iter().copied()))
        .and_where(in_state(JobState::Running))
        .and_where(Expr::col(job::Column::LeaseOwner).eq(lease.owner.as_str()))
        .returning_col(job::Column::Id)
        .to_owned();
    write(store, &update)
        .await?
        .iter()
        .map(|row| row.try_get("", "id").map_err(Error::from))
        .collect()
}

/// The ids of jobs that are due and free; on PostgreSQL they are locked, and locked ones passed over.
fn due(now: DateTime<Utc>) -> SelectStatement {
    Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(in_state(JobState::Queued))
        .and_where(Expr::col(job::Column::RunAt).lte(now))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned()
}

async fn take(store: &Store, due: SelectStatement, lease: &Lease) -> Result<Vec<Claimed>> {
    // As a common table expression the choice is made once. As a plain subquery PostgreSQL may plan it as the inner side of
    // a nested loop, run it again for every row, and lock more rows than the limit allows.
    let picked = CommonTableExpression::new()
        .table_name("picked")
        .column("id")
        .query(due)
        .to_owned();
    let chosen = Query::select().column("id").from("picked").to_owned();
    let update = Query::update()
        .table(job::Entity)
        .value(job::Column::State, literal(JobState::Running))
        .value(
            job::Column::Attempts,
            Expr::col(job::Column::Attempts).add(1),
        )
        .value(job::Column::LeaseOwner, lease.owner.as_str())
        .value(job::Column::LeaseExpiresAt, lease.expiry(store.now()))
        .and_where(Expr::col(job::Column::Id).in_subquery(chosen))
        .returning_all()
        .to_owned()
        .with(WithClause::new().cte(picked).to_owned());
    let mut claimed = write(store, &update)
        .await?
        .iter()
        .map(|row| job::Model::from_query_result(row, ""))
        .map(|row| Ok(Claimed::from_row(row?, &lease.owner)))
        .collect::<Result<Vec<_>, DbErr>>()?;
    claimed.sort_by_key(|claim| (claim.run_at, claim.id));
    Ok(claimed)
}

/// Runs one writing statement: by itself on PostgreSQL, in the write transaction on SQLite, where writers take turns.
async fn write<S: StatementBuilder>(store: &Store, statement: &S) -> Result<Vec<QueryResult>> {
    if store.backend() == DbBackend::Sqlite {
        let tx = store.begin().await?;
        let rows = tx.conn().query_all(statement).await?;
        tx.commit().await?;
        Ok(rows)
    } else {
        Ok(store.reader().query_all(statement).await?)
    }
}

/// A state written into the statement itself, as the partial indexes on `job` want it.
pub(super) fn literal(state: JobState) -> SimpleExpr {
    use sea_orm::ActiveEnum;
    Expr::Constant(state.to_value().into())
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{PostgresQueryBuilder, SqliteQueryBuilder};

    use super::*;

    #[test]
    fn states_are_written_out_for_the_partial_indexes() {
        let now = DateTime::from_timestamp(0, 0).unwrap();
        let (postgres, _) = due(now).build(PostgresQueryBuilder);
        assert!(postgres.contains("\"state\" = 'QUEUED'"), "{postgres}");
        assert!(postgres.ends_with("FOR UPDATE SKIP LOCKED"), "{postgres}");
        let (sqlite, _) = due(now).build(SqliteQueryBuilder);
        assert!(sqlite.contains("\"state\" = 'QUEUED'"), "{sqlite}");
        assert!(!sqlite.contains("LOCK"), "{sqlite}");
    }
}

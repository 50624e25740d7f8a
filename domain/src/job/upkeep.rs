//! What the engine asks about the table as a whole: what is due, what is overdue, how much there is, what can go.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::job::{self, JobState};
use sea_orm::{
    ActiveEnum, ConnectionTrait, ExprTrait,
    sea_query::{Expr, Func, Query, SimpleExpr},
};

use super::{Queue, claim::literal, in_state};
use crate::error::Result;

/// When the first waiting job of each queue is due; a queue where nothing waits is left out.
///
/// One statement of four index look-ups, whatever the size of the backlog.
pub async fn first_due(conn: &impl ConnectionTrait) -> Result<Vec<(Queue, DateTime<Utc>)>> {
    let mut query = Query::select();
    for queue in Queue::ALL {
        let first = Query::select()
            .expr(Func::min(Expr::col(job::Column::RunAt)))
            .from(job::Entity)
            .and_where(in_state(JobState::Queued))
            .and_where(Expr::col(job::Column::Queue).eq(queue.name()))
            .to_owned();
        query.expr_as(
            SimpleExpr::SubQuery(None, Box::new(first.into())),
            queue.name(),
        );
    }
    let Some(row) = conn.query_one(&query).await? else {
        return Ok(Vec::new());
    };
    let mut waiting = Vec::new();
    for queue in Queue::ALL {
        if let Some(first) = row.try_get::<Option<DateTime<Utc>>>("", queue.name())? {
            waiting.push((queue, first));
        }
    }
    Ok(waiting)
}

/// How long the longest due job has been waiting, or `None` when none is due.
pub async fn longest_due(
    conn: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Option<Duration>> {
    let first = first_due(conn).await?.into_iter().map(|(_, due)| due).min();
    Ok(first.and_then(|due| (now - due).to_std().ok()))
}

/// How many jobs wait, run and were given up. Finished ones are not counted: there is no end of them.
pub async fn counts(conn: &impl ConnectionTrait) -> Result<Vec<(JobState, i64)>> {
    let states = [JobState::Queued, JobState::Running, JobState::Dead];
    let query = Query::select()
        .column(job::Column::State)
        .expr_as(Func::count(Expr::col(job::Column::Id)), "jobs")
        .from(job::Entity)
        .and_where(Expr::col(job::Column::State).is_in(states.map(literal)))
        .group_by_col(job::Column::State)
        .to_owned();
    let rows = conn.query_all(&query).await?;
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        let state = JobState::try_from_value(&row.try_get("", "state")?)?;
        counts.push((state, row.try_get("", "jobs")?));
    }
    Ok(counts)
}

/// Deletes up to `limit` jobs that ended in `state` before `before` and answers how many it deleted.
pub async fn purge_finished(
    conn: &impl ConnectionTrait,
    state: JobState,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64> {
    let old = Query::select()
        .column(job::Column::Id)
        .from(job::Entity)
        .and_where(in_state(state))
        .and_where(Expr::col(job::Column::FinishedAt).lt(before))
        .limit(limit)
        .to_owned();
    let delete = Query::delete()
        .from_table(job::Entity)
        .and_where(Expr::col(job::Column::Id).in_subquery(old))
        .to_owned();
    Ok(conn.execute(&delete).await?.rows_affected())
}

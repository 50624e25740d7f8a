//! What a worker says about a job that it has claimed: done, again later, or given up.
//!
//! Every answer is fenced by the claim. It is refused, with `false`, when the lease ran out and the job has gone to somebody
//! else; the caller then drops its transaction, and with it whatever the late attempt had changed.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use entity::job::{self, JobState};
use sea_orm::{
    ConnectionTrait, ExprTrait,
    sea_query::{Expr, Query, UpdateStatement},
};

use super::{Claimed, claim::literal, in_state};
use crate::{error::Result, live::LiveEvent, store::Tx};

/// What is kept of the reason why an attempt failed, in characters.
const LONGEST_ERROR: usize = 2_000;

/// The job is done, in the same transaction as its effect.
pub async fn finish(tx: &mut Tx, claim: &Claimed) -> Result<bool> {
    let now = tx.now();
    settle(tx, claim, |update| {
        update
            .value(job::Column::State, literal(JobState::Done))
            .value(job::Column::FinishedAt, now);
    })
    .await
}

/// The attempt failed. The job waits for `after` and is tried again; without an attempt left it is given up.
pub async fn retry(tx: &mut Tx, claim: &Claimed, after: Duration, why: &str) -> Result<bool> {
    if !claim.may_try_again() {
        return dead(tx, claim, why).await;
    }
    let run_at = moment(tx.now(), after);
    settle(tx, claim, |update| {
        update
            .value(job::Column::State, literal(JobState::Queued))
            .value(job::Column::RunAt, run_at)
            .value(job::Column::LastError, shortened(why));
    })
    .await
}

/// The job has done a part, or found that it is not yet time, and runs again after `after`. That is no failure, and costs
/// no attempt: the limit moves with the count, because the count itself is part of the fence and never goes back.
pub async fn again(tx: &mut Tx, claim: &Claimed, after: Duration) -> Result<bool> {
    let run_at = moment(tx.now(), after);
    settle(tx, claim, |update| {
        update
            .value(job::Column::State, literal(JobState::Queued))
            .value(job::Column::RunAt, run_at)
            .value(
                job::Column::MaxAttempts,
                Expr::col(job::Column::MaxAttempts).add(1),
            );
    })
    .await
}

/// The job is given up, for a super user to look at.
pub async fn dead(tx: &mut Tx, claim: &Claimed, why: &str) -> Result<bool> {
    let now = tx.now();
    settle(tx, claim, |update| {
        update
            .value(job::Column::State, literal(JobState::Dead))
            .value(job::Column::FinishedAt, now)
            .value(job::Column::LastError, shortened(why));
    })
    .await
}

async fn settle(
    tx: &mut Tx,
    claim: &Claimed,
    change: impl FnOnce(&mut UpdateStatement),
) -> Result<bool> {
    let mut update = Query::update();
    update
        .table(job::Entity)
        .value(job::Column::LeaseOwner, Option::<String>::None)
        .value(job::Column::LeaseExpiresAt, Option::<DateTime<Utc>>::None)
        .and_where(Expr::col(job::Column::Id).eq(claim.id))
        .and_where(in_state(JobState::Running))
        .and_where(Expr::col(job::Column::Attempts).eq(claim.attempt))
        .and_where(Expr::col(job::Column::LeaseOwner).eq(claim.owner.as_str()));
    change(&mut update);
    let held = tx.conn().execute(&update).await?.rows_affected() == 1;
    if held {
        tx.announce(LiveEvent::JobChanged { job_id: claim.id });
    }
    Ok(held)
}

/// `after` from now, to the microsecond that both databases keep.
fn moment(now: DateTime<Utc>, after: Duration) -> DateTime<Utc> {
    (now + after).trunc_subsecs(6)
}

fn shortened(why: &str) -> String {
    why.chars().take(LONGEST_ERROR).collect()
}

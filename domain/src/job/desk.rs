//! What a super user may do about a job.

use chrono::{DateTime, Utc};
use entity::{
    ids::JobId,
    job::{self, JobState},
};
use sea_orm::{
    ConnectionTrait, EntityTrait, ExprTrait,
    sea_query::{Expr, Query, UpdateStatement},
};

use super::{DEFAULT_ATTEMPTS, Queue, claim::literal, in_state};
use crate::{
    error::{Error, RefusalCode, Result},
    live::{LiveEvent, Wake},
    store::Tx,
    viewer::Viewer,
};

/// Tries a job again that was given up, with as many attempts as a new one has.
///
/// It is refused when the job was not given up, and when a live job has taken over its unique key.
pub async fn retry_dead(tx: &mut Tx, viewer: &Viewer, id: JobId) -> Result<job::Model> {
    require_super_user(viewer)?;
    let before = find(tx, id).await?;
    if before.state != JobState::Dead {
        return Err(not_given_up());
    }
    if let Some(key) = &before.unique_key {
        let live = Query::select()
            .column(job::Column::Id)
            .from(job::Entity)
            .and_where(Expr::col(job::Column::UniqueKey).eq(key.as_str()))
            .and_where(
                Expr::col(job::Column::State)
                    .is_in([JobState::Queued, JobState::Running].map(literal)),
            )
            .limit(1)
            .to_owned();
        if tx.conn().query_one(&live).await?.is_some() {
            return Err(Error::refused(
                RefusalCode::Taken,
                "jobId",
                "A newer job is already doing the same.",
            ));
        }
    }
    let now = tx.now();
    // Attempts go on counting, because they fence out whoever ran the job before; the limit moves instead.
    let changed = change(tx, id, JobState::Dead, |update| {
        update
            .value(job::Column::State, literal(JobState::Queued))
            .value(job::Column::RunAt, now)
            .value(job::Column::FinishedAt, Option::<DateTime<Utc>>::None)
            .value(
                job::Column::MaxAttempts,
                Expr::col(job::Column::Attempts).add(DEFAULT_ATTEMPTS),
            );
    })
    .await?;
    if !changed {
        return Err(not_given_up());
    }
    tx.audit(viewer, "job.retry", id, None, None).await?;
    if let Some(queue) = Queue::named(&before.queue) {
        tx.wake(Wake { queue, job_id: id });
    }
    find(tx, id).await
}

/// Takes a job back that waits.
pub async fn cancel(tx: &mut Tx, viewer: &Viewer, id: JobId) -> Result<job::Model> {
    require_super_user(viewer)?;
    find(tx, id).await?;
    let now = tx.now();
    let changed = change(tx, id, JobState::Queued, |update| {
        update
            .value(job::Column::State, literal(JobState::Cancelled))
            .value(job::Column::FinishedAt, now);
    })
    .await?;
    if !changed {
        return Err(wrong_state("Only a job that waits can be taken back."));
    }
    tx.audit(viewer, "job.cancel", id, None, None).await?;
    find(tx, id).await
}

fn require_super_user(viewer: &Viewer) -> Result<()> {
    if viewer.is_super_user() {
        return Ok(());
    }
    if !viewer.is_system() {
        viewer.signed_in()?;
    }
    Err(Error::Forbidden(
        "Jobs are for the Super User Group.".to_owned(),
    ))
}

async fn find(tx: &Tx, id: JobId) -> Result<job::Model> {
    job::Entity::find_by_id(id)
        .one(tx.conn())
        .await?
        .ok_or_else(|| Error::not_found("jobId", "job"))
}

fn not_given_up() -> Error {
    wrong_state("Only a job that was given up can be tried again.")
}

fn wrong_state(message: &str) -> Error {
    Error::refused(RefusalCode::WrongState, "jobId", message)
}

async fn change(
    tx: &mut Tx,
    id: JobId,
    from: JobState,
    change: impl FnOnce(&mut UpdateStatement),
) -> Result<bool> {
    let mut update = Query::update();
    update
        .table(job::Entity)
        .and_where(Expr::col(job::Column::Id).eq(id))
        .and_where(in_state(from));
    change(&mut update);
    let changed = tx.conn().execute(&update).await?.rows_affected() == 1;
    if changed {
        tx.announce(LiveEvent::JobChanged { job_id: id });
    }
    Ok(changed)
}

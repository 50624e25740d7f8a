//! Looking at jobs.

use entity::{
    ids::JobId,
    job::{self, JobState},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, Select,
};

use crate::{
    error::Result,
    page::{Page, Slice},
};

/// Which jobs a list has; what is `None` doesn't narrow it.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only jobs that stand there.
    pub state: Option<JobState>,
    /// Only jobs of this kind.
    pub kind: Option<String>,
}

impl JobFilter {
    fn select(&self) -> Select<job::Entity> {
        let mut select = job::Entity::find();
        if let Some(state) = self.state {
            select = select.filter(job::Column::State.eq(state));
        }
        if let Some(kind) = &self.kind {
            select = select.filter(job::Column::Kind.eq(kind));
        }
        select
    }
}

/// One page of the jobs, the newest first.
pub async fn list(
    db: &impl ConnectionTrait,
    filter: &JobFilter,
    page: Page<JobId>,
) -> Result<Slice<job::Model>> {
    page.read(
        db,
        filter.select(),
        [job::Column::Id.into_expr()],
        Order::Desc,
    )
    .await
}

/// How many jobs there are.
pub async fn count(db: &impl ConnectionTrait, filter: &JobFilter) -> Result<u64> {
    Ok(filter.select().count(db).await?)
}

/// The job with this id.
pub async fn find(db: &impl ConnectionTrait, id: JobId) -> Result<Option<job::Model>> {
    Ok(job::Entity::find_by_id(id).one(db).await?)
}

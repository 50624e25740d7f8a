//! Closes vacancies whose day is past, and reminds of those whose day is near.

use domain::{
    error::Result,
    vacancy::{self, LookAfterVacancies},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for LookAfterVacancies {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let (closed, reminded) = vacancy::look_after(&mut tx).await?;
        if closed + reminded > 0 {
            info!(closed, reminded, "vacancies have closed or soon will");
        }
        Ok(Outcome::Done(tx))
    }
}

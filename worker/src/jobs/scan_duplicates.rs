//! Looks for organisations that are likely the same.

use domain::{
    error::Result,
    organisation::duplicates::{self, ScanDuplicates},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ScanDuplicates {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        // The comparing takes long, so nothing is locked meanwhile.
        let search = duplicates::search(ctx.store.reader(), ctx.store.now()).await?;
        let mut tx = ctx.begin().await?;
        let pairs = duplicates::keep(&mut tx, &search).await?;
        let (organisations, compared) = search.extent();
        info!(organisations, compared, pairs, "duplicates were looked for");
        Ok(Outcome::Done(tx))
    }
}

//! Looks for records that are likely the same.

use domain::{
    contact::duplicates::{self as contacts, ScanContacts},
    duplicate::kept::{Search, Subject},
    error::Result,
    organisation::duplicates::{self as organisations, ScanDuplicates},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ScanDuplicates {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        scan::<organisations::Candidate>(ctx).await
    }
}

impl Handler for ScanContacts {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        scan::<contacts::Candidate>(ctx).await
    }
}

async fn scan<S: Subject>(ctx: &JobContext) -> Result<Outcome> {
    // The comparing takes long, so nothing is locked meanwhile.
    let search = Search::<S>::among_all(ctx.store.reader(), ctx.store.now()).await?;
    let mut tx = ctx.begin().await?;
    let pairs = search.keep(&mut tx).await?;
    let (records, compared) = search.extent();
    info!(
        kind = S::PLURAL,
        records, compared, pairs, "duplicates were looked for"
    );
    Ok(Outcome::Done(tx))
}

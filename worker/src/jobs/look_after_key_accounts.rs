//! Ends claims whose operators' access has ended, and what nobody ended in time.

use domain::{
    error::Result,
    key_account::{self, LookAfterKeyAccounts},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for LookAfterKeyAccounts {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let (claims, requests) = key_account::look_after(&mut tx).await?;
        if claims + requests > 0 {
            info!(
                claims,
                requests, "key accounts and liaison requests have ended"
            );
        }
        Ok(Outcome::Done(tx))
    }
}

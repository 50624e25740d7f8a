//! Imports a file that somebody handed in.

use domain::{
    error::Result,
    import::desk::{ImportRecords, carry_out},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ImportRecords {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let is_last = !ctx.claim.may_try_again();
        let tx = Box::pin(carry_out(&ctx.store, self.import_id, is_last)).await?;
        info!(import.id = %self.import_id, "a file of records was looked at");
        Ok(Outcome::Done(tx))
    }
}

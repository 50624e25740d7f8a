//! Seals the audit log.

use std::time::Duration;

use domain::{
    audit::{self, SealAudit},
    error::Result,
};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for SealAudit {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        Ok(if audit::seal(&mut tx).await? == 0 {
            Outcome::Done(tx)
        } else {
            Outcome::Again {
                tx,
                after: Duration::ZERO,
            }
        })
    }
}

//! Writes down whose operator access has lapsed.

use std::time::Duration;

use domain::{
    error::Result,
    operator_access::{self, LapseAccess},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for LapseAccess {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let (moved, more) = operator_access::lapse(&mut tx).await?;
        info!(people = moved, "operator access was looked at");
        Ok(if more {
            Outcome::Again {
                tx,
                after: Duration::ZERO,
            }
        } else {
            Outcome::Done(tx)
        })
    }
}

//! Finds events with free places and people who wait, which nobody looks after.

use domain::{
    error::Result,
    waiting_list::{self, LookAfterQueues},
};
use tracing::warn;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for LookAfterQueues {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let helped = waiting_list::look_after_queues(&mut tx).await?;
        if helped > 0 {
            warn!(events = helped, "free places had been left to nobody");
        }
        Ok(Outcome::Done(tx))
    }
}

//! Gives free places to those who wait for them.

use domain::{
    error::Result,
    waiting_list::{self, PromoteWaiting},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for PromoteWaiting {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let promoted = waiting_list::promote_waiting(&mut tx, self.event_id).await?;
        info!(
            event.id = %self.event_id,
            bookings = promoted.len(),
            "free places were given to those who wait"
        );
        // The job must end in this transaction, which holds the lock of the event: then no place that comes free is missed.
        Ok(Outcome::Done(tx))
    }
}

//! Tells people that an event does not take place.

use domain::{
    error::Result,
    event::{self, TellOfCancellation},
};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for TellOfCancellation {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        event::tell_of_cancellation(&mut tx, &self).await?;
        Ok(Outcome::Done(tx))
    }
}

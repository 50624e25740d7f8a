//! Writes to those who did not come to an event.

use std::time::Duration;

use domain::{
    error::Result,
    register::{self, ContactNoShows},
};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ContactNoShows {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let limit = ctx.services.strike_limit();
        let more = register::contact_no_shows(&mut tx, self.event_id, limit).await?;
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

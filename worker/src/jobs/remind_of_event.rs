//! Reminds people of an event.

use domain::{
    error::Result,
    event::{self, RemindOfEvent},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for RemindOfEvent {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let told = event::remind(&mut tx, &self).await?;
        info!(event.id = %self.event_id, people = told, "people were reminded of an event");
        Ok(Outcome::Done(tx))
    }
}

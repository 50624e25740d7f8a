//! Asks those who came to an event what they say of it.

use domain::{
    error::Result,
    feedback::{self, AskForFeedback},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for AskForFeedback {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let asked = feedback::ask(&mut tx, self.event_id).await?;
        info!(event.id = %self.event_id, people = asked, "people were asked for feedback");
        Ok(Outcome::Done(tx))
    }
}

//! Tells those who asked for it what is coming.

use domain::{
    coming_events::{self, DigestComingEvents},
    error::Result,
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for DigestComingEvents {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let mails = coming_events::post_coming_events(&mut tx, self).await?;
        info!(mails, "readers were told what is coming");
        Ok(Outcome::Done(tx))
    }
}

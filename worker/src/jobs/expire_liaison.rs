//! Ends a liaison request or an agreement whose time is over.

use domain::{
    error::Result,
    liaison::{self, ExpireLiaison},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ExpireLiaison {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        if liaison::expire(&mut tx, self.request_id).await? {
            info!(liaison_request.id = %self.request_id, "a liaison request has ended");
        }
        Ok(Outcome::Done(tx))
    }
}

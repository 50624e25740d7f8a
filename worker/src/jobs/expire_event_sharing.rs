//! Ends requests to share an event that nobody has answered.

use domain::{
    error::Result,
    event_sharing::{self, ExpireEventSharing},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ExpireEventSharing {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        if event_sharing::expire(&mut tx, self.request_id).await? {
            info!(event_sharing_request.id = %self.request_id, "a request to share an event ran out");
        }
        Ok(Outcome::Done(tx))
    }
}

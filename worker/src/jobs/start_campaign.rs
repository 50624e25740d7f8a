//! Starts a campaign whose time has come.

use domain::{
    campaign::{self, StartCampaign},
    error::{Error, Result},
};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for StartCampaign {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        match campaign::start_scheduled(&mut tx, self).await {
            Ok(_) => Ok(Outcome::Done(tx)),
            // What was begun is undone; why it could not be is kept for the sender to read.
            Err(refused @ Error::Refused(_)) => {
                drop(tx);
                let mut tx = ctx.begin().await?;
                campaign::give_up_start(&mut tx, self.campaign_id, &refused.to_string()).await?;
                Ok(Outcome::Done(tx))
            }
            Err(error) => Err(error),
        }
    }
}

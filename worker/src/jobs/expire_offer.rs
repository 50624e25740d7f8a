//! Takes back places that were offered and not accepted in time.

use domain::{
    error::Result,
    waiting_list::{self, ExpireOffer},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for ExpireOffer {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let expired = waiting_list::expire_offer(&mut tx, self.booking_id).await?;
        if expired.is_some() {
            info!(booking.id = %self.booking_id, "an offer ran out");
        }
        Ok(Outcome::Done(tx))
    }
}

//! Tells people that an event takes place at another time or place.

use domain::{
    error::Result,
    event::{self, TellOfMove},
};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for TellOfMove {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        event::tell_of_move(&mut tx, &self).await?;
        Ok(Outcome::Done(tx))
    }
}

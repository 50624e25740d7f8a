//! Tells super users which clashes are ahead.

use domain::{
    clash::{self, TellOfClashesAhead},
    error::Result,
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for TellOfClashesAhead {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let letters = clash::tell_of_clashes_ahead(&mut tx).await?;
        info!(letters, "super users were told of clashes ahead");
        Ok(Outcome::Done(tx))
    }
}

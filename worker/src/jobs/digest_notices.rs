//! Writes the digests of the day.

use std::time::Duration;

use domain::{
    error::Result,
    notice::{self, DigestNotices},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for DigestNotices {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let readers = notice::post_digests(&mut tx).await?;
        if readers > 0 {
            info!(mails = readers, "digests were written");
            return Ok(Outcome::Again {
                tx,
                after: Duration::ZERO,
            });
        }
        Ok(Outcome::Done(tx))
    }
}

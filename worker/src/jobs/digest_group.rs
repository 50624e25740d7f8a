//! Tells the Super User Group what the week brought.

use domain::{
    error::Result,
    super_user_group::{self, DigestGroup},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for DigestGroup {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let told = super_user_group::post_group_digest(&mut tx).await?;
        info!(people = told, "the Super User Group was told of the week");
        Ok(Outcome::Done(tx))
    }
}

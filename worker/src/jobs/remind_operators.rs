//! Reminds operators of training that lapses and of agreements that are to be accepted.

use domain::{
    error::Result,
    operator_access::{self, RemindOperators},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for RemindOperators {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let reminded = operator_access::remind(&mut tx).await?;
        info!(people = reminded, "operators were reminded");
        Ok(Outcome::Done(tx))
    }
}

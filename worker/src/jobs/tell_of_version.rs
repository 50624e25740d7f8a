//! Tells operators of a new version of an agreement.

use domain::{
    agreement::{self, TellOfVersion},
    error::Result,
};

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for TellOfVersion {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        agreement::tell_of_version(&mut tx, self).await?;
        Ok(Outcome::Done(tx))
    }
}

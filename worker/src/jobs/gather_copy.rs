//! Gathers everything about a person, for them.

use domain::{
    data_protection::{self, GatherCopy},
    error::{Error, Result},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for GatherCopy {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let id = self.subject_access_id;
        match data_protection::gather_copy(&mut tx, id).await {
            Ok(()) => {
                info!(subject_access.id = %id, "a copy of what is kept of somebody was made");
            }
            // They were erased meanwhile.
            Err(Error::Refused(_)) => {
                info!(subject_access.id = %id, "there is nobody to make a copy for");
            }
            Err(error) => return Err(error),
        }
        Ok(Outcome::Done(tx))
    }
}

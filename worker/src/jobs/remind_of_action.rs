//! Reminds whoever wrote a note of what it says is to be done next.

use domain::{
    error::Result,
    note::{self, RemindOfAction},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for RemindOfAction {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        if note::remind(&mut tx, self.note_id).await? {
            info!(note.id = %self.note_id, "somebody was reminded of what is to be done next");
        }
        Ok(Outcome::Done(tx))
    }
}

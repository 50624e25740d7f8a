//! Closes registers by themselves.

use domain::{
    error::Result,
    register::{self, CloseRegister},
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for CloseRegister {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let closing = register::close_due_register(&mut tx, self).await?;
        info!(event.id = %self.event_id, ?closing, "a register was due");
        Ok(Outcome::Done(tx))
    }
}

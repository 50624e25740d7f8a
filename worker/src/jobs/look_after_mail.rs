//! Looks after mail whose workers are gone.

use domain::{
    campaign::ledger,
    delivery,
    error::Result,
    job::{Job, Queue},
};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

/// The most letters that one run brings back.
const LETTERS: u64 = 1_000;

/// Has letters sent that nobody is sending, and campaigns worked that nobody works.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LookAfterMail {}

impl Job for LookAfterMail {
    const KIND: &'static str = "mail.look_after";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

impl Handler for LookAfterMail {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let campaigns = ledger::to_look_after(ctx.store.reader(), ctx.store.now()).await?;
        for id in &campaigns {
            // One at a time: whoever pauses or claims from one of them doesn't wait for the others.
            let mut tx = ctx.begin().await?;
            ledger::look_after(&mut tx, *id).await?;
            tx.commit().await?;
        }
        let campaigns = campaigns.len();
        let mut tx = ctx.begin().await?;
        let letters = delivery::release_unsent(&mut tx, LETTERS).await?;
        if letters > 0 || campaigns > 0 {
            info!(letters, campaigns, "mail was looked after");
        }
        Ok(Outcome::Done(tx))
    }
}

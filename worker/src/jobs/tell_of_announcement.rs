//! Tells staff of an announcement, and reminds those who have not read it.

use domain::{
    announcement::{self, RemindOfAnnouncement, TellOfAnnouncement},
    error::Result,
};
use tracing::info;

use crate::engine::{Handler, JobContext, Outcome};

impl Handler for TellOfAnnouncement {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let told = announcement::tell_audience(&mut tx, self).await?;
        info!(announcement.id = %self.announcement_id, people = told, "staff were told");
        Ok(Outcome::Done(tx))
    }
}

impl Handler for RemindOfAnnouncement {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mut tx = ctx.begin().await?;
        let reminded = announcement::remind_unread(&mut tx, self).await?;
        info!(announcement.id = %self.announcement_id, people = reminded, "staff were reminded");
        Ok(Outcome::Done(tx))
    }
}

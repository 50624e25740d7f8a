//! Hands one transactional letter to the relay.

use std::time::Duration;

use domain::{
    delivery::{self, ClaimedLetter, Verdict},
    error::Result,
    mail::SendLetter,
    mail_rules::MailRules,
    suppression::AddressKey,
};
use entity::delivery::Model;
use tokio::time::timeout;
use tracing::warn;

use super::sending::{RELAY_PAUSE, while_keeping};
use crate::{
    engine::{Handler, JobContext, Outcome},
    mail::{Mailer, attachments, outcome, rate::Permit},
};

/// How long a letter waits its turn under the rate limit before its worker does something else.
const TURN: Duration = Duration::from_secs(5);

impl Handler for SendLetter {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let mailer = ctx.services.mailer()?;
        let Some(letter) = delivery::find_letter(ctx.store.reader(), self.delivery_id).await?
        else {
            return Ok(Outcome::Done(ctx.begin().await?));
        };
        let key = AddressKey::load(ctx.store.reader(), ctx.store.now()).await?;
        let named = match domain::mail::attachments(&letter) {
            Ok(named) => named,
            Err(error) => return Ok(Outcome::Dead(format!("it can't be written: {error}"))),
        };
        let files = attachments::files(ctx.store.reader(), &named).await?;
        let message = match mailer.letter(&key, &letter, &named, files) {
            Ok(message) => message,
            Err(error) => return Ok(Outcome::Dead(format!("it can't be written: {error}"))),
        };
        let (rules, _) = MailRules::load(ctx.store.reader()).await?;
        mailer.limiter.follow(&rules);
        // The leave to send comes first: a claim that waits would run out.
        let Some(permit) = permit(mailer, &letter).await else {
            let tx = ctx.begin().await?;
            return Ok(Outcome::Again { tx, after: TURN });
        };
        let claimant = format!("{}/{}", ctx.claim.id, ctx.claim.attempt);
        let tx = ctx.begin().await?;
        match delivery::claim_letter(&tx, letter.id, &claimant).await? {
            ClaimedLetter::Ours(_) => tx.commit().await?,
            ClaimedLetter::Withheld(_) => {
                permit.unused();
                metrics::counter!("mycareer_mails_total", "kind" => "letter", "outcome" => "skipped")
                    .increment(1);
                return Ok(Outcome::Done(tx));
            }
            ClaimedLetter::Over => {
                permit.unused();
                return Ok(Outcome::Done(tx));
            }
            ClaimedLetter::Taken(until) => {
                permit.unused();
                let after = (until - tx.now()).to_std().unwrap_or_default();
                return Ok(Outcome::Again { tx, after });
            }
        }
        let sending = Box::pin(mailer.send(&message, permit));
        let sent = while_keeping(&ctx.store, &[letter.id], &claimant, sending).await;

        let tx = ctx.begin().await?;
        let now = tx.now();
        let verdict = match outcome::verdict(&letter, &sent, now) {
            // Somebody waits for it: rather twice, under the same Message-ID, than not at all.
            Verdict::Unknown { reply } => Verdict::put_off(&letter, reply, now),
            verdict => verdict,
        };
        metrics::counter!("mycareer_mails_total", "kind" => "letter", "outcome" => word(&verdict))
            .increment(1);
        delivery::record(&tx, &claimant, [(letter.id, verdict.clone())]).await?;
        let after = match &verdict {
            Verdict::PutOff { until, .. } => (*until - now).to_std().unwrap_or_default(),
            Verdict::Untried { .. } => RELAY_PAUSE,
            _ => return Ok(Outcome::Done(tx)),
        };
        if let Err(failure) = sent {
            // The reply stands in the ledger: relays repeat the address in it, which has no place in a log.
            warn!(
                nothing_sent = failure.nothing_sent(),
                ?after,
                "the letter has to wait"
            );
        }
        Ok(Outcome::Again { tx, after })
    }
}

/// Leave to send, unless that takes too long or can't be asked for.
async fn permit(mailer: &Mailer, letter: &Model) -> Option<Permit> {
    match timeout(TURN, mailer.limiter.acquire(&letter.address_domain)).await {
        Ok(Ok(permit)) => Some(permit),
        Ok(Err(error)) => {
            warn!(%error, "no letter can be sent");
            None
        }
        Err(_) => None,
    }
}

/// The verdict in a word, for the metrics.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Sent => "sent",
        Verdict::Failed { .. } => "failed",
        Verdict::Unknown { .. } => "unknown",
        Verdict::PutOff { .. } => "put off",
        Verdict::Untried { .. } => "untried",
        Verdict::Skipped { .. } => "skipped",
    }
}

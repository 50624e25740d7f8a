//! Handing over the mails that were claimed.

use std::time::Duration;

use domain::{campaign::ledger, delivery::Verdict, error::Result};
use entity::{delivery::Model as Mail, ids::DeliveryId};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::{Letter, PATIENCE, Pass, Stop};
use crate::{
    jobs::{
        send_letter::word,
        sending::{RELAY_PAUSE, while_keeping},
    },
    mail::{
        outcome::{self, About},
        rate::{Permit, RateLimitUnavailable},
        transport::{Accepted, SendFailure},
    },
};

/// How old the answer to "may they still be written to?" may be when a mail goes out.
const FRESH: Duration = Duration::from_secs(1);

impl Pass<'_> {
    /// Hands over what was claimed under `ids`. Answers why the pass is to end, and the letters whose domains have no room
    /// now.
    pub(super) async fn send_batch(
        &mut self,
        batch: Vec<Letter>,
        ids: &[DeliveryId],
    ) -> (Option<Stop>, Vec<Letter>) {
        let (store, claimant) = (&self.ctx.store, self.claimant.clone());
        while_keeping(store, ids, &claimant, self.send_each(batch)).await
    }

    /// Each mail goes as soon as the rate limit lets it. What it does not let go soon is given back.
    async fn send_each(&mut self, mut waiting: Vec<Letter>) -> (Option<Stop>, Vec<Letter>) {
        let mailer = self.mailer;
        let mut on_their_way = FuturesUnordered::new();
        let mut ask_at = Instant::now();
        let mut stop = None;
        let mut back = Vec::new();
        loop {
            if stop.is_some() || self.ctx.is_stopping() {
                self.give_back(&mut waiting, |_| true, "it had to wait for the relay");
            }
            if !waiting.is_empty() && ask_at <= Instant::now() {
                match self.ask(&mut waiting).await {
                    Ok((granted, wait)) => {
                        on_their_way.extend(granted.into_iter().map(
                            |(letter, permit)| async move {
                                let sent = mailer.send(&letter.message, permit).await;
                                (letter.mail, sent)
                            },
                        ));
                        ask_at = Instant::now() + wait;
                        if wait > PATIENCE {
                            stop = Some(Stop::For(wait));
                            continue;
                        }
                    }
                    Err(wait) => {
                        stop = Some(Stop::For(wait));
                        continue;
                    }
                }
            }
            self.domains.forget_past();
            let full = self.without_room(&waiting);
            back.extend(self.give_back(
                &mut waiting,
                |letter| full.contains(&letter.mail.id),
                "its domain takes no mail for now",
            ));
            tokio::select! {
                Some((mail, sent)) = on_their_way.next() => {
                    if self.note(&mail, &sent) == Some(About::TheRelay) {
                        stop = Some(Stop::For(RELAY_PAUSE));
                    }
                }
                () = sleep_until(ask_at), if !waiting.is_empty() => {}
                else => return (stop, back),
            }
        }
    }

    /// Asks for leave to send. Takes what may go off the list, and says how long the others have to wait; `Err` is how
    /// long to leave everything alone.
    async fn ask(
        &mut self,
        waiting: &mut Vec<Letter>,
    ) -> Result<(Vec<(Letter, Permit)>, Duration), Duration> {
        if let Err(error) = self.skip_withheld(waiting).await {
            warn!(%error, "it can't be asked who may still be written to");
            return Err(RELAY_PAUSE);
        }
        self.acquire(waiting).await.map_err(|error| {
            warn!(%error, "the campaign has to wait");
            RELAY_PAUSE
        })
    }

    /// Takes those off the list who opted out or were suppressed since it was last asked. At a low rate the last mail of
    /// a chunk goes out long after the first.
    async fn skip_withheld(&mut self, waiting: &mut Vec<Letter>) -> Result<()> {
        if waiting.iter().all(|letter| letter.asked.elapsed() < FRESH) {
            return Ok(());
        }
        let asked = Instant::now();
        let mails: Vec<Mail> = waiting.iter().map(|letter| letter.mail.clone()).collect();
        let reader = self.ctx.store.reader();
        let campaign_id = self.lane.campaign_id;
        let now = self.ctx.store.now();
        let withheld = ledger::withheld(reader, &self.key, campaign_id, &mails, now).await?;
        waiting.retain_mut(|letter| {
            letter.asked = asked;
            let Some(reason) = withheld.get(&letter.mail.id) else {
                return true;
            };
            let reply = (*reason).to_owned();
            self.results
                .push((letter.mail.id, Verdict::Skipped { reply }));
            false
        });
        Ok(())
    }

    async fn acquire(
        &mut self,
        waiting: &mut Vec<Letter>,
    ) -> Result<(Vec<(Letter, Permit)>, Duration), RateLimitUnavailable> {
        let asked: Vec<&str> = waiting
            .iter()
            .map(|letter| letter.mail.address_domain.as_str())
            .collect();
        let decision = self.mailer.limiter.try_acquire(&asked).await?;
        let mut granted = Vec::with_capacity(waiting.len());
        let mut refused = Vec::new();
        for (letter, permit) in waiting.drain(..).zip(decision.permits) {
            match permit {
                Some(permit) => granted.push((letter, permit)),
                None => refused.push(letter),
            }
        }
        *waiting = refused;
        for (domain, wait) in decision.full_domains {
            self.domains.full_for(&domain, wait);
        }
        Ok((granted, decision.wait.unwrap_or_default()))
    }

    /// Notes what became of a mail, and answers what a failure was about.
    fn note(&mut self, mail: &Mail, sent: &Result<Accepted, SendFailure>) -> Option<About> {
        let verdict = outcome::verdict(mail, sent, self.ctx.store.now());
        metrics::counter!("mycareer_mails_total", "kind" => "bulk", "outcome" => word(&verdict))
            .increment(1);
        let put_off = matches!(verdict, Verdict::PutOff { .. });
        self.results.push((mail.id, verdict));
        let domain = &mail.address_domain;
        let Err(failure) = sent else {
            self.domains.took_one(domain);
            return None;
        };
        let mut about = outcome::about(failure);
        if about == About::TheDomain && !self.domains.sent_us_away(domain) {
            about = About::TheRelay;
        }
        if put_off {
            self.domains.put_one_off(domain);
        }
        // The reply stands in the ledger: relays repeat the address in it, which has no place in a log.
        match about {
            About::TheRelay => {
                warn!(pause = ?RELAY_PAUSE, "the campaign has to wait for the relay");
            }
            About::TheDomain | About::TheMail => {
                debug!(delivery.id = %mail.id, "a mail was not accepted");
            }
        }
        Some(about)
    }

    fn without_room(&self, waiting: &[Letter]) -> Vec<DeliveryId> {
        waiting
            .iter()
            .filter(|letter| !self.domains.has_room(&letter.mail.address_domain))
            .map(|letter| letter.mail.id)
            .collect()
    }

    /// Notes that some mails were claimed for nothing, and takes them off the list.
    fn give_back(
        &mut self,
        waiting: &mut Vec<Letter>,
        which: impl Fn(&Letter) -> bool,
        why: &str,
    ) -> Vec<Letter> {
        let (back, rest): (Vec<_>, Vec<_>) = waiting.drain(..).partition(which);
        *waiting = rest;
        self.results.extend(back.iter().map(|letter| {
            let reply = why.to_owned();
            (letter.mail.id, Verdict::Untried { reply })
        }));
        back
    }
}

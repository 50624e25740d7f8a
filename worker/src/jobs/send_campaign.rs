//! Sends what is due in one lane of a campaign.
//!
//! The lane's mails are read and written in chunks. From a chunk a handful is claimed, as many as there are connections;
//! each goes out as soon as the rate limit lets it, and what became of them is written down together with the next claim.
//! So one commit is enough for a handful of mails, and a killed worker leaves no more than a handful in doubt. The leave
//! to send is asked for last, because the rate limit counts it from then on.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use domain::{
    campaign::{
        self, SendCampaign, Words,
        ledger::{self, Lane, Rest},
    },
    delivery::{self, Verdict},
    error::{Error, Result},
    store::Store,
    suppression::AddressKey,
    viewer::Viewer,
};
use entity::{delivery::Model as Mail, ids::DeliveryId};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

use super::{
    send_letter::word,
    sending::{RELAY_PAUSE, while_keeping},
};
use crate::{
    engine::{Handler, JobContext, Outcome},
    mail::{
        Mailer,
        message::Message,
        outcome::{self, About},
        rate::{Permit, RateLimitUnavailable},
        transport::{Accepted, SendFailure},
    },
};

/// How many mails are read at once.
const CHUNK: u64 = 100;
/// Longer than this nobody waits for the rate limit with mails in hand; the worker does something else meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest time between two looks at a lane that has something left.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// The shortest one.
const BREATH: Duration = Duration::from_millis(100);
/// How often, and after how long, the outcome of mails that were sent is written again when the database is away.
const WRITE_TRIES: u32 = 60;
const WRITE_AGAIN: Duration = Duration::from_millis(500);

impl Handler for SendCampaign {
    async fn run(self, ctx: &JobContext) -> Result<Outcome> {
        let lane = self.lane;
        let found = campaign::find(ctx.store.reader(), &Viewer::system(), lane.campaign_id).await?;
        let Some(campaign) = found else {
            return Ok(Outcome::Done(ctx.begin().await?));
        };
        let words = match Words::parse(&campaign.subject, &campaign.body) {
            Ok(words) => words,
            Err(error) => return Ok(Outcome::Dead(format!("its words can't be read: {error}"))),
        };
        let mut pass = Pass {
            ctx,
            mailer: ctx.services.mailer()?,
            lane,
            words,
            key: AddressKey::load(ctx.store.reader(), ctx.store.now()).await?,
            claimant: format!("{}/{}", ctx.claim.id, ctx.claim.attempt),
            results: Vec::new(),
            full_until: HashMap::new(),
        };
        let went = pass.go().await;
        // Whatever stopped it: what was sent must be known to have been sent.
        pass.write_results().await;
        let pause = match went? {
            Stop::AtTheEnd => BREATH,
            Stop::For(pause) => pause,
        };
        let mut tx = ctx.begin().await?;
        Ok(match ledger::end_pass(&mut tx, &lane).await? {
            Rest::Nothing | Rest::Halted => Outcome::Done(tx),
            Rest::At(when) => {
                let until = (when - tx.now()).to_std().unwrap_or_default();
                let after = until.min(LOOK_AGAIN).max(pause);
                Outcome::Again { tx, after }
            }
        })
    }
}

/// A mail of the ledger, and the same as the relay gets it.
type Letter = (Mail, Message);

/// Why a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// Everything that was due has been tried.
    AtTheEnd,
    /// There is more, but not for this long.
    For(Duration),
}

/// One walk over what is due in a lane.
struct Pass<'a> {
    ctx: &'a JobContext,
    mailer: &'a Mailer,
    lane: Lane,
    words: Words,
    key: AddressKey,
    claimant: String,
    /// What became of mails and is not yet written down.
    results: Vec<(DeliveryId, Verdict)>,
    /// Domains for which the rate limit leaves no room until then.
    full_until: HashMap<String, Instant>,
}

impl Pass<'_> {
    async fn go(&mut self) -> Result<Stop> {
        let store = &self.ctx.store;
        let mut after = None;
        loop {
            let chunk = ledger::due(store.reader(), &self.lane, after, store.now(), CHUNK).await?;
            let Some(last) = chunk.last() else {
                return Ok(Stop::AtTheEnd);
            };
            after = Some(last.id);
            let mut written = self.write(chunk).await?;
            while !written.is_empty() {
                if self.ctx.is_stopping() {
                    return Ok(Stop::For(Duration::ZERO));
                }
                if let Some(stop) = self.send_some(&mut written).await? {
                    return Ok(stop);
                }
            }
        }
    }

    /// Writes the mails of a chunk. Those that must not be sent any more, or can't be written, leave the ledger here.
    async fn write(&self, chunk: Vec<Mail>) -> Result<VecDeque<Letter>> {
        let withheld = ledger::withheld(self.ctx.store.reader(), &self.key, &chunk).await?;
        let mut written = VecDeque::with_capacity(chunk.len());
        let mut dropped = Vec::new();
        for mail in chunk {
            if let Some(reason) = withheld.get(&mail.id) {
                let reply = (*reason).to_owned();
                dropped.push((mail.id, Verdict::Skipped { reply }));
                continue;
            }
            match self.mailer.bulk(&self.words, &self.key, &mail) {
                Ok(message) => written.push_back((mail, message)),
                Err(error) => {
                    let reply = format!("it can't be written: {error}");
                    dropped.push((mail.id, Verdict::Failed { reply }));
                }
            }
        }
        if !dropped.is_empty() {
            let tx = self.ctx.begin().await?;
            ledger::drop_unsent(&tx, &dropped, &self.claimant).await?;
            tx.commit().await?;
        }
        Ok(written)
    }

    /// Claims as many of the mails as there are hands for, sends them, and takes them off the list. Answers when the pass
    /// is to end.
    async fn send_some(&mut self, written: &mut VecDeque<Letter>) -> Result<Option<Stop>> {
        let candidates = self.candidates(written);
        if candidates.is_empty() {
            return Ok(self.wait_for_room().await);
        }
        let Some((count, _hands)) = self.mailer.hands(candidates.len()).await else {
            return Err(Error::Fault("the mailer is closed".to_owned()));
        };
        let chosen: HashSet<DeliveryId> = candidates.into_iter().take(count).collect();
        let (mut batch, rest): (Vec<_>, Vec<_>) = std::mem::take(written)
            .into_iter()
            .partition(|(mail, _)| chosen.contains(&mail.id));
        *written = rest.into();
        let ids: Vec<DeliveryId> = chosen.into_iter().collect();
        let claimed = self.claim(&ids).await?;
        if claimed.is_empty() {
            // Most likely the campaign was halted; the end of the pass finds out.
            return Ok(Some(Stop::For(BREATH)));
        }
        batch.retain(|(mail, _)| claimed.contains(&mail.id));
        let (store, claimant) = (&self.ctx.store, self.claimant.clone());
        Ok(while_keeping(store, &ids, &claimant, self.send_batch(batch)).await)
    }

    /// Hands over what was claimed, each mail as soon as the rate limit lets it. What it does not let go soon is given
    /// back.
    async fn send_batch(&mut self, mut waiting: Vec<Letter>) -> Option<Stop> {
        let mailer = self.mailer;
        let mut on_their_way = FuturesUnordered::new();
        let mut ask_at = Instant::now();
        let mut stop = None;
        loop {
            if !waiting.is_empty() && (stop.is_some() || self.ctx.is_stopping()) {
                self.give_back(&mut waiting, "it had to wait for the relay");
            }
            if !waiting.is_empty() && ask_at <= Instant::now() {
                match self.ask(&mut waiting).await {
                    Ok((granted, wait)) => {
                        on_their_way.extend(granted.into_iter().map(
                            |((mail, message), permit)| async move {
                                let sent = mailer.send(&message, permit).await;
                                (mail, sent)
                            },
                        ));
                        ask_at = Instant::now() + wait;
                        if wait > PATIENCE {
                            self.full_until.extend(
                                waiting
                                    .iter()
                                    .map(|(mail, _)| (mail.address_domain.clone(), ask_at)),
                            );
                            self.give_back(&mut waiting, "it waits for the rate limit");
                        }
                    }
                    Err(error) => {
                        warn!(%error, "the campaign has to wait");
                        stop = Some(Stop::For(RELAY_PAUSE));
                        continue;
                    }
                }
            }
            tokio::select! {
                Some((mail, sent)) = on_their_way.next() => {
                    if self.note(&mail, &sent) == Some(About::TheRelay) {
                        stop = Some(Stop::For(RELAY_PAUSE));
                    }
                }
                () = sleep_until(ask_at), if !waiting.is_empty() => {}
                else => return stop,
            }
        }
    }

    /// Asks for leave to send. Takes what may go off the list, and says how long the others have to wait.
    async fn ask(
        &self,
        waiting: &mut Vec<Letter>,
    ) -> Result<(Vec<(Letter, Permit)>, Duration), RateLimitUnavailable> {
        let domains: Vec<&str> = waiting
            .iter()
            .map(|(mail, _)| mail.address_domain.as_str())
            .collect();
        let decision = self.mailer.limiter.try_acquire(&domains).await?;
        let mut granted = Vec::with_capacity(waiting.len());
        let mut refused = Vec::new();
        for (letter, permit) in waiting.drain(..).zip(decision.permits) {
            match permit {
                Some(permit) => granted.push((letter, permit)),
                None => refused.push(letter),
            }
        }
        *waiting = refused;
        Ok((granted, decision.wait.unwrap_or_default()))
    }

    /// Notes what became of a mail, and answers what a failure was about.
    fn note(&mut self, mail: &Mail, sent: &Result<Accepted, SendFailure>) -> Option<About> {
        let verdict = outcome::verdict(mail, sent, self.ctx.store.now());
        metrics::counter!("mycareer_mails_total", "kind" => "bulk", "outcome" => word(&verdict))
            .increment(1);
        self.results.push((mail.id, verdict));
        let failure = sent.as_ref().err()?;
        let about = outcome::about(failure);
        match about {
            About::TheRelay => warn!(%failure, pause = ?RELAY_PAUSE, "the campaign has to wait"),
            About::TheMail => debug!(delivery.id = %mail.id, "a mail was not accepted"),
        }
        Some(about)
    }

    /// Notes that these mails were claimed for nothing.
    fn give_back(&mut self, waiting: &mut Vec<Letter>, why: &str) {
        self.results.extend(waiting.drain(..).map(|(mail, _)| {
            let reply = why.to_owned();
            (mail.id, Verdict::Untried { reply })
        }));
    }

    /// Mails whose domains may have room, at most as many as the relay takes at once.
    fn candidates(&mut self, written: &VecDeque<Letter>) -> Vec<DeliveryId> {
        let now = Instant::now();
        self.full_until.retain(|_, until| *until > now);
        written
            .iter()
            .filter(|(mail, _)| !self.full_until.contains_key(&mail.address_domain))
            .map(|(mail, _)| mail.id)
            .take(self.mailer.transport.at_once())
            .collect()
    }

    /// Waits until the first domain may have room, unless that takes too long.
    async fn wait_for_room(&mut self) -> Option<Stop> {
        let first = self.full_until.values().min()?;
        let wait = first.saturating_duration_since(Instant::now());
        if wait > PATIENCE {
            return Some(Stop::For(wait));
        }
        sleep(wait).await;
        None
    }

    /// Writes down what became of the last batch and claims the next one, with one commit.
    async fn claim(&mut self, ids: &[DeliveryId]) -> Result<HashSet<DeliveryId>> {
        let mut tx = self.ctx.begin().await?;
        if !self.results.is_empty() {
            delivery::record(&tx, &self.claimant, self.results.iter().cloned()).await?;
            ledger::announce(&mut tx, self.lane.campaign_id);
        }
        let claimed = ledger::claim(&tx, self.lane.campaign_id, ids, &self.claimant).await?;
        tx.commit().await?;
        self.results.clear();
        Ok(claimed)
    }

    /// Writes down what became of the last mails, however long the database takes to come back within reason.
    async fn write_results(&mut self) {
        for _ in 0..WRITE_TRIES {
            if self.results.is_empty() {
                return;
            }
            match write(&self.ctx.store, &self.lane, &self.claimant, &self.results).await {
                Ok(()) => self.results.clear(),
                Err(error) => {
                    warn!(%error, mails = self.results.len(), "what became of mails can't be written yet");
                    sleep(WRITE_AGAIN).await;
                }
            }
        }
    }
}

async fn write(
    store: &Store,
    lane: &Lane,
    claimant: &str,
    results: &[(DeliveryId, Verdict)],
) -> Result<()> {
    let mut tx = store.begin().await?;
    delivery::record(&tx, claimant, results.iter().cloned()).await?;
    ledger::announce(&mut tx, lane.campaign_id);
    tx.commit().await
}

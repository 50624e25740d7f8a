//! Sends what is due in one lane of a campaign.
//!
//! The lane's mails are read and written in chunks. From a chunk as many are claimed as the rate limit and the connections
//! take at this moment; they are handed over side by side, and what became of them is written down together with the
//! next claim. So the database is asked twice for a handful of mails, and a killed worker leaves no more than a handful
//! in doubt.

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
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
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
        rate::Permit,
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
    /// Domains whose rate limit leaves no room until then.
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
    async fn write(&self, chunk: Vec<Mail>) -> Result<VecDeque<(Mail, Message)>> {
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

    /// Sends as many of the mails as may go at this moment, and takes them off the list. Answers when the pass is to end.
    async fn send_some(&mut self, written: &mut VecDeque<(Mail, Message)>) -> Result<Option<Stop>> {
        let candidates = self.candidates(written);
        if candidates.is_empty() {
            return Ok(self.wait_for_room().await);
        }
        let Some((count, _hands)) = self.mailer.hands(candidates.len()).await else {
            return Err(Error::Fault("the mailer is closed".to_owned()));
        };
        let domains: Vec<&str> = candidates[..count]
            .iter()
            .map(|at| written[*at].0.address_domain.as_str())
            .collect();
        let decision = match self.mailer.limiter.try_acquire(&domains).await {
            Ok(decision) => decision,
            Err(error) => {
                warn!(%error, "the campaign has to wait");
                return Ok(Some(Stop::For(RELAY_PAUSE)));
            }
        };
        let now = Instant::now();
        let mut permits: HashMap<usize, Permit> = HashMap::new();
        for (at, permit) in candidates.iter().zip(decision.permits) {
            if let Some(permit) = permit {
                permits.insert(*at, permit);
            } else if let Some(wait) = decision.wait {
                let domain = written[*at].0.address_domain.clone();
                self.full_until.insert(domain, now + wait);
            }
        }
        if permits.is_empty() {
            return Ok(None);
        }
        let mut batch = Vec::with_capacity(permits.len());
        let mut rest = VecDeque::with_capacity(written.len());
        for (at, (mail, message)) in std::mem::take(written).into_iter().enumerate() {
            match permits.remove(&at) {
                Some(permit) => batch.push((mail, message, permit)),
                None => rest.push_back((mail, message)),
            }
        }
        *written = rest;
        self.send_batch(batch).await
    }

    /// Claims a batch, and hands over what was claimed.
    async fn send_batch(&mut self, batch: Vec<(Mail, Message, Permit)>) -> Result<Option<Stop>> {
        let ids: Vec<DeliveryId> = batch.iter().map(|(mail, ..)| mail.id).collect();
        let claimed = self.claim(&ids).await?;
        if claimed.is_empty() {
            for (.., permit) in batch {
                permit.unused();
            }
            // Most likely the campaign was halted; the end of the pass finds out.
            return Ok(Some(Stop::For(BREATH)));
        }
        let mut ours = Vec::with_capacity(batch.len());
        for (mail, message, permit) in batch {
            if claimed.contains(&mail.id) {
                ours.push((mail, message, permit));
            } else {
                permit.unused();
            }
        }
        let mailer = self.mailer;
        let sending = join_all(ours.into_iter().map(|(mail, message, permit)| async move {
            let sent = mailer.send(&message, permit).await;
            (mail, sent)
        }));
        let answers = while_keeping(&self.ctx.store, &ids, &self.claimant, sending).await;

        let now = self.ctx.store.now();
        let mut relay_away = false;
        for (mail, sent) in answers {
            if let Err(failure) = &sent {
                debug!(delivery.id = %mail.id, %failure, "a mail was not accepted");
                relay_away |= outcome::about(failure) == About::TheRelay;
            }
            let verdict = outcome::verdict(&mail, &sent, now);
            metrics::counter!("mycareer_mails_total", "kind" => "bulk", "outcome" => word(&verdict))
                .increment(1);
            self.results.push((mail.id, verdict));
        }
        if relay_away {
            warn!(
                pause = ?RELAY_PAUSE,
                "the relay does not take mail now; the campaign waits"
            );
            return Ok(Some(Stop::For(RELAY_PAUSE)));
        }
        Ok(None)
    }

    /// The places of mails whose domains may have room, at most as many as the relay takes at once.
    fn candidates(&mut self, written: &VecDeque<(Mail, Message)>) -> Vec<usize> {
        let now = Instant::now();
        self.full_until.retain(|_, until| *until > now);
        written
            .iter()
            .enumerate()
            .filter(|(_, (mail, _))| !self.full_until.contains_key(&mail.address_domain))
            .map(|(at, _)| at)
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

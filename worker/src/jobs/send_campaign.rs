//! Sends what is due in one lane of a campaign.
//!
//! The lane's mails are read and written in chunks. Of those in hand some are claimed, as many as go out in a moment; each
//! goes out as soon as the rate limit lets it, and what became of them is written down together with the next claim.
//! So one commit is enough for some mails, and a killed worker leaves no more than those in doubt. The leave to send is asked
//! for last, because the rate limit counts it from then on.
//!
//! A domain that takes no mail for now (its own limit is reached, or it puts us off) holds nobody else up: its mails are
//! passed over until it has room.

mod batch;
mod domains;

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use domain::{
    campaign::{
        self, SendCampaign, Words,
        ledger::{self, Lane, Rest},
    },
    delivery::{self, Verdict},
    error::{Error, Result},
    mail_rules::MailRules,
    store::Store,
    suppression::AddressKey,
    viewer::Viewer,
};
use entity::{delivery::Model as Mail, ids::DeliveryId};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tracing::warn;

use self::domains::Domains;
use crate::{
    engine::{Handler, JobContext, Outcome},
    mail::{Held, Mailer, attachments::Part, message::Message},
};

/// How many mails are read at once.
const CHUNK: u32 = 100;
/// The most mails in hand that wait for their domains. Those beyond are read again later.
const IN_HAND: usize = 500;
/// The same two where every mail brings files, which take room.
const CHUNK_WITH_FILES: u32 = 10;
const IN_HAND_WITH_FILES: usize = 20;
/// Longer than this nobody waits for the rate limit with mails in hand; the worker does something else meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);
/// What became of mails is written with the next claim, unless that takes longer than this.
const WRITE_WITHIN: Duration = Duration::from_secs(1);
/// The longest time between two looks at a lane that has something left.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// The shortest one.
const BREATH: Duration = Duration::from_millis(100);
/// How often, and after how long, the outcome of mails that were sent is written again when the database is away.
const WRITE_TRIES: u32 = 1_200;
/// The same in a worker that is to stop.
const LAST_WRITE_TRIES: u32 = 60;
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
        let files = campaign::files(ctx.store.reader(), lane.campaign_id).await?;
        let mut pass = Pass {
            ctx,
            files: files.into_iter().map(Part::from).collect(),
            mailer: ctx.services.mailer()?,
            lane,
            words,
            events: campaign::promoted(ctx.store.reader(), &campaign, ctx.store.now()).await?,
            key: AddressKey::load(ctx.store.reader(), ctx.store.now()).await?,
            claimant: format!("{}/{}", ctx.claim.id, ctx.claim.attempt),
            results: Vec::new(),
            domains: Domains::default(),
            quiet: Quiet::default(),
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
                let after = until.max(pause).min(LOOK_AGAIN);
                Outcome::Again { tx, after }
            }
        })
    }
}

/// A mail of the ledger, and the same as the relay gets it.
struct Letter {
    mail: Mail,
    message: Message,
    /// When it was last asked whether the recipient still wants mail.
    asked: Instant,
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
    /// What the mails tell of besides.
    events: Value,
    /// What they bring along.
    files: Vec<Part>,
    key: AddressKey,
    claimant: String,
    /// What became of mails and is not yet written down.
    results: Vec<(DeliveryId, Verdict)>,
    domains: Domains,
    quiet: Quiet,
}

/// The time zones in which organisations are in quiet hours, and when that was looked at.
#[derive(Default)]
struct Quiet {
    zones: Vec<String>,
    looked: Option<Instant>,
}

impl<'a> Pass<'a> {
    async fn go(&mut self) -> Result<Stop> {
        let mut in_hand = VecDeque::new();
        let mut after = None;
        while !self.ctx.is_stopping() {
            if !self.candidates(&in_hand).is_empty() {
                if let Some(stop) = self.send_some(&mut in_hand).await? {
                    return Ok(stop);
                }
                continue;
            }
            if in_hand.len() >= self.in_hand() {
                in_hand.clear();
            }
            let chunk = self.read(after).await?;
            if let Some(last) = chunk.last() {
                after = Some(last.id);
                in_hand.extend(self.write(chunk).await?);
                continue;
            }
            // Nothing is left but mails to domains that have no room.
            let Some(wait) = self.domains.until_room() else {
                return Ok(Stop::AtTheEnd);
            };
            if wait > PATIENCE {
                return Ok(Stop::For(wait));
            }
            self.write_results().await;
            sleep(wait).await;
            if in_hand.is_empty() {
                after = None;
            }
        }
        Ok(Stop::For(Duration::ZERO))
    }

    /// How many mails are read at once.
    const fn chunk(&self) -> u32 {
        if self.files.is_empty() {
            CHUNK
        } else {
            CHUNK_WITH_FILES
        }
    }

    /// How many may wait for their domains.
    const fn in_hand(&self) -> usize {
        if self.files.is_empty() {
            IN_HAND
        } else {
            IN_HAND_WITH_FILES
        }
    }

    /// What is due next for domains that have room.
    async fn read(&mut self, after: Option<DeliveryId>) -> Result<Vec<Mail>> {
        let store = &self.ctx.store;
        let (db, now) = (store.reader(), store.now());
        if self.quiet.looked.is_none_or(|at| at.elapsed() > LOOK_AGAIN) {
            self.quiet = Quiet {
                zones: ledger::quiet_zones(db, &self.lane, now).await?,
                looked: Some(Instant::now()),
            };
        }
        let full = self.domains.without_room();
        let quiet = &self.quiet.zones;
        ledger::due(db, &self.lane, after, full, quiet, now, self.chunk()).await
    }

    /// Writes the mails of a chunk. Those that must not be sent any more, or can't be written, leave the ledger here.
    async fn write(&self, chunk: Vec<Mail>) -> Result<Vec<Letter>> {
        let asked = Instant::now();
        let store = &self.ctx.store;
        let campaign_id = self.lane.campaign_id;
        let withheld =
            ledger::withheld(store.reader(), &self.key, campaign_id, &chunk, store.now()).await?;
        let mut written = Vec::with_capacity(chunk.len());
        let mut dropped = Vec::new();
        for mail in chunk {
            if let Some(reason) = withheld.get(&mail.id) {
                let reply = (*reason).to_owned();
                dropped.push((mail.id, Verdict::Skipped { reply }));
                continue;
            }
            match self
                .mailer
                .bulk(&self.words, &self.key, &mail, &self.events, &self.files)
            {
                Ok(message) => written.push(Letter {
                    mail,
                    message,
                    asked,
                }),
                Err(error) => {
                    let reply = format!("it can't be written: {error}");
                    dropped.push((mail.id, Verdict::Failed { reply }));
                }
            }
        }
        if !dropped.is_empty() {
            let tx = self.ctx.begin().await?;
            let _ = ledger::hold(&tx, campaign_id).await?;
            ledger::drop_unsent(&tx, &dropped, &self.claimant).await?;
            tx.commit().await?;
        }
        Ok(written)
    }

    /// Claims as many of the mails as there are hands for, sends them, and takes them off the list. Answers when the pass
    /// is to end.
    async fn send_some(&mut self, in_hand: &mut VecDeque<Letter>) -> Result<Option<Stop>> {
        let candidates = self.candidates(in_hand);
        let hands = self.hands(candidates.len()).await?;
        let chosen: HashSet<DeliveryId> = candidates.into_iter().take(hands.count()).collect();
        let (mut batch, rest): (Vec<_>, Vec<_>) = std::mem::take(in_hand)
            .into_iter()
            .partition(|letter| chosen.contains(&letter.mail.id));
        *in_hand = rest.into();
        let ids: Vec<DeliveryId> = chosen.into_iter().collect();
        let claimed = self.claim(&ids).await?;
        if claimed.is_empty() {
            // Most likely the campaign was halted, or quiet hours have begun; the end of the pass finds out.
            return Ok(Some(Stop::For(BREATH)));
        }
        batch.retain(|letter| claimed.contains(&letter.mail.id));
        let begun = Instant::now();
        let (stop, back) = self.send_batch(batch, &ids).await;
        if stop.is_none() && back.is_empty() {
            hands.done_within(begun.elapsed());
        }
        for letter in back.into_iter().rev() {
            in_hand.push_front(letter);
        }
        Ok(stop)
    }

    /// Leave to claim some mails. Other lanes may keep it for long, and what became of the last mails does not wait for
    /// that: their claims would run out.
    async fn hands(&mut self, most: usize) -> Result<Held<'a>> {
        let waiting = self.mailer.hands.take(most);
        tokio::pin!(waiting);
        let hands = tokio::select! {
            biased;
            hands = &mut waiting => hands,
            () = sleep(WRITE_WITHIN) => {
                self.write_results().await;
                waiting.await
            }
        };
        hands.ok_or_else(|| Error::Fault("the mailer is closed".to_owned()))
    }

    /// Mails whose domains may have room, at most as many as are to be claimed with one commit.
    fn candidates(&mut self, in_hand: &VecDeque<Letter>) -> Vec<DeliveryId> {
        self.domains.forget_past();
        in_hand
            .iter()
            .filter(|letter| self.domains.has_room(&letter.mail.address_domain))
            .map(|letter| letter.mail.id)
            .take(self.mailer.hands.share())
            .collect()
    }

    /// Writes down what became of the last batch and claims the next one, with one commit.
    async fn claim(&mut self, ids: &[DeliveryId]) -> Result<HashSet<DeliveryId>> {
        let mut tx = self.ctx.begin().await?;
        let (campaign_id, claimant) = (self.lane.campaign_id, &self.claimant);
        let being_sent = ledger::hold(&tx, campaign_id).await?;
        if !self.results.is_empty() {
            delivery::record(&tx, claimant, self.results.iter().cloned()).await?;
            ledger::announce(&mut tx, campaign_id);
        }
        let mut claimed = HashSet::new();
        if let Some(being_sent) = being_sent {
            // Rates and quiet hours can be changed while a campaign is being sent: they hold from the next claim on.
            let (rules, _) = MailRules::load(tx.conn()).await?;
            self.mailer.limiter.follow(&rules);
            claimed = ledger::claim(&tx, being_sent, ids, claimant, &rules).await?;
        }
        tx.commit().await?;
        self.results.clear();
        Ok(claimed)
    }

    /// Writes down what became of the last mails, however long the database takes to come back within reason.
    async fn write_results(&mut self) {
        for tried in 0..WRITE_TRIES {
            if self.results.is_empty() || (self.ctx.is_stopping() && tried >= LAST_WRITE_TRIES) {
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
    let _ = ledger::hold(&tx, lane.campaign_id).await?;
    delivery::record(&tx, claimant, results.iter().cloned()).await?;
    ledger::announce(&mut tx, lane.campaign_id);
    tx.commit().await
}

//! The ledger of mail: one row a mail, bulk and transactional alike.
//!
//! SMTP is the one effect that no transaction covers, so the ledger says at every moment what may have happened:
//!
//! ```text
//! QUEUED --claim--> SENDING --the relay has it--> SENT
//!   ^                 |--the relay never wants it--> FAILED
//!   |---not now-------|--it was handed over, and no answer came--> UNKNOWN
//!   '--(transactional: sent again under the same Message-ID)--'
//! QUEUED --opted out meanwhile, or withheld--> SKIPPED;  --campaign cancelled--> CANCELLED
//! ```
//!
//! A claim is committed before anything is said to the relay, and SENT is written only after its 250. A claim that ran out
//! belongs to a worker that is gone: the relay may have the mail or not. A letter that somebody waits for is then sent
//! again; bulk mail is not, and shows as UNKNOWN.

mod letter;
mod withheld;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    campaign::{self, CampaignState},
    delivery::{self, DeliveryState},
    ids::DeliveryId,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{CaseStatement, Expr, Query, SimpleExpr},
};

pub use self::{
    letter::{ClaimedLetter, claim_letter, find_letter, release_unsent},
    withheld::{ALWAYS_SENT, Withheld},
};
use crate::{error::Result, statement::one_of, store::Tx};

/// How long a claim lasts without a sign of life. A worker that sends gives one three times as often.
pub const CLAIM: TimeDelta = TimeDelta::seconds(20);

/// How long a recipient's server may put a mail off before it is given up (RFC 5321, 4.5.4.1, asks for four to five days).
const GIVE_UP_AFTER: TimeDelta = TimeDelta::days(4);
/// How long to wait after the first, the second, ... time that the mail was put off; the last one holds for all later.
const PUT_OFF: [TimeDelta; 6] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::minutes(30),
    TimeDelta::hours(1),
    TimeDelta::hours(2),
];
/// Whose workers went away is looked after among the letters and the halted campaigns of this time: longer than any mail is
/// tried, and claims run out within seconds.
pub(crate) const LOOK_BACK: TimeDelta = TimeDelta::days(30);
/// How much of a relay's answer is kept, in characters.
pub(crate) const LONGEST_REPLY: usize = 500;

/// What became of a claimed mail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The relay took it.
    Sent,
    /// It will never be taken: the relay said so, or it can't be written.
    Failed {
        /// Why.
        reply: String,
    },
    /// It was handed over and no answer came.
    Unknown {
        /// What went wrong.
        reply: String,
    },
    /// The recipient's server does not want it now.
    PutOff {
        /// What it said.
        reply: String,
        /// When to try again.
        until: DateTime<Utc>,
    },
    /// Nothing of it was said to any relay, so it waits as before: the relay is away, or the claim was for nothing.
    Untried {
        /// Why.
        reply: String,
    },
    /// It must not be sent any more.
    Skipped {
        /// Why.
        reply: String,
    },
}

impl Verdict {
    /// The verdict on a mail that its recipient's server puts off: tried again later, given up after some days.
    #[must_use]
    pub fn put_off(delivery: &delivery::Model, reply: String, now: DateTime<Utc>) -> Self {
        if now - delivery.created_at >= GIVE_UP_AFTER {
            return Self::Failed { reply };
        }
        let before = usize::try_from(delivery.attempts).unwrap_or(0);
        let wait = PUT_OFF[before.min(PUT_OFF.len() - 1)];
        Self::PutOff {
            reply,
            until: now + wait,
        }
    }
}

/// Writes down what became of mails that `claimant` had claimed: one statement for all that fared alike.
///
/// A late answer is better than none: it also replaces an UNKNOWN that was written because the claim had run out. A mail
/// that was not handed over waits again only if its campaign may still send it: in one that was cancelled it is
/// CANCELLED, and in one that is over it is UNKNOWN, for somebody to settle.
pub async fn record(
    tx: &Tx,
    claimant: &str,
    results: impl IntoIterator<Item = (DeliveryId, Verdict)>,
) -> Result<()> {
    let mut alike: HashMap<Verdict, Vec<DeliveryId>> = HashMap::new();
    for (id, verdict) in results {
        alike.entry(verdict).or_default().push(id);
    }
    for (verdict, mut ids) in alike {
        ids.sort_unstable();
        settle(tx.now(), verdict)
            .col_expr(delivery::Column::ClaimedUntil, none())
            .filter(one_of(tx.backend(), delivery::Column::Id, ids))
            .filter(delivery::Column::ClaimedBy.eq(claimant))
            .filter(delivery::Column::State.is_in([DeliveryState::Sending, DeliveryState::Unknown]))
            .exec(tx.conn())
            .await?;
    }
    Ok(())
}

fn settle(now: DateTime<Utc>, verdict: Verdict) -> UpdateMany<delivery::Entity> {
    let update = delivery::Entity::update_many();
    let tried = |update: UpdateMany<delivery::Entity>| {
        update.col_expr(
            delivery::Column::Attempts,
            Expr::col(delivery::Column::Attempts).add(1),
        )
    };
    let (update, state, reply) = match verdict {
        Verdict::Sent => (
            tried(update).col_expr(delivery::Column::SentAt, Expr::val(now)),
            DeliveryState::Sent.into(),
            None,
        ),
        Verdict::Failed { reply } => (tried(update), DeliveryState::Failed.into(), Some(reply)),
        Verdict::Unknown { reply } => (tried(update), DeliveryState::Unknown.into(), Some(reply)),
        Verdict::PutOff { reply, until } => (
            tried(update).col_expr(delivery::Column::NextAttemptAt, Expr::val(until)),
            again(),
            Some(reply),
        ),
        Verdict::Untried { reply } => (update, again(), Some(reply)),
        Verdict::Skipped { reply } => (update, DeliveryState::Skipped.into(), Some(reply)),
    };
    let reply: Option<String> = reply.map(|reply| reply.chars().take(LONGEST_REPLY).collect());
    update
        .col_expr(delivery::Column::State, state)
        .col_expr(delivery::Column::LastReply, Expr::val(reply))
}

/// The state of a mail that was not handed over and would wait again.
fn again() -> SimpleExpr {
    let campaign_in = |states: &[CampaignState]| {
        Expr::exists(
            Query::select()
                .expr(Expr::val(1))
                .from(campaign::Entity)
                .and_where(
                    Expr::col((campaign::Entity, campaign::Column::Id))
                        .equals((delivery::Entity, delivery::Column::CampaignId)),
                )
                .and_where(campaign::Column::State.is_in(states.iter().copied()))
                .to_owned(),
        )
    };
    let to_be_sent = Expr::col((delivery::Entity, delivery::Column::CampaignId))
        .is_null()
        .or(campaign_in(&[
            CampaignState::Sending,
            CampaignState::Paused,
        ]));
    CaseStatement::new()
        .case(to_be_sent, DeliveryState::Queued)
        .case(
            campaign_in(&[CampaignState::Cancelled]),
            DeliveryState::Cancelled,
        )
        .finally(DeliveryState::Unknown)
        .into()
}

fn none() -> SimpleExpr {
    Expr::val(Option::<DateTime<Utc>>::None)
}

//! Taking a campaign's mails off the ledger.
//!
//! The ledger of a campaign is cut into [`Lane`]s by id. A lane is worked by one job, so several workers send one campaign
//! without asking for the same rows; when a job is taken for dead and is not, the claims keep the two apart all the same.
//!
//! A pass over a lane reads what is due in chunks, and claims each batch in the moment in which it can go out: what is
//! claimed is what is in flight, and nothing more than that is in doubt when a worker is killed.

mod quiet;
mod upkeep;

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use chrono::{DateTime, Utc};
use entity::{
    campaign::{self, CampaignState},
    contact::{self, ContactState},
    delivery::{self, DeliveryState},
    ids::{CampaignId, ContactId, DeliveryId},
    topic_opt_out,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
    sea_query::{
        CommonTableExpression, Expr, LockBehavior, LockType, Query, SimpleExpr, WithClause,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) use self::quiet::{Waiting, waiting};
pub use self::{
    quiet::quiet_zones,
    upkeep::{Rest, end_pass, look_after, to_look_after},
};
use super::SendCampaign;
use crate::{
    delivery::{CLAIM, Verdict, record},
    error::Result,
    key_account::guard::{guarded, operator_found},
    live::LiveEvent,
    mail_rules::MailRules,
    statement::one_of,
    store::Tx,
    suppression::{self, AddressKey},
};

/// The most lanes that a campaign has.
const MOST_LANES: u32 = 4;
/// With fewer recipients than this for each, there are fewer lanes.
const WORTH_A_LANE: u32 = 100;

/// What is due next is looked for among this many times as many ids as are asked for.
const NEAR: u32 = 4;

/// What is said of a mail whose worker is gone.
const WORKER_GONE: &str =
    "the worker went away while it was sending; the relay may have the mail or not";

/// A part of a campaign's ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lane {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The first id of the part; `None` is the beginning.
    pub from: Option<DeliveryId>,
    /// The first id after it; `None` is the end.
    pub to: Option<DeliveryId>,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.campaign_id)?;
        match self.from {
            Some(from) => from.fmt(f),
            None => f.write_str("first"),
        }
    }
}

impl Lane {
    /// Has all lanes of a campaign worked. Lanes whose jobs live are left to them.
    pub(super) async fn enqueue_all(tx: &mut Tx, campaign_id: CampaignId) -> Result<()> {
        for lane in Self::all(tx, campaign_id).await? {
            tx.enqueue(&SendCampaign { lane }, None).await?;
        }
        Ok(())
    }

    /// The lanes of a campaign: the same ones whenever it is asked.
    async fn all(tx: &Tx, campaign_id: CampaignId) -> Result<Vec<Self>> {
        let some: Option<DeliveryId> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::Id)
            .filter(delivery::Column::CampaignId.eq(campaign_id))
            .limit(1)
            .into_tuple()
            .one(tx.conn())
            .await?;
        let recipients: Option<i32> = campaign::Entity::find_by_id(campaign_id)
            .select_only()
            .column(campaign::Column::Recipients)
            .into_tuple()
            .one(tx.conn())
            .await?;
        let (Some(some), Some(recipients)) = (some, recipients) else {
            return Ok(Vec::new());
        };
        let recipients = u32::try_from(recipients).unwrap_or(0);
        Ok(Self::cut(campaign_id, some, recipients))
    }

    /// Cuts the ids into parts of equal size. They are alike but for the last four bytes, which count from 1.
    fn cut(campaign_id: CampaignId, some: DeliveryId, recipients: u32) -> Vec<Self> {
        let lanes = recipients.div_ceil(WORTH_A_LANE).clamp(1, MOST_LANES);
        let border = |nth: u32| {
            let before = u64::from(recipients) * u64::from(nth) / u64::from(lanes);
            with_count(some, u32::try_from(before + 1).unwrap_or(u32::MAX))
        };
        (0..lanes)
            .map(|nth| Self {
                campaign_id,
                from: (nth > 0).then(|| border(nth)),
                to: (nth + 1 < lanes).then(|| border(nth + 1)),
            })
            .collect()
    }

    /// The rows of the lane in this state, as a condition on `delivery`.
    fn rows_in(&self, state: DeliveryState) -> Condition {
        let mut condition = Condition::all()
            .add(delivery::Column::CampaignId.eq(self.campaign_id))
            .add(in_state(state));
        if let Some(from) = self.from {
            condition = condition.add(delivery::Column::Id.gte(from));
        }
        if let Some(to) = self.to {
            condition = condition.add(delivery::Column::Id.lt(to));
        }
        condition
    }

    /// The same lane from after a row on, and the part of it with the next `ids` ids.
    fn after(&self, row: DeliveryId, ids: u32) -> (Self, Self) {
        let count = count_of(row);
        let from = Some(with_count(row, count.saturating_add(1)));
        let end = with_count(row, count.saturating_add(ids).saturating_add(1));
        let rest = Self { from, ..*self };
        let next = Self {
            to: Some(self.to.map_or(end, |to| Ord::min(to, end))),
            ..rest
        };
        (rest, next)
    }
}

/// The row of a ledger with this count. The ids of a ledger are alike but for the last four bytes.
fn with_count(some: DeliveryId, count: u32) -> DeliveryId {
    let mut bytes = *some.uuid().as_bytes();
    bytes[12..].copy_from_slice(&count.to_be_bytes());
    DeliveryId(Uuid::from_bytes(bytes))
}

/// Which row of its ledger it is.
fn count_of(row: DeliveryId) -> u32 {
    let [.., a, b, c, d] = *row.uuid().as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// What is due in a lane after `after`, in the order of the ledger, at most `limit` mails.
///
/// Mails to the domains in `full` are passed over, and those to organisations in the time zones of `quiet`.
///
/// What comes next is looked for among the next few ids first. Of a lane that goes on for long `PostgreSQL` would read all the
/// rest and sort it, for the first few rows.
pub async fn due<'a>(
    db: &impl ConnectionTrait,
    lane: &Lane,
    after: Option<DeliveryId>,
    full: impl IntoIterator<Item = &'a str>,
    quiet: &[String],
    now: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<delivery::Model>> {
    let mut query = delivery::Entity::find()
        .filter(delivery::Column::NextAttemptAt.lte(now))
        .order_by_asc(delivery::Column::Id)
        .limit(u64::from(limit));
    let mut full = full.into_iter().peekable();
    if full.peek().is_some() {
        query = query.filter(delivery::Column::AddressDomain.is_not_in(full));
    }
    if !quiet.is_empty() {
        query = query.filter(quiet::in_zones(quiet).not());
    }
    let of_lane = |lane: &Lane| {
        let due = query.clone().filter(lane.rows_in(DeliveryState::Queued));
        due.all(db)
    };
    let Some(after) = after else {
        return Ok(of_lane(lane).await?);
    };
    let (rest, next) = lane.after(after, limit.saturating_mul(NEAR));
    let near = of_lane(&next).await?;
    if !near.is_empty() {
        return Ok(near);
    }
    Ok(of_lane(&rest).await?)
}

/// Those of the mails that must no longer be sent, with the reason: their recipients opted out, left, or were suppressed
/// after the audience was frozen.
pub async fn withheld(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    campaign_id: CampaignId,
    mails: &[delivery::Model],
    now: DateTime<Utc>,
) -> Result<HashMap<DeliveryId, &'static str>> {
    let backend = db.get_database_backend();
    let unagreed: HashSet<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(one_of(
            backend,
            delivery::Column::Id,
            mails.iter().map(|mail| mail.id),
        ))
        .filter(to_guarded(campaign_id, now))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let contacts: Vec<ContactId> = mails.iter().filter_map(|mail| mail.contact_id).collect();
    let unwilling: HashSet<ContactId> = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(one_of(
            backend,
            contact::Column::Id,
            contacts.iter().copied(),
        ))
        .filter(
            Condition::any()
                .add(contact::Column::State.ne(ContactState::Active))
                .add(contact::Column::DoNotEmail.eq(true))
                .add(contact::Column::BulkOptedOutAt.is_not_null())
                .add(contact::Column::OnHoldAt.is_not_null()),
        )
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let of_topic = campaign::Entity::find_by_id(campaign_id)
        .select_only()
        .column(campaign::Column::MailTopicId)
        .into_query();
    let uninterested: HashSet<ContactId> = topic_opt_out::Entity::find()
        .select_only()
        .column(topic_opt_out::Column::ContactId)
        .filter(one_of(backend, topic_opt_out::Column::ContactId, contacts))
        .filter(topic_opt_out::Column::MailTopicId.in_subquery(of_topic))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    let suppressed =
        suppression::among(db, key, mails.iter().map(|mail| mail.address.as_str())).await?;
    Ok(mails
        .iter()
        .filter_map(|mail| {
            let reason = if suppressed.contains(mail.address.as_str()) {
                "the address was suppressed after the start"
            } else if mail.contact_id.is_some_and(|id| unwilling.contains(&id)) {
                "the contact opted out or left after the start"
            } else if mail.contact_id.is_some_and(|id| uninterested.contains(&id)) {
                "the contact opted out of the topic after the start"
            } else if unagreed.contains(&mail.id) {
                "the Key Account Operator of the contact has not agreed"
            } else {
                return None;
            };
            Some((mail.id, reason))
        })
        .collect())
}

/// Whether a mail of the campaign goes to a key account contact whose Key Account Operator has not agreed with its sender:
/// to the contact itself, or to their address under another name (policy 2.3).
fn to_guarded(campaign_id: CampaignId, now: DateTime<Utc>) -> Condition {
    let sender = campaign::Entity::find_by_id(campaign_id)
        .select_only()
        .column(campaign::Column::ScheduledBy)
        .into_query();
    let sender = operator_found(sender);
    let addresses = contact::Entity::find()
        .select_only()
        .column(contact::Column::Email)
        .filter(contact::Column::Email.is_not_null())
        .filter(contact::Column::Id.in_subquery(guarded(&sender, now)))
        .into_query();
    let contact = Expr::col((delivery::Entity, delivery::Column::ContactId));
    Condition::any()
        .add(delivery::Column::Address.in_subquery(addresses))
        .add(
            contact
                .clone()
                .is_not_null()
                .and(contact.in_subquery(guarded(&sender, now))),
        )
}

/// A campaign that is being sent, and stays so until the transaction ends.
#[derive(Debug)]
#[must_use]
pub struct BeingSent(CampaignId);

/// Whether the campaign is being sent. Its state stays what it is until the transaction ends: whoever halts it waits for that, so
/// nothing is claimed once they have been answered, and no mail waits again in a campaign that was cancelled meanwhile.
///
/// A transaction that changes mails of the campaign asks this first, as whoever halts or ends it has its row first.
pub async fn hold(tx: &Tx, campaign_id: CampaignId) -> Result<Option<BeingSent>> {
    let state: Option<CampaignState> = campaign::Entity::find_by_id(campaign_id)
        .select_only()
        .column(campaign::Column::State)
        .lock_shared()
        .into_tuple()
        .one(tx.conn())
        .await?;
    Ok((state == Some(CampaignState::Sending)).then_some(BeingSent(campaign_id)))
}

/// Claims those of the mails that are still due, if their organisations are not in quiet hours, and answers which they are.
/// Commit before a word is said to the relay.
pub async fn claim(
    tx: &Tx,
    BeingSent(campaign_id): BeingSent,
    ids: &[DeliveryId],
    claimant: &str,
    rules: &MailRules,
) -> Result<HashSet<DeliveryId>> {
    let quiet = quiet::among(tx.conn(), rules, ids, tx.now()).await?;
    let ids: Vec<DeliveryId> = ids
        .iter()
        .copied()
        .filter(|id| !quiet.contains(id))
        .collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    // Locked rows are passed over, not waited for: whoever has them is sending or cancelling them.
    let free = Query::select()
        .column(delivery::Column::Id)
        .from(delivery::Entity)
        .and_where(one_of(tx.backend(), delivery::Column::Id, ids))
        .and_where(in_state(DeliveryState::Queued))
        .and_where(Expr::col(delivery::Column::NextAttemptAt).lte(tx.now()))
        .and_where(Expr::from(to_guarded(campaign_id, tx.now())).not())
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let picked = CommonTableExpression::new()
        .table_name("picked")
        .column("id")
        .query(free)
        .to_owned();
    let chosen = Query::select().column("id").from("picked").to_owned();
    let update = Query::update()
        .table(delivery::Entity)
        .value(delivery::Column::State, DeliveryState::Sending.to_value())
        .value(delivery::Column::ClaimedBy, claimant)
        .value(delivery::Column::ClaimedUntil, tx.now() + CLAIM)
        .and_where(Expr::col(delivery::Column::Id).in_subquery(chosen))
        .returning_col(delivery::Column::Id)
        .to_owned()
        .with(WithClause::new().cte(picked).to_owned());
    let mut claimed = HashSet::new();
    for row in tx.conn().query_all(&update).await? {
        claimed.insert(row.try_get::<DeliveryId>("", "id")?);
    }
    Ok(claimed)
}

/// Writes down that these mails must not be sent or can't be written. They were not claimed.
pub async fn drop_unsent(tx: &Tx, dropped: &[(DeliveryId, Verdict)], claimant: &str) -> Result<()> {
    if dropped.is_empty() {
        return Ok(());
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::val(DeliveryState::Sending))
        .col_expr(delivery::Column::ClaimedBy, Expr::val(claimant))
        .filter(delivery::Column::Id.is_in(dropped.iter().map(|(id, _)| *id)))
        .filter(delivery::Column::State.eq(DeliveryState::Queued))
        .exec(tx.conn())
        .await?;
    record(tx, claimant, dropped.iter().cloned()).await
}

/// Extends claims whose mails are on their way.
pub async fn keep(tx: &Tx, ids: &[DeliveryId], claimant: &str) -> Result<()> {
    delivery::Entity::update_many()
        .col_expr(delivery::Column::ClaimedUntil, Expr::val(tx.now() + CLAIM))
        .filter(delivery::Column::Id.is_in(ids.iter().copied()))
        .filter(delivery::Column::ClaimedBy.eq(claimant))
        .filter(delivery::Column::State.eq(DeliveryState::Sending))
        .exec(tx.conn())
        .await?;
    Ok(())
}

/// Tells whoever watches that mails of the campaign went out.
pub fn announce(tx: &mut Tx, campaign_id: CampaignId) {
    tx.announce(LiveEvent::CampaignProgress { campaign_id });
}

fn in_state(state: DeliveryState) -> SimpleExpr {
    Expr::col((delivery::Entity, delivery::Column::State)).eq(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign() -> CampaignId {
        CampaignId(Uuid::nil())
    }

    fn nth(count: u32) -> DeliveryId {
        with_count(DeliveryId(Uuid::from_bytes([7; 16])), count)
    }

    #[test]
    fn the_ids_after_a_row_are_those_that_count_on_and_never_beyond_the_lane() {
        let lane = Lane {
            campaign_id: campaign(),
            from: Some(nth(11)),
            to: Some(nth(100)),
        };
        let (rest, next) = lane.after(nth(20), 40);
        assert_eq!((rest.from, rest.to), (Some(nth(21)), Some(nth(100))));
        assert_eq!((next.from, next.to), (Some(nth(21)), Some(nth(61))));
        let (_, last) = lane.after(nth(80), 40);
        assert_eq!((last.from, last.to), (Some(nth(81)), Some(nth(100))));
        let open = Lane { to: None, ..lane };
        let (rest, next) = open.after(nth(255), 1);
        assert_eq!(rest.to, None);
        assert_eq!((next.from, next.to), (Some(nth(256)), Some(nth(257))));
    }

    #[test]
    fn every_mail_is_in_exactly_one_lane_and_lanes_are_of_equal_size() {
        for recipients in [1, 99, 100, 101, 399, 400, 401, 10_000] {
            let lanes = Lane::cut(campaign(), nth(1), recipients);
            let sizes: Vec<usize> = lanes
                .iter()
                .map(|lane| {
                    (1..=recipients)
                        .map(nth)
                        .filter(|id| lane.from.is_none_or(|from| from <= *id))
                        .filter(|id| lane.to.is_none_or(|to| *id < to))
                        .count()
                })
                .collect();
            assert_eq!(sizes.iter().sum::<usize>(), recipients as usize);
            let (least, most) = (sizes.iter().min(), sizes.iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1, "{sizes:?}");
        }
    }

    #[test]
    fn a_small_campaign_has_one_lane_and_a_large_one_four() {
        assert_eq!(Lane::cut(campaign(), nth(3), 100).len(), 1);
        assert_eq!(Lane::cut(campaign(), nth(3), 101).len(), 2);
        assert_eq!(Lane::cut(campaign(), nth(3), 1_000_000).len(), 4);
    }

    #[test]
    fn lanes_are_the_same_whichever_row_they_are_cut_by() {
        assert_eq!(
            Lane::cut(campaign(), nth(1), 1_000),
            Lane::cut(campaign(), nth(777), 1_000)
        );
    }
}

//! Taking one transactional letter off the ledger.

use chrono::{DateTime, Utc};
use entity::{
    delivery::{self, DeliveryState},
    ids::DeliveryId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr,
};

use super::{
    CLAIM, LOOK_BACK, none,
    withheld::{Withheld, withheld},
};
use crate::{error::Result, mail::SendLetter, store::Tx};

/// Whether a letter can be sent now.
#[derive(Clone, Debug)]
pub enum ClaimedLetter {
    /// It is ours to send.
    Ours(Box<delivery::Model>),
    /// Another worker may be at it until then.
    Taken(DateTime<Utc>),
    /// It must not be sent, and is skipped.
    Withheld(Withheld),
    /// It was sent, or given up.
    Over,
}

/// The letter, to see where it goes.
pub async fn find_letter(
    db: &impl ConnectionTrait,
    id: DeliveryId,
) -> Result<Option<delivery::Model>> {
    Ok(delivery::Entity::find_by_id(id).one(db).await?)
}

/// Claims a letter for `claimant`. One whose claim ran out is claimed again: it is sent a second time rather than not at
/// all, under the same Message-ID. One that must not be sent, see [`ALWAYS_SENT`](super::ALWAYS_SENT), is skipped instead.
pub async fn claim_letter(tx: &Tx, id: DeliveryId, claimant: &str) -> Result<ClaimedLetter> {
    let now = tx.now();
    let Some(letter) = delivery::Entity::find_by_id(id)
        .lock_exclusive()
        .one(tx.conn())
        .await?
    else {
        return Ok(ClaimedLetter::Over);
    };
    match letter.state {
        DeliveryState::Queued | DeliveryState::Unknown => {}
        DeliveryState::Sending => {
            if let Some(until) = letter.claimed_until.filter(|until| *until > now) {
                return Ok(ClaimedLetter::Taken(until));
            }
        }
        _ => return Ok(ClaimedLetter::Over),
    }
    if let Some(why) = withheld(tx, &letter).await? {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::val(DeliveryState::Skipped))
            .col_expr(delivery::Column::LastReply, Expr::val(why.reason()))
            .col_expr(delivery::Column::ClaimedUntil, none())
            .filter(delivery::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        return Ok(ClaimedLetter::Withheld(why));
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::val(DeliveryState::Sending))
        .col_expr(delivery::Column::ClaimedBy, Expr::val(claimant))
        .col_expr(delivery::Column::ClaimedUntil, Expr::val(now + CLAIM))
        .filter(delivery::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    Ok(ClaimedLetter::Ours(Box::new(letter)))
}

/// Has the letters sent that nobody is sending: their claims ran out, and their jobs are over or were never made. Answers
/// how many they are. One whose job lives is left to it.
pub async fn release_unsent(tx: &mut Tx, limit: u64) -> Result<usize> {
    let now = tx.now();
    let stray: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::CampaignId.is_null())
        .filter(delivery::Column::Id.gte(DeliveryId::earliest_at(now - LOOK_BACK)))
        .filter(delivery::Column::State.eq(DeliveryState::Sending))
        .filter(
            Condition::any()
                .add(delivery::Column::ClaimedUntil.is_null())
                .add(delivery::Column::ClaimedUntil.lte(now)),
        )
        .limit(limit)
        .into_tuple()
        .all(tx.conn())
        .await?;
    if stray.is_empty() {
        return Ok(0);
    }
    delivery::Entity::update_many()
        .col_expr(delivery::Column::State, Expr::val(DeliveryState::Queued))
        .col_expr(delivery::Column::ClaimedUntil, none())
        .filter(delivery::Column::Id.is_in(stray.iter().copied()))
        .filter(delivery::Column::State.eq(DeliveryState::Sending))
        .filter(delivery::Column::ClaimedUntil.lte(now))
        .exec(tx.conn())
        .await?;
    let mut made = 0;
    for delivery_id in stray {
        made += usize::from(
            tx.enqueue(&SendLetter { delivery_id }, None)
                .await?
                .is_some(),
        );
    }
    Ok(made)
}

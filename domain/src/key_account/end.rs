//! How a claim ends: its operator gives it up, or their access ends.

use entity::{
    ids::{KeyAccountId, OrganisationId},
    key_account::{self, KeyAccountState},
    key_account_contact as held_contact, organisation,
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{guard::counts, letters, lock_live};
use crate::{
    error::Result,
    job::{Job, Queue},
    liaison,
    store::Tx,
    viewer::Viewer,
};

/// How many claims and requests one run of [`look_after`] ends.
const AT_ONCE: u64 = 200;

/// Ends claims whose operators' access has ended, and requests whose time is over, and tells both sides.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LookAfterKeyAccounts {}

impl Job for LookAfterKeyAccounts {
    const KIND: &'static str = "key_account.look_after";
    const QUEUE: Queue = Queue::Housekeeping;

    fn unique_key(&self) -> Option<String> {
        Some(Self::KIND.to_owned())
    }
}

/// Gives a key account up. Its contacts are everybody's again.
pub async fn release(tx: &mut Tx, viewer: &Viewer, id: KeyAccountId) -> Result<key_account::Model> {
    let account = lock_live(tx, viewer, id).await?;
    end(tx, viewer, account, KeyAccountState::Released).await
}

/// Marks claims whose operators may no longer hold them, ends requests whose time is over, and tells both sides. Answers how many
/// claims and requests that were.
pub async fn look_after(tx: &mut Tx) -> Result<(usize, usize)> {
    let lapsed: Vec<OrganisationId> = key_account::Entity::find()
        .select_only()
        .column(key_account::Column::OrganisationId)
        .distinct()
        .filter(lapsed(tx))
        .order_by_asc(key_account::Column::OrganisationId)
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx.conn())
        .await?;
    let mut ended = 0;
    for organisation_id in lapsed {
        organisation::Entity::find_by_id(organisation_id)
            .lock_exclusive()
            .one(tx.conn())
            .await?;
        ended += lapse_of_organisation(tx, organisation_id).await?;
    }
    let expired = liaison::expire_overdue(tx, AT_ONCE).await?;
    Ok((ended, expired))
}

/// Claims that stand in name and don't count.
fn lapsed(tx: &Tx) -> Condition {
    Condition::all()
        .add(key_account::Column::State.eq(KeyAccountState::Live))
        .add(Expr::from(counts(tx.now())).not())
}

/// Marks the claims on one organisation whose operators may no longer hold them. Its lock is held.
pub(super) async fn lapse_of_organisation(tx: &mut Tx, id: OrganisationId) -> Result<usize> {
    let found = key_account::Entity::find()
        .filter(key_account::Column::OrganisationId.eq(id))
        .filter(lapsed(tx))
        .all(tx.conn())
        .await?;
    let count = found.len();
    for account in found {
        // policy 2.3 and 3: a claim lapses when its operator's access does.
        letters::lapsed(tx, &account).await?;
        end(tx, &Viewer::system(), account, KeyAccountState::Lapsed).await?;
    }
    Ok(count)
}

/// Ends a claim, with everything that rests on it. The lock of its organisation is held.
pub(super) async fn end(
    tx: &mut Tx,
    viewer: &Viewer,
    account: key_account::Model,
    state: KeyAccountState,
) -> Result<key_account::Model> {
    liaison::end_all(tx, &account, None).await?;
    held_contact::Entity::update_many()
        .col_expr(held_contact::Column::EndedAt, Expr::val(tx.now()))
        .filter(held_contact::Column::KeyAccountId.eq(account.id))
        .filter(held_contact::Column::EndedAt.is_null())
        .exec(tx.conn())
        .await?;
    let mut row = account.into_active_model();
    row.state = Set(state);
    row.ended_at = Set(Some(tx.now()));
    let ended = row.update(tx.conn()).await?;
    let after = json!({ "state": state, "operatorId": ended.operator_id });
    tx.audit(viewer, "key_account.end", ended.id, None, Some(after))
        .await?;
    Ok(ended)
}

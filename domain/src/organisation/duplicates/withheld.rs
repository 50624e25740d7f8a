//! Telephone numbers are compared, but not those that are withheld, and no pair tells of one that is (policy 2.3).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    contact,
    duplicate_pair::{self, DuplicatePairState},
    ids::OrganisationId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::ExprTrait,
};

use super::{Candidate, Signal};
use crate::{
    duplicate::kept::{self, Subject},
    error::Result,
    key_account::guard::{guarded, operator},
    store::Tx,
    text::part,
};

/// The numbers under which the contacts of each organisation, or of each of these, are called.
///
/// policy 2.3: those of key account contacts are left out, since a pair that has one in common tells it to whoever must
/// liaise first.
pub(super) async fn telephones(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    of: Option<&[OrganisationId]>,
) -> Result<HashMap<OrganisationId, Vec<String>>> {
    let rows: Vec<(OrganisationId, Option<String>)> = contact::Entity::find()
        .select_only()
        .columns([contact::Column::OrganisationId, contact::Column::Telephone])
        .filter(contact::Column::Telephone.is_not_null())
        .filter(contact::Column::Id.not_in_subquery(guarded(&operator(None), now)))
        .apply_if(of, |query, of| {
            query.filter(contact::Column::OrganisationId.is_in(of.iter().copied()))
        })
        .into_tuple()
        .all(db)
        .await?;
    let mut telephones: HashMap<OrganisationId, Vec<String>> = HashMap::new();
    for (organisation, telephone) in rows {
        telephones
            .entry(organisation)
            .or_default()
            .extend(telephone);
    }
    Ok(telephones)
}

/// Forgets the pairs that these organisations are in and nobody has dismissed, until the next search.
///
/// policy 2.3: they may say that one shares a number with another, which nobody is to learn who must liaise first from now on.
pub(crate) async fn forget(tx: &Tx, ids: &[OrganisationId]) -> Result<()> {
    forget_those(tx, ids, Condition::all()).await
}

/// Forgets the pairs that a telephone number speaks for, of those among these organisations that have a number which is withheld.
///
/// policy 2.3: what is put back from before tells what was open then.
pub(crate) async fn forget_withheld_numbers(tx: &Tx, ids: &[OrganisationId]) -> Result<()> {
    let withheld: Vec<OrganisationId> = contact::Entity::find()
        .select_only()
        .column(contact::Column::OrganisationId)
        .filter(contact::Column::OrganisationId.is_in(ids.iter().copied()))
        .filter(contact::Column::Telephone.is_not_null())
        .filter(contact::Column::Id.in_subquery(guarded(&operator(None), tx.now())))
        .into_tuple()
        .all(tx.conn())
        .await?;
    let told = serde_json::to_string(&Signal::Telephone)?;
    let signals = duplicate_pair::Column::Signals.into_expr().cast_as("text");
    let by_number = Condition::all().add(signals.like(part(&told)));
    forget_those(tx, &withheld, by_number).await
}

async fn forget_those(tx: &Tx, ids: &[OrganisationId], which: Condition) -> Result<()> {
    kept::hold_pairs(tx, Candidate::KIND).await?;
    let either = Condition::any()
        .add(duplicate_pair::Column::OneId.is_in(ids.iter().copied()))
        .add(duplicate_pair::Column::OtherId.is_in(ids.iter().copied()));
    duplicate_pair::Entity::delete_many()
        .filter(either)
        .filter(duplicate_pair::Column::State.eq(DuplicatePairState::Open))
        .filter(which)
        .exec(tx.conn())
        .await?;
    Ok(())
}

//! Ending a hold: mail that came back several times in a row puts a contact on hold, and an operator who knows better lets
//! mail go to them again (policy 2.5).
//!
//! What came back was mail to an address. So the address is remembered, as a hash: a contact who is given it, again or for the
//! first time, is on hold until somebody ends that. And of several records with one address, all are on hold or none is: the hold
//! begins and ends for the address.
//!
//! policy 2.3: that two records have one address tells an operator who sees the one what the other has. So what is done to the
//! other records is the system's doing in their history, and nobody is told of those before whom they must liaise.
//!
//! Whoever changes a hold locks the contacts first, by their ids, and then what is remembered of their address: of two changes one
//! waits for the other, and neither for both.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{access_grant::Permission, contact, held_address, ids::ContactId};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde_json::json;

use super::{UPDATED, visible};
use crate::{
    change,
    error::{Error, RefusalCode, Refusals, Result},
    key_account::guard::withheld_from,
    store::Tx,
    suppression::{self, AddressKey},
    text::Text,
    viewer::Viewer,
};

/// How long a reason may be, in characters.
const LONGEST_REASON: usize = 500;

/// Remembers that mail to an address is held back. The first moment is the one that stays.
pub(crate) async fn remember(tx: &Tx, email: &str, since: DateTime<Utc>) -> Result<()> {
    held_address::Entity::insert(held_address::ActiveModel {
        address_hash: Set(hash_of(tx, email).await?),
        since: Set(since),
    })
    .on_conflict(
        OnConflict::column(held_address::Column::AddressHash)
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Locks a contact, and whoever else has the address, in the order of their ids. `None` when there is no such contact.
pub(super) async fn lock(
    tx: &Tx,
    id: ContactId,
    email: Option<&str>,
) -> Result<Option<(contact::Model, Vec<contact::Model>)>> {
    let same = email.map(|email| contact::Column::Email.eq(email));
    let mut all = contact::Entity::find()
        .filter(
            Condition::any()
                .add(contact::Column::Id.eq(id))
                .add_option(same),
        )
        .order_by_asc(contact::Column::Id)
        .lock_exclusive()
        .all(tx.conn())
        .await?;
    let at = all.iter().position(|row| row.id == id);
    Ok(at.map(|at| (all.remove(at), all)))
}

/// Puts whoever has one of these addresses and isn't on hold on hold, but for one whose record its own change writes. Gives whom,
/// and the versions that they are at now. What is remembered of the addresses, and the log, are the caller's.
pub(crate) async fn begin_for(
    tx: &Tx,
    emails: &[String],
    but: Option<ContactId>,
) -> Result<Vec<(ContactId, i32)>> {
    let found: Vec<(ContactId, i32)> = contact::Entity::find()
        .select_only()
        .columns([contact::Column::Id, contact::Column::Version])
        .filter(contact::Column::Email.is_in(emails))
        .filter(contact::Column::OnHoldAt.is_null())
        .filter(Condition::all().add_option(but.map(|id| contact::Column::Id.ne(id))))
        .order_by_asc(contact::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(tx.conn())
        .await?;
    if found.is_empty() {
        return Ok(found);
    }
    contact::Entity::update_many()
        .col_expr(contact::Column::OnHoldAt, Expr::val(tx.now()))
        .col_expr(
            contact::Column::Version,
            Expr::col(contact::Column::Version).add(1),
        )
        .col_expr(contact::Column::UpdatedAt, Expr::val(tx.now()))
        .filter(contact::Column::Id.is_in(found.iter().map(|(id, _)| *id)))
        .exec(tx.conn())
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, version)| (id, version + 1))
        .collect())
}

/// Begins the hold of an address that somebody puts one contact on: whoever else has it is on hold too, and their history says so.
pub(super) async fn begin(tx: &mut Tx, email: &str, but: Option<ContactId>) -> Result<()> {
    let held = begin_for(tx, &[email.to_owned()], but).await?;
    remember(tx, email, tx.now()).await?;
    tell(tx, held).await
}

/// Begins the holds of many addresses at once, those of a file: whoever has one of them is on hold from now on, and their history
/// says so.
pub(crate) async fn begin_all(tx: &mut Tx, emails: &[String]) -> Result<()> {
    if emails.is_empty() {
        return Ok(());
    }
    let held = Box::pin(begin_for(tx, emails, None)).await?;
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    // Each once, and in one order: of two files with the same addresses, one waits for the other.
    let mut hashes = BTreeSet::new();
    for email in emails {
        hashes.insert(suppression::written(&key.hash(email)?));
    }
    let since = tx.now();
    let rows = hashes
        .into_iter()
        .map(|address_hash| held_address::ActiveModel {
            address_hash: Set(address_hash),
            since: Set(since),
        });
    held_address::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(held_address::Column::AddressHash)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.conn())
        .await?;
    tell(tx, held).await
}

/// Tells the history of contacts that they were put on hold with their address, by a change or by mail that came back. It doesn't
/// say by whom: whoever put another record on hold would be known to have its address.
pub(crate) async fn tell(tx: &mut Tx, held: Vec<(ContactId, i32)>) -> Result<()> {
    for (id, version) in held {
        let before = json!({ "onHold": false });
        let after = json!({ "onHold": true, change::VERSION: version });
        tx.audit(&Viewer::system(), UPDATED, id, Some(before), Some(after))
            .await?;
    }
    Ok(())
}

/// Since when mail to an address is held back; `None` when it is not.
pub(super) async fn since(tx: &Tx, email: Option<&str>) -> Result<Option<DateTime<Utc>>> {
    let Some(email) = email else {
        return Ok(None);
    };
    let hash = hash_of(tx, email).await?;
    let held = held_address::Entity::find_by_id(hash)
        .one(tx.conn())
        .await?;
    Ok(held.map(|row| row.since))
}

/// Puts those of new contacts on hold whose addresses are, with one statement.
pub(crate) async fn apply(tx: &Tx, rows: &mut [contact::ActiveModel]) -> Result<()> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    let mut by_hash: HashMap<String, Vec<&mut contact::ActiveModel>> = HashMap::new();
    for row in rows {
        if let Set(Some(email)) = &row.email {
            let hash = suppression::written(&key.hash(email)?);
            by_hash.entry(hash).or_default().push(row);
        }
    }
    let held = held_address::Entity::find()
        .filter(held_address::Column::AddressHash.is_in(by_hash.keys()))
        .all(tx.conn())
        .await?;
    for held in held {
        for row in by_hash.remove(&held.address_hash).unwrap_or_default() {
            row.on_hold_at = Set(Some(held.since));
        }
    }
    Ok(())
}

async fn forget(tx: &Tx, email: &str) -> Result<()> {
    let hash = hash_of(tx, email).await?;
    held_address::Entity::delete_by_id(hash)
        .exec(tx.conn())
        .await?;
    Ok(())
}

async fn hash_of(tx: &Tx, email: &str) -> Result<String> {
    let key = AddressKey::load(tx.conn(), tx.now()).await?;
    Ok(suppression::written(&key.hash(email)?))
}

/// What lifting a hold did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifted {
    /// The contact of whom it was said.
    pub contact: contact::Model,
    /// The other records with the address that the viewer may know to have it. They are no longer on hold either.
    pub others: Vec<contact::Model>,
}

/// Lets mail go again to a contact who is on hold and at `version`, and to whoever else has their address: mail arrives there or it
/// doesn't, whatever record names it. The reason is kept in the audit log. Should the next mail come back too, all of them are on
/// hold again.
pub async fn lift_hold(
    tx: &mut Tx,
    viewer: &Viewer,
    id: ContactId,
    version: i32,
    reason: &str,
) -> Result<Lifted> {
    viewer.require(Permission::EditOrganisation)?;
    let absent = || Error::not_found("id", "contact");
    let found = visible(viewer)
        .filter(contact::Column::Id.eq(id))
        .one(tx.conn())
        .await?
        .ok_or_else(absent)?;
    let (current, all) = lock(tx, id, found.email.as_deref())
        .await?
        .ok_or_else(absent)?;
    if current.version != version {
        return Err(change::stale(tx.conn(), UPDATED, id, version, current.version).await?);
    }
    let mut refusals = Refusals::default();
    let reason = Text::block("reason", LONGEST_REASON).required(reason, &mut refusals);
    refusals.add_if(
        current.on_hold_at.is_none(),
        RefusalCode::WrongState,
        "id",
        "This contact is not on hold.",
    );
    refusals.into_result()?;
    if let Some(email) = &current.email {
        forget(tx, email).await?;
    }
    let mut others = Vec::new();
    for other in all {
        if other.on_hold_at.is_some() && other.email == current.email {
            // What was said of one contact isn't told at another: it may name them, and so whose address this is.
            others.push(free(tx, &Viewer::system(), other, None).await?);
        }
    }
    let contact = free(tx, viewer, current, Some(&reason)).await?;
    // policy 2.3: whoever must liaise first isn't told whose address the other's is, from neither side.
    let hidden = withheld(tx, viewer, &contact, &others).await?;
    if hidden.contains(&contact.id) {
        others.clear();
    }
    others.retain(|other| !hidden.contains(&other.id));
    Ok(Lifted { contact, others })
}

/// Those of these contacts whose details are withheld from `viewer`.
async fn withheld(
    tx: &Tx,
    viewer: &Viewer,
    one: &contact::Model,
    others: &[contact::Model],
) -> Result<HashSet<ContactId>> {
    let Some(withheld) = withheld_from(viewer, tx.now()) else {
        return Ok(HashSet::new());
    };
    let ids = others.iter().chain([one]).map(|contact| contact.id);
    let found: Vec<ContactId> = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::Id.is_in(ids))
        .filter(contact::Column::Id.in_subquery(withheld))
        .into_tuple()
        .all(tx.conn())
        .await?;
    Ok(found.into_iter().collect())
}

async fn free(
    tx: &mut Tx,
    viewer: &Viewer,
    held: contact::Model,
    reason: Option<&str>,
) -> Result<contact::Model> {
    let (since, version) = (held.on_hold_at, held.version + 1);
    let mut row = held.into_active_model();
    row.on_hold_at = Set(None);
    row.version = Set(version);
    row.updated_at = Set(tx.now());
    let freed = row.update(tx.conn()).await?;
    let mut after = json!({ "onHold": false, change::VERSION: version });
    if let Some(reason) = reason {
        after["reason"] = json!(reason);
    }
    tx.audit(
        viewer,
        "contact.hold_lifted",
        freed.id,
        Some(json!({ "onHold": true, "onHoldAt": since })),
        Some(after),
    )
    .await?;
    Ok(freed)
}

//! Addresses that get no bulk mail (policy 2.5 and 3).
//!
//! What is kept is a keyed hash of the address. It outlives the contact, and whoever reads the table learns no address
//! from it, nor can they try addresses without the key.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use entity::{
    ids::SuppressionId,
    suppression::{self, SuppressionReason},
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::OnConflict,
};

use crate::{error::Result, secret, statement::one_of, store::Tx};

/// How many hashes are looked up with one statement.
const AT_ONCE: usize = 1_000;

/// The hash of an address.
pub type AddressHash = [u8; 32];

/// Makes hashes of addresses, and signs what is told to their owners.
#[derive(Clone)]
pub struct AddressKey(Vec<u8>);

impl AddressKey {
    #[cfg(test)]
    pub(crate) fn of(secret: Vec<u8>) -> Self {
        Self(secret)
    }

    /// The key of this system.
    pub async fn load(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Self> {
        secret::shared(db, "address", now).await.map(Self)
    }

    /// The hash of an address, whatever its case.
    pub fn hash(&self, address: &str) -> Result<AddressHash> {
        self.sign("address", address.trim().to_lowercase().as_bytes())
    }

    /// A signature that nobody can make without the key. The purpose keeps one kind from passing for another.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> Result<[u8; 32]> {
        secret::sign(&self.0, purpose, message)
    }

    /// Whether the beginning of a signature was made with this key. The time it takes tells nothing.
    pub fn is_signed(&self, purpose: &str, message: &[u8], signature: &[u8]) -> Result<bool> {
        secret::is_signed(&self.0, purpose, message, signature)
    }
}

impl std::fmt::Debug for AddressKey {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddressKey").finish_non_exhaustive()
    }
}

/// No bulk mail to this address from now on. The first reason is the one that stays.
pub async fn suppress(tx: &mut Tx, address: &AddressHash, reason: SuppressionReason) -> Result<()> {
    suppression::Entity::insert(suppression::ActiveModel {
        id: Set(SuppressionId::new_at(tx.now())),
        address_hash: Set(written(address)),
        reason: Set(reason),
        created_at: Set(tx.now()),
    })
    .on_conflict(
        OnConflict::column(suppression::Column::AddressHash)
            .do_nothing()
            .to_owned(),
    )
    .exec_without_returning(tx.conn())
    .await?;
    Ok(())
}

/// Those of the addresses that get no bulk mail.
pub async fn among<'a>(
    db: &impl ConnectionTrait,
    key: &AddressKey,
    addresses: impl IntoIterator<Item = &'a str>,
) -> Result<HashSet<&'a str>> {
    let mut by_hash = HashMap::new();
    for address in addresses {
        by_hash.insert(written(&key.hash(address)?), address);
    }
    let mut suppressed = HashSet::new();
    if by_hash.is_empty() || suppression::Entity::find().limit(1).count(db).await? == 0 {
        return Ok(suppressed);
    }
    let hashes: Vec<&String> = by_hash.keys().collect();
    for some in hashes.chunks(AT_ONCE) {
        let found: Vec<String> = suppression::Entity::find()
            .select_only()
            .column(suppression::Column::AddressHash)
            .filter(one_of(
                db.get_database_backend(),
                suppression::Column::AddressHash,
                some.iter().copied().cloned(),
            ))
            .into_tuple()
            .all(db)
            .await?;
        suppressed.extend(found.iter().filter_map(|hash| by_hash.get(hash)));
    }
    Ok(suppressed)
}

/// The hash as the table keeps it.
pub(crate) fn written(hash: &AddressHash) -> String {
    use std::fmt::Write;
    hash.iter()
        .fold(String::with_capacity(64), |mut all, byte| {
            // Writing into a String can't fail.
            let _ = write!(all, "{byte:02x}");
            all
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &[u8]) -> AddressKey {
        AddressKey::of(secret.to_vec())
    }

    #[test]
    fn the_hash_of_an_address_does_not_depend_on_its_case_but_on_the_key() {
        let one = key(b"one").hash("Ann@Example.org").unwrap();
        assert_eq!(one, key(b"one").hash(" ann@example.org").unwrap());
        assert_ne!(one, key(b"two").hash("ann@example.org").unwrap());
    }

    #[test]
    fn a_signature_for_one_purpose_is_none_for_another() {
        let key = key(b"one");
        assert_ne!(key.sign("a", b"bc").unwrap(), key.sign("ab", b"c").unwrap());
    }
}

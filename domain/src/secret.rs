//! Keys that all processes share: made by whoever needs one first, kept in the database, never told.

use chrono::{DateTime, Utc};
use entity::secret;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, sea_query::OnConflict};

use sha2::Sha256;

use crate::error::{Error, Result};

/// How long a key is, in bytes.
const LENGTH: usize = 32;

/// The key of this name; it is made when there is none yet.
pub async fn shared(
    db: &impl ConnectionTrait,
    name: &'static str,
    now: DateTime<Utc>,
) -> Result<Vec<u8>> {
    if let Some(found) = find(db, name).await? {
        return Ok(found);
    }
    let fresh: [u8; LENGTH] = rand::random();
    secret::Entity::insert(secret::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(fresh.to_vec()),
        created_at: Set(now),
    })
    .on_conflict(OnConflict::new().do_nothing().to_owned())
    .exec_without_returning(db)
    .await?;
    // Somebody else may have been quicker; theirs is the one then.
    find(db, name)
        .await?
        .ok_or_else(|| Error::Fault(format!("the key {name:?} can't be kept")))
}

/// A signature that nobody can make without the key. The purpose keeps one kind from passing for another.
pub fn sign(key: &[u8], purpose: &str, message: &[u8]) -> Result<[u8; 32]> {
    Ok(mac(key, purpose, message)?.finalize().into_bytes().into())
}

/// Whether a signature, or the beginning of one, was made with this key. The time it takes tells nothing.
pub fn is_signed(key: &[u8], purpose: &str, message: &[u8], signature: &[u8]) -> Result<bool> {
    let mac = mac(key, purpose, message)?;
    Ok(mac.verify_truncated_left(signature).is_ok())
}

fn mac(key: &[u8], purpose: &str, message: &[u8]) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|error| Error::Fault(format!("a key that can't sign: {error}")))?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(message);
    Ok(mac)
}

async fn find(db: &impl ConnectionTrait, name: &'static str) -> Result<Option<Vec<u8>>> {
    Ok(secret::Entity::find_by_id(name)
        .one(db)
        .await?
        .map(|secret| secret.value))
}

//! Access tokens: JWTs (RFC 7519) of the type `at+jwt` (RFC 9068), signed with one pinned algorithm, `EdDSA`.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use entity::{
    ids::{SessionId, UserId},
    signing_key,
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    store::Store,
    viewer::Viewer,
};

/// How long an access token is good for.
pub const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(15);

const ISSUER: &str = "mycareer";
const AUDIENCE: &str = "mycareer-api";
/// What changes of the keys are held by.
const KEYS: &str = "signing_keys";
const TYPE: &str = "at+jwt";

/// How long a new key is only read before tokens are signed with it: every process has it by then.
pub const KEY_RIPENS: TimeDelta = TimeDelta::minutes(2);
/// How often the keys are read again to sign with.
const READ_EVERY: TimeDelta = TimeDelta::minutes(1);
/// How often at most they are read because a token names one that isn't known: anybody can send such tokens.
const READ_AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(1);

/// The keys that tokens are signed and verified with, as the database has them. Clones share what they know.
#[derive(Clone)]
pub struct Keyring(Arc<RwLock<Keys>>);

struct Keys {
    current: String,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    read_at: DateTime<Utc>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring")
            .field("current", &self.read().current)
            .finish_non_exhaustive()
    }
}

/// What an access token says: who, in which session.
#[derive(Debug)]
pub(super) struct Claimed {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub session_version: i32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    ver: i32,
    iat: i64,
    exp: i64,
}

impl Keyring {
    /// Reads the keys, and makes the first one where there is none.
    pub async fn open(store: &Store) -> Result<Self> {
        let tx = store.begin().await?;
        tx.hold(KEYS).await?;
        if current(&good_keys(tx.conn(), tx.now()).await?, tx.now()).is_none() {
            make_key(&tx).await?;
        }
        tx.commit().await?;
        Ok(Self(Arc::new(RwLock::new(read_keys(store).await?))))
    }

    /// Makes a new key. Two minutes later every process signs with it; what the others have signed until then is good
    /// until it expires.
    pub async fn rotate(store: &Store) -> Result<()> {
        let mut tx = store.begin().await?;
        tx.hold(KEYS).await?;
        signing_key::Entity::update_many()
            .col_expr(
                signing_key::Column::RetiredAt,
                sea_orm::sea_query::Expr::value(tx.now()),
            )
            .filter(signing_key::Column::RetiredAt.is_null())
            .exec(tx.conn())
            .await?;
        let key = make_key(&tx).await?;
        tx.audit(&Viewer::system(), "signing_key.rotate", key.id, None, None)
            .await?;
        tx.commit().await
    }

    /// Reads the keys again when it is time to: before something is signed.
    pub(crate) async fn keep_current(&self, store: &Store) -> Result<()> {
        if store.now() - self.read().read_at >= READ_EVERY {
            self.reread(store).await?;
        }
        Ok(())
    }

    /// An access token for a session, and when it expires.
    pub(super) fn sign(
        &self,
        user_id: UserId,
        session_id: SessionId,
        session_version: i32,
        now: DateTime<Utc>,
    ) -> Result<(String, DateTime<Utc>)> {
        let expires_at = now + ACCESS_TOKEN_LIFETIME;
        let keys = self.read();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.current.clone());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user_id,
            sid: session_id,
            ver: session_version,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let token = encode(&header, &claims, &keys.signing)
            .map_err(|error| Error::Fault(format!("an access token can't be signed: {error}")))?;
        Ok((token, expires_at))
    }

    /// What `token` says, when it is one of ours, for us, and has not expired.
    pub(super) async fn verify(&self, store: &Store, token: &str) -> Result<Claimed> {
        let refused =
            || Error::Unauthenticated("The access token is not valid. Sign in again.".to_owned());
        let header = decode_header(token).map_err(|_| refused())?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
            return Err(refused());
        }
        let kid = header.kid.ok_or_else(refused)?;
        let key = if let Some(key) = self.key(&kid) {
            key
        } else {
            if store.now() - self.read().read_at < READ_AT_MOST_EVERY {
                return Err(refused());
            }
            self.reread(store).await?;
            self.key(&kid).ok_or_else(refused)?
        };
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Checked below, against our own clock.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &key, &validation)
            .map_err(|_| refused())?
            .claims;
        if claims.exp <= store.now().timestamp() {
            return Err(Error::Unauthenticated(
                "The access token has expired. Exchange the refresh token for a new one."
                    .to_owned(),
            ));
        }
        Ok(Claimed {
            user_id: claims.sub,
            session_id: claims.sid,
            session_version: claims.ver,
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, kid: &str) -> Option<DecodingKey> {
        self.read().verifying.get(kid).cloned()
    }

    /// Another process may have made a key since.
    async fn reread(&self, store: &Store) -> Result<()> {
        let keys = read_keys(store).await?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

async fn read_keys(store: &Store) -> Result<Keys> {
    let now = store.now();
    let keys = good_keys(store.reader(), now).await?;
    let current = current(&keys, now)
        .ok_or_else(|| Error::Fault("there is no key to sign with".to_owned()))?;
    Ok(Keys {
        current: current.id.clone(),
        signing: EncodingKey::from_ed_der(&current.private_key),
        verifying: keys
            .iter()
            .map(|key| (key.id.clone(), DecodingKey::from_ed_der(&key.public_key)))
            .collect(),
        read_at: now,
    })
}

/// The keys whose tokens may be good still, the newest first.
async fn good_keys(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<Vec<signing_key::Model>> {
    // What was signed by the last process to learn of a newer key has expired by then.
    let worthless = now - ACCESS_TOKEN_LIFETIME - KEY_RIPENS - READ_EVERY;
    Ok(signing_key::Entity::find()
        .filter(
            Condition::any()
                .add(signing_key::Column::RetiredAt.is_null())
                .add(signing_key::Column::RetiredAt.gt(worthless)),
        )
        .order_by_desc(signing_key::Column::CreatedAt)
        .order_by_desc(signing_key::Column::Id)
        .all(db)
        .await?)
}

/// The key to sign with: the newest that every process has read, or else the oldest that there is.
fn current(keys: &[signing_key::Model], now: DateTime<Utc>) -> Option<&signing_key::Model> {
    keys.iter()
        .find(|key| key.created_at + KEY_RIPENS <= now)
        .or(keys.last())
}

async fn make_key(tx: &crate::store::Tx) -> Result<signing_key::Model> {
    let key = SigningKey::from_bytes(&rand::random());
    let der = key
        .to_pkcs8_der()
        .map_err(|error| Error::Fault(format!("a signing key can't be written: {error}")))?;
    let model = signing_key::Model {
        id: format!("k{}", tx.now().timestamp_micros()),
        private_key: der.as_bytes().to_vec(),
        public_key: key.verifying_key().to_bytes().to_vec(),
        created_at: tx.now(),
        retired_at: None,
    };
    signing_key::Entity::insert(signing_key::ActiveModel {
        id: Set(model.id.clone()),
        private_key: Set(model.private_key.clone()),
        public_key: Set(model.public_key.clone()),
        created_at: Set(model.created_at),
        retired_at: Set(None),
    })
    .exec_without_returning(tx.conn())
    .await?;
    Ok(model)
}

//! Access tokens: JWTs (RFC 7519) of the type `at+jwt` (RFC 9068), signed with one pinned algorithm, `EdDSA`.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
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
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    store::Store,
};

/// How long an access token is good for.
pub const ACCESS_TOKEN_LIFETIME: TimeDelta = TimeDelta::minutes(15);

const ISSUER: &str = "mycareer";
const AUDIENCE: &str = "mycareer-api";
const TYPE: &str = "at+jwt";

/// The keys that tokens are signed and verified with, as the database has them. Clones share what they know.
#[derive(Clone)]
pub struct Keyring {
    current: String,
    signing: EncodingKey,
    verifying: Arc<RwLock<HashMap<String, DecodingKey>>>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring")
            .field("current", &self.current)
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
        let current = signing_key::Entity::find()
            .filter(signing_key::Column::RetiredAt.is_null())
            .order_by_desc(signing_key::Column::CreatedAt)
            .one(tx.conn())
            .await?;
        let current = match current {
            Some(current) => current,
            None => make_key(&tx).await?,
        };
        tx.commit().await?;
        let keyring = Self {
            signing: EncodingKey::from_ed_der(&current.private_key),
            current: current.id,
            verifying: Arc::default(),
        };
        keyring.reread(store).await?;
        Ok(keyring)
    }

    /// Makes a new signing key. Processes that are running go on with the one they have until they are started again;
    /// tokens of either kind are good meanwhile.
    pub async fn rotate(store: &Store) -> Result<()> {
        let tx = store.begin().await?;
        signing_key::Entity::update_many()
            .col_expr(
                signing_key::Column::RetiredAt,
                sea_orm::sea_query::Expr::value(tx.now()),
            )
            .filter(signing_key::Column::RetiredAt.is_null())
            .exec(tx.conn())
            .await?;
        make_key(&tx).await?;
        tx.commit().await
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
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.current.clone());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user_id,
            sid: session_id,
            ver: session_version,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let token = encode(&header, &claims, &self.signing)
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

    fn key(&self, kid: &str) -> Option<DecodingKey> {
        self.verifying
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(kid)
            .cloned()
    }

    /// Another process may have made a key since.
    async fn reread(&self, store: &Store) -> Result<()> {
        let keys = signing_key::Entity::find()
            .filter(
                sea_orm::Condition::any()
                    .add(signing_key::Column::RetiredAt.is_null())
                    .add(signing_key::Column::RetiredAt.gt(store.now() - ACCESS_TOKEN_LIFETIME)),
            )
            .all(store.reader())
            .await?;
        let keys = keys
            .into_iter()
            .map(|key| (key.id, DecodingKey::from_ed_der(&key.public_key)))
            .collect();
        *self
            .verifying
            .write()
            .unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
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

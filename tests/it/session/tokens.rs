//! Access tokens that somebody else might make: each is refused, beside one that differs in nothing and is taken.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Error, Store, Viewer,
    session::{self, Keyring, Tokens},
};
use entity::signing_key;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use support::{TestBed, on_both_columns};

use super::{PASSWORD, sign_in, store_with_ann};

/// The keys, and what a good token says.
struct Forge {
    store: Store,
    keyring: Keyring,
    tokens: Tokens,
    key: signing_key::Model,
}

impl Forge {
    async fn new(bed: &TestBed) -> Self {
        let (store, keyring) = store_with_ann(bed).await;
        let tokens = sign_in(&store, &keyring, PASSWORD).await.unwrap();
        let key = signing_key::Entity::find()
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        Self {
            store,
            keyring,
            tokens,
            key,
        }
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key.id.clone());
        header
    }

    fn claims(&self) -> Value {
        json!({
            "iss": "mycareer",
            "aud": "mycareer-api",
            "sub": self.tokens.user_id,
            "sid": self.tokens.session_id,
            "ver": 1,
            "iat": self.store.now().timestamp(),
            "exp": self.store.now().timestamp() + 60,
        })
    }

    fn with(&self, claim: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[claim] = value;
        claims
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        encode(
            header,
            claims,
            &EncodingKey::from_ed_der(&self.key.private_key),
        )
        .unwrap()
    }

    async fn present(&self, token: &str) -> Result<Viewer, Error> {
        session::authenticate(&self.store, &self.keyring, token).await
    }

    async fn assert_refused(&self, token: &str) {
        let answer = self.present(token).await;
        assert!(
            matches!(answer, Err(Error::Unauthenticated(_))),
            "{answer:?}"
        );
        // The control: what was changed is all that is wrong with it.
        self.present(&self.sign(&self.header(), &self.claims()))
            .await
            .unwrap();
    }
}

on_both_columns! {
    async fn an_unsigned_token_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        for algorithm in ["none", "None", "NONE"] {
            let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": forge.key.id });
            let [header, claims] = [header, forge.claims()].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
            forge.assert_refused(&format!("{header}.{claims}.")).await;
        }
    }

    async fn a_token_signed_with_the_public_key_as_a_secret_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        let mut header = forge.header();
        header.alg = Algorithm::HS256;
        let secret = EncodingKey::from_secret(&forge.key.public_key);
        forge.assert_refused(&encode(&header, &forge.claims(), &secret).unwrap()).await;
    }

    async fn a_token_that_names_another_key_or_none_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        bed.clock().advance(chrono::TimeDelta::seconds(1));
        Keyring::rotate(&forge.store).await.unwrap();
        let other = signing_key::Entity::find()
            .all(forge.store.reader()).await.unwrap()
            .into_iter().find(|key| key.id != forge.key.id).unwrap();
        for kid in [Some(other.id), Some("unknown".to_owned()), None] {
            let mut header = forge.header();
            header.kid = kid;
            forge.assert_refused(&forge.sign(&header, &forge.claims())).await;
        }
    }

    async fn a_token_of_another_type_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        for kind in [Some("JWT"), Some("rt+jwt"), None] {
            let mut header = forge.header();
            header.typ = kind.map(str::to_owned);
            forge.assert_refused(&forge.sign(&header, &forge.claims())).await;
        }
    }

    async fn a_refresh_token_is_no_access_token(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        forge.assert_refused(&forge.tokens.refresh_token.clone()).await;
    }

    async fn an_expired_token_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        let expired = forge.with("exp", json!(forge.store.now().timestamp()));
        forge.assert_refused(&forge.sign(&forge.header(), &expired)).await;
    }

    async fn a_token_for_another_audience_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        for audience in [json!("another"), json!(["another"]), Value::Null] {
            let claims = forge.with("aud", audience);
            forge.assert_refused(&forge.sign(&forge.header(), &claims)).await;
        }
    }

    async fn a_token_of_another_issuer_is_refused(bed: TestBed) {
        let forge = Forge::new(&bed).await;
        for issuer in [json!("another"), Value::Null] {
            let claims = forge.with("iss", issuer);
            forge.assert_refused(&forge.sign(&forge.header(), &claims)).await;
        }
    }
}

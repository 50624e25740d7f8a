//! Access tokens that somebody made or bent: each is refused over HTTP, and the same token unbent is let in.

use chrono::TimeDelta;
use domain::{
    clock::Clock,
    session::{self, ACCESS_TOKEN_LIFETIME, Keyring, Tokens},
};
use entity::signing_key;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::StatusCode;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use support::{System, TestBed, on_both_columns};

/// A running system with somebody signed in, and what the server signs with.
struct Forge {
    system: System,
    tokens: Tokens,
    key: signing_key::Model,
    header: Header,
    claims: Value,
}

impl Forge {
    async fn open(bed: &TestBed) -> Self {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let keyring = Keyring::open(store).await.unwrap();
        let tokens = session::sign_in(
            store,
            &keyring,
            "operator@demo.mycareer.test",
            api::demo::PASSWORD.to_owned(),
            None,
        )
        .await
        .unwrap();
        let key = signing_key::Entity::find()
            .one(store.reader())
            .await
            .unwrap()
            .unwrap();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.id.clone());
        let now = bed.clock().now();
        let claims = json!({
            "iss": "mycareer",
            "aud": "mycareer-api",
            "sub": tokens.user_id,
            "sid": tokens.session_id,
            "ver": 1,
            "iat": now.timestamp(),
            "exp": (now + ACCESS_TOKEN_LIFETIME).timestamp(),
        });
        Self {
            system,
            tokens,
            key,
            header,
            claims,
        }
    }

    /// The key of the server itself: the worst that can be bent.
    fn own_key(&self) -> EncodingKey {
        EncodingKey::from_ed_der(&self.key.private_key)
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        encode(&self.header, &claims, &self.own_key()).unwrap()
    }

    fn with_header(&self, bend: impl FnOnce(&mut Header)) -> String {
        let mut header = self.header.clone();
        bend(&mut header);
        encode(&header, &self.claims, &self.own_key()).unwrap()
    }

    /// The status with which a token is answered, and whether the viewer is known.
    async fn status(&self, token: &str) -> StatusCode {
        let answer = self
            .system
            .client()
            .clone()
            .with_token(token)
            .graphql("{ viewer { name } }", json!({}))
            .await;
        if answer.status == StatusCode::OK {
            assert!(answer.data["viewer"]["name"].is_string(), "{answer:?}");
        } else {
            assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{answer:?}");
        }
        answer.status
    }

    /// Refuses the bent token; the same claims and header unbent are let in, so it is the bend that was refused.
    async fn refuses(self, bent: &str) {
        assert_eq!(self.status(bent).await, StatusCode::UNAUTHORIZED, "{bent}");
        let straight = encode(&self.header, &self.claims, &self.own_key()).unwrap();
        assert_eq!(self.status(&straight).await, StatusCode::OK);
        assert_eq!(self.status(&self.tokens.access_token).await, StatusCode::OK);
        self.system.stop().await;
    }
}

/// A token put together by hand: header, claims, signature.
fn by_hand(header: &Value, claims: &Value, signature: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

on_both_columns! {
    async fn a_token_without_a_signature_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let header = json!({ "alg": "none", "typ": "at+jwt", "kid": forge.key.id });
        let bent = by_hand(&header, &forge.claims, "");
        forge.refuses(&bent).await;
    }

    async fn a_token_whose_signature_is_cut_off_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": forge.key.id });
        let bent = by_hand(&header, &forge.claims, "");
        forge.refuses(&bent).await;
    }

    async fn the_public_key_is_no_secret_to_sign_with(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let mut header = forge.header.clone();
        header.alg = Algorithm::HS256;
        let secret = EncodingKey::from_secret(&forge.key.public_key);
        let bent = encode(&header, &forge.claims, &secret).unwrap();
        forge.refuses(&bent).await;
    }

    async fn a_token_of_another_key_under_our_name_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let other = key_of_somebody_else();
        let bent = encode(&forge.header, &forge.claims, &other).unwrap();
        forge.refuses(&bent).await;
    }

    async fn a_key_that_nobody_knows_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.with_header(|header| header.kid = Some("k1".to_owned()));
        forge.refuses(&bent).await;
    }

    async fn a_token_that_names_no_key_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.with_header(|header| header.kid = None);
        forge.refuses(&bent).await;
    }

    async fn a_token_of_another_type_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.with_header(|header| header.typ = Some("JWT".to_owned()));
        forge.refuses(&bent).await;
    }

    async fn a_refresh_token_is_no_access_token(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.tokens.refresh_token.clone();
        forge.refuses(&bent).await;
    }

    async fn a_token_that_has_expired_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let a_second_ago = bed.clock().now() - TimeDelta::seconds(1);
        let bent = forge.with_claim("exp", a_second_ago.timestamp().into());
        forge.refuses(&bent).await;
    }

    async fn a_token_without_an_end_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.with_claim("exp", Value::Null);
        forge.refuses(&bent).await;
    }

    async fn a_token_for_somebody_else_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.with_claim("aud", "another-api".into());
        forge.refuses(&bent).await;
    }

    async fn a_token_from_somebody_else_is_refused(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let bent = forge.with_claim("iss", "another-issuer".into());
        forge.refuses(&bent).await;
    }

    async fn a_session_and_its_owner_belong_together(bed: TestBed) {
        let forge = Forge::open(&bed).await;
        let other = entity::ids::UserId::new_at(bed.clock().now());
        let bent = forge.with_claim("sub", serde_json::to_value(other).unwrap());
        forge.refuses(&bent).await;
    }
}

/// An Ed25519 key that has nothing to do with the server's.
fn key_of_somebody_else() -> EncodingKey {
    // PKCS #8 of an Ed25519 key (RFC 8410, section 7), and 32 bytes of a key made up here.
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    der.extend([7; 32]);
    EncodingKey::from_ed_der(&der)
}

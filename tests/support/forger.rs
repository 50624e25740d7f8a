//! A provider that does what a real one can't be made to do: it answers as it is told, with keys of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use poem::{
    EndpointExt, IntoResponse, Response, Route, Server, get, handler,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
    post,
    web::{Data, Form, Json},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What it knows MyCareer by.
const CLIENT: &str = "mycareer";

/// What the next ID token says beside the truth.
#[derive(Clone, Debug, Default)]
pub struct Forged {
    /// Claims that are other ones, or null for those that are left out.
    pub claims: HashMap<&'static str, Value>,
    /// How it is signed.
    pub signature: Signature,
    /// What the provider says of the person when it is asked for more; nothing when it has no such address.
    pub user_info: Option<Value>,
    /// The issuer that stands in the provider's own document.
    pub issuer: Option<&'static str>,
}

/// How a token is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// By the key in the document.
    #[default]
    Own,
    /// By a key that is not in the document, under the name of one that is.
    Stranger,
    /// By the key that was in the document before the last change.
    Withdrawn,
    /// Not at all: `alg` is `none`.
    None,
    /// With what MyCareer proves itself by, as a secret that both know.
    Secret(&'static str),
}

/// A provider in the test itself.
#[derive(Debug)]
pub struct Forger {
    issuer: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    issuer: String,
    key: SigningKey,
    kid: String,
    /// The key before, with its name.
    withdrawn: Option<(SigningKey, String)>,
    /// What it was asked at first by the code that it gives out.
    asked: HashMap<String, (String, String)>,
    forged: Forged,
    claims: Value,
    now: i64,
    documents: usize,
}

type Handle = Arc<Mutex<Shared>>;

impl Forger {
    /// Starts it at a port of its own. `now` is what its tokens take for the present, in seconds since 1970.
    pub async fn start(now: i64, claims: Value) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0")
            .into_acceptor()
            .await
            .unwrap();
        let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
        let issuer = format!("http://{address}");
        let shared = Arc::new(Mutex::new(Shared {
            issuer: issuer.clone(),
            key: SigningKey::from_bytes(&rand::random()),
            kid: "first".to_owned(),
            withdrawn: None,
            asked: HashMap::new(),
            forged: Forged::default(),
            claims,
            now,
            documents: 0,
        }));
        let routes = Route::new()
            .at("/.well-known/openid-configuration", get(document))
            .at("/keys", get(keys))
            .at("/token", post(token))
            .at("/user-info", get(user_info))
            .data(Arc::clone(&shared));
        tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
        Self { issuer, shared }
    }

    /// Its address.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What its next tokens say.
    pub fn forge(&self, forged: Forged) {
        self.shared.lock().unwrap().forged = forged;
    }

    /// It signs with another key from now on, and has it in its document.
    pub fn rotate(&self) {
        let mut shared = self.shared.lock().unwrap();
        let key = SigningKey::from_bytes(&rand::random());
        let before = std::mem::replace(&mut shared.key, key);
        shared.withdrawn = Some((before, shared.kid.clone()));
        shared.kid.push('+');
    }

    /// What its tokens take for the present from now on, in seconds since 1970.
    pub fn set_time(&self, now: i64) {
        self.shared.lock().unwrap().now = now;
    }

    /// How often its document was read.
    pub fn documents(&self) -> usize {
        self.shared.lock().unwrap().documents
    }

    /// Signs somebody in, as its page would: gives the code for what the browser was sent with.
    pub fn consent(&self, address: &str) -> (String, String) {
        let address = url::Url::parse(address).unwrap();
        let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["code_challenge_method"], "S256");
        let code = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
        self.shared.lock().unwrap().asked.insert(
            code.clone(),
            (asked["nonce"].clone(), asked["code_challenge"].clone()),
        );
        (code, asked["state"].clone())
    }
}

#[handler]
fn document(Data(shared): Data<&Handle>) -> Json<Value> {
    let mut shared = shared.lock().unwrap();
    shared.documents += 1;
    let issuer = &shared.issuer;
    let mut document = json!({
        "issuer": shared.forged.issuer.unwrap_or(issuer),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    });
    if shared.forged.user_info.is_some() {
        document["userinfo_endpoint"] = json!(format!("{issuer}/user-info"));
    }
    Json(document)
}

#[handler]
fn keys(Data(shared): Data<&Handle>) -> Json<Value> {
    let shared = shared.lock().unwrap();
    Json(json!({ "keys": [{
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": shared.kid,
        "x": URL_SAFE_NO_PAD.encode(shared.key.verifying_key().as_bytes()),
    }] }))
}

/// More of the person, as far as it was told to say any.
#[handler]
fn user_info(Data(shared): Data<&Handle>) -> Json<Option<Value>> {
    Json(shared.lock().unwrap().forged.user_info.clone())
}

/// The claims as a token.
fn signed(shared: &Shared, claims: &Value) -> String {
    let by = |key: &SigningKey, kid: &str| {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(kid.to_owned());
        let key = EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes());
        encode(&header, claims, &key).unwrap()
    };
    match shared.forged.signature {
        Signature::Own => by(&shared.key, &shared.kid),
        Signature::Stranger => by(&SigningKey::from_bytes(&rand::random()), &shared.kid),
        Signature::Withdrawn => {
            let (key, kid) = shared.withdrawn.as_ref().expect("no key was withdrawn");
            by(key, kid)
        }
        Signature::None => {
            let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims))
        }
        Signature::Secret(secret) => {
            let key = EncodingKey::from_secret(secret.as_bytes());
            encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
        }
    }
}

#[handler]
fn token(Data(shared): Data<&Handle>, Form(form): Form<HashMap<String, String>>) -> Response {
    let mut shared = shared.lock().unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"]));
    // A code is good once, for whoever knows the verifier.
    let known = shared
        .asked
        .get(&form["code"])
        .is_some_and(|(_, asked)| *asked == challenge);
    let Some((nonce, _)) = known.then(|| shared.asked.remove(&form["code"])).flatten() else {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        )
            .into_response();
    };
    let mut claims = shared.claims.clone();
    claims["iss"] = json!(shared.issuer);
    claims["aud"] = json!(CLIENT);
    claims["nonce"] = json!(nonce);
    claims["iat"] = json!(shared.now);
    claims["exp"] = json!(shared.now + 300);
    for (claim, value) in &shared.forged.claims {
        claims[*claim] = value.clone();
    }
    let id_token = signed(&shared, &claims);
    Json(json!({
        "access_token": "worth nothing",
        "token_type": "Bearer",
        "expires_in": 300,
        "id_token": id_token,
    }))
    .into_response()
}

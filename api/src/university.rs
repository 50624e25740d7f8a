//! The university's `OpenID` Connect provider: where people are sent to sign in, and what it says of them.
//!
//! Authorisation code with PKCE (RFC 7636, S256), `state` and `nonce`. Of the ID token, signature, issuer, audience, expiry
//! and nonce are checked. Keys are those of the provider's own document; when a token names one that isn't there, the
//! document is read again, but not more often than once a minute: anybody can send a token.

mod claims;
mod settings;

use std::{future::Future, pin::Pin, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{clock::Clock, identity::Proofs};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use tokio::sync::Mutex;
use url::Url;

use claims::Claims;
pub use claims::Told;
pub use settings::UniversitySettings;

/// How long the provider's document is believed: a key that it withdraws is good no longer than that.
const DOCUMENT_FOR: TimeDelta = TimeDelta::minutes(10);
/// How long a document stands at least, whatever tokens name.
const READ_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(1);
/// How long nobody is made to wait for a provider that did not answer.
const GIVEN_UP_FOR: TimeDelta = TimeDelta::seconds(5);
/// How long the provider may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Only signatures that nobody makes who merely knows our secret.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// The crate's client, with our claims in the tokens.
type Provider = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why somebody can't be signed in, as a word for the log. It holds nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub &'static str);

/// Why the provider could not be asked.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Malformed(#[from] poem::http::Error),
    #[error("the answer is too long")]
    TooLong,
}

/// The university's provider.
#[derive(Debug)]
pub struct University {
    settings: UniversitySettings,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// What is known of the provider.
#[derive(Debug, Default)]
struct Known {
    document: Option<Document>,
    /// When it last did not answer.
    silent_at: Option<DateTime<Utc>>,
}

/// The provider's own document with its keys, and when it was read.
#[derive(Clone, Debug)]
struct Document {
    metadata: CoreProviderMetadata,
    read_at: DateTime<Utc>,
}

impl University {
    /// The provider that the settings name. It isn't asked anything before somebody signs in.
    pub(crate) fn new(
        settings: UniversitySettings,
        issuer: IssuerUrl,
        redirect: RedirectUrl,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // A provider answers for itself; what it is made to send elsewhere is not followed.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .tls_backend_preconfigured(tls())
            .build()?;
        Ok(Self {
            settings,
            issuer,
            redirect,
            http,
            clock,
            known: Mutex::default(),
        })
    }

    /// Whether this is the address of the provider.
    pub fn is(&self, issuer: &str) -> bool {
        self.issuer.as_str() == issuer
    }

    /// Where a browser is sent to sign in.
    pub async fn address(&self, state: &str, proofs: &Proofs) -> Result<Url, Trouble> {
        let provider = self.provider(self.document(DOCUMENT_FOR).await?);
        let verifier = PkceCodeVerifier::new(proofs.verifier.clone());
        let (state, nonce) = (state.to_owned(), proofs.nonce.clone());
        let mut request = provider
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for scope in self.settings.scopes.split_whitespace() {
            request = request.add_scope(Scope::new(scope.to_owned()));
        }
        Ok(request.url().0)
    }

    /// What the university says of the person whose browser has brought this code.
    pub async fn redeem(&self, code: &str, proofs: &Proofs) -> Result<Told, Trouble> {
        let mut document = self.document(DOCUMENT_FOR).await?;
        let provider = self.provider(document.clone());
        let ask = self.asking();
        let answer = provider
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| Trouble("no_token_endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(proofs.verifier.clone()))
            .request_async(&ask)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(_) => Trouble("code_refused"),
                RequestTokenError::Request(_) => Trouble("provider_unreachable"),
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                    Trouble("token_answer_unreadable")
                }
            })?;
        let token = answer.id_token().ok_or(Trouble("no_id_token"))?;
        let verify = |document: &Document| {
            let provider = self.provider(document.clone());
            let now = self.clock.now();
            token
                .claims(
                    &provider
                        .id_token_verifier()
                        .set_allowed_algs(ALGORITHMS)
                        .set_time_fn(move || now),
                    &Nonce::new(proofs.nonce.clone()),
                )
                .map(|claims| Told::by(&self.settings, claims))
                .map_err(|error| trouble(&error))
        };
        let told = match verify(&document) {
            // The provider may have changed its keys since its document was read, under new names or the old ones.
            Err(Trouble("unknown_key" | "wrong_signature")) => {
                document = self.document(READ_AGAIN_AFTER).await?;
                verify(&document)?
            }
            verified => verified?,
        };
        self.ask_more(&self.provider(document), answer.access_token(), told)
            .await
    }

    /// What the ID token leaves out, the provider may tell when it is asked.
    async fn ask_more(
        &self,
        provider: &Provider,
        access_token: &openidconnect::AccessToken,
        told: Told,
    ) -> Result<Told, Trouble> {
        let subject = openidconnect::SubjectIdentifier::new(told.subject.clone());
        let Ok(request) = provider.user_info(access_token.clone(), Some(subject)) else {
            return Ok(told);
        };
        let ask = self.asking();
        let more: UserInfoClaims<Claims, CoreGenderClaim> = request
            .request_async(&ask)
            .await
            .map_err(|_| Trouble("user_info_refused"))?;
        Ok(told.or(Told::by_user_info(&self.settings, &more)))
    }

    /// The provider's document, at most so old.
    async fn document(&self, at_most: TimeDelta) -> Result<Document, Trouble> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(document) = known
            .document
            .as_ref()
            .filter(|document| now - document.read_at < at_most)
        {
            return Ok(document.clone());
        }
        let unanswered = Trouble("no_document");
        if known.silent_at.is_some_and(|at| now - at < GIVEN_UP_FOR) {
            return Err(unanswered);
        }
        let ask = self.asking();
        let Ok(metadata) = CoreProviderMetadata::discover_async(self.issuer.clone(), &ask).await
        else {
            known.silent_at = Some(now);
            return Err(unanswered);
        };
        let document = Document {
            metadata,
            read_at: now,
        };
        *known = Known {
            document: Some(document.clone()),
            silent_at: None,
        };
        Ok(document)
    }

    fn provider(&self, document: Document) -> Provider {
        Client::from_provider_metadata(
            document.metadata,
            ClientId::new(self.settings.client_id.clone().unwrap_or_default()),
            self.settings.client_secret.clone().map(ClientSecret::new),
        )
        .set_redirect_uri(self.redirect.clone())
    }

    /// Sends what the crate wants sent.
    fn asking(&self) -> impl Fn(HttpRequest) -> Asking + Send + Sync + use<> {
        let http = self.http.clone();
        move |request| Box::pin(ask(http.clone(), request))
    }
}

/// An answer that is on its way.
type Asking = Pin<Box<dyn Future<Output = Result<HttpResponse, AskError>> + Send>>;

async fn ask(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, AskError> {
    let mut answer = http.execute(request.try_into()?).await?;
    let mut response = poem::http::Response::builder().status(answer.status());
    if let Some(headers) = response.headers_mut() {
        headers.clone_from(answer.headers());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST_ANSWER {
            return Err(AskError::TooLong);
        }
    }
    Ok(response.body(body)?)
}

fn trouble(error: &ClaimsVerificationError) -> Trouble {
    Trouble(match error {
        ClaimsVerificationError::Expired(_) => "token_expired",
        ClaimsVerificationError::InvalidAudience(_) => "wrong_audience",
        ClaimsVerificationError::InvalidIssuer(_) => "wrong_issuer",
        ClaimsVerificationError::InvalidNonce(_) => "wrong_nonce",
        ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey,
        ) => "unknown_key",
        ClaimsVerificationError::SignatureVerification(_) => "wrong_signature",
        _ => "token_refused",
    })
}

/// The authorities that the mail relay is checked by too.
fn tls() -> tokio_rustls::rustls::ClientConfig {
    let roots = webpki_roots::TLS_SERVER_ROOTS
        .iter()
        .cloned()
        .collect::<tokio_rustls::rustls::RootCertStore>();
    tokio_rustls::rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

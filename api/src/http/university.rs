//! Signing in with the university, as a browser sees it: `GET /sign-in/university` leads to the provider, whose answer
//! comes back to the callback. What goes wrong is told on a plain page that says what to do; the log has a word for it.

use std::{fmt, sync::Arc};

use domain::{Error, Store, identity, session::Origin};
use minijinja::context;
use poem::{
    EndpointExt, IntoEndpoint, Request, Response, Route, get, handler,
    http::{StatusCode, header},
    web::{Data, Query},
};
use serde::Deserialize;
use url::Url;

use super::{pages, proxies::TrustedProxies};
use crate::university::{Trouble, University};

/// Where the provider sends it back to: what is registered there.
pub const CALLBACK: &str = "/sign-in/university/callback";
/// Where it arrives when no frontend is set.
const ARRIVED: &str = "/sign-in/arrived";

/// What these pages work with.
#[derive(Clone)]
pub struct SignIn {
    university: Arc<University>,
    store: Store,
    frontend: Option<Url>,
    public_url: Url,
    proxies: TrustedProxies,
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

impl SignIn {
    /// With this provider; who has signed in goes to the frontend.
    #[must_use]
    pub fn new(
        university: University,
        store: Store,
        frontend: Option<Url>,
        public_url: Url,
        proxies: TrustedProxies,
    ) -> Self {
        Self {
            university: Arc::new(university),
            store,
            frontend,
            public_url,
            proxies,
        }
    }

    /// The routes below `/sign-in`.
    #[must_use]
    pub fn routes(self) -> impl IntoEndpoint {
        Route::new()
            .at("/university", get(begin))
            .at("/university/callback", get(end))
            .at("/arrived", get(show_code))
            .data(self)
    }

    /// The cookie that ties a sign-in to a browser. Where there is TLS its name keeps other hosts from setting it.
    fn cookie(&self, value: &str, seconds: i64) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
            self.cookie_name()
        )
    }

    fn cookie_name(&self) -> &'static str {
        if self.is_secure() {
            "__Host-mycareer-sign-in"
        } else {
            "mycareer-sign-in"
        }
    }

    fn is_secure(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// What the browser has kept.
    fn kept(&self, req: &Request) -> Option<String> {
        req.headers()
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie_name())
            .map(|(_, value)| value.to_owned())
    }

    /// Where the code is taken.
    fn arrival(&self, code: &str) -> String {
        match &self.frontend {
            Some(frontend) => {
                let mut frontend = frontend.clone();
                frontend.query_pairs_mut().append_pair("code", code);
                frontend.into()
            }
            None => format!("{ARRIVED}?code={code}"),
        }
    }
}

/// What goes wrong on the way.
enum Failure {
    /// The provider, or what came back from it.
    Trouble(Trouble),
    /// A rule of ours.
    Domain(Error),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

/// What the provider sends back.
#[derive(Deserialize)]
struct Answer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// What a frontend begins with.
#[derive(Deserialize)]
struct Beginning {
    challenge: Option<String>,
}

#[handler]
async fn begin(
    Data(sign_in): Data<&SignIn>,
    Query(Beginning { challenge }): Query<Beginning>,
) -> Response {
    match begun(sign_in, challenge.as_deref()).await {
        Ok((address, browser)) => redirect(
            address.as_str(),
            &sign_in.cookie(&browser, identity::WITHIN.num_seconds()),
        ),
        Err(failure) => told(&failure),
    }
}

async fn begun(sign_in: &SignIn, challenge: Option<&str>) -> Result<(Url, String), Failure> {
    // Without one, anybody could have the frontend take up a sign-in of theirs.
    if sign_in.frontend.is_some() && challenge.is_none() {
        return Err(Trouble("no_challenge").into());
    }
    let begun = identity::begin(&sign_in.store, challenge).await?;
    let address = sign_in
        .university
        .address(&begun.state, &begun.proofs)
        .await?;
    Ok((address, begun.browser))
}

#[handler]
async fn end(
    req: &Request,
    Data(sign_in): Data<&SignIn>,
    Query(answer): Query<Answer>,
) -> Response {
    let from = sign_in.proxies.origin(req);
    match ended(sign_in, sign_in.kept(req), &from, answer).await {
        Ok(code) => redirect(&sign_in.arrival(&code), &sign_in.cookie("", 0)),
        Err(failure) => told(&failure),
    }
}

async fn ended(
    sign_in: &SignIn,
    browser: Option<String>,
    from: &Origin,
    answer: Answer,
) -> Result<String, Failure> {
    let (Some(state), Some(browser)) = (answer.state, browser) else {
        return Err(Trouble("not_begun_here").into());
    };
    let returned = identity::take_up(&sign_in.store, &state, &browser, from)
        .await?
        .ok_or(Trouble("wrong_state"))?;
    // RFC 9207: another provider's answer is not taken for this one's.
    if answer
        .iss
        .is_some_and(|issuer| !sign_in.university.is(&issuer))
    {
        return Err(Trouble("wrong_issuer").into());
    }
    if answer.error.is_some() {
        return Err(Trouble("declined").into());
    }
    let code = answer.code.ok_or(Trouble("no_code"))?;
    let told = sign_in.university.redeem(&code, &returned.proofs).await?;
    let arrived = told.arrived()?;
    let mut tx = sign_in.store.begin().await?;
    let code = identity::arrive(&mut tx, &arrived, returned).await?;
    tx.commit().await?;
    Ok(code)
}

/// Where a sign-in ends when no frontend takes it up.
#[derive(Deserialize)]
struct Arrival {
    code: String,
}

#[handler]
fn show_code(Query(arrival): Query<Arrival>) -> Response {
    pages::page(
        StatusCode::OK,
        "signed_in.html",
        context! { code => arrival.code },
    )
}

fn redirect(to: &str, cookie: &str) -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header(header::LOCATION, to)
        .header(header::SET_COOKIE, cookie)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "no-referrer")
        .finish()
}

fn told(failure: &Failure) -> Response {
    const TITLE: &str = "You are not signed in";
    let again = "Go back to where you signed in and try again.";
    let (status, text) = match failure {
        Failure::Trouble(trouble) => {
            tracing::warn!(
                sign_in.trouble = trouble.0,
                "somebody could not be signed in with the university"
            );
            match trouble.0 {
                "provider_unreachable" | "no_document" => (
                    StatusCode::BAD_GATEWAY,
                    "The university's sign-in can't be reached at the moment. Try again in a few minutes.".to_owned(),
                ),
                "no_challenge" => (
                    StatusCode::BAD_REQUEST,
                    "The page that sent you here left out `challenge`: BASE64URL(SHA-256(verifier)). Tell those who run it."
                        .to_owned(),
                ),
                "no_affiliation" => (
                    StatusCode::FORBIDDEN,
                    "The university does not say that you are a student, a graduate or a member of staff, for whom this is. Employers \
                     sign in with e-mail and password."
                        .to_owned(),
                ),
                "not_begun_here" | "wrong_state" => (
                    StatusCode::BAD_REQUEST,
                    format!("This sign-in was begun in another browser, took more than ten minutes, or has ended before. {again}"),
                ),
                "declined" => (StatusCode::BAD_REQUEST, format!("The university did not sign you in. {again}")),
                _ => (
                    StatusCode::BAD_REQUEST,
                    format!("What the university's sign-in answered can't be relied on. {again}"),
                ),
            }
        }
        Failure::Domain(error @ Error::Refused(_)) => {
            tracing::warn!("somebody who signed in with the university has no account to use");
            (StatusCode::FORBIDDEN, error.to_string())
        }
        Failure::Domain(error @ Error::TooMany { .. }) => {
            tracing::warn!("a network sends too many sign-ins that are not good");
            (StatusCode::TOO_MANY_REQUESTS, error.to_string())
        }
        Failure::Domain(error) => {
            tracing::error!(%error, "a sign-in with the university failed");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side. Try again in a while.".to_owned(),
            )
        }
    };
    pages::message(status, TITLE, &text)
}

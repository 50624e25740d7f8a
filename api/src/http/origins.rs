//! Which pages of other sites may call the API from a browser, and what they are told (CORS).
//!
//! The list is exact: no patterns, no `*`. `Access-Control-Allow-Credentials` is never sent, because nobody is signed in
//! by a cookie; a page of a listed origin sends the token itself.

use std::{str::FromStr, sync::Arc};

use poem::{
    Endpoint, Request, Response,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN, VARY,
        },
    },
};
use url::Url;

/// The addresses that pages of other origins may call.
const OPEN_TO_ORIGINS: [&str; 2] = ["/graphql", "/graphql/stream"];
/// What they may send.
const METHODS: &str = "GET, POST";
/// Which headers they may set.
const HEADERS: &str = "authorization, content-type, x-request-id";
/// Which headers of the answer they may read.
const EXPOSED: &str =
    "retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-request-id";
/// How long a browser may remember the answer, in seconds.
const REMEMBERED: &str = "7200";

/// Origins: `https://host`, or with a port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<String>);

/// Something that is no origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an origin: write https://host or https://host:port, and commas in between")]
pub struct NotAnOrigin(String);

impl FromStr for Origins {
    type Err = NotAnOrigin;

    /// Reads a list with commas in between.
    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        text.split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(|origin| exact(origin).ok_or_else(|| NotAnOrigin(origin.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// The origin as browsers write it, when the text is one and nothing more.
fn exact(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && !text.ends_with('/')
        && !text.contains('*')
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_origin.then(|| url.origin().ascii_serialization())
}

impl Origins {
    /// Whether pages of this origin may call the API.
    fn allow(&self, origin: &HeaderValue) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    }

    /// Whether a WebSocket may be opened by whoever sends these headers: a program, a page of ours, or one of a listed
    /// origin. Browsers ask nobody before they open one, so the server has to look.
    pub fn allow_socket(&self, headers: &HeaderMap, public: &str) -> bool {
        let Some(origin) = headers.get(ORIGIN) else {
            return true;
        };
        let is_own = || {
            let host = headers.get(HOST)?.to_str().ok()?;
            let (_, of_origin) = origin.to_str().ok()?.split_once("://")?;
            Some(host.eq_ignore_ascii_case(of_origin))
        };
        self.allow(origin) || origin.as_bytes() == public.as_bytes() || is_own().unwrap_or(false)
    }
}

/// Answers the questions of browsers before they let a page of another origin call the API, and marks the answers that
/// such a page may read.
pub async fn across_origins<E: Endpoint<Output = Response>>(
    routes: Arc<E>,
    req: Request,
    origins: Arc<Origins>,
) -> poem::Result<Response> {
    if !OPEN_TO_ORIGINS.contains(&req.uri().path()) {
        return routes.call(req).await;
    }
    let allowed = req
        .headers()
        .get(ORIGIN)
        .filter(|origin| origins.allow(origin))
        .cloned();
    let is_question = req.method() == Method::OPTIONS
        && req.headers().contains_key(ORIGIN)
        && req.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if !is_question {
        routes.call(req).await?
    } else if allowed.is_some() {
        Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(ACCESS_CONTROL_ALLOW_METHODS, METHODS)
            .header(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS)
            .header(ACCESS_CONTROL_MAX_AGE, REMEMBERED)
            .finish()
    } else {
        Response::builder().status(StatusCode::FORBIDDEN).finish()
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(text: &str) -> Origins {
        text.parse().unwrap()
    }

    #[test]
    fn origins_are_exact() {
        let two = origins("https://careers.example.test, http://localhost:5173");
        for (origin, allowed) in [
            ("https://careers.example.test", true),
            ("http://localhost:5173", true),
            ("http://careers.example.test", false),
            ("https://careers.example.test:8443", false),
            ("https://careers.example.test.evil.test", false),
            ("https://evil-careers.example.test", false),
            ("http://localhost", false),
            ("null", false),
        ] {
            assert_eq!(two.allow(&origin.parse().unwrap()), allowed, "{origin}");
        }
        // What is the default of its scheme is left out by browsers.
        assert!(origins("https://a.test:443").allow(&HeaderValue::from_static("https://a.test")));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "*",
            "null",
            "https://*.example.test",
            "https://a.test/",
            "https://a.test/path",
            "https://user@a.test",
            "ftp://a.test",
            "a.test",
        ] {
            assert!(text.parse::<Origins>().is_err(), "{text}");
        }
        assert_eq!(origins(""), Origins::default());
    }

    #[test]
    fn sockets_are_opened_by_programs_own_pages_and_listed_ones() {
        let listed = origins("https://a.test");
        let may = |origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost:8000"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            listed.allow_socket(&headers, "https://mycareer.test")
        };
        assert!(may(None));
        assert!(may(Some("https://a.test")));
        assert!(may(Some("https://mycareer.test")));
        assert!(may(Some("http://localhost:8000")));
        for other in ["https://b.test", "null", "http://localhost:8001"] {
            assert!(!may(Some(other)), "{other}");
        }
    }
}

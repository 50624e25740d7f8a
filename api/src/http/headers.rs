//! What every answer tells browsers: the least that it needs, and a page says what it needs more.

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
};

/// What stands in answers that say nothing else about it.
const UNLESS_SAID: [(HeaderName, &str); 7] = [
    // An answer is data: shown as a page, it could load and run nothing, and be shown in no frame.
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Addresses hold ids and secrets of links: no other site is told them.
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    // Nearly every answer depends on who asks, or on when.
    (CACHE_CONTROL, "no-store"),
];

/// For two years, only by https. Other names below the same domain are not ours to speak for.
const ONLY_BY_HTTPS: &str = "max-age=63072000";

/// Adds the headers to whatever the routes answer. `by_https`: people reach the system by https.
pub async fn with_headers<E: Endpoint<Output = Response>>(
    routes: Arc<E>,
    req: Request,
    by_https: bool,
) -> poem::Result<Response> {
    let mut response = routes.call(req).await?;
    let headers = response.headers_mut();
    for (name, value) in UNLESS_SAID {
        unless_said(headers, name, value);
    }
    if by_https {
        unless_said(headers, STRICT_TRANSPORT_SECURITY, ONLY_BY_HTTPS);
    }
    Ok(response)
}

fn unless_said(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert_with(|| HeaderValue::from_static(value));
}

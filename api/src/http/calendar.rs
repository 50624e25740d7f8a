//! Calendars that calendar programs subscribe to (RFC 5545): everybody's at one address, each person's own at an address that
//! nobody can guess.

use std::sync::Arc;

use domain::{
    Error, Store,
    calendar::{
        feed::{self, Extent},
        file::MEDIA_TYPE,
    },
};
use poem::{
    Body, EndpointExt, Request, Response, Route, RouteMethod, get, handler,
    http::{StatusCode, header},
    web::{Data, Path, Query},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::pages;

/// Where everybody's calendar is.
pub const PUBLIC: &str = "/calendar.ics";
/// Where people's own calendars are.
pub const PATH: &str = "/calendars/";

/// What every address of a calendar ends in.
const ENDING: &str = ".ics";

/// The address of the calendar with this token.
#[must_use]
pub fn address(token: &str) -> String {
    format!("{PATH}{token}{ENDING}")
}

/// What the addresses in calendars begin with.
#[derive(Clone)]
struct Website(Arc<str>);

/// Adds the routes of calendars. `website` is what the addresses in them begin with.
#[must_use]
pub fn mount(routes: Route, store: &Store, website: &str) -> Route {
    let website = Website(website.trim_end_matches('/').into());
    let with = |at: RouteMethod| at.data(store.clone()).data(website.clone());
    routes
        .at(PUBLIC, with(get(public)))
        .at("/calendars/:file", with(get(personal)))
}

#[handler]
async fn public(
    req: &Request,
    Data(store): Data<&Store>,
    Data(website): Data<&Website>,
) -> Response {
    match feed::public(store, &website.0).await {
        // Every cache between may have it; an organiser's change is seen within minutes.
        Ok(text) => calendar(req, text, "public, max-age=300"),
        Err(error) => failed(&error),
    }
}

/// What a calendar program may ask for.
#[derive(Debug, Deserialize)]
struct Wanted {
    show: Option<String>,
}

#[handler]
async fn personal(
    req: &Request,
    Data(store): Data<&Store>,
    Data(website): Data<&Website>,
    Path(file): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let extent = match wanted.show.as_deref() {
        Some("booked") => Extent::Booked,
        _ => Extent::All,
    };
    let Some(token) = file.strip_suffix(ENDING) else {
        return absent();
    };
    match feed::personal(store, token, extent, &website.0).await {
        // For its person alone, who asks each time whether it is still the same.
        Ok(Some(text)) => calendar(req, text, "private, no-cache"),
        Ok(None) => absent(),
        Err(error) => failed(&error),
    }
}

/// The calendar, or only that it is still the same (RFC 9110, 13.1.2).
fn calendar(req: &Request, text: String, caching: &'static str) -> Response {
    let hash = Sha256::digest(&text);
    let tag = hash
        .iter()
        .take(16)
        .fold(String::from("\""), |tag, byte| format!("{tag}{byte:02x}"))
        + "\"";
    let known = req
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known == tag);
    let answer = Response::builder()
        .header(header::ETAG, tag)
        .header(header::CACHE_CONTROL, caching)
        .header(header::REFERRER_POLICY, "no-referrer");
    if known {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    answer
        .content_type(MEDIA_TYPE)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(
            header::CONTENT_DISPOSITION,
            "inline; filename=\"calendar.ics\"",
        )
        .body(Body::from_string(text))
}

fn absent() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "No calendar",
        "There is no calendar at this address. It may have been ended or replaced: make a new address in your profile.",
    )
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "a calendar can't be shown");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "Try again in a while.",
    )
}

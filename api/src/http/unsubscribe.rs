//! The way out of bulk mail: the address that stands in every one of them.
//!
//! `GET` only shows a page with a button, because programs that look at mail follow links. `POST` unsubscribes, from that
//! button as from a mail program's own (RFC 8058). Nobody has to sign in.

use domain::{Error, Store, campaign::unsubscribe, coming_events};
use minijinja::context;
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::pages;

/// The routes below `/unsubscribe`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new()
        .at("/test", get(test))
        .at("/events/:token", get(ask_digest).post(end_digest))
        .at("/:token", get(ask).post(act))
        .data(store)
}

#[handler]
async fn ask(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match unsubscribe::read(store, &token).await {
        Ok(Some(_)) => pages::page(StatusCode::OK, "unsubscribe.html", context! { token }),
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn act(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match unsubscribed(store, &token).await {
        Ok(true) => pages::message(
            StatusCode::OK,
            "You are unsubscribed",
            "No more bulk e-mail goes to this address. Mail about your own bookings and vacancies still does.",
        ),
        Ok(false) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn ask_digest(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match coming_events::read(store, &token).await {
        Ok(Some(_)) => pages::page(StatusCode::OK, "end_digest.html", context! { token }),
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn end_digest(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match ended(store, &token).await {
        Ok(true) => pages::message(
            StatusCode::OK,
            "You are unsubscribed",
            "What is coming is not mailed to you any more. Your profile is where you can ask for it again.",
        ),
        Ok(false) => unknown(),
        Err(error) => failed(&error),
    }
}

async fn ended(store: &Store, token: &str) -> Result<bool, Error> {
    let Some(user_id) = coming_events::read(store, token).await? else {
        return Ok(false);
    };
    let mut tx = store.begin().await?;
    coming_events::unsubscribe(&mut tx, user_id).await?;
    tx.commit().await?;
    Ok(true)
}

#[handler]
fn test() -> Response {
    pages::message(
        StatusCode::OK,
        "This was a test",
        "The link in a test mail unsubscribes nobody. In the real one it does.",
    )
}

async fn unsubscribed(store: &Store, token: &str) -> Result<bool, Error> {
    let Some(link) = unsubscribe::read(store, token).await? else {
        return Ok(false);
    };
    let mut tx = store.begin().await?;
    unsubscribe::unsubscribe(&mut tx, link).await?;
    tx.commit().await?;
    Ok(true)
}

fn unknown() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "This link is not complete",
        "It may have been cut off. Copy the whole link from the mail, or answer the mail.",
    )
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "somebody can't be unsubscribed");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "You are not unsubscribed yet. Try again in a while, or answer the mail.",
    )
}

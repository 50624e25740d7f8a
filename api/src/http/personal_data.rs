//! The copy of everything that is kept of a person, at the address that they were told of by mail.
//!
//! `GET` only shows a page with buttons, because programs that look at mail follow links. `POST` hands the copy over: as a
//! document to read, or as JSON. Nobody has to sign in: employers' contacts have no account. Whoever has the link has the
//! copy, for a week.

use domain::{Error, Store, data_protection};
use entity::subject_access;
use minijinja::{context, value::Serde};
use poem::{
    EndpointExt, IntoEndpoint, IntoResponse, Response, Route, get, handler,
    http::StatusCode,
    post,
    web::{Data, Path},
};
use serde_json::Value;

use super::pages;

/// What the document may do: have its own looks and show the photo, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/// The routes below `/personal-data`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new()
        .at("/:token", get(ask))
        .at("/:token/document", post(document))
        .at("/:token/json", post(json))
        .data(store)
}

#[handler]
async fn ask(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match data_protection::open_copy(store, &token).await {
        Ok(Some(copy)) => {
            let expires_at = domain::mail::in_university_time(copy.expires_at);
            let page = context! { token, expires_at };
            kept_to_itself(pages::page(StatusCode::OK, "personal_data.html", page))
        }
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn document(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match fetched(store, &token, "document").await {
        Ok(Some(copy)) => match read(&copy) {
            Ok(copy) => attached(
                pages::page_under(
                    StatusCode::OK,
                    POLICY,
                    "personal_data_copy.html",
                    context! { copy => Serde(&copy) },
                ),
                "html",
            ),
            Err(error) => failed(&error),
        },
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn json(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match fetched(store, &token, "json").await {
        Ok(Some(copy)) => attached(
            Response::builder()
                .content_type("application/json")
                .body(copy.document.unwrap_or_default()),
            "json",
        ),
        Ok(None) => unknown(),
        Err(error) => failed(&error),
    }
}

async fn fetched(
    store: &Store,
    token: &str,
    form: &'static str,
) -> Result<Option<subject_access::Model>, Error> {
    let Some(copy) = data_protection::open_copy(store, token).await? else {
        return Ok(None);
    };
    let mut tx = store.begin().await?;
    data_protection::fetch_copy(&mut tx, &copy, form).await?;
    tx.commit().await?;
    Ok(Some(copy))
}

fn read(copy: &subject_access::Model) -> Result<Value, Error> {
    Ok(serde_json::from_slice(
        copy.document.as_deref().unwrap_or_default(),
    )?)
}

fn attached(response: Response, extension: &str) -> Response {
    let disposition = format!("attachment; filename=\"kept-of-me.{extension}\"");
    kept_to_itself(response)
        .with_header("Content-Disposition", disposition)
        .into_response()
}

/// No cache keeps it, and no other site is told the address.
fn kept_to_itself(response: Response) -> Response {
    response
        .with_header("Cache-Control", "no-store")
        .with_header("Referrer-Policy", "no-referrer")
        .into_response()
}

fn unknown() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "There is no copy here",
        "The link may have been cut off, or its time is over and the copy was deleted. You can ask for another.",
    )
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "somebody can't be given the copy of what is kept of them");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "Try again in a while.",
    )
}

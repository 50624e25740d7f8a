//! Photos of profiles and logos of organisations, at addresses that nobody can guess: whoever may see one was told its address by the API.

use domain::{Result, Store, organisation, profile};
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::pages;

/// Where photos are.
pub const PATH: &str = "/photos/";
/// Where logos are.
pub const LOGOS: &str = "/logos/";

/// The address of the photo with this token.
#[must_use]
pub fn address(token: &str) -> String {
    format!("{PATH}{token}")
}

/// The address of the logo with this token.
#[must_use]
pub fn logo_address(token: &str) -> String {
    format!("{LOGOS}{token}")
}

/// The routes below `/photos`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(show)).data(store)
}

/// The routes below `/logos`.
#[must_use]
pub fn logo_routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(show_logo)).data(store)
}

#[handler]
async fn show(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    picture("photo", profile::photo(store.reader(), &token).await)
}

#[handler]
async fn show_logo(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    picture("logo", organisation::logo(store.reader(), &token).await)
}

fn picture(what: &str, found: Result<Option<Vec<u8>>>) -> Response {
    match found {
        // It never changes: another picture has another address. It is for whoever asked, not for a cache between.
        Ok(Some(picture)) => Response::builder()
            .content_type("image/jpeg")
            .header("X-Content-Type-Options", "nosniff")
            .header(
                "Content-Disposition",
                format!("inline; filename=\"{what}.jpg\""),
            )
            .header(
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
            )
            .header("Referrer-Policy", "no-referrer")
            .header("Cache-Control", "private, max-age=86400, immutable")
            .body(picture),
        Ok(None) => pages::message(
            StatusCode::NOT_FOUND,
            &format!("No {what}"),
            &format!("There is no {what} at this address."),
        ),
        Err(error) => {
            tracing::error!(%error, "a picture can't be shown");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Try again in a while.",
            )
        }
    }
}

//! Photos of profiles, at addresses that nobody can guess: whoever may see one was told its address by the API.

use domain::{Store, profile};
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::pages;

/// Where photos are.
pub const PATH: &str = "/photos/";

/// The address of the photo with this token.
#[must_use]
pub fn address(token: &str) -> String {
    format!("{PATH}{token}")
}

/// The routes below `/photos`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(show)).data(store)
}

#[handler]
async fn show(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match profile::photo(store.reader(), &token).await {
        // It never changes: another photo has another address. It is for whoever asked, not for a cache between.
        Ok(Some(photo)) => Response::builder()
            .content_type("image/jpeg")
            .header("X-Content-Type-Options", "nosniff")
            .header("Content-Disposition", "inline; filename=\"photo.jpg\"")
            .header(
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
            )
            .header("Referrer-Policy", "no-referrer")
            .header("Cache-Control", "private, max-age=86400, immutable")
            .body(photo),
        Ok(None) => pages::message(
            StatusCode::NOT_FOUND,
            "No photo",
            "There is no photo at this address.",
        ),
        Err(error) => {
            tracing::error!(%error, "a photo can't be shown");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Try again in a while.",
            )
        }
    }
}

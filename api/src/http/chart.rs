//! Charts as pictures, by links that the API makes: for one person, for a day. They can be shown in a page as any picture.

use domain::{
    Error, Store,
    communication::{self, Question},
    viewer::Viewer,
};
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};

use super::pages;
use crate::graphql::communication::picture;

/// The routes below `/charts`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new()
        .at("/communication/:token", get(communication_chart))
        .data(store)
}

#[handler]
async fn communication_chart(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match drawn(store, &token).await {
        // Whoever has the address may show it wherever they like, also from the pages of a frontend at another address.
        Ok(Some(svg)) => Response::builder()
            .content_type("image/svg+xml; charset=utf-8")
            .header(
                "Content-Disposition",
                "inline; filename=\"communication.svg\"",
            )
            .header(
                "Content-Security-Policy",
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
            )
            .header("Cross-Origin-Resource-Policy", "cross-origin")
            .header("Cache-Control", "private, max-age=300")
            .body(svg),
        Ok(None) => pages::message(
            StatusCode::NOT_FOUND,
            "This link doesn't work",
            "It works for a day, and for whoever may see the chart. Have another made.",
        ),
        Err(error) => {
            tracing::error!(%error, "a chart can't be drawn");
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Try again in a while.",
            )
        }
    }
}

async fn drawn(store: &Store, token: &str) -> Result<Option<String>, Error> {
    let Some((question, viewer)) = communication::open(store, token).await? else {
        return Ok(None);
    };
    draw(store, &viewer, &question).await.map(Some)
}

async fn draw(store: &Store, viewer: &Viewer, question: &Question) -> Result<String, Error> {
    let chart = communication::chart(store, viewer, question).await?;
    picture(store, &chart).await
}

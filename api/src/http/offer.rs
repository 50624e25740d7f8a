//! The link in the mail that offers a place. `GET` only shows a page with two buttons, because programs that look at mail
//! follow links; `POST` answers. Nobody has to sign in: the link answers for its person, and this one offer alone.

use domain::{
    Error, Store,
    booking::offer_link::{self, Answer},
    mail::in_university_time,
};
use minijinja::context;
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Form, Path},
};
use serde::Deserialize;

use super::pages;

/// The routes below `/offers`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new().at("/:token", get(ask).post(act)).data(store)
}

#[derive(Deserialize)]
struct Answered {
    answer: String,
}

#[handler]
async fn ask(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match offer_link::read(store, &token).await {
        Ok(Some(offer)) => pages::page(
            StatusCode::OK,
            "offer.html",
            context! {
                token,
                title => offer.event.title,
                starts => in_university_time(offer.event.starts_at),
                venue => offer.event.venue,
                until => in_university_time(offer.booking.offer_expires_at.unwrap_or(offer.event.starts_at)),
            },
        ),
        Ok(None) => over(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn act(
    Data(store): Data<&Store>,
    Path(token): Path<String>,
    Form(Answered { answer }): Form<Answered>,
) -> Response {
    let answer = match answer.as_str() {
        "accept" => Answer::Accept,
        "decline" => Answer::Decline,
        _ => {
            return pages::message(
                StatusCode::BAD_REQUEST,
                "Neither yes nor no",
                "Use one of the two buttons of the page that the link in the mail shows.",
            );
        }
    };
    match answered(store, &token, answer).await {
        Ok(true) if answer == Answer::Accept => pages::message(
            StatusCode::OK,
            "The place is yours",
            "Your ticket comes by mail in a moment.",
        ),
        Ok(true) => pages::message(
            StatusCode::OK,
            "You have let the place go",
            "Thank you: the next person on the list can have it.",
        ),
        Ok(false) | Err(Error::Refused(_)) => over(),
        Err(error) => failed(&error),
    }
}

async fn answered(store: &Store, token: &str, answer: Answer) -> Result<bool, Error> {
    let Some(offer) = offer_link::read(store, token).await? else {
        return Ok(false);
    };
    let mut tx = store.begin().await?;
    let answered = offer_link::answer(&mut tx, &offer, answer).await?;
    if answered.is_some() {
        tx.commit().await?;
    }
    Ok(answered.is_some())
}

fn over() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "No place is held by this link",
        "The offer was answered or has run out, or the link was cut off. Your bookings say how you stand.",
    )
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "an offer can't be answered");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "The offer is not answered yet. Try again in a while.",
    )
}

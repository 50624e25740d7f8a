//! The pages that links in letters about one's account lead to. `GET` only shows a page, because programs that look at
//! mail follow links; `POST` acts. A link is the permission, so nobody has to sign in.

use domain::{
    Error, Store,
    credential::{self, PASSWORD_PATH, VERIFY_PATH},
};
use entity::one_time_token::TokenPurpose;
use minijinja::context;
use poem::{
    EndpointExt, IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Form, Path},
};
use serde::Deserialize;

use super::pages;

/// Where these pages are, with what their links hold, which works for whoever has it.
pub const SECRET_PATHS: [&str; 2] = [PASSWORD_PATH, VERIFY_PATH];

/// The routes below `/account`.
#[must_use]
pub fn routes(store: Store) -> impl IntoEndpoint {
    Route::new()
        .at("/password/:token", get(ask_password).post(set_password))
        .at("/verify/:token", get(ask_verify).post(verify))
        .data(store)
}

/// A password, typed twice because nobody sees it.
#[derive(Deserialize)]
struct Chosen {
    password: String,
    again: String,
}

#[handler]
async fn ask_password(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    const PURPOSES: &[TokenPurpose] = &[TokenPurpose::ResetPassword, TokenPurpose::Invitation];
    match credential::read_link(store, &token, PURPOSES).await {
        Ok(Some(_)) => password_form(StatusCode::OK, None),
        Ok(None) => not_valid(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn set_password(
    Data(store): Data<&Store>,
    Path(token): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Response {
    if chosen.password != chosen.again {
        return password_form(StatusCode::BAD_REQUEST, Some("The two are not the same."));
    }
    match credential::reset_password(store, &token, chosen.password).await {
        Ok(()) => pages::message(
            StatusCode::OK,
            "Your password is set",
            "Sign in with it from now on. Wherever you were signed in, you no longer are.",
        ),
        Err(Error::Refused(refusals)) => match &refusals[..] {
            [refusal, ..] if refusal.field == Some("newPassword") => {
                password_form(StatusCode::BAD_REQUEST, Some(&refusal.message))
            }
            _ => not_valid(),
        },
        Err(error) => failed(&error),
    }
}

#[handler]
async fn ask_verify(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    const PURPOSES: &[TokenPurpose] = &[TokenPurpose::VerifyEmail, TokenPurpose::ChangeEmail];
    match credential::read_link(store, &token, PURPOSES).await {
        Ok(Some(link)) => pages::page(
            StatusCode::OK,
            "verify_email.html",
            context! { email => link.email },
        ),
        Ok(None) => not_valid(),
        Err(error) => failed(&error),
    }
}

#[handler]
async fn verify(Data(store): Data<&Store>, Path(token): Path<String>) -> Response {
    match verified(store, &token).await {
        Ok(()) => pages::message(
            StatusCode::OK,
            "Your address is confirmed",
            "Sign in with it from now on.",
        ),
        Err(Error::Refused(refusals)) => match &refusals[..] {
            [refusal, ..] if refusal.code == domain::RefusalCode::Taken => pages::message(
                StatusCode::CONFLICT,
                "This address can't be used",
                &refusal.message,
            ),
            _ => not_valid(),
        },
        Err(error) => failed(&error),
    }
}

async fn verified(store: &Store, token: &str) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    credential::verify_email(&mut tx, token).await?;
    tx.commit().await
}

fn password_form(status: StatusCode, wrong: Option<&str>) -> Response {
    pages::page(
        status,
        "choose_password.html",
        context! { wrong, minimum => credential::MINIMUM_LENGTH, longest => credential::LONGEST },
    )
}

fn not_valid() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "This link doesn't work any more",
        "It was used before, is too old, or was cut off. Ask for a new one where you sign in.",
    )
}

fn failed(error: &Error) -> Response {
    tracing::error!(%error, "a link of an account can't be followed");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on our side",
        "Nothing has changed. Try the link again in a while.",
    )
}

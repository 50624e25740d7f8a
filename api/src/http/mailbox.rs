//! `/dev/mailbox`: the caught mail, to be read in a browser. Served only where mail is caught.

use minijinja::{context, value::Serde};
use poem::{
    IntoEndpoint, Response, Route, get, handler,
    http::StatusCode,
    web::{Data, Path},
};
use worker::mail::transport::MailboxDir;

use super::pages;

/// How many mails the list shows.
const LISTED: usize = 200;

/// What a mail's HTML may do: show itself. No scripts, no forms, nothing from elsewhere.
const MAIL_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'self'";

/// The routes below `/dev/mailbox`.
#[must_use]
pub fn routes(mailbox: MailboxDir) -> impl IntoEndpoint {
    use poem::EndpointExt;
    Route::new()
        .at("/", get(list))
        .at("/:id", get(show))
        .at("/:id/html", get(show_html))
        .data(mailbox)
}

#[handler]
async fn list(Data(mailbox): Data<&MailboxDir>) -> Response {
    match mailbox.list(LISTED).await {
        Ok(mails) => pages::page(
            StatusCode::OK,
            "mailbox.html",
            context! { mails => Serde(mails) },
        ),
        Err(error) => unreadable(&error),
    }
}

#[handler]
async fn show(Data(mailbox): Data<&MailboxDir>, Path(id): Path<String>) -> Response {
    match mailbox.read(&id).await {
        Ok(Some(mail)) => pages::page(
            StatusCode::OK,
            "mail.html",
            context! { mail => Serde(mail), id },
        ),
        Ok(None) => absent(),
        Err(error) => unreadable(&error),
    }
}

#[handler]
async fn show_html(Data(mailbox): Data<&MailboxDir>, Path(id): Path<String>) -> Response {
    match mailbox
        .read(&id)
        .await
        .map(|mail| mail.and_then(|mail| mail.html))
    {
        Ok(Some(html)) => pages::html_response(StatusCode::OK, MAIL_POLICY, html),
        Ok(None) => absent(),
        Err(error) => unreadable(&error),
    }
}

fn absent() -> Response {
    pages::message(
        StatusCode::NOT_FOUND,
        "No such mail",
        "It may have made room for newer mail.",
    )
}

fn unreadable(error: &std::io::Error) -> Response {
    tracing::error!(%error, "the mailbox can't be read");
    pages::message(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The mailbox can't be read",
        "The log says why.",
    )
}

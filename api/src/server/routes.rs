//! Which address is served by what, and what all answers have in common.

use std::sync::Arc;

use domain::{
    Store,
    audit::EXPORT_PATH,
    booking::offer_link::PATH as OFFERS,
    campaign::{preferences::PATH as PREFERENCES, unsubscribe::PATH as UNSUBSCRIBE},
    communication,
    data_protection::ACCESS_PATH,
    export::PATH as EXPORTS,
    report::PATH as REPORTS,
    request,
};
use metrics_exporter_prometheus::PrometheusHandle;
use poem::{
    Endpoint, EndpointExt, Request, Response, get,
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::CatchPanic,
};
use uuid::Uuid;
use worker::{
    health::{self, Health},
    mail::transport::MailboxDir,
};

use crate::{
    http::{
        account, audit_log, calendar, chart, export, graphql::Service, headers::with_headers,
        intake::within_limits, mail_report, mailbox, offer, origins::across_origins, pages,
        personal_data, photo, preferences, report, university::SignIn, unsubscribe,
    },
    settings::Settings,
};

/// The header that carries a request's id: taken from a proxy in front, or made here, and always sent back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the routes are made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The API.
    pub graphql: Service,
    /// How the process is.
    pub health: Health,
    /// What it has counted.
    pub metrics: PrometheusHandle,
    /// The caught mail, where it may be shown.
    pub mailbox: Option<MailboxDir>,
    /// Signing in with the university, where it has a provider.
    pub sign_in: Option<SignIn>,
}

/// Everything that is served.
pub fn routes(parts: Parts, settings: &Settings) -> impl Endpoint<Output = Response> + 'static {
    let Parts {
        store,
        graphql,
        health,
        metrics,
        mailbox,
        sign_in,
    } = parts;
    let origins = Arc::new(settings.cors_origins.clone());
    let by_https = settings.engine.public_url.scheme() == "https";
    let body_within = settings.read_within();
    let mut routes = graphql
        .mount(health::routes(health, metrics))
        .at("/", get(home))
        .at(pages::STYLESHEET, get(pages::stylesheet))
        .nest("/offers", offer::routes(store.clone()))
        .nest("/photos", photo::routes(store.clone()))
        .nest("/logos", photo::logo_routes(store.clone()))
        .nest("/account", account::routes(store.clone()))
        .nest("/charts", chart::routes(store.clone()))
        .nest("/audit-log", audit_log::routes(store.clone()))
        .nest("/exports", export::routes(store.clone()))
        .nest("/personal-data", personal_data::routes(store.clone()))
        .nest("/reports", report::routes(store.clone()))
        .nest("/preferences", preferences::routes(store.clone()))
        .nest("/unsubscribe", unsubscribe::routes(store.clone()));
    routes = calendar::mount(routes, &store, settings.engine.public_url.as_str());
    if let Some(secret) = &settings.bounce_secret {
        routes = routes.nest("/hooks/mail-report", mail_report::routes(store, secret));
    }
    if let Some(mailbox) = mailbox {
        routes = routes.nest("/dev/mailbox", mailbox::routes(mailbox));
    }
    if let Some(sign_in) = sign_in {
        routes = routes.nest("/sign-in", sign_in.routes());
    }
    routes
        .catch_all_error(|error| async move {
            let status = error.status();
            if status == StatusCode::NOT_FOUND {
                pages::message(status, "Not found", "There is nothing at this address.")
            } else {
                error.into_response()
            }
        })
        .with(CatchPanic::new().with_handler(|_| {
            pages::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "It has been logged.",
            )
        }))
        .around(move |routes, req| within_limits(routes, req, body_within))
        .around(move |routes, req| across_origins(routes, req, Arc::clone(&origins)))
        .around(move |routes, req| with_headers(routes, req, by_https))
        .around(within_request)
}

#[poem::handler]
fn home() -> Response {
    Response::builder()
        .status(StatusCode::SEE_OTHER)
        .header("Location", "/graphiql")
        .finish()
}

/// Does all the work of a request under its id, which logs, jobs and mails carry on.
async fn within_request<E: Endpoint<Output = Response>>(
    routes: Arc<E>,
    req: Request,
) -> poem::Result<Response> {
    let id = req
        .header(REQUEST_ID)
        .filter(|id| is_request_id(id))
        .map_or_else(
            || Uuid::from_u128(rand::random()).simple().to_string(),
            str::to_owned,
        );
    let span = tracing::info_span!("request", request.id = %id, http.method = %req.method(), http.path = loggable(req.uri().path()));
    let work = tracing::Instrument::instrument(request::within(id.clone(), routes.call(req)), span);
    let mut response = work.await?;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

/// The path without what must not stand in logs: some links, of letters above all, work for whoever has them.
fn loggable(path: &str) -> &str {
    account::SECRET_PATHS
        .into_iter()
        .chain([
            OFFERS,
            UNSUBSCRIBE,
            PREFERENCES,
            REPORTS,
            EXPORTS,
            photo::PATH,
            photo::LOGOS,
            calendar::PATH,
            EXPORT_PATH,
            ACCESS_PATH,
            communication::PATH,
        ])
        .find(|secret| path.starts_with(secret))
        .unwrap_or(path)
}

/// Whether a text from outside may stand in logs and in the database.
fn is_request_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::{is_request_id, loggable};

    #[test]
    fn a_link_that_works_for_everybody_is_not_logged() {
        assert_eq!(loggable("/unsubscribe/secret"), "/unsubscribe/");
        assert_eq!(loggable("/preferences/secret"), "/preferences/");
        assert_eq!(loggable("/offers/secret"), "/offers/");
        assert_eq!(loggable("/reports/secret"), "/reports/");
        assert_eq!(loggable("/exports/secret"), "/exports/");
        assert_eq!(loggable("/photos/secret"), "/photos/");
        assert_eq!(loggable("/logos/secret"), "/logos/");
        assert_eq!(loggable("/account/password/secret"), "/account/password/");
        assert_eq!(loggable("/account/verify/secret"), "/account/verify/");
        assert_eq!(loggable("/audit-log/secret"), "/audit-log/");
        assert_eq!(loggable("/personal-data/secret/json"), "/personal-data/");
        assert_eq!(loggable("/calendars/secret.ics"), "/calendars/");
        assert_eq!(loggable("/calendar.ics"), "/calendar.ics");
        assert_eq!(loggable("/graphql"), "/graphql");
    }

    #[test]
    fn only_plain_words_are_taken_for_request_ids() {
        assert!(is_request_id("0af7651916cd43dd8448eb211c80319c"));
        for text in [
            "",
            "short",
            "a b c d e f g",
            "line\nbreak",
            "é0000000",
            &"x".repeat(65),
        ] {
            assert!(!is_request_id(text), "{text:?}");
        }
    }
}

//! Pages for people: plain HTML, one stylesheet, no scripts, and a policy that lets nothing else in.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use poem::{Response, handler, http::StatusCode};

/// Where the stylesheet of all pages is served.
pub const STYLESHEET: &str = "/assets/page.css";

/// Nothing but our own stylesheet and forms to ourselves; shown in no other site's frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [
        (
            "choose_password.html",
            include_str!("pages/choose_password.html"),
        ),
        ("layout.html", include_str!("pages/layout.html")),
        ("mailbox.html", include_str!("pages/mailbox.html")),
        ("mail.html", include_str!("pages/mail.html")),
        (
            "personal_data.html",
            include_str!("pages/personal_data.html"),
        ),
        (
            "personal_data_copy.html",
            include_str!("pages/personal_data_copy.html"),
        ),
        ("message.html", include_str!("pages/message.html")),
        ("signed_in.html", include_str!("pages/signed_in.html")),
        ("preferences.html", include_str!("pages/preferences.html")),
        ("end_digest.html", include_str!("pages/end_digest.html")),
        (
            "employer_report.html",
            include_str!("pages/employer_report.html"),
        ),
        ("offer.html", include_str!("pages/offer.html")),
        ("unsubscribe.html", include_str!("pages/unsubscribe.html")),
        ("verify_email.html", include_str!("pages/verify_email.html")),
    ] {
        templates.add_template(name, source)?;
    }
    Ok(templates)
});

/// The page `template`, filled with `context`.
#[must_use]
pub fn page(status: StatusCode, template: &str, context: minijinja::Value) -> Response {
    page_under(status, POLICY, template, context)
}

/// The same, under another content security policy.
#[must_use]
pub fn page_under(
    status: StatusCode,
    policy: &str,
    template: &str,
    context: minijinja::Value,
) -> Response {
    let rendered = TEMPLATES
        .as_ref()
        .map_err(ToString::to_string)
        .and_then(|templates| {
            templates
                .get_template(template)
                .map_err(|error| error.to_string())
        })
        .and_then(|template| {
            template
                .render(context)
                .map_err(|error| format!("{error:#}"))
        });
    match rendered {
        Ok(html) => html_response(status, policy, html),
        Err(error) => {
            tracing::error!(template, error, "a page can't be rendered");
            html_response(
                StatusCode::INTERNAL_SERVER_ERROR,
                POLICY,
                "<!doctype html><title>Error</title><p>Something went wrong on our side.</p>"
                    .to_owned(),
            )
        }
    }
}

/// A page that only says something.
#[must_use]
pub fn message(status: StatusCode, title: &str, text: &str) -> Response {
    page(status, "message.html", minijinja::context! { title, text })
}

/// HTML under a content security policy.
#[must_use]
pub fn html_response(status: StatusCode, policy: &str, html: String) -> Response {
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header("Content-Security-Policy", policy)
        .body(html)
}

/// The stylesheet.
#[handler]
pub fn stylesheet() -> Response {
    Response::builder()
        .content_type("text/css; charset=utf-8")
        .header("Cache-Control", "public, max-age=3600")
        .body(include_str!("pages/page.css"))
}

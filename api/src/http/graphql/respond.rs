//! Writing a GraphQL response into an HTTP response.

use std::collections::BTreeMap;

use async_graphql::{ServerError, Value};
use poem::{
    Response,
    http::{
        Method, StatusCode,
        header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE},
    },
};
use serde::Serialize;

use super::{accept::Media, budget::Standing, request::Malformed};
use crate::graphql::{
    endpoint::Answer,
    errors::{Code, code, server_error},
};

/// A GraphQL response, in the order that the specification recommends.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    /// Present when something ran, if only as null.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// The text of an answer.
pub(super) fn text(answer: &Answer) -> String {
    let body = Body {
        errors: &answer.response.errors,
        data: answer.executed.then_some(&answer.response.data),
        extensions: &answer.response.extensions,
    };
    // Every part of it comes from a serializer of its own; there is nothing in it that could not be written.
    serde_json::to_string(&body).unwrap_or_default()
}

/// The response to a well-formed request.
pub(super) fn answer(answer: &Answer, media: Media) -> Response {
    let status = match media {
        _ if answer.executed => StatusCode::OK,
        // No GraphQL server answers so, but whoever stands before one: every client understands it.
        _ if is(&answer.response.errors, Code::RateLimited) => StatusCode::TOO_MANY_REQUESTS,
        Media::Json => StatusCode::OK,
        Media::GraphqlResponse => status(&answer.response.errors),
    };
    write(status, media, text(answer))
}

/// The same, with how the budget stands.
pub(super) fn with_budget(mut response: Response, standing: Option<Standing>) -> Response {
    let Some(standing) = standing else {
        return response;
    };
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", standing.limit.into());
    headers.insert("x-ratelimit-remaining", standing.remaining.into());
    headers.insert("x-ratelimit-reset", standing.reset.into());
    if let Some(wait) = standing.wait {
        headers.insert(RETRY_AFTER, wait.into());
    }
    response
}

fn is(errors: &[ServerError], known: Code) -> bool {
    errors.first().and_then(code) == Some(known.as_str())
}

/// The status for what didn't run.
fn status(errors: &[ServerError]) -> StatusCode {
    let is = |known: Code| is(errors, known);
    if is(Code::Unauthenticated) {
        StatusCode::UNAUTHORIZED
    } else if is(Code::Forbidden) {
        StatusCode::FORBIDDEN
    } else if is(Code::TooManyAttempts) {
        StatusCode::TOO_MANY_REQUESTS
    } else if is(Code::TimedOut) {
        StatusCode::SERVICE_UNAVAILABLE
    } else if is(Code::Internal) {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::BAD_REQUEST
    }
}

/// The response to an HTTP request that is no GraphQL request.
pub(super) fn malformed(malformed: &Malformed, media: Media) -> Response {
    let error = server_error(Code::BadRequest, &*malformed.reason);
    write(malformed.status, media, text(&Answer::refused(vec![error])))
}

/// The response to a method that can't do what is asked.
pub(super) fn not_allowed(reason: &str, allowed: &[Method], media: Media) -> Response {
    let mut response = malformed(
        &Malformed {
            status: StatusCode::METHOD_NOT_ALLOWED,
            reason: reason.to_owned(),
        },
        media,
    );
    let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    if let Ok(allowed) = allowed.join(", ").parse() {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

fn write(status: StatusCode, media: Media, text: String) -> Response {
    let mut builder = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, media.content_type())
        // What is answered depends on who asks.
        .header(CACHE_CONTROL, "no-store")
        .header(VARY, "accept, authorization");
    if status == StatusCode::UNAUTHORIZED {
        builder = builder.header(WWW_AUTHENTICATE, "Bearer");
    }
    builder.body(text)
}

//! What clients are told when something doesn't work.
//!
//! An expected outcome of a mutation is a [`UserError`] of its payload. Everything else is an error of the response, each
//! with `extensions.code`. Resolvers return [`domain::Error`] with `?`, or a [`refusal`] of their own; [`settle`] turns
//! both into what may be told, once, when the response is whole. What nobody foresaw is logged and answered as
//! `INTERNAL`: an unknown error never reaches a client by oversight.

mod payload;
mod user_error;

use std::sync::Arc;

use async_graphql::{Error, ErrorExtensionValues, Response, ServerError, Value};
use domain::Refusal;

pub(crate) use self::payload::payload;
pub use self::{
    payload::{Payload, outcome},
    user_error::{UserError, UserErrorCode},
};

/// The codes of errors of a response, in `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nobody is signed in, or the session has ended.
    Unauthenticated,
    /// The viewer may not do this; the message says what would allow it.
    Forbidden,
    /// A value can't be what it is.
    BadUserInput,
    /// Too many tries; `retryAfterSeconds` says when the next has a chance.
    TooManyAttempts,
    /// The operation is larger than any may be.
    LimitExceeded,
    /// The budget of the minute is spent; `retryAfterSeconds` says when there is room for the operation.
    RateLimited,
    /// The operation took longer than any may.
    TimedOut,
    /// The HTTP request isn't a GraphQL request.
    BadRequest,
    /// The document can't be read.
    ParseFailed,
    /// The document doesn't fit the schema.
    ValidationFailed,
    /// It isn't known which of the document's operations to carry out.
    OperationUnknown,
    /// Something broke that isn't the client's doing.
    Internal,
}

impl Code {
    /// Where the code stands in an error's `extensions`.
    pub const EXTENSION: &'static str = "code";

    /// The code as clients see it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::TooManyAttempts => "TOO_MANY_ATTEMPTS",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::RateLimited => "RATE_LIMITED",
            Self::TimedOut => "TIMED_OUT",
            Self::BadRequest => "BAD_REQUEST",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::OperationUnknown => "OPERATION_UNKNOWN",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error for a resolver to return, when a rule of the API rather than of `domain` is broken.
#[must_use]
pub fn refusal(code: Code, message: impl Into<String>) -> Error {
    let mut error = Error::new(message);
    error
        .extensions
        .get_or_insert_default()
        .set(Code::EXTENSION, code.as_str());
    error
}

/// An error for a response.
#[must_use]
pub fn server_error(code: Code, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set(&mut error, Code::EXTENSION, code.as_str());
    error
}

/// The error for an operation that there is no budget for.
#[must_use]
pub fn over_budget(retry_after_seconds: u64) -> ServerError {
    let mut error = server_error(
        Code::RateLimited,
        format!(
            "You have asked for too much within a minute. Try again in {retry_after_seconds} seconds."
        ),
    );
    set(&mut error, "retryAfterSeconds", retry_after_seconds);
    error
}

/// The code of an error, when it has one.
#[must_use]
pub fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get(Code::EXTENSION)? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// Makes every error of a response fit to be sent: with a code, and with nothing inside that clients must not see.
pub fn settle(response: &mut Response) {
    for error in &mut response.errors {
        settle_one(error);
    }
}

fn settle_one(error: &mut ServerError) {
    let source = error.source.take();
    let source = source.as_deref().and_then(|source| {
        source.downcast_ref::<domain::Error>().or_else(|| {
            source
                .downcast_ref::<Arc<domain::Error>>()
                .map(AsRef::as_ref)
        })
    });
    match source {
        Some(source) => tell(error, source),
        None if code(error).is_some() => {}
        // What has no path was found before anything ran: the library's own words about the document.
        None if error.path.is_empty() => {
            set(error, Code::EXTENSION, Code::ValidationFailed.as_str());
        }
        None if is_about_a_value(&error.message) => {
            set(error, Code::EXTENSION, Code::BadUserInput.as_str());
        }
        None => hide(error),
    }
}

/// Whether the message is one of those that async-graphql makes of a value that can't be read as its type.
fn is_about_a_value(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

/// Tells what `domain` says.
fn tell(error: &mut ServerError, source: &domain::Error) {
    let code = match source {
        domain::Error::Refused(refusals) => {
            if let [
                Refusal {
                    field: Some(field), ..
                },
                ..,
            ] = &refusals[..]
            {
                set(error, "field", *field);
            }
            Code::BadUserInput
        }
        domain::Error::Unauthenticated(_) => Code::Unauthenticated,
        domain::Error::Forbidden(_) => Code::Forbidden,
        domain::Error::TooMany {
            retry_after_seconds,
        } => {
            set(error, "retryAfterSeconds", *retry_after_seconds);
            Code::TooManyAttempts
        }
        domain::Error::Database(_) | domain::Error::Fault(_) => return hide(error),
    };
    error.message = source.to_string();
    set(error, Code::EXTENSION, code.as_str());
}

/// Logs what happened and leaves nothing of it in the error but the request to look for in the log.
fn hide(error: &mut ServerError) {
    let path: Vec<String> = error
        .path
        .iter()
        .map(|segment| match segment {
            async_graphql::PathSegment::Field(name) => name.clone(),
            async_graphql::PathSegment::Index(index) => index.to_string(),
        })
        .collect();
    tracing::error!(error = %error.message, path = path.join("."), "a resolver failed");
    "Something went wrong on our side. It has been logged.".clone_into(&mut error.message);
    set(error, Code::EXTENSION, Code::Internal.as_str());
    if let Some(request_id) = domain::request::current_id() {
        set(error, "requestId", request_id);
    }
}

fn set(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set(name, value);
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn refused(&self) -> async_graphql::Result<Option<bool>> {
            Ok(Err(domain::Error::not_found("id", "event"))?)
        }

        async fn forbidden(&self) -> async_graphql::Result<Option<bool>> {
            Ok(Err(domain::Error::Forbidden("Not you.".to_owned()))?)
        }

        async fn shared(&self) -> async_graphql::Result<Option<bool>> {
            Ok(Err(Arc::new(domain::Error::Unauthenticated(
                "Sign in first.".to_owned(),
            )))?)
        }

        async fn throttled(&self) -> async_graphql::Result<Option<bool>> {
            Ok(Err(domain::Error::TooMany {
                retry_after_seconds: 7,
            })?)
        }

        async fn broken(&self) -> async_graphql::Result<Option<bool>> {
            Ok(Err(domain::Error::Fault("the secret".to_owned()))?)
        }

        async fn unforeseen(&self) -> async_graphql::Result<Option<bool>> {
            Ok(Err(std::io::Error::other("the secret"))?)
        }

        async fn own(&self) -> async_graphql::Result<Option<bool>> {
            Err(refusal(Code::BadUserInput, "Mind the gap."))
        }

        async fn number(&self, given: i32) -> i32 {
            given
        }
    }

    async fn error(query: &str) -> ServerError {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let mut response = schema.execute(query).await;
        settle(&mut response);
        assert_eq!(response.errors.len(), 1, "{:?}", response.errors);
        response.errors.remove(0)
    }

    #[tokio::test]
    async fn every_error_has_the_code_of_what_happened() {
        for (query, expected, message) in [
            (
                "{ refused }",
                "BAD_USER_INPUT",
                "There is no such event, or it is not open to you.",
            ),
            ("{ forbidden }", "FORBIDDEN", "Not you."),
            ("{ shared }", "UNAUTHENTICATED", "Sign in first."),
            (
                "{ throttled }",
                "TOO_MANY_ATTEMPTS",
                "Too many attempts. Try again in 7 seconds.",
            ),
            ("{ own }", "BAD_USER_INPUT", "Mind the gap."),
        ] {
            let error = error(query).await;
            assert_eq!(code(&error), Some(expected), "{query}");
            assert_eq!(error.message, message, "{query}");
        }
        assert_eq!(
            code(&error("{ nothing }").await),
            Some("GRAPHQL_VALIDATION_FAILED")
        );
        assert_eq!(
            code(&error("{ number(given: \"x\") }").await),
            Some("GRAPHQL_VALIDATION_FAILED")
        );
    }

    #[tokio::test]
    async fn what_is_inside_stays_inside() {
        for query in ["{ broken }", "{ unforeseen }"] {
            let error = error(query).await;
            assert_eq!(code(&error), Some("INTERNAL"), "{query}");
            let sent = serde_json::to_string(&error).unwrap();
            assert!(!sent.contains("secret"), "{sent}");
        }
    }

    #[tokio::test]
    async fn an_internal_error_names_the_request() {
        let error = domain::request::within("r-1".to_owned(), error("{ broken }")).await;
        let sent = serde_json::to_value(&error).unwrap();
        assert_eq!(sent["extensions"]["requestId"], "r-1");
    }
}

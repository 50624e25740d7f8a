//! What clients are told when something doesn't work.
//!
//! An expected outcome of a mutation is a [`UserError`] of its payload. Everything else is an error of the response, each
//! with `extensions.code`. Resolvers return [`domain::Error`] with `?`, or a [`refusal`] of their own; [`settle`] turns
//! both into what may be told, once, when the response is whole. What nobody foresaw is logged and answered as
//! `INTERNAL`: an unknown error never reaches a client by oversight.

use std::sync::Arc;

use async_graphql::{
    Enum, Error, ErrorExtensionValues, Response, ServerError, SimpleObject, Value,
};
use domain::{Refusal, RefusalCode};

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

/// One reason why a mutation changed nothing.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The reason, for programs.
    code: UserErrorCode,
    /// The input field it is about; null when it is about the whole.
    field: Option<String>,
    /// The reason and the remedy, for people.
    message: String,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code.into(),
            field: refusal.field.map(str::to_owned),
            message: refusal.message,
        }
    }
}

/// The reasons why a mutation changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "RefusalCode")]
pub enum UserErrorCode {
    /// There is no such thing, or it is not open to the viewer.
    NotFound,
    /// A value is malformed or out of range.
    Invalid,
    /// A value is needed and missing.
    Required,
    /// A text is longer than it may be.
    TooLong,
    /// Another has the value.
    Taken,
    /// Somebody changed it meanwhile: read it again and repeat the change.
    Stale,
    /// It isn't in a state in which this can be done.
    WrongState,
    /// The end is not after the start.
    EndsBeforeStart,
    /// The time is past.
    InThePast,
    /// The capacity is below the places that are taken.
    BelowPlacesTaken,
    /// The event is not open for booking now.
    BookingClosed,
    /// The viewer is not in the event's audience.
    NotEligible,
    /// The viewer already has a live booking for the event.
    AlreadyBooked,
    /// Booking is blocked for the viewer after missed events.
    BookingBlocked,
    /// The offer has run out.
    OfferExpired,
    /// Nobody waits.
    NobodyWaiting,
    /// No place is free.
    NoPlaceFree,
    /// The register has been closed.
    RegisterClosed,
    /// Nobody was marked in the register: closing it would accuse everybody.
    RegisterUnmarked,
    /// The audience is empty.
    EmptyAudience,
    /// A recipient's mail can't be rendered.
    CannotRender,
    /// E-mail or password is wrong. Which of them is not told.
    WrongCredentials,
    /// A password is too easy to guess.
    WeakPassword,
    /// The address of the account hasn't been proved to be its owner's. A link went there.
    EmailNotVerified,
    /// A link or code was used before, is too old, or was never one.
    LinkNotValid,
    /// The record looks like one that exists; confirm that it is another.
    LikelyDuplicate,
    /// Nobody would be left to administer the system.
    LastAdministrator,
    /// It is a key account contact: ask the Key Account Operator first.
    LiaiseFirst,
    /// It has been changed since: somebody has to decide what it is to be.
    Undecided,
    /// Another event on the calendar takes its students away: acknowledge it with a reason.
    SevereClash,
    /// Somebody else has to agree first; the message says who is asked how.
    NeedsAgreement,
}

/// What a mutation did: the outcome, or why there is none. Whatever isn't a refusal stays an error.
pub fn outcome<T>(result: domain::Result<T>) -> domain::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(domain::Error::Refused(refusals)) => {
            Ok((None, refusals.into_iter().map(Into::into).collect()))
        }
        Err(error) => Err(error),
    }
}

/// What a mutation answers: its value, or why there is none. [`payload!`] makes them.
pub trait Payload: Sized {
    /// What the mutation is about.
    type Value;

    /// The payload with its parts.
    fn with(value: Option<Self::Value>, user_errors: Vec<UserError>) -> Self;

    /// The payload of an outcome. What isn't a refusal stays an error.
    fn of<T: Into<Self::Value>>(result: domain::Result<T>) -> async_graphql::Result<Self> {
        let (value, user_errors) = outcome(result)?;
        Ok(Self::with(value.map(Into::into), user_errors))
    }

    /// Commits what was done and makes the payload of it. What was refused is rolled back.
    fn commit<T: Into<Self::Value> + Send>(
        tx: domain::Tx,
        result: domain::Result<T>,
    ) -> impl Future<Output = async_graphql::Result<Self>> + Send {
        async move {
            if result.is_ok() {
                tx.commit().await?;
            }
            Self::of(result)
        }
    }
}

/// Declares the payload of a mutation: the object that was changed, and the reasons when nothing was.
///
/// ```text
/// payload! {
///     /// What became of a booking.
///     BookEventPayload {
///         /// The booking, placed or waiting.
///         booking: Booking,
///     }
/// }
///
/// async fn book_event(&self, ctx: &Context<'_>, input: BookEventInput) -> async_graphql::Result<BookEventPayload> {
///     let mut tx = begin(ctx).await?;
///     let booked = booking::book(&mut tx, viewer(ctx)?, input.event_id.0).await;
///     BookEventPayload::commit(tx, booked).await
/// }
/// ```
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $type:ty $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, ::async_graphql::SimpleObject)]
        pub struct $name {
            $(#[$field_doc])*
            $field: Option<$type>,
            /// Why nothing was changed; empty when it was.
            user_errors: Vec<$crate::graphql::errors::UserError>,
        }

        impl $crate::graphql::errors::Payload for $name {
            type Value = $type;

            fn with($field: Option<$type>, user_errors: Vec<$crate::graphql::errors::UserError>) -> Self {
                Self { $field, user_errors }
            }
        }
    };
}

pub(crate) use payload;

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use domain::Refusals;

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

    payload! {
        /// What became of it.
        CountPayload {
            /// How many.
            count: i32,
        }
    }

    #[test]
    fn a_refusal_becomes_user_errors_and_the_rest_stays_an_error() {
        let done = CountPayload::of(Ok(3)).unwrap();
        assert_eq!((done.count, done.user_errors.len()), (Some(3), 0));

        let mut refusals = Refusals::default();
        refusals.add(RefusalCode::Invalid, "capacity", "Give a number above 0.");
        refusals.add(
            RefusalCode::EndsBeforeStart,
            "endsAt",
            "End after the start.",
        );
        let refused = CountPayload::of(refusals.into_result().map(|()| 3)).unwrap();
        assert_eq!(refused.count, None);
        let [first, second] = &refused.user_errors[..] else {
            panic!("{refused:?}");
        };
        assert_eq!(first.code, UserErrorCode::Invalid);
        assert_eq!(second.field.as_deref(), Some("endsAt"));

        let failed: domain::Result<i32> = Err(domain::Error::Forbidden("Not you.".to_owned()));
        assert!(CountPayload::of(failed).is_err());
    }
}

//! What mutations answer: what became of it, or why there is nothing.

use super::UserError;

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
    use domain::{RefusalCode, Refusals};

    use super::*;
    use crate::graphql::errors::UserErrorCode;

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

//! What can go wrong. An outcome that a person can bring about and mend is a [`Refusal`]; the rest is a fault.

use sea_orm::DbErr;

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a domain function did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request can't be met as it stands; every reason is there. Clients see it as `userErrors`.
    #[error("{}", .0.iter().map(|r| r.message.as_str()).collect::<Vec<_>>().join(" "))]
    Refused(Vec<Refusal>),
    /// Nobody is signed in, or the session has ended.
    #[error("{0}")]
    Unauthenticated(String),
    /// The person is not allowed to do this; the text says what would allow it.
    #[error("{0}")]
    Forbidden(String),
    /// Too many tries; try again after this many seconds.
    #[error("Too many attempts. Try again in {retry_after_seconds} seconds.")]
    TooMany {
        /// Seconds until the next try has a chance.
        retry_after_seconds: i64,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// Something that can't happen did.
    #[error("{0}")]
    Fault(String),
}

/// One reason why a request can't be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, for programs.
    pub code: RefusalCode,
    /// The input field it is about, in the spelling of the API (`endsAt`); none when it is about the whole.
    pub field: Option<&'static str>,
    /// The reason and the remedy, for people.
    pub message: String,
}

impl Error {
    /// A refusal that is about one input field.
    pub fn refused(code: RefusalCode, field: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(vec![Refusal {
            code,
            field: Some(field),
            message: message.into(),
        }])
    }

    /// A refusal that is about the whole request.
    pub fn refused_whole(code: RefusalCode, message: impl Into<String>) -> Self {
        Self::Refused(vec![Refusal {
            code,
            field: None,
            message: message.into(),
        }])
    }

    /// What is named by `field` is not there, or must not be seen: the answer is the same.
    #[must_use]
    pub fn not_found(field: &'static str, what: &str) -> Self {
        Self::refused(
            RefusalCode::NotFound,
            field,
            format!("There is no such {what}, or it is not open to you."),
        )
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Fault(format!("a stored value can't be read: {error}"))
    }
}

/// Gathers refusals, so that a form is told all that is wrong with it at once.
#[derive(Debug, Default)]
pub struct Refusals(Vec<Refusal>);

impl Refusals {
    /// Notes one more reason.
    pub fn add(&mut self, code: RefusalCode, field: &'static str, message: impl Into<String>) {
        self.0.push(Refusal {
            code,
            field: Some(field),
            message: message.into(),
        });
    }

    /// Notes a reason when `wrong` holds.
    pub fn add_if(&mut self, wrong: bool, code: RefusalCode, field: &'static str, message: &str) {
        if wrong {
            self.add(code, field, message);
        }
    }

    /// Takes the value, or notes why there is none.
    pub fn take<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.0.push(refusal)).ok()
    }

    /// Takes the value, or notes the reasons for which something that was asked refuses.
    pub fn join<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(refusals)) => {
                self.0.extend(refusals);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether there is no reason so far.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` when there was no reason.
    pub fn into_result(self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Refused(self.0))
        }
    }
}

/// The reasons for refusals, for programs. Clients see them in the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// There is no such thing, or the viewer may not know of it.
    NotFound,
    /// A value is malformed or out of range.
    Invalid,
    /// A value is needed and missing.
    Required,
    /// A text is longer than it may be.
    TooLong,
    /// The value is taken: another row has it.
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
    /// The address of the account hasn't been proved to be its owner's.
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

//! Why a mutation changed nothing, as clients read it.

use async_graphql::{Enum, SimpleObject};
use domain::{Refusal, RefusalCode};

/// One reason why a mutation changed nothing.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The reason, for programs.
    pub(super) code: UserErrorCode,
    /// The input field it is about; null when it is about the whole.
    pub(super) field: Option<String>,
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

//! The clock: the only place that asks the machine what time it is.
//!
//! Everything that depends on time takes it from a [`Clock`], so that a test can hold it still and move it on.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, LocalResult, NaiveDate, SubsecRound, TimeDelta, TimeZone, Utc};

/// The time zone of the university: what people are told, and what "a day" means.
pub const UNIVERSITY_TIME: chrono_tz::Tz = chrono_tz::Europe::London;

/// The day that it is at the university at `moment`.
#[must_use]
pub fn university_day(moment: DateTime<Utc>) -> NaiveDate {
    moment.with_timezone(&UNIVERSITY_TIME).date_naive()
}

/// What the clocks of the university show at `moment`, as `14:00`. In the night in which they go back an hour comes twice: its
/// times are `01:30 BST` and `01:30 GMT`.
#[must_use]
pub fn university_hour(moment: DateTime<Utc>) -> String {
    let local = moment.with_timezone(&UNIVERSITY_TIME);
    let twice = matches!(
        UNIVERSITY_TIME.from_local_datetime(&local.naive_local()),
        LocalResult::Ambiguous(..)
    );
    local
        .format(if twice { "%H:%M %Z" } else { "%H:%M" })
        .to_string()
}

/// Tells the time, in UTC and to the microsecond, which is what both databases keep.
pub trait Clock: Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that asks the machine"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now.trunc_subsecs(6)))
    }

    /// Moves it on by `span`, or back when `span` is negative.
    pub fn advance(&self, span: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += span;
    }

    /// Puts it at `now`.
    pub fn set(&self, now: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now.trunc_subsecs(6);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

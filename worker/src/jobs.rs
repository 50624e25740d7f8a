//! The kinds of job: one file each, and one line here.

mod retention;

use domain::error::Result;

pub use self::retention::PurgeJobs;
use crate::engine::{Registry, Timetable};

/// Every kind of job that a worker can run.
#[must_use]
pub fn registry() -> Registry {
    Registry::default().with::<PurgeJobs>()
}

/// What comes by the clock: seconds, minutes, hours, days, months, weekdays.
pub fn timetable() -> Result<Timetable> {
    Timetable::default().with::<PurgeJobs>("0 20 * * * *")
}

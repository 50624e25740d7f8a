//! The kinds of job: one file each, and one line here.

mod close_register;
mod contact_no_shows;
mod expire_offer;
mod look_after_queues;
mod promote_waiting;
mod retention;
mod tell_of_cancellation;

use domain::{
    error::Result,
    event::TellOfCancellation,
    register::{CloseRegister, ContactNoShows},
    waiting_list::{ExpireOffer, LookAfterQueues, PromoteWaiting},
};

pub use self::retention::PurgeJobs;
use crate::engine::{Registry, Timetable};

/// Every kind of job that a worker can run.
#[must_use]
pub fn registry() -> Registry {
    Registry::default()
        .with::<CloseRegister>()
        .with::<ContactNoShows>()
        .with::<ExpireOffer>()
        .with::<LookAfterQueues>()
        .with::<PromoteWaiting>()
        .with::<PurgeJobs>()
        .with::<TellOfCancellation>()
}

/// What comes by the clock: seconds, minutes, hours, days, months, weekdays.
pub fn timetable() -> Result<Timetable> {
    Timetable::default()
        .with::<LookAfterQueues>("30 * * * * *")?
        .with::<PurgeJobs>("0 20 * * * *")
}

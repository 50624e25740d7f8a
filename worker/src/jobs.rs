//! The kinds of job: one file each, and one line here.

mod close_register;
mod contact_no_shows;
mod digest_notices;
mod expire_event_sharing;
mod expire_liaison;
mod expire_offer;
mod look_after_key_accounts;
mod look_after_mail;
mod look_after_queues;
mod promote_waiting;
mod retention;
mod send_campaign;
mod send_letter;
mod sending;
mod start_campaign;
mod tell_of_cancellation;
mod tell_of_clashes_ahead;
mod tell_of_move;

use domain::{
    campaign::{SendCampaign, StartCampaign},
    clash::TellOfClashesAhead,
    error::Result,
    event::{TellOfCancellation, TellOfMove},
    event_sharing::ExpireEventSharing,
    key_account::LookAfterKeyAccounts,
    liaison::ExpireLiaison,
    mail::SendLetter,
    notice::DigestNotices,
    register::{CloseRegister, ContactNoShows},
    waiting_list::{ExpireOffer, LookAfterQueues, PromoteWaiting},
};

pub use self::{look_after_mail::LookAfterMail, retention::PurgeJobs};
use crate::engine::{Registry, Timetable};

/// Every kind of job that a worker can run.
#[must_use]
pub fn registry() -> Registry {
    Registry::default()
        .with::<CloseRegister>()
        .with::<ContactNoShows>()
        .with::<DigestNotices>()
        .with::<ExpireLiaison>()
        .with::<ExpireEventSharing>()
        .with::<ExpireOffer>()
        .with::<LookAfterKeyAccounts>()
        .with::<LookAfterMail>()
        .with::<LookAfterQueues>()
        .with::<PromoteWaiting>()
        .with::<PurgeJobs>()
        .with::<SendCampaign>()
        .with::<SendLetter>()
        .with::<StartCampaign>()
        .with::<TellOfCancellation>()
        .with::<TellOfClashesAhead>()
        .with::<TellOfMove>()
}

/// What comes by the clock: seconds, minutes, hours, days, months, weekdays.
pub fn timetable() -> Result<Timetable> {
    Timetable::default()
        // Every hour, so that a worker that was away at seven makes up for it.
        .with::<DigestNotices>("0 0 7-22 * * *")?
        .with::<LookAfterKeyAccounts>("15 */5 * * * *")?
        .with::<LookAfterMail>("*/30 * * * * *")?
        .with::<LookAfterQueues>("30 * * * * *")?
        .with::<PurgeJobs>("0 20 * * * *")?
        .with::<TellOfClashesAhead>("0 0 7 * * Mon")
}

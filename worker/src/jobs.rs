//! The kinds of job: one file each, and one line here.

mod ask_for_feedback;
mod close_register;
mod contact_no_shows;
mod digest_coming_events;
mod digest_group;
mod digest_notices;
mod expire_event_sharing;
mod expire_liaison;
mod expire_offer;
mod gather_copy;
mod import_records;
mod lapse_access;
mod look_after_key_accounts;
mod look_after_mail;
mod look_after_queues;
mod look_after_vacancies;
mod promote_waiting;
mod remind_of_action;
mod remind_of_event;
mod remind_operators;
mod retention;
mod scan_duplicates;
mod seal_audit;
mod send_campaign;
mod send_letter;
mod sending;
mod start_campaign;
mod tell_head;
mod tell_of_announcement;
mod tell_of_cancellation;
mod tell_of_clashes_ahead;
mod tell_of_move;
mod tell_of_version;

use domain::{
    agreement::TellOfVersion,
    announcement::{RemindOfAnnouncement, TellOfAnnouncement},
    audit::{SealAudit, TellHead},
    campaign::{SendCampaign, StartCampaign},
    clash::TellOfClashesAhead,
    coming_events::DigestComingEvents,
    contact::duplicates::ScanContacts,
    data_protection::{ApplyRetention, GatherCopy},
    error::Result,
    event::{RemindOfEvent, TellOfCancellation, TellOfMove},
    event_sharing::ExpireEventSharing,
    feedback::AskForFeedback,
    import::desk::ImportRecords,
    key_account::LookAfterKeyAccounts,
    liaison::ExpireLiaison,
    mail::SendLetter,
    note::RemindOfAction,
    notice::DigestNotices,
    operator_access::{LapseAccess, RemindOperators},
    organisation::duplicates::ScanDuplicates,
    register::{CloseRegister, ContactNoShows},
    super_user_group::DigestGroup,
    vacancy::LookAfterVacancies,
    waiting_list::{ExpireOffer, LookAfterQueues, PromoteWaiting},
};

pub use self::{look_after_mail::LookAfterMail, retention::PurgeJobs};
use crate::engine::{Registry, Timetable};

/// Every kind of job that a worker can run.
#[must_use]
pub fn registry() -> Registry {
    Registry::default()
        .with::<ApplyRetention>()
        .with::<AskForFeedback>()
        .with::<CloseRegister>()
        .with::<ContactNoShows>()
        .with::<DigestComingEvents>()
        .with::<DigestGroup>()
        .with::<DigestNotices>()
        .with::<ExpireLiaison>()
        .with::<ExpireEventSharing>()
        .with::<ExpireOffer>()
        .with::<GatherCopy>()
        .with::<ImportRecords>()
        .with::<LapseAccess>()
        .with::<LookAfterKeyAccounts>()
        .with::<LookAfterMail>()
        .with::<LookAfterQueues>()
        .with::<LookAfterVacancies>()
        .with::<PromoteWaiting>()
        .with::<PurgeJobs>()
        .with::<RemindOfEvent>()
        .with::<RemindOperators>()
        .with::<RemindOfAction>()
        .with::<RemindOfAnnouncement>()
        .with::<ScanContacts>()
        .with::<ScanDuplicates>()
        .with::<SealAudit>()
        .with::<SendCampaign>()
        .with::<SendLetter>()
        .with::<StartCampaign>()
        .with::<TellHead>()
        .with::<TellOfAnnouncement>()
        .with::<TellOfCancellation>()
        .with::<TellOfClashesAhead>()
        .with::<TellOfMove>()
        .with::<TellOfVersion>()
}

/// What comes by the clock: seconds, minutes, hours, days, months, weekdays.
pub fn timetable() -> Result<Timetable> {
    Timetable::default()
        .with::<ApplyRetention>("0 40 2 * * *")?
        .with::<DigestComingEvents>("0 0 8 * * Mon")?
        .with::<DigestGroup>("0 30 7 * * Mon")?
        // Every hour, so that a worker that was away at seven makes up for it.
        .with::<DigestNotices>("0 0 7-22 * * *")?
        .with::<LapseAccess>("0 5 * * * *")?
        .with::<LookAfterKeyAccounts>("15 */5 * * * *")?
        .with::<LookAfterMail>("*/30 * * * * *")?
        .with::<LookAfterQueues>("30 * * * * *")?
        // By day, because it writes to people; students are kept from what is over by its date.
        .with::<LookAfterVacancies>("0 5 7-22 * * *")?
        .with::<PurgeJobs>("0 20 * * * *")?
        .with::<RemindOperators>("0 0 7 * * *")?
        // After the organisations: where somebody works may be there twice.
        .with::<ScanContacts>("0 10 3 * * *")?
        .with::<ScanDuplicates>("0 40 2 * * *")?
        .with::<SealAudit>("15 * * * * *")?
        .with::<TellHead>("0 10 5 * * *")?
        .with::<TellOfClashesAhead>("0 0 7 * * Mon")
}

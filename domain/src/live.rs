//! What other processes and open subscriptions are told once a transaction has committed.

use std::fmt::Debug;

use entity::ids::{AuditEntryId, BookingId, CampaignId, EventId, JobId, RecordImportId, UserId};
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};

use crate::job::Queue;

/// Something changed that somebody may be watching. It carries ids and counts alone: who receives it reads the rest with
/// their own rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum LiveEvent {
    /// A booking was made or changed its state, or its place in the queue.
    BookingChanged {
        /// The event it is for.
        event_id: EventId,
        /// The booking.
        booking_id: BookingId,
    },
    /// A class was given places at an event, gave them back, or was marked in its register.
    GroupPlacesChanged {
        /// The event.
        event_id: EventId,
    },
    /// An event has another state, or another number of places.
    EventChanged {
        /// The event.
        event_id: EventId,
    },
    /// A campaign changed its state, or mails of it went out.
    CampaignProgress {
        /// The campaign.
        campaign_id: CampaignId,
    },
    /// What somebody may do has changed, or whether they are signed in at all: their connections look again.
    AccessChanged {
        /// The account.
        user_id: UserId,
    },
    /// Something happened with an employer.
    ActivityAdded {
        /// The line of the audit log that tells of it.
        line_id: AuditEntryId,
    },
    /// Rows of a file were imported, or its import is over.
    ImportProgress {
        /// The import.
        import_id: RecordImportId,
        /// How many rows of it were read. Nobody else knows, until all of it is done or nothing.
        rows: u64,
    },
    /// A job changed its state.
    JobChanged {
        /// The job.
        job_id: JobId,
    },
}

/// A job that should be looked at now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The queue whose workers should look.
    pub queue: Queue,
    /// The job.
    pub job_id: JobId,
}

/// Carries wake-ups and live events between processes, or within one.
///
/// Losing them is allowed: the database has the record, and a sweeper finds what nobody was woken for.
pub trait Signals: Debug + Send + Sync {
    /// Passes on what a committed transaction had to say. Must not block and can't fail.
    fn committed(&self, wakes: Vec<Wake>, events: Vec<LiveEvent>);

    /// Everything announced from now on, by any process.
    fn subscribe(&self) -> BoxStream<'static, LiveEvent>;
}

/// Signals that go nowhere: for commands that change the database and leave.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSignals;

impl Signals for NoSignals {
    fn committed(&self, _wakes: Vec<Wake>, _events: Vec<LiveEvent>) {}

    fn subscribe(&self) -> BoxStream<'static, LiveEvent> {
        Box::pin(futures_util::stream::pending())
    }
}

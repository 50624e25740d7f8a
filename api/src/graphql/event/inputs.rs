//! What organisers send.

use async_graphql::{InputObject, MaybeUndefined};
use chrono::{DateTime, Utc};
use domain::{
    clash::Acknowledgement,
    event::{AudienceGroup, Dates, EventChanges, EventDraft},
};
use entity::{
    event_opportunity::OpportunityKind as Offered,
    ids::{EventId, FacultyId, OrganisationId, ProgrammeId, VenueId},
};

use super::types::{AppliesTo, EventKind, OpportunityKind, WaitingListMode};
use crate::graphql::{id::Id, university::StudyLevel};

/// A group of students that an event is for: those who meet everything that is given.
#[derive(Debug, InputObject)]
pub(super) struct AudienceGroupInput {
    /// Students of this faculty.
    faculty_id: Option<Id<FacultyId>>,
    /// Students on this programme.
    programme_id: Option<Id<ProgrammeId>>,
    /// Students at this level.
    level: Option<StudyLevel>,
}

/// The event to be written down. What has a default may be left out.
#[derive(InputObject)]
pub(super) struct CreateEventInput {
    /// Its title, at most 200 characters.
    title: String,
    /// What happens there, at most 20,000 characters.
    #[graphql(default)]
    description: String,
    /// What kind of event it is.
    kind: EventKind,
    /// The faculty that organises it; left out, it is the Careers Centre.
    faculty_id: Option<Id<FacultyId>>,
    /// The venue on the list at which it takes place; `venues` tells which there are.
    venue_id: Option<Id<VenueId>>,
    /// Where it takes place, in words; not read when there is a `venueId`.
    venue: Option<String>,
    /// The web address of an online event; those with a place see it.
    online_link: Option<String>,
    /// When it starts, in the future.
    starts_at: DateTime<Utc>,
    /// When it ends, after its start.
    ends_at: DateTime<Utc>,
    /// How many places it has, at least 1.
    capacity: i32,
    /// How a free place finds its next person.
    waiting_list_mode: Option<WaitingListMode>,
    /// How many hours an offer stands, from 1; 24 when left out. Near the event it is shorter.
    offer_hours: Option<i32>,
    /// How many minutes before the start promotion by itself ends; 120 when left out.
    promotion_cut_off_minutes: Option<i32>,
    /// When booking opens; on publication when left out.
    booking_opens_at: Option<DateTime<Utc>>,
    /// When booking closes; at the start when left out.
    booking_closes_at: Option<DateTime<Utc>>,
    /// How many minutes after the end the register closes by itself; 180 when left out.
    register_closes_after_minutes: Option<i32>,
    /// How many minutes before the start people are reminded, at most five times; a day and an hour when left out.
    reminder_minutes: Option<Vec<i32>>,
    /// Who may book; left out or empty, every student may, or the students of `facultyId` where the organiser's permission is
    /// for one faculty. Others are invited by `requestEventSharing`.
    audience: Option<Vec<AudienceGroupInput>>,
    /// The organisations that take part.
    organisation_ids: Option<Vec<Id<OrganisationId>>>,
    /// What is offered there.
    opportunity_kinds: Option<Vec<OpportunityKind>>,
}

/// What changes about an event. What is left out stays; null empties what may be empty.
#[derive(InputObject)]
pub(super) struct UpdateEventInput {
    /// The event.
    pub(super) event_id: Id<EventId>,
    /// The version that is being changed: `Event.version` as it was read.
    pub(super) version: i32,
    /// Its title.
    title: Option<String>,
    /// What happens there.
    description: Option<String>,
    /// What kind of event it is.
    kind: Option<EventKind>,
    /// The faculty that organises it; null for the Careers Centre.
    faculty_id: MaybeUndefined<Id<FacultyId>>,
    /// The venue on the list at which it takes place; null for a place outside it.
    venue_id: MaybeUndefined<Id<VenueId>>,
    /// Where it takes place, in words; that is no venue on the list any more then.
    venue: MaybeUndefined<String>,
    /// The web address of an online event.
    online_link: MaybeUndefined<String>,
    /// When it starts.
    starts_at: Option<DateTime<Utc>>,
    /// When it ends.
    ends_at: Option<DateTime<Utc>>,
    /// How many places it has; not below those that are taken.
    capacity: Option<i32>,
    /// How a free place finds its next person.
    waiting_list_mode: Option<WaitingListMode>,
    /// How many hours an offer stands.
    offer_hours: Option<i32>,
    /// How many minutes before the start promotion by itself ends.
    promotion_cut_off_minutes: Option<i32>,
    /// When booking opens; null for on publication.
    booking_opens_at: MaybeUndefined<DateTime<Utc>>,
    /// When booking closes; null for at the start.
    booking_closes_at: MaybeUndefined<DateTime<Utc>>,
    /// How many minutes after the end the register closes by itself.
    register_closes_after_minutes: Option<i32>,
    /// How many minutes before the start people are reminded, in place of what was said before.
    reminder_minutes: Option<Vec<i32>>,
    /// Who may book, in place of what was said before.
    audience: Option<Vec<AudienceGroupInput>>,
    /// The organisations that take part, in place of those before.
    organisation_ids: Option<Vec<Id<OrganisationId>>>,
    /// What is offered there, in place of what was said before.
    opportunity_kinds: Option<Vec<OpportunityKind>>,
    /// Whether the events of its series that start later are changed as well; this one alone when left out. Another time is
    /// so much later or earlier for each.
    pub(super) applies_to: Option<AppliesTo>,
    /// The severe clashes that the change brings about and that are to be so all the same.
    acknowledge_clashes: Option<Vec<AcknowledgeClashInput>>,
}

/// A severe clash that is to be so all the same.
#[derive(InputObject)]
pub(super) struct AcknowledgeClashInput {
    /// The event that it clashes with.
    event_id: Id<EventId>,
    /// Why it is to be so all the same; the other organiser reads it.
    reason: String,
}

/// The draft to be published.
#[derive(InputObject)]
pub(super) struct PublishEventInput {
    /// The draft.
    pub(super) event_id: Id<EventId>,
    /// Whether the drafts of its series that start later are published as well; this one alone when left out.
    pub(super) applies_to: Option<AppliesTo>,
    /// Its severe clashes that are to be so all the same; `eventClashes` tells which they are.
    acknowledge_clashes: Option<Vec<AcknowledgeClashInput>>,
}

impl PublishEventInput {
    pub(super) fn acknowledged(self) -> Vec<Acknowledgement> {
        acknowledged(self.acknowledge_clashes)
    }
}

/// An event that is being thought of, as far as clashes go.
#[derive(Debug, InputObject)]
pub struct EventClashesInput {
    /// What kind of event it is.
    kind: EventKind,
    /// When it starts.
    starts_at: DateTime<Utc>,
    /// When it ends, after its start.
    ends_at: DateTime<Utc>,
    /// Its venue on the list, so that one that is booked twice is told of.
    venue_id: Option<Id<VenueId>>,
    /// Its room in words.
    venue: Option<String>,
    /// Who may book; left out or empty, every student may.
    audience: Option<Vec<AudienceGroupInput>>,
    /// The organisations that take part.
    organisation_ids: Option<Vec<Id<OrganisationId>>>,
    /// What is offered there; left out, the kind of event stands for it.
    opportunity_kinds: Option<Vec<OpportunityKind>>,
}

impl From<EventClashesInput> for EventDraft {
    fn from(input: EventClashesInput) -> Self {
        let (kind, from, to) = (input.kind.into(), input.starts_at, input.ends_at);
        Self {
            venue_id: input.venue_id.map(|id| id.0),
            venue: input.venue,
            audience: input.audience.map(groups).unwrap_or_default(),
            organisation_ids: input
                .organisation_ids
                .map(organisations)
                .unwrap_or_default(),
            opportunity_kinds: input.opportunity_kinds.map(offered).unwrap_or_default(),
            ..Self::new("", kind, from, to, 1)
        }
    }
}

/// The event to be cancelled.
#[derive(InputObject)]
pub(super) struct CancelEventInput {
    /// The event.
    pub(super) event_id: Id<EventId>,
    /// Why; everybody concerned reads it.
    pub(super) reason: String,
    /// Whether the events of its series that start later are cancelled as well; this one alone when left out.
    pub(super) applies_to: Option<AppliesTo>,
}

/// The event that another is to be like.
#[derive(InputObject)]
pub(super) struct CopyEventInput {
    /// The event.
    pub(super) event_id: Id<EventId>,
    /// When the copy starts, in the future. It is as long, and booked in the same window before it.
    pub(super) starts_at: DateTime<Utc>,
}

/// When an event takes place again: weekly, or on chosen dates.
#[derive(InputObject)]
pub(super) struct RepeatEventInput {
    /// The event, which becomes the first of a series unless it is one of a series already.
    pub(super) event_id: Id<EventId>,
    /// How many events there are in all when it comes every week, at the same hour by the clocks of the university: from 2 to
    /// 53.
    pub(super) weekly_times: Option<i32>,
    /// When the others start, in place of `weeklyTimes`.
    pub(super) starts_at: Option<Vec<DateTime<Utc>>>,
}

impl RepeatEventInput {
    /// The dates, of which there may be none; `None` when they are given in two ways.
    pub(super) fn dates(&self) -> Option<Dates> {
        match (self.weekly_times, &self.starts_at) {
            (Some(times), None) => Some(Dates::Weekly(usize::try_from(times).unwrap_or(0))),
            (None, Some(starts)) => Some(Dates::At(starts.clone())),
            (None, None) => Some(Dates::At(Vec::new())),
            (Some(_), Some(_)) => None,
        }
    }
}

impl From<AudienceGroupInput> for AudienceGroup {
    fn from(input: AudienceGroupInput) -> Self {
        Self {
            faculty_id: input.faculty_id.map(|id| id.0),
            programme_id: input.programme_id.map(|id| id.0),
            level: input.level.map(Into::into),
        }
    }
}

fn groups(input: Vec<AudienceGroupInput>) -> Vec<AudienceGroup> {
    input.into_iter().map(Into::into).collect()
}

fn offered(input: Vec<OpportunityKind>) -> Vec<Offered> {
    input.into_iter().map(Into::into).collect()
}

fn acknowledged(input: Option<Vec<AcknowledgeClashInput>>) -> Vec<Acknowledgement> {
    input
        .unwrap_or_default()
        .into_iter()
        .map(|one| Acknowledgement {
            event_id: one.event_id.0,
            reason: one.reason,
        })
        .collect()
}

fn organisations(input: Vec<Id<OrganisationId>>) -> Vec<OrganisationId> {
    input.into_iter().map(|id| id.0).collect()
}

impl From<CreateEventInput> for EventDraft {
    fn from(input: CreateEventInput) -> Self {
        let usual = Self::new(
            input.title,
            input.kind.into(),
            input.starts_at,
            input.ends_at,
            input.capacity,
        );
        Self {
            description: input.description,
            faculty_id: input.faculty_id.map(|id| id.0),
            venue_id: input.venue_id.map(|id| id.0),
            venue: input.venue,
            online_link: input.online_link,
            waiting_list_mode: input
                .waiting_list_mode
                .map_or(usual.waiting_list_mode, Into::into),
            offer_hours: input.offer_hours.unwrap_or(usual.offer_hours),
            promotion_cut_off_minutes: input
                .promotion_cut_off_minutes
                .unwrap_or(usual.promotion_cut_off_minutes),
            booking_opens_at: input.booking_opens_at,
            booking_closes_at: input.booking_closes_at,
            register_closes_after_minutes: input
                .register_closes_after_minutes
                .unwrap_or(usual.register_closes_after_minutes),
            reminder_minutes: input
                .reminder_minutes
                .unwrap_or_else(|| usual.reminder_minutes.clone()),
            audience: input.audience.map(groups).unwrap_or_default(),
            organisation_ids: input
                .organisation_ids
                .map(organisations)
                .unwrap_or_default(),
            opportunity_kinds: input.opportunity_kinds.map(offered).unwrap_or_default(),
            ..usual
        }
    }
}

impl From<UpdateEventInput> for EventChanges {
    fn from(input: UpdateEventInput) -> Self {
        Self {
            title: input.title,
            description: input.description,
            kind: input.kind.map(Into::into),
            faculty_id: input.faculty_id.map_value(|id| id.0).into(),
            venue_id: input.venue_id.map_value(|id| id.0).into(),
            venue: input.venue.into(),
            online_link: input.online_link.into(),
            starts_at: input.starts_at,
            ends_at: input.ends_at,
            capacity: input.capacity,
            waiting_list_mode: input.waiting_list_mode.map(Into::into),
            offer_hours: input.offer_hours,
            promotion_cut_off_minutes: input.promotion_cut_off_minutes,
            booking_opens_at: input.booking_opens_at.into(),
            booking_closes_at: input.booking_closes_at.into(),
            register_closes_after_minutes: input.register_closes_after_minutes,
            reminder_minutes: input.reminder_minutes,
            audience: input.audience.map(groups),
            organisation_ids: input.organisation_ids.map(organisations),
            opportunity_kinds: input.opportunity_kinds.map(offered),
            acknowledged: acknowledged(input.acknowledge_clashes),
        }
    }
}

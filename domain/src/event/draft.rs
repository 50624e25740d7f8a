//! What an organiser says about an event.

mod check;

use chrono::{DateTime, Utc};
use entity::{
    event::{self, EventKind, WaitingListMode},
    event_audience,
    event_opportunity::{self, OpportunityKind},
    event_organisation,
    ids::{EventAudienceId, EventId, FacultyId, OrganisationId, ProgrammeId, VenueId},
    list::MinuteList,
    programme::StudyLevel,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};

use crate::{clash::Acknowledgement, error::Result, store::Tx};

/// Hours that an offer stands when the organiser says nothing else (policy 2.4).
pub const OFFER_HOURS: i32 = 24;
/// Minutes before the start in which a free place is given by an operator only.
pub const PROMOTION_CUT_OFF_MINUTES: i32 = 120;
/// Minutes after the end at which the register closes by itself.
pub const REGISTER_CLOSES_AFTER_MINUTES: i32 = 180;

/// Minutes before the start at which people are reminded when the organiser says nothing else: a day and an hour.
pub const REMINDER_MINUTES: [i32; 2] = [24 * 60, 60];

/// A group of students that an event is for: those who meet everything that is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudienceGroup {
    /// Of this faculty.
    pub faculty_id: Option<FacultyId>,
    /// On this programme.
    pub programme_id: Option<ProgrammeId>,
    /// At this level.
    pub level: Option<StudyLevel>,
}

/// Everything that an organiser decides about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDraft {
    /// Its title.
    pub title: String,
    /// What happens there.
    pub description: String,
    /// What kind of event it is.
    pub kind: EventKind,
    /// The faculty that organises it; none means the Careers Centre.
    pub faculty_id: Option<FacultyId>,
    /// The venue on the list at which it takes place.
    pub venue_id: Option<VenueId>,
    /// Where it takes place. What a venue on the list is called stands here instead.
    pub venue: Option<String>,
    /// The address of an online event.
    pub online_link: Option<String>,
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
    /// How many places it has.
    pub capacity: i32,
    /// How a free place finds its next person.
    pub waiting_list_mode: WaitingListMode,
    /// How many hours an offer stands.
    pub offer_hours: i32,
    /// How many minutes before the start promotion by itself ends.
    pub promotion_cut_off_minutes: i32,
    /// When booking opens; none means on publication.
    pub booking_opens_at: Option<DateTime<Utc>>,
    /// When booking closes; none means at the start.
    pub booking_closes_at: Option<DateTime<Utc>>,
    /// How many minutes after the end the register closes by itself.
    pub register_closes_after_minutes: i32,
    /// How many minutes before the start people are reminded.
    pub reminder_minutes: Vec<i32>,
    /// Who may book; empty means every student.
    pub audience: Vec<AudienceGroup>,
    /// The organisations that take part.
    pub organisation_ids: Vec<OrganisationId>,
    /// What is offered there; empty means that it isn't said.
    pub opportunity_kinds: Vec<OpportunityKind>,
}

/// What an organiser changes about an event; `None` leaves it as it is, `Some(None)` empties it.
#[derive(Clone, Debug, Default)]
#[expect(
    missing_docs,
    reason = "each is the field of `EventDraft` with its name"
)]
pub struct EventChanges {
    pub title: Option<String>,
    pub description: Option<String>,
    pub kind: Option<EventKind>,
    pub faculty_id: Option<Option<FacultyId>>,
    pub venue_id: Option<Option<VenueId>>,
    pub venue: Option<Option<String>>,
    pub online_link: Option<Option<String>>,
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub capacity: Option<i32>,
    pub waiting_list_mode: Option<WaitingListMode>,
    pub offer_hours: Option<i32>,
    pub promotion_cut_off_minutes: Option<i32>,
    pub booking_opens_at: Option<Option<DateTime<Utc>>>,
    pub booking_closes_at: Option<Option<DateTime<Utc>>>,
    pub register_closes_after_minutes: Option<i32>,
    pub reminder_minutes: Option<Vec<i32>>,
    pub audience: Option<Vec<AudienceGroup>>,
    pub organisation_ids: Option<Vec<OrganisationId>>,
    pub opportunity_kinds: Option<Vec<OpportunityKind>>,
    /// Severe clashes of an event on the calendar that are to be so all the same; no field of the draft.
    pub acknowledged: Vec<Acknowledgement>,
}

impl EventDraft {
    /// A draft with the usual settings of a waiting list and a register, open to every student.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        kind: EventKind,
        starts_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
        capacity: i32,
    ) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            kind,
            faculty_id: None,
            venue_id: None,
            venue: None,
            online_link: None,
            starts_at,
            ends_at,
            capacity,
            waiting_list_mode: WaitingListMode::Automatic,
            offer_hours: OFFER_HOURS,
            promotion_cut_off_minutes: PROMOTION_CUT_OFF_MINUTES,
            booking_opens_at: None,
            booking_closes_at: None,
            register_closes_after_minutes: REGISTER_CLOSES_AFTER_MINUTES,
            reminder_minutes: REMINDER_MINUTES.to_vec(),
            audience: Vec::new(),
            organisation_ids: Vec::new(),
            opportunity_kinds: Vec::new(),
        }
    }

    /// What is now said about an event.
    pub(crate) async fn of(db: &impl ConnectionTrait, row: &event::Model) -> Result<Self> {
        Ok(Self {
            title: row.title.clone(),
            description: row.description.clone(),
            kind: row.kind,
            faculty_id: row.faculty_id,
            venue_id: row.venue_id,
            venue: row.venue.clone(),
            online_link: row.online_link.clone(),
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            capacity: row.capacity,
            waiting_list_mode: row.waiting_list_mode,
            offer_hours: row.offer_hours,
            promotion_cut_off_minutes: row.promotion_cut_off_minutes,
            booking_opens_at: row.booking_opens_at,
            booking_closes_at: row.booking_closes_at,
            register_closes_after_minutes: row.register_closes_after_minutes,
            reminder_minutes: row.reminder_minutes.0.clone(),
            audience: audience(db, row.id).await?,
            organisation_ids: event_organisation::Entity::find()
                .filter(event_organisation::Column::EventId.eq(row.id))
                .order_by_asc(event_organisation::Column::OrganisationId)
                .all(db)
                .await?
                .into_iter()
                .map(|row| row.organisation_id)
                .collect(),
            opportunity_kinds: super::opportunities(db, &[row.id])
                .await?
                .into_iter()
                .map(|(_, kind)| kind)
                .collect(),
        })
    }

    /// The same with `changes` made.
    #[must_use]
    pub(super) fn with(self, changes: EventChanges) -> Self {
        // Another place in words is not at the venue of before, and without that venue its name says nothing. A form that
        // sends back what it was given says no other place.
        let said =
            |place: &Option<String>| place.as_deref().map(str::trim) != self.venue.as_deref();
        let venue_id = match (changes.venue_id, &changes.venue) {
            (Some(venue_id), _) => venue_id,
            (None, Some(place)) if said(place) => None,
            (None, _) => self.venue_id,
        };
        let left = venue_id.is_none() && self.venue_id.is_some();
        let venue = changes.venue.unwrap_or(self.venue.filter(|_| !left));
        Self {
            title: changes.title.unwrap_or(self.title),
            description: changes.description.unwrap_or(self.description),
            kind: changes.kind.unwrap_or(self.kind),
            faculty_id: changes.faculty_id.unwrap_or(self.faculty_id),
            venue_id,
            venue,
            online_link: changes.online_link.unwrap_or(self.online_link),
            starts_at: changes.starts_at.unwrap_or(self.starts_at),
            ends_at: changes.ends_at.unwrap_or(self.ends_at),
            capacity: changes.capacity.unwrap_or(self.capacity),
            waiting_list_mode: changes.waiting_list_mode.unwrap_or(self.waiting_list_mode),
            offer_hours: changes.offer_hours.unwrap_or(self.offer_hours),
            promotion_cut_off_minutes: changes
                .promotion_cut_off_minutes
                .unwrap_or(self.promotion_cut_off_minutes),
            booking_opens_at: changes.booking_opens_at.unwrap_or(self.booking_opens_at),
            booking_closes_at: changes.booking_closes_at.unwrap_or(self.booking_closes_at),
            register_closes_after_minutes: changes
                .register_closes_after_minutes
                .unwrap_or(self.register_closes_after_minutes),
            reminder_minutes: changes.reminder_minutes.unwrap_or(self.reminder_minutes),
            audience: changes.audience.unwrap_or(self.audience),
            organisation_ids: changes.organisation_ids.unwrap_or(self.organisation_ids),
            opportunity_kinds: changes.opportunity_kinds.unwrap_or(self.opportunity_kinds),
        }
    }

    /// Whether something is other than in `before` that counts for clashes.
    pub(super) fn competes_otherwise_than(&self, before: &Self) -> bool {
        self.starts_at != before.starts_at
            || self.ends_at != before.ends_at
            || self.kind != before.kind
            || self.venue_id != before.venue_id
            || self.venue != before.venue
            || self.audience != before.audience
            || self.organisation_ids != before.organisation_ids
            || self.opportunity_kinds != before.opportunity_kinds
    }

    /// Whether something is other than in `before` that people see in their calendars.
    pub(super) fn shows_otherwise_than(&self, before: &Self) -> bool {
        self.starts_at != before.starts_at
            || self.ends_at != before.ends_at
            || self.title != before.title
            || self.description != before.description
            || self.kind != before.kind
            || self.venue != before.venue
            || self.online_link != before.online_link
    }

    /// The same without the blanks around what people type, and with an empty text as none.
    #[must_use]
    pub(super) fn tidied(mut self) -> Self {
        let tidy = |text: Option<String>| {
            text.map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
        };
        self.title = self.title.trim().to_owned();
        self.venue = tidy(self.venue);
        self.online_link = tidy(self.online_link);
        self.reminder_minutes
            .sort_unstable_by_key(|minutes| std::cmp::Reverse(*minutes));
        self.reminder_minutes.dedup();
        self.organisation_ids.sort_unstable();
        self.organisation_ids.dedup();
        self.opportunity_kinds.sort_unstable();
        self.opportunity_kinds.dedup();
        self
    }

    /// Writes who the event is for, who takes part and what is offered, in place of what was there.
    pub(super) async fn write_lists(&self, tx: &mut Tx, event_id: EventId) -> Result<()> {
        event_audience::Entity::delete_many()
            .filter(event_audience::Column::EventId.eq(event_id))
            .exec(tx.conn())
            .await?;
        event_organisation::Entity::delete_many()
            .filter(event_organisation::Column::EventId.eq(event_id))
            .exec(tx.conn())
            .await?;
        event_opportunity::Entity::delete_many()
            .filter(event_opportunity::Column::EventId.eq(event_id))
            .exec(tx.conn())
            .await?;
        if !self.opportunity_kinds.is_empty() {
            event_opportunity::Entity::insert_many(self.opportunity_kinds.iter().map(|kind| {
                event_opportunity::ActiveModel {
                    event_id: Set(event_id),
                    kind: Set(*kind),
                }
            }))
            .exec_without_returning(tx.conn())
            .await?;
        }
        if !self.audience.is_empty() {
            let now = tx.now();
            event_audience::Entity::insert_many(self.audience.iter().map(|group| {
                event_audience::ActiveModel {
                    id: Set(EventAudienceId::new_at(now)),
                    event_id: Set(event_id),
                    faculty_id: Set(group.faculty_id),
                    programme_id: Set(group.programme_id),
                    level: Set(group.level),
                }
            }))
            .exec_without_returning(tx.conn())
            .await?;
        }
        if !self.organisation_ids.is_empty() {
            event_organisation::Entity::insert_many(self.organisation_ids.iter().map(|id| {
                event_organisation::ActiveModel {
                    event_id: Set(event_id),
                    organisation_id: Set(*id),
                }
            }))
            .exec_without_returning(tx.conn())
            .await?;
        }
        Ok(())
    }

    /// Puts what is said into a row.
    pub(super) fn fill(self, row: &mut event::ActiveModel) {
        row.title = Set(self.title);
        row.description = Set(self.description);
        row.kind = Set(self.kind);
        row.faculty_id = Set(self.faculty_id);
        row.venue_id = Set(self.venue_id);
        row.venue = Set(self.venue);
        row.online_link = Set(self.online_link);
        row.starts_at = Set(self.starts_at);
        row.ends_at = Set(self.ends_at);
        row.capacity = Set(self.capacity);
        row.waiting_list_mode = Set(self.waiting_list_mode);
        row.offer_hours = Set(self.offer_hours);
        row.promotion_cut_off_minutes = Set(self.promotion_cut_off_minutes);
        row.booking_opens_at = Set(self.booking_opens_at);
        row.booking_closes_at = Set(self.booking_closes_at);
        row.register_closes_after_minutes = Set(self.register_closes_after_minutes);
        row.reminder_minutes = Set(MinuteList(self.reminder_minutes));
    }
}

/// Who an event is for; empty means every student.
pub(crate) async fn audience(
    db: &impl ConnectionTrait,
    event_id: EventId,
) -> Result<Vec<AudienceGroup>> {
    Ok(event_audience::Entity::find()
        .filter(event_audience::Column::EventId.eq(event_id))
        .order_by_asc(event_audience::Column::Id)
        .all(db)
        .await?
        .into_iter()
        .map(|row| AudienceGroup {
            faculty_id: row.faculty_id,
            programme_id: row.programme_id,
            level: row.level,
        })
        .collect())
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

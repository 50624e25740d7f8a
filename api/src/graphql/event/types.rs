//! The types of events.

use async_graphql::{Context, Enum, Object, Result};
use chrono::{DateTime, Utc};
use domain::{
    Error, booking as bookings, event as events, mail::in_university_time, venue as venues,
};
use entity::{
    event::{EventKind as Kind, EventState as State, Model, WaitingListMode as Mode},
    event_opportunity::OpportunityKind as Offered,
    ids::{BookingId, EventId},
};

use super::loaders::{
    AudienceOf, BookingCount, BookingsFor, OfferedAt, OrganisationsAt, OverlappingOwn,
    OwnBookingFor, WaitingFor, Wanted,
};
use crate::graphql::{
    booking::{Booking, BookingState},
    connection::{Connection, PageArgs, connect},
    feedback::{self, EventFeedback},
    group_booking::{self, GroupBooking},
    id::Id,
    organisation::Organisation,
    person::{self, Person},
    rows::rows,
    training_course::{self, TrainingCourse},
    university::{self, Faculty, Programme, StudyLevel},
    venue::{self, Venue},
    viewer,
};

/// An event on the campus calendar.
#[derive(Clone, Debug)]
pub struct Event(pub(in crate::graphql) Model);

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        Self(row)
    }
}

/// An event on the campus calendar (policy 2.4).
#[Object]
impl Event {
    /// Its id.
    pub async fn id(&self) -> Id<EventId> {
        Id(self.0.id)
    }

    /// Its title.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// What happens there.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What kind of event it is.
    async fn kind(&self) -> EventKind {
        self.0.kind.into()
    }

    /// Where it stands.
    async fn state(&self) -> EventState {
        self.0.state.into()
    }

    /// The faculty that organises it; null for the Careers Centre.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id?)
            .await
            .transpose()
    }

    /// The training course that is taught there (policy 3); null when none is.
    async fn training_course(&self, ctx: &Context<'_>) -> Option<Result<TrainingCourse>> {
        if self.0.kind != Kind::Training {
            return None;
        }
        training_course::taught_at(ctx, self.0.id).await.transpose()
    }

    /// The operator who organises it.
    async fn organiser(&self, ctx: &Context<'_>) -> Option<Result<Person>> {
        person::person(ctx, self.0.organiser_id).await.transpose()
    }

    /// Where it takes place.
    async fn venue(&self) -> Option<&str> {
        self.0.venue.as_deref()
    }

    /// The venue on the list at which it takes place; null for a place outside it.
    async fn venue_details(&self, ctx: &Context<'_>) -> Option<Result<Venue>> {
        venue::find(ctx, self.0.venue_id?).await.transpose()
    }

    /// What its organiser should know of its venue: that it is too small, or out of use. Empty when all is well.
    async fn venue_warnings(&self, ctx: &Context<'_>) -> Option<Result<Vec<String>>> {
        let Some(id) = self.0.venue_id else {
            return Some(Ok(Vec::new()));
        };
        let found = venue::find(ctx, id).await;
        Some(
            found.map(|venue| {
                venue.map_or_else(Vec::new, |venue| venues::warnings(&venue.0, &self.0))
            }),
        )
    }

    /// The web address of an online event. For those who have a place and those who manage it; null for others.
    async fn online_link(&self, ctx: &Context<'_>) -> Option<Result<&str>> {
        let link = self.0.online_link.as_deref()?;
        match self.joins_online(ctx).await {
            Ok(true) => Some(Ok(link)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }

    /// When it starts.
    async fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }

    /// When it ends.
    async fn ends_at(&self) -> DateTime<Utc> {
        self.0.ends_at
    }

    /// When it starts as people at the university read it, such as `Tuesday 24 November 2026, 14:00`: in their time zone,
    /// Europe/London.
    async fn starts_at_local(&self) -> String {
        in_university_time(self.0.starts_at)
    }

    /// How many places it has.
    async fn capacity(&self) -> i32 {
        self.0.capacity
    }

    /// How many places nobody has. While anyone waits they go to those who wait.
    async fn places_left(&self) -> i32 {
        events::places_left(&self.0)
    }

    /// How many wait for a place.
    async fn waiting_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let waiting = rows(ctx)?.load_one(WaitingFor(self.0.id)).await?;
        Ok(waiting.unwrap_or(0))
    }

    /// How a free place finds its next person.
    async fn waiting_list_mode(&self) -> WaitingListMode {
        self.0.waiting_list_mode.into()
    }

    /// How many hours an offer stands; near the event it is shorter.
    async fn offer_hours(&self) -> i32 {
        self.0.offer_hours
    }

    /// Until when free places find their next person by themselves; from then on an operator gives them.
    async fn promotion_ends_at(&self) -> DateTime<Utc> {
        events::promotion_ends_at(&self.0)
    }

    /// When booking opens; null for on publication.
    async fn booking_opens_at(&self) -> Option<DateTime<Utc>> {
        self.0.booking_opens_at
    }

    /// When booking closes.
    async fn booking_closes_at(&self) -> DateTime<Utc> {
        self.0.booking_closes_at.unwrap_or(self.0.starts_at)
    }

    /// When the register closes by itself.
    async fn register_due_at(&self) -> Option<DateTime<Utc>> {
        Some(events::register_due_at(&self.0))
    }

    /// How many minutes before the start people are reminded, the earliest first.
    async fn reminder_minutes(&self) -> Option<&[i32]> {
        Some(&self.0.reminder_minutes.0)
    }

    /// What those who came say of it: for those who manage it, and, without names, for employers who took part once it is over
    /// and at least five have answered. Null for others.
    async fn feedback(&self, ctx: &Context<'_>) -> Option<Result<EventFeedback>> {
        feedback::of(ctx, self.0.id).await.transpose()
    }

    /// When the register was closed; null while it is open.
    async fn register_closed_at(&self) -> Option<DateTime<Utc>> {
        self.0.register_closed_at
    }

    /// Which version it is, for `updateEvent`.
    async fn version(&self) -> Option<i32> {
        Some(self.0.version)
    }

    /// Who may book; empty means every student.
    async fn audience(&self, ctx: &Context<'_>) -> Result<Vec<AudienceGroup>> {
        let groups = rows(ctx)?.load_one(AudienceOf(self.0.id)).await?;
        Ok(groups
            .unwrap_or_default()
            .into_iter()
            .map(AudienceGroup)
            .collect())
    }

    /// The organisations that take part, by name, as far as they are open to the viewer.
    async fn organisations(&self, ctx: &Context<'_>) -> Result<Vec<Organisation>> {
        let organisations = rows(ctx)?.load_one(OrganisationsAt(self.0.id)).await?;
        Ok(organisations.unwrap_or_default())
    }

    /// What is offered there; empty when its organiser didn't say.
    async fn opportunity_kinds(&self, ctx: &Context<'_>) -> Result<Vec<OpportunityKind>> {
        let kinds = rows(ctx)?.load_one(OfferedAt(self.0.id)).await?;
        Ok(kinds.unwrap_or_default())
    }

    /// The events of the series that it is one of, itself included, by their start; empty when it is one of none. Each has its
    /// own bookings.
    async fn series(&self, ctx: &Context<'_>) -> Result<Vec<Event>> {
        let Some(id) = self.0.series_id else {
            return Ok(Vec::new());
        };
        Ok(rows(ctx)?.load_one(id).await?.unwrap_or_default())
    }

    /// The classes that have places at it, or had: for those who manage it.
    async fn groups(&self, ctx: &Context<'_>) -> Option<Result<Vec<GroupBooking>>> {
        Some(group_booking::at(ctx, self.0.id).await)
    }

    /// The viewer's own latest booking for it, whatever became of it; null when there is none.
    async fn viewer_booking(&self, ctx: &Context<'_>) -> Option<Result<Booking>> {
        self.own_booking(ctx).await.transpose()
    }

    /// The viewer's own bookings for other events at the same time, where they have a place or wait for one: a warning before
    /// one books, and after. Booking is not refused for it.
    async fn viewer_overlaps(&self, ctx: &Context<'_>) -> Option<Result<Vec<Booking>>> {
        Some(self.overlapping(ctx).await)
    }

    /// The bookings for it, the earliest first: for those who manage it. Others find their own under `viewerBooking`.
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only bookings that stand there.")] state: Option<BookingState>,
        #[graphql(desc = "The first so many, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Booking>>> {
        let page = PageArgs::new(first, after, last, before);
        Some(self.bookings_page(ctx, state, page).await)
    }
}

impl Event {
    async fn own_booking(&self, ctx: &Context<'_>) -> Result<Option<Booking>> {
        let own = rows(ctx)?.load_one(OwnBookingFor(self.0.id)).await?;
        Ok(own.map(Into::into))
    }

    async fn overlapping(&self, ctx: &Context<'_>) -> Result<Vec<Booking>> {
        let own = rows(ctx)?.load_one(OverlappingOwn(self.0.id)).await?;
        Ok(own
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect())
    }

    async fn joins_online(&self, ctx: &Context<'_>) -> Result<bool> {
        let own = rows(ctx)?.load_one(OwnBookingFor(self.0.id)).await?;
        Ok(bookings::may_join_online(
            viewer(ctx)?,
            &self.0,
            own.as_ref(),
        ))
    }

    async fn bookings_page(
        &self,
        ctx: &Context<'_>,
        state: Option<BookingState>,
        page: PageArgs,
    ) -> Result<Connection<Booking>> {
        let (rows, event_id) = (rows(ctx)?, self.0.id);
        let state = state.map(Into::into);
        let count = if ctx.look_ahead().field("totalCount").exists() {
            rows.load_one(BookingCount { event_id, state }).await?
        } else {
            None
        };
        let count = count
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0);
        connect(
            ctx,
            "eventBookings",
            &page,
            async |page| {
                let wanted = Wanted::new(state, &page);
                let slice = rows.load_one(BookingsFor { event_id, wanted }).await;
                Ok(slice
                    .map_err(|error| Error::Fault(error.to_string()))?
                    .unwrap_or_else(|| page.slice(Vec::new())))
            },
            |row: &entity::booking::Model| -> BookingId { row.id },
            Booking::from,
            move || async move { Ok(count) },
        )
        .await
    }
}

/// A group of students that an event is for: those who meet everything that is given.
#[derive(Clone, Copy, Debug)]
pub struct AudienceGroup(events::AudienceGroup);

/// A group of students that an event is for: those who meet everything that is given.
#[Object]
impl AudienceGroup {
    /// Students of this faculty.
    async fn faculty(&self, ctx: &Context<'_>) -> Option<Result<Faculty>> {
        university::faculty(ctx, self.0.faculty_id?)
            .await
            .transpose()
    }

    /// Students on this programme.
    async fn programme(&self, ctx: &Context<'_>) -> Option<Result<Programme>> {
        university::programme(ctx, self.0.programme_id?)
            .await
            .transpose()
    }

    /// Students at this level.
    async fn level(&self) -> Option<StudyLevel> {
        self.0.level.map(Into::into)
    }
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub enum EventKind {
    /// A careers fair.
    CareersFair,
    /// A presentation by an employer.
    EmployerPresentation,
    /// A workshop.
    Workshop,
    /// A skills session.
    SkillsSession,
    /// Interviews on campus.
    Interviews,
    /// Training for staff (policy 3).
    Training,
    /// Anything else.
    Other,
}

/// What students can get to at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Offered")]
pub enum OpportunityKind {
    /// A job for graduates.
    GraduateJob,
    /// A work placement.
    Placement,
    /// An internship.
    Internship,
    /// A part-time job beside the studies.
    PartTimeJob,
    /// Volunteering.
    Volunteering,
    /// Further study.
    FurtherStudy,
}

/// Of which events of a series something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AppliesTo {
    /// Of this one alone.
    ThisEvent,
    /// Of this one and those of its series that start later.
    ThisAndFollowing,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum EventState {
    /// Only those who manage it see it.
    Draft,
    /// It is on the calendar.
    Published,
    /// It does not take place.
    Cancelled,
    /// It is over and its register is closed.
    Past,
}

/// How a free place finds its next person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Mode")]
pub enum WaitingListMode {
    /// The first in the queue has the place, and a mail says so.
    Automatic,
    /// The first in the queue is offered the place and must accept in time.
    Offer,
}

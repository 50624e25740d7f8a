//! Events: one with places, one with a queue, one that a faculty keeps to its own, one being written.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use domain::{
    Error, Tx,
    clock::UNIVERSITY_TIME,
    event::{REMINDER_MINUTES, schedule_reminders},
    event_sharing::ExpireEventSharing,
    register,
};
use entity::{
    booking::{self, BookingState},
    clash_acknowledgement,
    event::{self, EventKind, EventState, WaitingListMode},
    event_audience,
    event_opportunity::{self, OpportunityKind},
    event_organisation,
    event_sharing_request::{self, SharingState},
    ids::{
        BookingId, ClashAcknowledgementId, EventAudienceId, EventId, EventSharingRequestId, UserId,
    },
    list::MinuteList,
    venue,
};

use super::{
    employers::Employers,
    insert_all,
    people::{People, University},
};

struct Sample {
    title: &'static str,
    description: &'static str,
    kind: EventKind,
    /// The name of a venue of the list.
    venue: &'static str,
    /// From today, in whole days.
    days_ahead: u64,
    starts_at_hour: u32,
    hours: i64,
    capacity: i32,
    state: EventState,
    mode: WaitingListMode,
    /// How many of the students have booked; those above the capacity wait.
    booked: usize,
    /// Which of the employers take part, by their position in the samples.
    employers: &'static [usize],
    /// Whether it is kept to the first faculty.
    one_faculty: bool,
    /// What is offered there.
    offers: &'static [OpportunityKind],
    /// Why it clashes with the sample before it all the same; the administrator organises it then.
    clashes_because: Option<&'static str>,
}

const SAMPLES: &[Sample] = &[
    Sample {
        title: "Autumn careers fair",
        description: "Meet employers from across the region, from start-ups to large graduate schemes.",
        kind: EventKind::CareersFair,
        venue: "Great Hall",
        days_ahead: 14,
        starts_at_hour: 10,
        hours: 5,
        capacity: 300,
        state: EventState::Published,
        mode: WaitingListMode::Automatic,
        booked: 12,
        employers: &[0, 1, 2, 3, 4],
        one_faculty: false,
        offers: &[OpportunityKind::GraduateJob, OpportunityKind::Internship],
        clashes_because: None,
    },
    Sample {
        title: "Robots at work: an evening with Aire Valley Robotics",
        description: "How a small company builds robots for warehouses, and how to join it.",
        kind: EventKind::EmployerPresentation,
        venue: "Lecture theatre A",
        days_ahead: 9,
        starts_at_hour: 17,
        hours: 2,
        capacity: 5,
        state: EventState::Published,
        mode: WaitingListMode::Automatic,
        booked: 8,
        employers: &[0],
        one_faculty: false,
        offers: &[OpportunityKind::Internship],
        clashes_because: None,
    },
    Sample {
        title: "Internships in engineering and energy",
        description: "Two employers of the region present what their interns do, and stay for questions.",
        kind: EventKind::EmployerPresentation,
        venue: "Room 2",
        days_ahead: 9,
        starts_at_hour: 18,
        hours: 2,
        capacity: 40,
        state: EventState::Published,
        mode: WaitingListMode::Automatic,
        booked: 0,
        employers: &[0, 1],
        one_faculty: false,
        offers: &[OpportunityKind::Internship],
        clashes_because: Some("The speakers of both employers are in town on this evening alone."),
    },
    Sample {
        title: "CV surgery for engineers",
        description: "Bring your CV and leave with a better one. For students of the faculty.",
        kind: EventKind::SkillsSession,
        venue: "Room 1",
        days_ahead: 5,
        starts_at_hour: 13,
        hours: 1,
        capacity: 8,
        state: EventState::Published,
        mode: WaitingListMode::Offer,
        booked: 0,
        employers: &[],
        one_faculty: true,
        offers: &[],
        clashes_because: None,
    },
    Sample {
        title: "Law firms explained",
        description: "What training contracts are, and when to apply.",
        kind: EventKind::Workshop,
        venue: "Room 2",
        days_ahead: 21,
        starts_at_hour: 14,
        hours: 2,
        capacity: 20,
        state: EventState::Draft,
        mode: WaitingListMode::Automatic,
        booked: 0,
        employers: &[2],
        one_faculty: false,
        offers: &[OpportunityKind::GraduateJob],
        clashes_because: None,
    },
    Sample {
        title: "Training: MyCareer essentials",
        description: "How employers, contacts, notes and tags are kept. For staff; attending it opens these rights.",
        kind: EventKind::Training,
        venue: "Room 3",
        days_ahead: 6,
        starts_at_hour: 10,
        hours: 2,
        capacity: 12,
        state: EventState::Published,
        mode: WaitingListMode::Automatic,
        booked: 0,
        employers: &[],
        one_faculty: false,
        offers: &[],
        clashes_because: None,
    },
    Sample {
        title: "Training: bulk e-mail and data protection",
        description: "Whom one may write to, how often, and what must never leave the university. For staff.",
        kind: EventKind::Training,
        venue: "Room 3",
        days_ahead: 12,
        starts_at_hour: 10,
        hours: 3,
        capacity: 12,
        state: EventState::Published,
        mode: WaitingListMode::Automatic,
        booked: 0,
        employers: &[],
        one_faculty: false,
        offers: &[],
        clashes_because: None,
    },
];

/// Answers which of the events are training.
#[expect(
    clippy::too_many_lines,
    reason = "the rows of one sample are made together"
)]
pub async fn load(
    tx: &mut Tx,
    university: &University,
    employers: &Employers,
    people: &People,
    venues: &[venue::Model],
) -> Result<Vec<EventId>, Error> {
    let now = tx.now();
    let mut events = Vec::new();
    let mut bookings = Vec::new();
    let mut audiences = Vec::new();
    let mut organisations = Vec::new();
    let mut offered = Vec::new();
    let mut acknowledged = Vec::new();
    let mut asked = Vec::new();
    for sample in SAMPLES {
        let event_id = EventId::new_at(now);
        let starts_at = on_day(now, sample.days_ahead, sample.starts_at_hour);
        let capacity = usize::try_from(sample.capacity).unwrap_or(0);
        let placed = sample.booked.min(capacity);
        let waiting = sample.booked - placed;
        let faculty_id = university.faculties.first().map(|faculty| faculty.id);
        let venue = venues.iter().find(|venue| venue.name == sample.venue);
        events.push(event::Model {
            id: event_id,
            title: sample.title.to_owned(),
            description: sample.description.to_owned(),
            kind: sample.kind,
            organiser_id: if sample.kind == EventKind::Training || sample.clashes_because.is_some()
            {
                people.administrator
            } else {
                people.operator
            },
            faculty_id: faculty_id.filter(|_| sample.one_faculty),
            venue_id: venue.map(|venue| venue.id),
            venue: venue.map(domain::venue::label),
            online_link: None,
            starts_at,
            ends_at: starts_at + TimeDelta::hours(sample.hours),
            capacity: sample.capacity,
            places_taken: i32::try_from(placed).unwrap_or(0),
            last_queue_position: i64::try_from(waiting).unwrap_or(0),
            state: sample.state,
            waiting_list_mode: sample.mode,
            offer_hours: 24,
            promotion_cut_off_minutes: 60,
            booking_opens_at: None,
            booking_closes_at: None,
            register_closes_after_minutes: 240,
            reminder_minutes: MinuteList(REMINDER_MINUTES.to_vec()),
            register_closed_at: None,
            calendar_sequence: i32::from(sample.state != EventState::Draft),
            series_id: None,
            calendar_changed_at: now,
            told_version: 0,
            version: 1,
            created_at: now,
            updated_at: now,
        });
        for (student, place) in people.students.iter().take(sample.booked).zip(0..) {
            bookings.push(booked(event_id, *student, place, placed, now));
        }
        if let Some(faculty_id) = faculty_id.filter(|_| sample.one_faculty) {
            audiences.push(event_audience::Model {
                id: EventAudienceId::new_at(now),
                event_id,
                faculty_id: Some(faculty_id),
                programme_id: None,
                level: None,
            });
        }
        for kind in sample.offers {
            offered.push(event_opportunity::Model {
                event_id,
                kind: *kind,
            });
        }
        if let Some(other) = university.faculties.get(1).filter(|_| sample.one_faculty) {
            asked.push(event_sharing_request::Model {
                id: EventSharingRequestId::new_at(now),
                event_id,
                faculty_id: other.id,
                state: SharingState::Requested,
                message: "Half of the places are free. May your students come too?".to_owned(),
                requested_by: people.operator,
                requested_at: now,
                expires_at: starts_at,
                answered_by: None,
                answered_at: None,
                answer: None,
            });
        }
        if let (Some(reason), [.., other, _]) = (sample.clashes_because, &events[..]) {
            acknowledged.push(clash_acknowledgement::Model {
                id: ClashAcknowledgementId::new_at(now),
                event_id,
                other_event_id: other.id,
                why: format!("It takes place at the same time as “{}”.", other.title),
                reason: reason.to_owned(),
                acknowledged_by: people.administrator,
                acknowledged_at: now,
            });
        }
        for organisation_id in sample
            .employers
            .iter()
            .filter_map(|position| employers.organisation(*position))
        {
            organisations.push(event_organisation::Model {
                event_id,
                organisation_id,
            });
        }
    }
    insert_all::<event::Entity>(tx, events.clone()).await?;
    for event in &events {
        if event.state == EventState::Published {
            register::schedule_closing(tx, event).await?;
            schedule_reminders(tx, event).await?;
        }
    }
    insert_all::<event_audience::Entity>(tx, audiences).await?;
    insert_all::<event_organisation::Entity>(tx, organisations).await?;
    insert_all::<event_opportunity::Entity>(tx, offered).await?;
    insert_all::<clash_acknowledgement::Entity>(tx, acknowledged).await?;
    for request in &asked {
        let expiry = ExpireEventSharing {
            request_id: request.id,
        };
        tx.enqueue(&expiry, Some(request.expires_at)).await?;
    }
    insert_all::<event_sharing_request::Entity>(tx, asked).await?;
    insert_all::<booking::Entity>(tx, bookings).await?;
    let training = events
        .iter()
        .filter(|event| event.kind == EventKind::Training);
    Ok(training.map(|event| event.id).collect())
}

fn booked(
    event_id: EventId,
    user_id: UserId,
    place: usize,
    placed: usize,
    now: DateTime<Utc>,
) -> booking::Model {
    let id = BookingId::new_at(now);
    let waits = place
        .checked_sub(placed)
        .and_then(|earlier| i64::try_from(earlier).ok());
    booking::Model {
        id,
        event_id,
        user_id,
        state: if waits.is_some() {
            BookingState::Waiting
        } else {
            BookingState::Booked
        },
        queue_position: waits.map(|earlier| earlier + 1),
        ticket_code: domain::booking::new_ticket_code(),
        booked_at: now,
        promoted_at: None,
        offer_expires_at: None,
        checked_in_at: None,
        no_show_contacted_at: None,
        state_reason: None,
        calendar_sequence: 0,
        updated_at: now,
    }
}

/// That hour, by the university's clocks, on a day that many days from now.
pub(super) fn on_day(now: DateTime<Utc>, days_ahead: u64, hour: u32) -> DateTime<Utc> {
    let today = now.with_timezone(&UNIVERSITY_TIME).date_naive();
    let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    today
        .checked_add_days(Days::new(days_ahead))
        .and_then(|day| {
            day.and_time(time)
                .and_local_timezone(UNIVERSITY_TIME)
                .earliest()
        })
        .map_or(now + TimeDelta::days(1), |moment| {
            moment.with_timezone(&Utc)
        })
}

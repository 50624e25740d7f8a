//! What was held and what comes again: a fair that is over, with its register and what people say of it, so that reports have
//! something to show; a weekly series; and places for a class.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Error, Tx, event::REMINDER_MINUTES, register};
use entity::{
    booking::{self, BookingState},
    event::{self, EventKind, EventState, WaitingListMode},
    event_audience, event_feedback, event_organisation,
    group_booking::{self, GroupBookingState},
    ids::{
        BookingId, EventAudienceId, EventFeedbackId, EventId, EventSeriesId, GroupBookingId, UserId,
    },
    list::MinuteList,
};

use super::{
    employers::Employers,
    events::on_day,
    insert_all,
    people::{People, University},
};

/// How many days ago the fair was.
const DAYS_AGO: i64 = 20;
/// How many of the students came to it, and then how many did not; the others had not booked.
const CAME: usize = 13;
const MISSED: usize = 2;
/// When the series begins, in days from today, and how many weeks it goes on.
const SERIES_FROM: u64 = 40;
const SERIES_WEEKS: u64 = 3;

/// What people say of the fair: how they rate it, what was good, what is to be mended, and whether employers read the words.
const FEEDBACK: &[(i16, Option<&str>, Option<&str>, bool)] = &[
    (5, Some("Employers had time to talk."), None, true),
    (
        4,
        Some("Many small companies."),
        Some("It was too warm."),
        true,
    ),
    (5, None, None, false),
    (3, None, Some("The queue at the door was long."), false),
    (4, Some("My interview came of it."), None, false),
    (2, None, Some("Nothing for musicians."), true),
];

pub async fn load(
    tx: &mut Tx,
    university: &University,
    employers: &Employers,
    people: &People,
) -> Result<(), Error> {
    fair(tx, employers, people).await?;
    series(tx, university, people).await
}

async fn fair(tx: &mut Tx, employers: &Employers, people: &People) -> Result<(), Error> {
    let now = tx.now();
    let starts_at = on_day(now, 0, 11) - TimeDelta::days(DAYS_AGO);
    let mut fair = event(starts_at, people.operator);
    "Meet the region's employers".clone_into(&mut fair.title);
    "A fair of small and large employers of the region.".clone_into(&mut fair.description);
    fair.kind = EventKind::CareersFair;
    fair.state = EventState::Past;
    fair.register_closed_at = Some(fair.ends_at);
    fair.capacity = 60;
    let class = class(&fair, people.operator, 24, Some(22));
    fair.places_taken = class.places + i32::try_from(CAME + MISSED).unwrap_or(0);
    let bookings: Vec<booking::Model> = people
        .students
        .iter()
        .rev()
        .take(CAME + MISSED)
        .zip(0..)
        .map(|(student, at)| booked(&fair, *student, at))
        .collect();
    let feedback: Vec<event_feedback::Model> = FEEDBACK
        .iter()
        .zip(&bookings)
        .map(
            |((rating, good, mend, released), booking)| event_feedback::Model {
                id: EventFeedbackId::new_at(fair.ends_at),
                event_id: fair.id,
                user_id: booking.user_id,
                rating: *rating,
                good: good.map(str::to_owned),
                mend: mend.map(str::to_owned),
                given_at: fair.ends_at,
                released_at: released.then_some(now),
                released_by: released.then_some(people.operator),
            },
        )
        .collect();
    let taking_part = [0, 1]
        .into_iter()
        .filter_map(|position| employers.organisation(position))
        .map(|organisation_id| event_organisation::Model {
            event_id: fair.id,
            organisation_id,
        })
        .collect();
    insert_all::<event::Entity>(tx, vec![fair]).await?;
    insert_all::<event_organisation::Entity>(tx, taking_part).await?;
    insert_all::<group_booking::Entity>(tx, vec![class]).await?;
    insert_all::<booking::Entity>(tx, bookings).await?;
    insert_all::<event_feedback::Entity>(tx, feedback).await
}

/// Weekly, at the same hour by the clocks of the university, for the first faculty. A class has places at the first.
async fn series(tx: &mut Tx, university: &University, people: &People) -> Result<(), Error> {
    let now = tx.now();
    let series_id = EventSeriesId::new_at(now);
    let faculty_id = university.faculties.first().map(|faculty| faculty.id);
    let mut events: Vec<event::Model> = (0..SERIES_WEEKS)
        .map(|week| {
            let starts_at = on_day(now, SERIES_FROM + 7 * week, 15);
            let mut event = event(starts_at, people.operator);
            "Interview practice".clone_into(&mut event.title);
            "Half an hour each, with somebody who listens.".clone_into(&mut event.description);
            event.series_id = Some(series_id);
            event.faculty_id = faculty_id;
            event
        })
        .collect();
    let class = events
        .first()
        .map(|first| class(first, people.operator, 6, None));
    if let (Some(first), Some(class)) = (events.first_mut(), &class) {
        first.places_taken = class.places;
    }
    let audience = events.iter().map(|event| event_audience::Model {
        id: EventAudienceId::new_at(now),
        event_id: event.id,
        faculty_id,
        programme_id: None,
        level: None,
    });
    let audience = audience.collect();
    insert_all::<event::Entity>(tx, events.clone()).await?;
    insert_all::<event_audience::Entity>(tx, audience).await?;
    insert_all::<group_booking::Entity>(tx, class.into_iter().collect()).await?;
    for event in &events {
        register::schedule_closing(tx, event).await?;
        domain::event::schedule_reminders(tx, event).await?;
    }
    Ok(())
}

fn event(starts_at: DateTime<Utc>, organiser_id: UserId) -> event::Model {
    let made_at = starts_at - TimeDelta::days(60);
    event::Model {
        id: EventId::new_at(made_at),
        title: String::new(),
        description: String::new(),
        kind: EventKind::SkillsSession,
        organiser_id,
        faculty_id: None,
        venue_id: None,
        venue: Some("Careers Centre, hall".to_owned()),
        online_link: None,
        starts_at,
        ends_at: starts_at + TimeDelta::hours(2),
        capacity: 12,
        places_taken: 0,
        last_queue_position: 0,
        state: EventState::Published,
        waiting_list_mode: WaitingListMode::Automatic,
        offer_hours: 24,
        promotion_cut_off_minutes: 60,
        booking_opens_at: None,
        booking_closes_at: None,
        register_closes_after_minutes: 240,
        reminder_minutes: MinuteList(REMINDER_MINUTES.to_vec()),
        register_closed_at: None,
        calendar_sequence: 1,
        series_id: None,
        calendar_changed_at: made_at,
        told_version: 0,
        version: 1,
        created_at: made_at,
        updated_at: made_at,
    }
}

fn class(
    event: &event::Model,
    booked_by: UserId,
    places: i32,
    attended: Option<i32>,
) -> group_booking::Model {
    group_booking::Model {
        id: GroupBookingId::new_at(event.created_at),
        event_id: event.id,
        class_name: "Year 2 Mechanical Engineering".to_owned(),
        places,
        state: GroupBookingState::Booked,
        booked_by,
        booked_at: event.created_at,
        reason: None,
        cancelled_at: None,
        attended,
        attended_names: None,
        marked_at: attended.map(|_| event.ends_at),
    }
}

/// Booked some days before: those who came first, and then those who did not.
fn booked(event: &event::Model, user_id: UserId, at: usize) -> booking::Model {
    let days_before = i64::try_from(1 + at % 9).unwrap_or(1);
    let booked_at = event.starts_at - TimeDelta::days(days_before);
    let came = at < CAME;
    booking::Model {
        id: BookingId::new_at(booked_at),
        event_id: event.id,
        user_id,
        state: if came {
            BookingState::Attended
        } else {
            BookingState::NoShow
        },
        queue_position: None,
        ticket_code: domain::booking::new_ticket_code(),
        booked_at,
        promoted_at: None,
        offer_expires_at: None,
        checked_in_at: came.then_some(event.starts_at),
        no_show_contacted_at: (!came).then_some(event.ends_at),
        state_reason: None,
        calendar_sequence: 1,
        updated_at: event.ends_at,
    }
}

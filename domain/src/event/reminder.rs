//! Reminders of an event, to those with a place, to whoever booked a class, and to the organisations that take part (policy 2.4).
//!
//! Each is a job that names the start it was made for: when the event moves there are jobs for the new start, and those for
//! the old one find nothing to do. A reminder that is late, because no worker ran, is left out when the next one is due.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    booking::{self, BookingState},
    contact::{self, ContactState},
    event::{self, EventState},
    event_organisation,
    ids::EventId,
    notice_choice,
    user::{self, UserKind},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    booking::{in_state, letters},
    error::Result,
    group_booking,
    job::{Job, Queue},
    notice::{Channel, Circular, Topic, tell_all},
    store::Tx,
};

/// How long before the start the daily digest may still be in time.
const DIGEST: i32 = 24 * 60;

/// Reminds people of an event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RemindOfEvent {
    /// The event.
    pub event_id: EventId,
    /// How many minutes before the start.
    pub minutes: i32,
    /// When it was to start, as things stood when the job was made.
    pub starts_at: DateTime<Utc>,
}

impl Job for RemindOfEvent {
    const KIND: &'static str = "event.remind";
    const QUEUE: Queue = Queue::Events;

    fn unique_key(&self) -> Option<String> {
        let (id, minutes, starts) = (
            self.event_id,
            self.minutes,
            self.starts_at.timestamp_micros(),
        );
        Some(format!("{}/{id}/{minutes}/{starts}", Self::KIND))
    }
}

/// Has people reminded of a published event at the times that are still to come.
pub async fn schedule_reminders(tx: &mut Tx, event: &event::Model) -> Result<()> {
    for minutes in &event.reminder_minutes.0 {
        let at = event.starts_at - TimeDelta::minutes((*minutes).into());
        if at > tx.now() {
            let job = RemindOfEvent {
                event_id: event.id,
                minutes: *minutes,
                starts_at: event.starts_at,
            };
            tx.enqueue(&job, Some(at)).await?;
        }
    }
    Ok(())
}

/// Reminds those with a place, whoever booked places for a class, and the people of the organisations that take part. Answers how many were told.
pub async fn remind(tx: &mut Tx, job: &RemindOfEvent) -> Result<usize> {
    let event = event::Entity::find_by_id(job.event_id)
        .one(tx.conn())
        .await?;
    let Some(event) = event.filter(|event| is_due(event, job, tx.now())) else {
        return Ok(0);
    };
    let occasion = format!(
        "{}/{}/{}",
        event.id,
        job.minutes,
        event.starts_at.timestamp()
    );
    let booked = booking::Entity::find()
        .select_only()
        .column(booking::Column::UserId)
        .filter(booking::Column::EventId.eq(event.id))
        .filter(in_state::any(&[BookingState::Booked]))
        .into_query();
    let to_booked = Circular {
        template: "event_reminder",
        purpose: format!("event_reminder/{occasion}"),
        fields: json!({
            "event": letters::about_event(tx, &event, true).await?,
            "bookings_link": "/bookings",
        }),
    };
    let audience = reached_in_time(job).add(user::Column::Id.in_subquery(booked));
    let mut told = tell_all(tx, Topic::Event, &to_booked, &audience).await?;

    let of_classes = Circular {
        template: "event_reminder_class",
        purpose: format!("event_reminder_class/{occasion}"),
        fields: json!({
            "event": letters::about_event(tx, &event, true).await?,
            "event_link": format!("/events/{}", event.id),
        }),
    };
    let bookers = group_booking::booked_by(event.id);
    let audience = reached_in_time(job).add(user::Column::Id.in_subquery(bookers));
    told += tell_all(tx, Topic::Event, &of_classes, &audience).await?;

    let contacts = contact::Entity::find()
        .select_only()
        .column(contact::Column::Id)
        .filter(contact::Column::State.eq(ContactState::Active))
        .filter(contact::Column::DoNotEmail.eq(false))
        .filter(contact::Column::OnHoldAt.is_null())
        .filter(
            contact::Column::OrganisationId.in_subquery(
                event_organisation::Entity::find()
                    .select_only()
                    .column(event_organisation::Column::OrganisationId)
                    .filter(event_organisation::Column::EventId.eq(event.id))
                    .into_query(),
            ),
        );
    let to_employers = Circular {
        template: "event_reminder_employer",
        purpose: format!("event_reminder_employer/{occasion}"),
        fields: json!({
            "event": letters::about_event(tx, &event, false).await?,
            "booked": event.places_taken,
            "event_link": format!("/events/{}", event.id),
        }),
    };
    let audience = reached_in_time(job)
        .add(user::Column::Kind.eq(UserKind::Employer))
        .add(user::Column::ContactId.in_subquery(contacts.into_query()));
    told += tell_all(tx, Topic::Event, &to_employers, &audience).await?;
    Ok(told)
}

fn is_due(event: &event::Model, job: &RemindOfEvent, now: DateTime<Utc>) -> bool {
    let at = |minutes: i32| event.starts_at - TimeDelta::minutes(minutes.into());
    let minutes = &event.reminder_minutes.0;
    event.state == EventState::Published
        && event.starts_at == job.starts_at
        && minutes.contains(&job.minutes)
        && now < event.starts_at
        && !minutes
            .iter()
            .any(|later| *later < job.minutes && at(*later) <= now)
}

/// Less than a day before the start, people whose notices come in the daily digest would read it afterwards.
fn reached_in_time(job: &RemindOfEvent) -> Condition {
    if job.minutes >= DIGEST {
        return Condition::all();
    }
    let by_digest = notice_choice::Entity::find()
        .select_only()
        .column(notice_choice::Column::UserId)
        .filter(notice_choice::Column::Topic.eq(Topic::Event))
        .filter(notice_choice::Column::Channel.eq(Channel::DailyDigest));
    Condition::all().add(user::Column::Id.not_in_subquery(by_digest.into_query()))
}

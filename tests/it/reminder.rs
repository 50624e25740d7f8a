//! Reminders before an event (policy 2.4).

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    event::{self as events, EventChanges, REMINDER_MINUTES},
    notice::{self, Channel, Topic},
};
use entity::{delivery, event::Model, ids::OrganisationId, job, organisation, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use support::on_both_columns;

use crate::campus::Campus;

/// A published event with the usual reminders.
async fn reminded(campus: &Campus, capacity: i32) -> Model {
    campus
        .event_with(capacity, |draft| {
            draft.reminder_minutes = REMINDER_MINUTES.to_vec();
        })
        .await
}

async fn reminders(campus: &Campus) -> Vec<delivery::Model> {
    let letters = campus.letters().await;
    letters
        .into_iter()
        .filter(|letter| letter.template.starts_with("event_reminder"))
        .collect()
}

async fn count(campus: &Campus) -> usize {
    reminders(campus).await.len()
}

fn before(event: &Model, minutes: i64) -> DateTime<Utc> {
    event.starts_at - TimeDelta::minutes(minutes)
}

on_both_columns! {
    async fn those_with_a_place_are_reminded_a_day_and_an_hour_before(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = reminded(&campus, 1).await;
        let people = campus.students(2).await;
        for person in &people {
            campus.book(person, event.id).await.unwrap();
        }
        campus.later(before(&event, 24 * 60 + 1)).await;
        assert_eq!(count(&campus).await, 0);
        campus.later(before(&event, 24 * 60)).await;
        assert_eq!(count(&campus).await, 1, "who waits is not reminded");
        campus.later(before(&event, 61)).await;
        assert_eq!(count(&campus).await, 1);
        campus.later(before(&event, 60)).await;
        let told = reminders(&campus).await;
        assert_eq!(told.iter().map(|letter| letter.user_id).collect::<Vec<_>>(), [people[0].user_id(); 2]);
        campus.later(event.ends_at).await;
        assert_eq!(count(&campus).await, 2);
    }

    async fn reminders_move_with_the_event_and_end_with_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = reminded(&campus, 5).await;
        let moved = reminded(&campus, 5).await;
        let person = campus.student("ann").await;
        campus.book(&person, event.id).await.unwrap();
        campus.book(&person, moved.id).await.unwrap();
        let later = event.starts_at + TimeDelta::days(3);
        let changes = EventChanges {
            starts_at: Some(later),
            ends_at: Some(later + TimeDelta::hours(1)),
            ..EventChanges::default()
        };
        let moved = campus.update(&moved, changes).await;
        campus.change(async |tx| events::cancel(tx, &campus.operator, event.id, "no").await).await.unwrap();
        campus.later(event.starts_at).await;
        assert_eq!(count(&campus).await, 0, "the one was cancelled, and the other is not near yet");
        campus.later(before(&moved, 24 * 60)).await;
        assert_eq!(count(&campus).await, 1);
        campus.later(before(&moved, 60)).await;
        assert_eq!(count(&campus).await, 2);
    }

    async fn an_organiser_says_when_people_are_reminded(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = reminded(&campus, 5).await;
        campus.book(&campus.student("ann").await, event.id).await.unwrap();
        let to = |minutes: &[i32]| EventChanges { reminder_minutes: Some(minutes.to_vec()), ..EventChanges::default() };
        for wrong in [&[0][..], &[-5], &[30_000], &[1, 2, 3, 4, 5, 6]] {
            let refused = campus
                .change(async |tx| events::update(tx, &campus.operator, event.id, event.version, to(wrong)).await)
                .await;
            assert_eq!(crate::campus::fields(refused), ["reminderMinutes"], "{wrong:?}");
        }
        let event = campus.update(&event, to(&[30, 120, 30])).await;
        assert_eq!(event.reminder_minutes.0, [120, 30]);
        campus.later(before(&event, 60)).await;
        assert_eq!(count(&campus).await, 1);
        campus.later(before(&event, 30)).await;
        assert_eq!(count(&campus).await, 2);
    }

    async fn a_reminder_that_is_late_is_left_out_when_the_next_one_is_due_or_the_event_has_begun(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = reminded(&campus, 5).await;
        campus.book(&campus.student("ann").await, event.id).await.unwrap();
        // No worker ran for more than a day.
        campus.later(before(&event, 50)).await;
        assert_eq!(count(&campus).await, 1);
        let other = reminded(&campus, 5).await;
        campus.book(&campus.student("bob").await, other.id).await.unwrap();
        campus.later(other.starts_at).await;
        assert_eq!(count(&campus).await, 1);
    }

    async fn the_organisations_that_take_part_are_reminded_too(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let employer = user::Entity::find()
            .filter(user::Column::Email.eq(format!("employer@{}", api::demo::DOMAIN)))
            .one(campus.store.reader())
            .await
            .unwrap()
            .unwrap();
        let contact = entity::contact::Entity::find_by_id(employer.contact_id.unwrap())
            .one(campus.store.reader())
            .await
            .unwrap()
            .unwrap();
        let organisation: OrganisationId = contact.organisation_id;
        let other = organisation::Entity::find()
            .filter(organisation::Column::Id.ne(organisation))
            .count(campus.store.reader())
            .await
            .unwrap();
        assert!(other > 0, "there are organisations that don't take part");
        let event = campus
            .event_with(5, |draft| {
                draft.reminder_minutes = vec![60];
                draft.organisation_ids = vec![organisation];
                draft.online_link = Some("https://meet.example.org/secret-room".to_owned());
            })
            .await;
        system.stop().await;
        campus.later(before(&event, 60)).await;
        let told = reminders(&campus).await;
        let of_this: Vec<_> = told
            .iter()
            .filter(|letter| letter.purpose_key.as_ref().unwrap().contains(&event.id.to_string()))
            .collect();
        assert_eq!(of_this.iter().map(|letter| letter.user_id).collect::<Vec<_>>(), [Some(employer.id)]);
        assert_eq!(of_this[0].template, "event_reminder_employer");
        assert!(!of_this[0].fields.to_string().contains("secret-room"), "the address is for those with a place");
    }

    async fn who_wants_no_notices_of_events_is_not_reminded(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = reminded(&campus, 5).await;
        let people = campus.students(3).await;
        for (person, channel) in people.iter().zip([Channel::None, Channel::DailyDigest, Channel::MailAtOnce]) {
            campus.book(person, event.id).await.unwrap();
            campus
                .change(async |tx| notice::choose(tx, person.user_id().unwrap(), &[(Topic::Event, channel)]).await)
                .await
                .unwrap();
        }
        campus.later(before(&event, 60)).await;
        let told = reminders(&campus).await;
        assert_eq!(told.iter().map(|letter| letter.user_id).collect::<Vec<_>>(), [people[2].user_id()]);
    }

    async fn a_second_job_for_the_same_reminder_is_not_made(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = reminded(&campus, 5).await;
        campus.change(async |tx| events::schedule_reminders(tx, &event).await).await.unwrap();
        let jobs = job::Entity::find()
            .filter(job::Column::Kind.eq("event.remind"))
            .filter(job::Column::UniqueKey.is_not_null())
            .count(campus.store.reader())
            .await
            .unwrap();
        assert_eq!(jobs, 2);
    }
}

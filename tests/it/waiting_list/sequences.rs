//! Thousands of waiting lists beside their models. Each has an event of its own; time passes and jobs run for all of them at
//! once, and after each round everything is compared by two statements.

use std::{collections::HashMap, time::Instant};

use chrono::TimeDelta;
use entity::{
    booking::{self, Model},
    event::{self, WaitingListMode},
    ids::EventId,
};
use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use support::{figure, on_both_columns};

use super::model::{OFFER_HOURS, Queue, Real, Standing, Step, everybody};
use crate::campus::Campus;

/// How many events of each mode; each goes its own way.
const SEQUENCES: usize = 1_000;
/// How much is done at each event.
const ROUNDS: usize = 8;
/// How many act at the same time.
const AT_ONCE: usize = 8;

/// So many events like one, far enough apart in time to have nothing to do with each other.
async fn events(campus: &Campus, number: usize) -> Vec<event::Model> {
    let first = campus
        .event_with(2, |draft| {
            draft.offer_hours = OFFER_HOURS;
            draft.starts_at += TimeDelta::days(365);
            draft.ends_at += TimeDelta::days(365);
        })
        .await;
    let like = |at: usize| {
        let later = TimeDelta::days(4 * i64::try_from(at + 1).unwrap());
        event::Model {
            id: EventId::new_at(campus.store.now()),
            starts_at: first.starts_at + later,
            ends_at: first.ends_at + later,
            waiting_list_mode: if at.is_multiple_of(2) {
                WaitingListMode::Automatic
            } else {
                WaitingListMode::Offer
            },
            ..first.clone()
        }
    };
    let made: Vec<event::Model> = (0..number).map(like).collect();
    for some in made.chunks(200) {
        event::Entity::insert_many(some.iter().map(|event| event.clone().into_active_model()))
            .exec_without_returning(campus.store.reader())
            .await
            .unwrap();
    }
    made
}

/// The latest bookings of everybody at these events, by event; of each person the last.
async fn latest(campus: &Campus, events: &[EventId]) -> HashMap<EventId, Vec<Model>> {
    let mut found: HashMap<EventId, Vec<Model>> = HashMap::new();
    let bookings = booking::Entity::find()
        .filter(booking::Column::EventId.is_in(events.iter().copied()))
        .order_by_asc(booking::Column::CalendarSequence)
        .all(campus.store.reader())
        .await
        .unwrap();
    for booking in bookings {
        let at_event = found.entry(booking.event_id).or_default();
        at_event.retain(|earlier| earlier.user_id != booking.user_id);
        at_event.push(booking);
    }
    found
}

async fn compare(campus: &Campus, pairs: &mut [(Real<'_>, Queue, u64)], round: usize) {
    let ids: Vec<EventId> = pairs.iter().map(|(real, ..)| real.event.id).collect();
    let mut bookings = latest(campus, &ids).await;
    let taken: HashMap<EventId, i32> = event::Entity::find()
        .filter(event::Column::Id.is_in(ids))
        .all(campus.store.reader())
        .await
        .unwrap()
        .into_iter()
        .map(|event| (event.id, event.places_taken))
        .collect();
    for (real, model, seed) in pairs {
        let told = format!("seed {seed}, round {round}");
        assert_eq!(
            usize::try_from(taken[&real.event.id]),
            Ok(model.taken()),
            "{told}"
        );
        let found = bookings.remove(&real.event.id).unwrap_or_default();
        let mut line: Vec<(i64, usize)> = Vec::new();
        for (who, person) in real.people.iter().enumerate() {
            let booking = found
                .iter()
                .find(|booking| Some(booking.user_id) == person.user_id());
            let seen = booking.map_or(Standing::Out, Standing::of);
            assert_eq!(seen, model.people[who], "{told}, person {who}");
            if let (Standing::Waits, Some(booking)) = (seen, booking) {
                line.push((booking.queue_position.unwrap(), who));
            }
        }
        line.sort_unstable();
        let line: Vec<usize> = line.into_iter().map(|(_, who)| who).collect();
        assert_eq!(line, model.line, "{told}");
    }
}

on_both_columns! {
    async fn thousands_of_waiting_lists_do_what_their_models_do(bed: TestBed) {
        let began = Instant::now();
        let campus = Campus::new(&bed).await;
        let (people, law) = everybody(&campus).await;
        let now = campus.store.now();
        let mut pairs: Vec<(Real<'_>, Queue, u64)> = events(&campus, 2 * SEQUENCES)
            .await
            .into_iter()
            .zip(0..)
            .map(|(event, seed)| {
                let model = Queue::new(event.waiting_list_mode, now);
                let latest = vec![None; people.len()];
                (Real { campus: &campus, event, law, people: people.clone(), latest }, model, seed)
            })
            .collect();
        let mut of_all = StdRng::seed_from_u64(0);
        for round in 0..ROUNDS {
            pairs = stream::iter(pairs)
                .map(async |(mut real, mut model, seed)| {
                    let mut random = StdRng::seed_from_u64(1_000 * seed + u64::try_from(round).unwrap());
                    let step = Step::of_one(&mut random);
                    let allowed = model.step(step);
                    assert_eq!(real.step(step).await, allowed, "seed {seed}, round {round}: {step:?}");
                    (real, model, seed)
                })
                .buffered(AT_ONCE)
                .collect()
                .await;
            if round % 2 == 1 {
                let wait = Step::Wait(TimeDelta::minutes(of_all.random_range(1..100)));
                campus.later(campus.store.now() + match wait { Step::Wait(span) => span, _ => TimeDelta::zero() }).await;
                for (_, model, _) in &mut pairs {
                    model.step(wait);
                    model.step(Step::Jobs);
                }
            }
            compare(&campus, &mut pairs, round).await;
        }
        let steps = ROUNDS * pairs.len();
        figure(&format!(
            "{} waiting lists, {steps} steps: none differs from its model, {} s on {}",
            pairs.len(),
            began.elapsed().as_secs(),
            bed.column(),
        ));
    }
}

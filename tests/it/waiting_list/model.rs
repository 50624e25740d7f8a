//! The waiting list beside a model of it that is simple enough to be right: whatever people do in whatever order, both say
//! the same.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Viewer, booking as bookings,
    event::{self as events, EventChanges},
};
use entity::{
    booking::{BookingState, Model},
    event::WaitingListMode,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use support::on_both_columns;

use crate::campus::Campus;

const PEOPLE: usize = 9;
const STEPS: usize = 70;
const OFFER_HOURS: i32 = 2;

/// What somebody does. Numbers are people.
#[derive(Clone, Copy, Debug)]
enum Step {
    Book(usize),
    Cancel(usize),
    Accept(usize),
    Decline(usize),
    Capacity(i32),
    Wait(TimeDelta),
    Jobs,
}

impl Step {
    fn any(random: &mut StdRng) -> Self {
        let who = random.random_range(0..PEOPLE);
        match random.random_range(0..16) {
            0..6 => Self::Book(who),
            6..9 => Self::Cancel(who),
            9 => Self::Accept(who),
            10 => Self::Decline(who),
            11 => Self::Capacity(random.random_range(1..5)),
            12 => Self::Wait(TimeDelta::minutes(random.random_range(1..100))),
            _ => Self::Jobs,
        }
    }
}

/// Where somebody stands: in the model there is nothing but this, the queue and the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Out,
    Waits,
    Offered { until: DateTime<Utc> },
    In,
}

struct Queue {
    mode: WaitingListMode,
    capacity: usize,
    people: [Standing; PEOPLE],
    line: Vec<usize>,
    now: DateTime<Utc>,
}

impl Queue {
    fn taken(&self) -> usize {
        let has_place = |s: &&Standing| matches!(s, Standing::In | Standing::Offered { .. });
        self.people.iter().filter(has_place).count()
    }

    /// Does the step and answers whether it was allowed.
    fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Book(who) if self.people[who] == Standing::Out => {
                if self.line.is_empty() && self.taken() < self.capacity {
                    self.people[who] = Standing::In;
                } else {
                    self.people[who] = Standing::Waits;
                    self.line.push(who);
                }
                true
            }
            Step::Cancel(who) if self.people[who] != Standing::Out => {
                self.people[who] = Standing::Out;
                self.line.retain(|waiting| *waiting != who);
                true
            }
            Step::Accept(who) => match self.people[who] {
                Standing::Offered { until } if self.now < until => {
                    self.people[who] = Standing::In;
                    true
                }
                _ => false,
            },
            Step::Decline(who) if matches!(self.people[who], Standing::Offered { .. }) => {
                self.people[who] = Standing::Out;
                true
            }
            Step::Capacity(capacity) => {
                let capacity = usize::try_from(capacity).unwrap();
                let allowed = capacity >= self.taken();
                if allowed {
                    self.capacity = capacity;
                }
                allowed
            }
            Step::Wait(span) => {
                self.now += span;
                true
            }
            Step::Jobs => {
                for person in &mut self.people {
                    if matches!(person, Standing::Offered { until } if *until <= self.now) {
                        *person = Standing::Out;
                    }
                }
                while self.taken() < self.capacity && !self.line.is_empty() {
                    let next = self.line.remove(0);
                    self.people[next] = match self.mode {
                        WaitingListMode::Automatic => Standing::In,
                        WaitingListMode::Offer => Standing::Offered {
                            until: self.now + TimeDelta::hours(OFFER_HOURS.into()),
                        },
                    };
                }
                true
            }
            _ => false,
        }
    }
}

/// The system, made to do the same.
struct Real<'a> {
    campus: &'a Campus,
    event: entity::event::Model,
    people: Vec<Viewer>,
    latest: Vec<Option<Model>>,
}

impl Real<'_> {
    async fn step(&mut self, step: Step) -> bool {
        let campus = self.campus;
        let mine = |who: usize| self.latest[who].as_ref().map(|booking| booking.id);
        match step {
            Step::Book(who) => match campus.book(&self.people[who], self.event.id).await {
                Ok(booking) => {
                    self.latest[who] = Some(booking);
                    true
                }
                Err(_) => false,
            },
            Step::Cancel(who) => match mine(who) {
                Some(id) => campus.cancel(&self.people[who], id).await.is_ok(),
                None => false,
            },
            Step::Accept(who) => match mine(who) {
                Some(id) => campus
                    .change(async |tx| bookings::accept_offer(tx, &self.people[who], id).await)
                    .await
                    .is_ok(),
                None => false,
            },
            Step::Decline(who) => match mine(who) {
                Some(id) => campus
                    .change(async |tx| bookings::decline_offer(tx, &self.people[who], id).await)
                    .await
                    .is_ok(),
                None => false,
            },
            Step::Capacity(capacity) => {
                let version = campus.event_now(self.event.id).await.version;
                let changes = EventChanges {
                    capacity: Some(capacity),
                    ..EventChanges::default()
                };
                campus
                    .change(async |tx| {
                        events::update(tx, &campus.operator, self.event.id, version, changes).await
                    })
                    .await
                    .is_ok()
            }
            Step::Wait(span) => {
                campus.clock.advance(span);
                true
            }
            Step::Jobs => {
                campus.run_jobs().await;
                true
            }
        }
    }

    async fn agrees_with(&self, model: &Queue) {
        let event = self.campus.event_now(self.event.id).await;
        assert_eq!(usize::try_from(event.places_taken), Ok(model.taken()));
        for (who, standing) in model.people.iter().enumerate() {
            let booking = match &self.latest[who] {
                Some(booking) => Some(self.campus.booking_now(booking.id).await),
                None => None,
            };
            let seen = booking
                .as_ref()
                .map_or(Standing::Out, |booking| match booking.state {
                    BookingState::Booked => Standing::In,
                    BookingState::Waiting => Standing::Waits,
                    BookingState::Offered => Standing::Offered {
                        until: booking.offer_expires_at.unwrap(),
                    },
                    _ => Standing::Out,
                });
            assert_eq!(seen, *standing, "person {who}");
        }
        for (at, who) in model.line.iter().enumerate() {
            let id = self.latest[*who].as_ref().unwrap().id;
            let position = self.campus.position(id).await;
            assert_eq!(
                position,
                Some(i64::try_from(at + 1).unwrap()),
                "person {who}"
            );
        }
    }
}

async fn compare(campus: &Campus, mode: WaitingListMode, people: &[Viewer], seed: u64) {
    let event = campus
        .event_with(2, |draft| {
            draft.waiting_list_mode = mode;
            draft.offer_hours = OFFER_HOURS;
            // Far enough away for offers not to be shortened.
            draft.starts_at += TimeDelta::days(365);
            draft.ends_at += TimeDelta::days(365);
        })
        .await;
    let mut model = Queue {
        mode,
        capacity: 2,
        people: [Standing::Out; PEOPLE],
        line: Vec::new(),
        now: campus.store.now(),
    };
    let mut real = Real {
        campus,
        event,
        people: people.to_vec(),
        latest: vec![None; PEOPLE],
    };
    let mut random = StdRng::seed_from_u64(seed);
    for at in 0..STEPS {
        let step = Step::any(&mut random);
        // What the failure of an assertion below is about.
        println!("{mode:?}, seed {seed}, step {at}: {step:?}");
        let allowed = model.step(step);
        assert_eq!(real.step(step).await, allowed);
        real.agrees_with(&model).await;
    }
}

on_both_columns! {
    async fn the_waiting_list_does_what_its_model_does(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let people = campus.students(PEOPLE).await;
        for seed in 0..3 {
            compare(&campus, WaitingListMode::Automatic, &people, seed).await;
            compare(&campus, WaitingListMode::Offer, &people, 100 + seed).await;
        }
    }
}

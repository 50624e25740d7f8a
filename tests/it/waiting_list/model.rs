//! The waiting list beside a model of it that is simple enough to be right: whatever people do in whatever order, both say
//! the same.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Viewer, booking as bookings,
    event::{self as events, AudienceGroup, EventChanges},
};
use entity::{
    booking::{BookingState, Model},
    event::WaitingListMode,
    ids::FacultyId,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use support::on_both_columns;

use crate::campus::Campus;

pub(super) const PEOPLE: usize = 9;
const STEPS: usize = 70;
pub(super) const OFFER_HOURS: i32 = 2;

/// What somebody does. Numbers are people.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Book(usize),
    Cancel(usize),
    /// An operator ends their booking.
    Remove(usize),
    /// Whether the event is for lawyers alone from now on.
    LawyersOnly(bool),
    Accept(usize),
    Decline(usize),
    Capacity(i32),
    Wait(TimeDelta),
    Jobs,
}

impl Step {
    /// Anything, also what everybody feels: that time passes, and that jobs run.
    fn any(random: &mut StdRng) -> Self {
        match random.random_range(0..19) {
            0..15 => Self::of_one(random),
            15 => Self::Wait(TimeDelta::minutes(random.random_range(1..100))),
            _ => Self::Jobs,
        }
    }

    /// Something that is done at one event.
    pub(super) fn of_one(random: &mut StdRng) -> Self {
        let who = random.random_range(0..PEOPLE);
        match random.random_range(0..15) {
            0..6 => Self::Book(who),
            6..9 => Self::Cancel(who),
            9 => Self::Accept(who),
            10 => Self::Decline(who),
            11 | 12 => Self::Capacity(random.random_range(1..5)),
            13 => Self::Remove(who),
            _ => Self::LawyersOnly(random.random()),
        }
    }
}

/// Where somebody stands: in the model there is nothing but this, the queue and the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Out,
    Waits,
    Offered { until: DateTime<Utc> },
    In,
}

impl Standing {
    pub(super) fn of(booking: &Model) -> Self {
        match booking.state {
            BookingState::Booked => Self::In,
            BookingState::Waiting => Self::Waits,
            BookingState::Offered => Self::Offered {
                until: booking.offer_expires_at.unwrap(),
            },
            _ => Self::Out,
        }
    }
}

/// Everybody, and the faculty of those who study law.
pub(super) async fn everybody(campus: &Campus) -> (Vec<Viewer>, FacultyId) {
    let law = campus.faculty("Law").await;
    let mut people = Vec::new();
    for who in 0..PEOPLE {
        let name = format!("person{who}");
        people.push(if is_lawyer(who) {
            campus.student_of(&name, law).await
        } else {
            campus.student(&name).await
        });
    }
    (people, law)
}

/// Whether somebody studies law: every other one does.
pub(super) const fn is_lawyer(who: usize) -> bool {
    who.is_multiple_of(2)
}

#[derive(Clone)]
pub(super) struct Queue {
    mode: WaitingListMode,
    capacity: usize,
    lawyers_only: bool,
    pub(super) people: [Standing; PEOPLE],
    pub(super) line: Vec<usize>,
    now: DateTime<Utc>,
}

impl Queue {
    pub(super) fn new(mode: WaitingListMode, now: DateTime<Utc>) -> Self {
        Self {
            mode,
            capacity: 2,
            lawyers_only: false,
            people: [Standing::Out; PEOPLE],
            line: Vec::new(),
            now,
        }
    }

    fn admits(&self, who: usize) -> bool {
        is_lawyer(who) || !self.lawyers_only
    }

    pub(super) fn taken(&self) -> usize {
        let has_place = |s: &&Standing| matches!(s, Standing::In | Standing::Offered { .. });
        self.people.iter().filter(has_place).count()
    }

    /// Does the step and answers whether it was allowed.
    pub(super) fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Book(who) if self.people[who] == Standing::Out && self.admits(who) => {
                if self.line.is_empty() && self.taken() < self.capacity {
                    self.people[who] = Standing::In;
                } else {
                    self.people[who] = Standing::Waits;
                    self.line.push(who);
                }
                true
            }
            Step::Cancel(who) | Step::Remove(who) if self.people[who] != Standing::Out => {
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
            Step::LawyersOnly(only) => {
                self.lawyers_only = only;
                true
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
                        // Who may not come any more leaves the list.
                        _ if !self.admits(next) => Standing::Out,
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
pub(super) struct Real<'a> {
    pub(super) campus: &'a Campus,
    pub(super) event: entity::event::Model,
    pub(super) law: FacultyId,
    pub(super) people: Vec<Viewer>,
    pub(super) latest: Vec<Option<Model>>,
}

impl Real<'_> {
    pub(super) async fn step(&mut self, step: Step) -> bool {
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
            Step::Remove(who) => match mine(who) {
                Some(id) => campus
                    .change(async |tx| {
                        bookings::cancel(tx, &campus.operator, id, Some("Removed.")).await
                    })
                    .await
                    .is_ok(),
                None => false,
            },
            Step::Capacity(capacity) => {
                let changes = EventChanges {
                    capacity: Some(capacity),
                    ..EventChanges::default()
                };
                self.update(changes).await
            }
            Step::LawyersOnly(only) => {
                let lawyers = AudienceGroup {
                    faculty_id: Some(self.law),
                    ..AudienceGroup::default()
                };
                let changes = EventChanges {
                    audience: Some(only.then_some(lawyers).into_iter().collect()),
                    ..EventChanges::default()
                };
                self.update(changes).await
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

    async fn update(&self, changes: EventChanges) -> bool {
        let campus = self.campus;
        let version = campus.event_now(self.event.id).await.version;
        campus
            .change(async |tx| {
                events::update(tx, &campus.operator, self.event.id, version, changes).await
            })
            .await
            .is_ok()
    }

    async fn agrees_with(&self, model: &Queue) {
        let event = self.campus.event_now(self.event.id).await;
        assert_eq!(usize::try_from(event.places_taken), Ok(model.taken()));
        for (who, standing) in model.people.iter().enumerate() {
            let booking = match &self.latest[who] {
                Some(booking) => Some(self.campus.booking_now(booking.id).await),
                None => None,
            };
            let seen = booking.as_ref().map_or(Standing::Out, Standing::of);
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

async fn compare(
    campus: &Campus,
    mode: WaitingListMode,
    (people, law): (&[Viewer], FacultyId),
    seed: u64,
) {
    let event = campus
        .event_with(2, |draft| {
            draft.waiting_list_mode = mode;
            draft.offer_hours = OFFER_HOURS;
            // Far enough away for offers not to be shortened.
            draft.starts_at += TimeDelta::days(365);
            draft.ends_at += TimeDelta::days(365);
        })
        .await;
    let mut model = Queue::new(mode, campus.store.now());
    let mut real = Real {
        campus,
        event,
        law,
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
        let (people, law) = everybody(&campus).await;
        for seed in 0..3 {
            compare(&campus, WaitingListMode::Automatic, (&people, law), seed).await;
            compare(&campus, WaitingListMode::Offer, (&people, law), 100 + seed).await;
        }
    }
}

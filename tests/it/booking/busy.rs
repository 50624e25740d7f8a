//! Five hundred students book and give up places at twenty events for a minute, over fifty connections, while the queues
//! move. The books are looked at all the while, and gone through when it is over.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    Error, RefusalCode, Store, Viewer, booking as bookings, clock::Clock, event::LockedEvent,
    live::NoSignals,
};
use entity::{
    booking::{self, BookingState, Model},
    delivery,
    event::{self, WaitingListMode},
    ids::EventId,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Statement,
};
use support::{TestBed, figure, on_both_columns};
use tokio::task::JoinSet;

use super::remove_check_on_places;
use crate::campus::Campus;

const STUDENTS: usize = 500;
const EVENTS: usize = 20;
const CONNECTIONS: usize = 50;
const FOR: Duration = Duration::from_mins(1);

/// Events of which each has places for a few: the half gives a freed place, the half offers it.
async fn events(campus: &Campus) -> Vec<event::Model> {
    let mut events = Vec::with_capacity(EVENTS);
    for at in 0..EVENTS {
        let mode = [WaitingListMode::Automatic, WaitingListMode::Offer][at % 2];
        let capacity = 3 + i32::try_from(at).unwrap();
        let event = campus.event_with(capacity, |draft| draft.waiting_list_mode = mode);
        events.push(event.await);
    }
    events
}

/// Some of the students, and what they do over one connection.
struct Group {
    store: Store,
    students: Vec<Viewer>,
    events: Vec<event::Model>,
    random: StdRng,
    /// The control: whoever books goes by what the event was when the test began, and locks nothing.
    without_lock: bool,
    /// Who should have, wait for, or be offered a place: student and event.
    in_it: BTreeMap<(usize, usize), bool>,
    done: usize,
}

impl Group {
    async fn go_on(mut self, stop: Arc<AtomicBool>) -> Self {
        while !stop.load(Ordering::Relaxed) {
            let (student, event) = self.choose();
            match self.act(student, event).await {
                Ok(is_in) => {
                    self.in_it.insert((student, event), is_in);
                    self.done += 1;
                }
                // Between the look and the change, the queue moved.
                Err(Error::Refused(refusals))
                    if refusals.iter().all(|r| r.code == RefusalCode::WrongState) => {}
                Err(error) => panic!("student {student} of these at event {event}: {error:?}"),
            }
        }
        self
    }

    /// Anybody and any event, or, as often, somebody who is in it: otherwise few would ever leave.
    fn choose(&mut self) -> (usize, usize) {
        let inside: Vec<(usize, usize)> = self
            .in_it
            .iter()
            .filter_map(|(pair, is_in)| is_in.then_some(*pair))
            .collect();
        if !inside.is_empty() && self.random.random_bool(0.5) {
            return inside[self.random.random_range(0..inside.len())];
        }
        let student = self.random.random_range(0..self.students.len());
        (student, self.random.random_range(0..self.events.len()))
    }

    /// Books, cancels, or answers an offer. Whether the student is in it then.
    async fn act(&mut self, student: usize, event: usize) -> domain::Result<bool> {
        let (viewer, event) = (&self.students[student], &self.events[event]);
        let now = live(&self.store, event.id, viewer).await;
        let mut tx = self.store.begin().await?;
        let is_in = match now {
            None if self.without_lock => {
                let mut unguarded = LockedEvent::unguarded(event.clone());
                bookings::book_locked(&mut tx, viewer, &mut unguarded).await?;
                true
            }
            None => {
                bookings::book(&mut tx, viewer, event.id).await?;
                true
            }
            Some(booking) if booking.state == BookingState::Offered => {
                let accepts = self.random.random_bool(0.7);
                if accepts {
                    bookings::accept_offer(&mut tx, viewer, booking.id).await?;
                } else {
                    bookings::decline_offer(&mut tx, viewer, booking.id).await?;
                }
                accepts
            }
            Some(booking) => {
                bookings::cancel(&mut tx, viewer, booking.id, None).await?;
                false
            }
        };
        tx.commit().await?;
        Ok(is_in)
    }
}

async fn live(store: &Store, event: EventId, viewer: &Viewer) -> Option<Model> {
    booking::Entity::find()
        .filter(booking::Column::EventId.eq(event))
        .filter(booking::Column::UserId.eq(viewer.user_id().unwrap()))
        .filter(booking::Column::State.is_in([
            BookingState::Booked,
            BookingState::Waiting,
            BookingState::Offered,
        ]))
        .one(store.reader())
        .await
        .unwrap()
}

/// What must hold at any moment, asked in one statement, which sees one moment: events with more places taken than there
/// are, or than are on the books, or where somebody was passed over in the queue.
const FAULTS: &str = r#"SELECT COUNT(*) AS faults FROM (
    SELECT e.id, e.capacity, e.places_taken,
        SUM(CASE WHEN b.state IN ('BOOKED', 'OFFERED') THEN 1 ELSE 0 END) AS placed,
        MAX(CASE WHEN b.promoted_at IS NOT NULL THEN b.queue_position ELSE 0 END) AS last_promoted,
        MIN(CASE WHEN b.state = 'WAITING' THEN b.queue_position END) AS first_waiting
    FROM "event" e JOIN "booking" b ON b.event_id = e.id
    GROUP BY e.id, e.capacity, e.places_taken) AS books
    WHERE placed > capacity OR placed <> places_taken OR first_waiting < last_promoted"#;

async fn faults(store: &Store) -> i64 {
    let statement = Statement::from_string(store.backend(), FAULTS);
    let row = store.reader().query_one_raw(statement).await.unwrap();
    row.unwrap().try_get("", "faults").unwrap()
}

/// Looks until the minute is over or a fault is seen, and ends it. Answers how often it looked, and after how many looks
/// it saw the first fault.
async fn watch(store: Store, stop: Arc<AtomicBool>) -> (usize, Option<usize>) {
    let (began, mut looks, mut fault_after) = (Instant::now(), 0, None);
    while began.elapsed() < FOR && fault_after.is_none() {
        looks += 1;
        fault_after = (faults(&store).await > 0).then_some(looks);
    }
    stop.store(true, Ordering::Relaxed);
    (looks, fault_after)
}

struct Minute {
    campus: Campus,
    people: Vec<Group>,
    looks: usize,
    fault_after: Option<usize>,
}

/// A minute of it, or less when a fault is seen.
async fn a_minute(bed: &TestBed, without_lock: bool) -> Minute {
    let campus = Campus::new(bed).await;
    let events = events(&campus).await;
    let students = campus.students(STUDENTS).await;
    let clock: Arc<dyn Clock> = Arc::clone(bed.clock()) as Arc<dyn Clock>;
    let connections = u32::try_from(CONNECTIONS).unwrap();
    let store = Store::connect(
        bed.database().url(),
        connections,
        clock,
        Arc::new(NoSignals),
    )
    .await
    .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut connections = JoinSet::new();
    for (seed, students) in students.chunks(STUDENTS / CONNECTIONS).enumerate() {
        let group = Group {
            store: store.clone(),
            students: students.to_vec(),
            events: events.clone(),
            random: StdRng::seed_from_u64(seed.try_into().unwrap()),
            without_lock,
            in_it: BTreeMap::new(),
            done: 0,
        };
        connections.spawn(group.go_on(Arc::clone(&stop)));
    }
    let watching = tokio::spawn(watch(campus.store.clone(), Arc::clone(&stop)));
    // The jobs of the queues find new work as long as the students go on.
    while !stop.load(Ordering::Relaxed) {
        campus.run_jobs().await;
    }
    let (looks, fault_after) = watching.await.unwrap();
    let people = connections.join_all().await;
    Minute {
        campus,
        people,
        looks,
        fault_after,
    }
}

impl Minute {
    /// Whoever is in it has a place, an offer or a place in the queue; nobody else has.
    async fn nobody_is_lost(&self) {
        for group in &self.people {
            for ((student, event), is_in) in &group.in_it {
                let (viewer, event) = (&group.students[*student], &group.events[*event]);
                let found = live(&group.store, event.id, viewer).await;
                assert_eq!(
                    found.is_some(),
                    *is_in,
                    "{viewer:?} at {}: {found:?}",
                    event.id
                );
            }
        }
    }

    /// Nobody waits while a place is free, and those who wait are one, two, three.
    async fn every_place_is_used(&self) {
        for event in &self.people[0].events {
            let now = self.campus.event_now(event.id).await;
            let waiting = booking::Entity::find()
                .filter(booking::Column::EventId.eq(event.id))
                .filter(booking::Column::State.eq(BookingState::Waiting))
                .order_by_asc(booking::Column::QueuePosition)
                .all(self.campus.store.reader())
                .await
                .unwrap();
            assert!(
                waiting.is_empty() || now.places_taken == now.capacity,
                "a place is free"
            );
            for (at, booking) in waiting.iter().enumerate() {
                let position = self.campus.position(booking.id).await;
                assert_eq!(position, Some(i64::try_from(at + 1).unwrap()));
            }
        }
    }

    /// For each booking, each step of its life was told in one letter.
    async fn the_letters_agree(&self) -> u64 {
        let store = &self.campus.store;
        let letters = async |templates: &[&str]| {
            delivery::Entity::find()
                .filter(delivery::Column::Template.is_in(templates.iter().copied()))
                .count(store.reader())
                .await
                .unwrap()
        };
        let rows = booking::Entity::find().all(store.reader()).await.unwrap();
        let number =
            |condition: fn(&Model) -> bool| rows.iter().filter(|row| condition(row)).count() as u64;
        let promoted = number(|row| row.promoted_at.is_some());
        assert_eq!(letters(&["place_given", "place_offered"]).await, promoted);
        assert_eq!(
            letters(&["waiting_list_joined"]).await,
            number(|row| row.queue_position.is_some())
        );
        promoted
    }
}

on_both_columns! {
    async fn five_hundred_students_keep_twenty_events_busy_and_the_books_balance(bed: TestBed) {
        let minute = a_minute(&bed, false).await;
        assert_eq!(minute.fault_after, None);
        minute.campus.run_jobs().await;
        assert_eq!(faults(&minute.campus.store).await, 0);
        minute.nobody_is_lost().await;
        minute.every_place_is_used().await;
        let promoted = minute.the_letters_agree().await;
        let done: usize = minute.people.iter().map(|group| group.done).sum();
        figure(&format!(
            "a minute of {STUDENTS} students at {EVENTS} events on {}: {done} bookings, cancellations and answers, {promoted} promotions, no fault in {} looks",
            bed.column(), minute.looks
        ));
        assert!(promoted > 0, "nobody was promoted: the minute shows nothing");
    }

    async fn without_the_lock_the_same_students_oversell(bed: TestBed) {
        // The control of the test above: the same minute, with neither the lock nor the CHECK behind it.
        remove_check_on_places(&bed).await;
        let minute = a_minute(&bed, true).await;
        assert!(minute.fault_after.is_some(), "{} looks saw no fault", minute.looks);
    }
}

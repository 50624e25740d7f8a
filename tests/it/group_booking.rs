//! Places for whole classes: counted as every other place, and past nobody who waits (policy 2.4).

use domain::{Error, RefusalCode, event as events, group_booking as groups};
use entity::{
    booking::BookingState,
    event::{EventKind, Model},
    group_booking::{self, GroupBookingState},
};
use sea_orm::EntityTrait;
use serde_json::json;
use support::{Desk, on_both_columns};

use crate::campus::{Campus, codes};

const BOOK: &str = "mutation($input: BookGroupInput!) { bookGroup(input: $input) {
    group { id className places state bookedBy { name } event { placesLeft } } userErrors { code field message } } }";
const CANCEL: &str = "mutation($input: CancelGroupInput!) { cancelGroup(input: $input) {
    group { state reason } userErrors { code field } } }";
const GROUPS: &str = "query($id: ID!) { node(id: $id) { ... on Event { placesLeft groups { className places state } } } }";

async fn book(campus: &Campus, event: &Model, places: i32) -> domain::Result<group_booking::Model> {
    campus
        .change(async |tx| {
            groups::book_group(tx, &campus.operator, event.id, "Year 2", places).await
        })
        .await
}

on_both_columns! {
    async fn a_class_takes_places_and_gives_them_to_those_who_wait(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let event = campus.event(5).await;
        let operator = campus.again(&campus.operator).await;
        let input = json!({ "input": { "eventId": event.id, "className": " Year 2 Chemistry ", "places": 4 } });
        let (booked, _) = desk.data(&operator, BOOK, input).await;
        let booked = &booked["bookGroup"];
        assert_eq!(booked["userErrors"], json!([]));
        assert_eq!((&booked["group"]["className"], &booked["group"]["bookedBy"]["name"]), (&json!("Year 2 Chemistry"), &json!("olga")));
        assert_eq!(booked["group"]["event"]["placesLeft"], 1);

        let people = campus.students(3).await;
        let mut made = Vec::new();
        for person in &people {
            made.push(campus.book(person, event.id).await.unwrap());
        }
        assert_eq!(made[0].state, BookingState::Booked);
        assert_eq!((made[1].state, made[2].state), (BookingState::Waiting, BookingState::Waiting));
        let smaller = events::EventChanges { capacity: Some(4), ..Default::default() };
        let version = campus.event_now(event.id).await.version;
        let refused = campus.change(async |tx| events::update(tx, &operator, event.id, version, smaller).await).await;
        assert_eq!(codes(refused), [RefusalCode::BelowPlacesTaken]);

        let input = json!({ "input": { "groupBookingId": booked["group"]["id"], "reason": "They have an exam." } });
        let (cancelled, _) = desk.data(&operator, CANCEL, input.clone()).await;
        assert_eq!(cancelled["cancelGroup"]["group"]["state"], "CANCELLED", "{cancelled}");
        campus.run_jobs().await;
        for booking in &made {
            assert_eq!(campus.state(booking.id).await, BookingState::Booked);
        }
        assert_eq!(campus.event_now(event.id).await.places_taken, 3);
        let (twice, _) = desk.data(&operator, CANCEL, input).await;
        assert_eq!(twice["cancelGroup"]["userErrors"][0]["code"], "WRONG_STATE", "places are given back once");
        assert_eq!(campus.event_now(event.id).await.places_taken, 3);
    }

    async fn a_class_passes_nobody_who_waits_and_gets_all_of_its_places_or_none(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(3).await;
        assert_eq!(codes(book(&campus, &event, 4).await), [RefusalCode::NoPlaceFree]);
        for wrong in [0, -2] {
            assert_eq!(codes(book(&campus, &event, wrong).await), [RefusalCode::Invalid]);
        }
        assert_eq!(campus.event_now(event.id).await.places_taken, 0);
        book(&campus, &event, 3).await.unwrap();
        let waits = campus.book(&campus.student("ann").await, event.id).await.unwrap();
        assert_eq!(waits.state, BookingState::Waiting);
        // More places, not given out yet: they are the waiter's.
        let more = events::EventChanges { capacity: Some(9), ..Default::default() };
        campus.update(&event, more).await;
        assert_eq!(codes(book(&campus, &event, 1).await), [RefusalCode::NoPlaceFree]);
        campus.run_jobs().await;
        assert_eq!(campus.state(waits.id).await, BookingState::Booked);
        book(&campus, &event, 5).await.unwrap();
        assert_eq!(campus.event_now(event.id).await.places_taken, 9);
    }

    async fn classes_are_for_those_who_manage_the_event(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(9).await;
        let group = book(&campus, &event, 3).await.unwrap();
        let (law, desk) = (campus.faculty("Law").await, Desk::open(&bed).await);
        let lawyer = campus.operator_of("lara", law).await;
        let refused = campus.change(async |tx| groups::book_group(tx, &lawyer, event.id, "Year 1", 2).await).await;
        assert!(matches!(refused, Err(domain::Error::Forbidden(_))), "{refused:?}");
        let hidden = campus.change(async |tx| groups::cancel_group(tx, &lawyer, group.id, "No.").await).await;
        assert_eq!(codes(hidden), [RefusalCode::NotFound]);
        for (viewer, number) in [(&lawyer, 0), (&campus.operator, 1)] {
            let (seen, _) = desk.data(viewer, GROUPS, json!({ "id": event.id })).await;
            assert_eq!(seen["node"]["groups"].as_array().unwrap().len(), number);
            assert_eq!(seen["node"]["placesLeft"], 6);
        }
        let mut training = campus.draft(5);
        training.kind = EventKind::Training;
        let training = campus.change(async |tx| events::create(tx, &campus.operator, training).await).await.unwrap();
        assert_eq!(codes(book(&campus, &training, 2).await), [RefusalCode::NotEligible]);
    }

    async fn the_places_of_a_class_end_with_the_event(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(9).await;
        let group = book(&campus, &event, 3).await.unwrap();
        campus.change(async |tx| events::cancel(tx, &campus.operator, event.id, "The room is flooded.").await).await.unwrap();
        let now = group_booking::Entity::find_by_id(group.id).one(campus.store.reader()).await.unwrap().unwrap();
        assert_eq!((now.state, now.reason.as_deref()), (GroupBookingState::Cancelled, Some("The room is flooded.")));
        assert_eq!(campus.event_now(event.id).await.places_taken, 0);
        assert_eq!(codes(book(&campus, &event, 1).await), [RefusalCode::BookingClosed]);
    }

    async fn classes_and_people_at_once_oversell_nothing(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(10).await;
        let people = campus.students(8).await;
        let singles = futures_util::future::join_all(people.iter().map(|person| campus.book(person, event.id)));
        let classes = futures_util::future::join_all((0..4).map(|_| book(&campus, &event, 3)));
        let (singles, classes) = futures_util::future::join(singles, classes).await;
        assert!(singles.iter().all(Result::is_ok), "{singles:?}");
        for refused in classes.iter().filter(|class| class.is_err()) {
            assert!(matches!(refused, Err(Error::Refused(why)) if why.iter().all(|r| r.code == RefusalCode::NoPlaceFree)), "{refused:?}");
        }
        let placed = singles.iter().flatten().filter(|booking| booking.state == BookingState::Booked).count();
        let of_classes = 3 * classes.iter().filter(|class| class.is_ok()).count();
        let taken = usize::try_from(campus.event_now(event.id).await.places_taken).unwrap();
        assert_eq!(taken, placed + of_classes);
        assert!((8..=10).contains(&taken), "eight people alone take as many, if no class does: {taken}");
        let waiting = singles.iter().flatten().any(|booking| booking.state == BookingState::Waiting);
        assert!(!waiting || taken == 10, "somebody waits while places are free");
    }
}

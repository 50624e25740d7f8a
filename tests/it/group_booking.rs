//! Places for whole classes: counted as every other place, and past nobody who waits (policy 2.4).

use chrono::TimeDelta;
use domain::{Error, RefusalCode, event as events, group_booking as groups, register};
use entity::{
    audit_entry,
    booking::BookingState,
    event::{EventKind, EventState, Model},
    group_booking::{self, GroupBookingState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use support::{Desk, on_both_columns};

use crate::campus::{Campus, codes};

const BOOK: &str = "mutation($input: BookGroupInput!) { bookGroup(input: $input) {
    group { id className places state bookedBy { name } event { placesLeft } } userErrors { code field message } } }";
const CANCEL: &str = "mutation($input: CancelGroupInput!) { cancelGroup(input: $input) {
    group { state reason } userErrors { code field } } }";
const MARK: &str = "mutation($input: MarkGroupInput!) { markGroup(input: $input) {
    group { attended attendedNames markedAt } userErrors { code field } } }";
const DOOR: &str = "mutation($id: ID!) { exportDoorList(input: { eventId: $id }) { doorList { csv } userErrors { code } } }";
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

    async fn whoever_watches_the_places_of_an_event_sees_those_of_classes_and_its_capacity_and_its_end(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let event = campus.event(9).await;
        let (admin, student) = (system.demo_client("admin").await, system.demo_client("student1").await);
        let watched = format!("subscription {{ placesChanged(eventId: \"{}\") {{ state placesLeft groups {{ className }} }} }}", event.id);
        let withheld = student.watch(&watched.replace(" groups { className }", "")).await;
        let (mut managing, mut watching) = (admin.watch(&watched).await, withheld);
        let input = json!({ "input": { "eventId": event.id, "className": "Year 2", "places": 4 } });
        let group = admin.data(BOOK, input).await["bookGroup"]["group"]["id"].clone();
        managing.until("\"placesLeft\":5,\"groups\":[{\"className\":\"Year 2\"}]").await;
        watching.until("\"placesLeft\":5").await;
        campus.book(&campus.student("ann").await, event.id).await.unwrap();
        student.data("mutation($id: ID!) { bookEvent(input: { eventId: $id }) { userErrors { code } } }", json!({ "id": event.id })).await;
        watching.until("\"placesLeft\":3").await;
        admin.data(CANCEL, json!({ "input": { "groupBookingId": group, "reason": "They have an exam." } })).await;
        watching.until("\"placesLeft\":7").await;
        let change = "mutation($input: UpdateEventInput!) { updateEvent(input: $input) { userErrors { code } } }";
        let version = campus.event_now(event.id).await.version;
        admin.data(change, json!({ "input": { "eventId": event.id, "version": version, "capacity": 20 } })).await;
        watching.until("\"placesLeft\":18").await;
        let cancel = "mutation($input: CancelEventInput!) { cancelEvent(input: $input) { userErrors { code } } }";
        admin.data(cancel, json!({ "input": { "eventId": event.id, "reason": "No speaker." } })).await;
        watching.until("\"state\":\"CANCELLED\"").await;
        let hidden = student.graphql("subscription { placesChanged(eventId: \"evt_01h455vb4pex5vsknk084sn02q\") { placesLeft } }", json!({})).await;
        assert!(!hidden.errors.is_empty());
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

    async fn the_register_takes_a_number_for_a_class_and_nobody_of_it_has_missed_the_event(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let event = campus.event(30).await;
        let class = book(&campus, &event, 20).await.unwrap();
        let absent = campus.student("absent").await;
        let booking = campus.book(&absent, event.id).await.unwrap();
        let mark = async |attended: i32| {
            let operator = campus.again(&campus.operator).await;
            let input = json!({ "groupBookingId": class.id, "attended": attended, "names": " Ann\nBob " });
            desk.data(&operator, MARK, json!({ "input": input })).await.0["markGroup"].clone()
        };
        assert_eq!(mark(18).await["userErrors"][0]["code"], "WRONG_STATE", "the register is not open yet");
        campus.clock.set(event.starts_at);
        for wrong in [-1, 21] {
            assert_eq!(mark(wrong).await["userErrors"][0]["field"], "attended");
        }
        let close = async || campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, false).await).await;
        assert_eq!(mark(0).await["group"]["attended"], 0);
        assert_eq!(codes(close().await), [RefusalCode::RegisterUnmarked], "nobody is marked as having come");
        let marked = mark(18).await;
        assert_eq!((&marked["group"]["attended"], &marked["group"]["attendedNames"]), (&json!(18), &json!("Ann\nBob")));
        assert_eq!(mark(18).await["userErrors"], json!([]), "it works twice without harm");
        let given_back = campus.change(async |tx| groups::cancel_group(tx, &campus.operator, class.id, "No.").await).await;
        assert_eq!(codes(given_back), [RefusalCode::WrongState], "who came has used the places");

        let (list, _) = desk.data(&campus.again(&campus.operator).await, DOOR, json!({ "id": event.id })).await;
        let csv = list["exportDoorList"]["doorList"]["csv"].as_str().unwrap().to_owned();
        assert!(csv.lines().any(|line| line.starts_with("Year 2,,\"class, 18 came\",") && line.ends_with(",20")), "{csv}");

        close().await.unwrap();
        campus.run_jobs().await;
        assert_eq!(mark(19).await["userErrors"][0]["code"], "REGISTER_CLOSED");
        assert_eq!(campus.state(booking.id).await, BookingState::NoShow);
        let letters = campus.letters().await;
        let missed: Vec<_> = letters.iter().filter(|letter| letter.template == "no_show").collect();
        assert_eq!(missed.len(), 1, "the class has two who did not come, and no persons to write to");
        assert_eq!(missed[0].user_id, absent.user_id());
        assert_eq!(campus.again(&campus.operator).await.person().unwrap().booking_blocked_at, None);
    }

    async fn a_class_that_nobody_counted_leaves_its_register_unmarked(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(30).await;
        let class = book(&campus, &event, 20).await.unwrap();
        campus.later(events::register_due_at(&event)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Published);
        let letters = campus.letters().await;
        let asked = letters.iter().find(|letter| letter.template == "register_unmarked").unwrap();
        assert_eq!(asked.fields["booked"], 20);
        campus.change(async |tx| groups::mark_group(tx, &campus.operator, class.id, 17, None).await).await.unwrap();
        campus.later(events::register_due_at(&event) + TimeDelta::hours(4)).await;
        assert_eq!(campus.event_now(event.id).await.state, EventState::Past);
    }

    async fn whoever_booked_a_class_is_told_when_the_event_moves_nears_and_ends(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let teacher = campus.staff("teacher").await;
        support::operator::grant(&campus.store, teacher.user_id().unwrap(), entity::access_grant::Permission::ManageEvent, None).await;
        let teacher = campus.again(&teacher).await;
        let event = campus.event_with(30, |draft| draft.reminder_minutes = vec![60]).await;
        let booked = async |name: &str| {
            campus.change(async |tx| groups::book_group(tx, &teacher, event.id, name, 10).await).await.unwrap()
        };
        let (first, second) = (booked("Year 1").await, booked("Year 2").await);
        assert_eq!(campus.mails_to(&teacher).await, [""; 0]);
        let room = events::EventChanges { venue: Some(Some("Great Hall".to_owned())), ..Default::default() };
        campus.update(&event, room).await;
        campus.run_jobs().await;
        assert_eq!(campus.mails_to(&teacher).await, ["event_moved", "event_moved"], "one for each class");
        let letters = campus.letters().await;
        let of_first = letters.iter().find(|letter| letter.fields["class_name"] == "Year 1").unwrap();
        assert_eq!(of_first.fields["standing"], "class");
        assert_eq!(of_first.fields["event"]["place"], "Great Hall");

        campus.change(async |tx| groups::cancel_group(tx, &campus.operator, first.id, "Too many.").await).await.unwrap();
        campus.later(event.starts_at - TimeDelta::minutes(60)).await;
        let told = ["booking_cancelled", "event_moved", "event_moved", "event_reminder_class"];
        assert_eq!(campus.mails_to(&teacher).await, told);
        campus.change(async |tx| events::cancel(tx, &campus.operator, event.id, "Flooded.").await).await.unwrap();
        campus.run_jobs().await;
        let letters = campus.letters().await;
        let ended: Vec<_> = letters.iter().filter(|letter| letter.template == "event_cancelled").collect();
        assert_eq!(ended.len(), 1, "the class that had given its places back is not told");
        assert_eq!((&ended[0].fields["class_name"], &ended[0].fields["reason"]), (&json!("Year 2"), &json!("Flooded.")));
        let line = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("group_booking.cancel"))
            .filter(audit_entry::Column::Subject.eq(second.id.to_string()))
            .all(campus.store.reader())
            .await
            .unwrap();
        assert_eq!(line.len(), 1, "places that end with their event stand in the log");
    }
}

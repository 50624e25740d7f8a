//! Venues: a list of rooms that events name, with what they hold, how one gets in, and whether two events are in one (policy 2.4).

mod at_once;

use chrono::TimeDelta;
use domain::{Error, Viewer, venue as venues};
use serde_json::{Value, json};
use support::{Desk, on_both_columns};

use crate::{
    campus::Campus,
    ticket::{book, calendar, mail, mails, parsed},
};

const ADD: &str = "mutation($input: CreateVenueInput!) { createVenue(input: $input) {
    venue { id name building campus label capacity accessibility mapLink version } userErrors { code field message } } }";
const CHANGE: &str = "mutation($input: UpdateVenueInput!) { updateVenue(input: $input) {
    venue { label capacity version } userErrors { code field message } } }";
const ARCHIVE: &str = "mutation($input: ArchiveVenueInput!) { archiveVenue(input: $input) {
    venue { archivedAt } userErrors { code field } } }";
const MERGE: &str = "mutation($input: MergeVenuesInput!) { mergeVenues(input: $input) {
    events userErrors { code field } } }";
const LIST: &str = "query($filter: VenueFilter) { venues(filter: $filter, first: 50) { totalCount nodes { label } } }";
const EVENT: &str = "query($id: ID!) { node(id: $id) { ... on Event {
    venue version venueDetails { id label accessibility } venueWarnings } } }";
const WRITE: &str = "mutation($input: CreateEventInput!) { createEvent(input: $input) {
    event { id version venue venueWarnings venueDetails { name } } userErrors { code field message } } }";
const UPDATE: &str = "mutation($input: UpdateEventInput!) { updateEvent(input: $input) {
    event { version venue venueWarnings venueDetails { name } } userErrors { code field message } } }";
const COPY: &str = "mutation($input: CopyEventInput!) { copyEvent(input: $input) {
    event { venue venueDetails { name } } userErrors { code field } } }";
const CLASHES: &str =
    "query($input: EventClashesInput) { eventClashes(input: $input) { severity sharedVenue why } }";

async fn call(desk: &Desk, viewer: &Viewer, mutation: &str, input: Value) -> Value {
    let (data, _) = desk.data(viewer, mutation, json!({ "input": input })).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

async fn add(desk: &Desk, viewer: &Viewer, name: &str, building: &str, capacity: i32) -> Value {
    let input = json!({ "name": name, "building": building, "campus": "City Campus", "capacity": capacity });
    let added = call(desk, viewer, ADD, input).await;
    assert_eq!(added["userErrors"], json!([]), "{added}");
    added["venue"].clone()
}

async fn seen(desk: &Desk, viewer: &Viewer, event: &Value) -> Value {
    desk.data(viewer, EVENT, json!({ "id": event })).await.0["node"].clone()
}

/// An event at this place, as `createEvent` takes it.
fn event(campus: &Campus, capacity: i32, place: (&str, &Value)) -> Value {
    let starts_at = campus.store.now() + TimeDelta::days(7);
    json!({
        "title": "Law fair", "kind": "CAREERS_FAIR", "capacity": capacity, place.0: place.1,
        "startsAt": starts_at.to_rfc3339(), "endsAt": (starts_at + TimeDelta::hours(2)).to_rfc3339(),
    })
}

on_both_columns! {
    async fn a_venue_says_what_it_holds_and_how_one_gets_in_and_is_on_the_list_once(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let input = json!({
            "name": " Great Hall ", "building": "Parkinson Building", "campus": "City Campus", "capacity": 400,
            "accessibility": "Level access from Beech Grove.", "mapLink": "https://maps.example.org/great-hall",
        });
        let added = call(&desk, operator, ADD, input).await;
        assert_eq!(added["venue"]["label"], "Great Hall, Parkinson Building, City Campus", "{added}");
        assert_eq!(added["venue"]["accessibility"], "Level access from Beech Grove.");
        add(&desk, operator, "Great Hall", "Union", 90).await;
        let twice = json!({ "name": "the great hall", "building": "parkinson building", "campus": "City campus." });
        let refused = call(&desk, operator, ADD, twice).await;
        assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!("TAKEN"), &json!("name")));
        for (input, field) in [
            (json!({ "name": " " }), "name"),
            (json!({ "name": "?!" }), "name"),
            (json!({ "name": "Room", "capacity": 0 }), "capacity"),
            (json!({ "name": "Room", "mapLink": "javascript:alert(1)" }), "mapLink"),
        ] {
            assert_eq!(call(&desk, operator, ADD, input).await["userErrors"][0]["field"], field);
        }
        let listed = async |filter: Value| desk.data(operator, LIST, json!({ "filter": filter })).await.0["venues"].clone();
        assert_eq!(listed(json!({ "holds": 100 })).await["totalCount"], 1);
        let all = listed(json!({ "search": "hall" })).await;
        assert_eq!(all["nodes"], json!([
            { "label": "Great Hall, Parkinson Building, City Campus" }, { "label": "Great Hall, Union, City Campus" },
        ]));
    }

    async fn an_event_names_a_venue_or_writes_where_it_is(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let hall = add(&desk, operator, "Great Hall", "Parkinson Building", 400).await;
        let made = call(&desk, operator, WRITE, event(&campus, 100, ("venueId", &hall["id"]))).await;
        assert_eq!(made["event"]["venue"], "Great Hall, Parkinson Building, City Campus", "{made}");
        assert_eq!((&made["event"]["venueDetails"]["name"], &made["event"]["venueWarnings"]), (&json!("Great Hall"), &json!([])));
        let mut version = made["event"]["version"].clone();
        let mut change = async |field: &str, value: Value| {
            let input = json!({ "eventId": made["event"]["id"], "version": version, field: value });
            let changed = call(&desk, operator, UPDATE, input).await;
            assert_eq!(changed["userErrors"], json!([]), "{field}");
            version = changed["event"]["version"].clone();
            changed["event"].clone()
        };
        assert_eq!(change("title", json!("Law fair 2")).await["venueDetails"]["name"], "Great Hall");
        let outside = change("venue", json!("Town Hall, Leeds")).await;
        assert_eq!((&outside["venue"], &outside["venueDetails"]), (&json!("Town Hall, Leeds"), &Value::Null));
        let label = change("venueId", hall["id"].clone()).await["venue"].clone();
        let sent_back = change("venue", label).await;
        assert_eq!(sent_back["venueDetails"]["name"], "Great Hall", "a form that sends back what it was given moves nothing");
        let nowhere = change("venueId", Value::Null).await;
        assert_eq!((&nowhere["venue"], &nowhere["venueDetails"]), (&Value::Null, &Value::Null), "its name goes with it");
        let absent = call(&desk, operator, WRITE, event(&campus, 9, ("venueId", &json!("ven_01h455vb4pex5vsknk084sn02q")))).await;
        assert_eq!((&absent["userErrors"][0]["code"], &absent["userErrors"][0]["field"]), (&json!("NOT_FOUND"), &json!("venueId")));
    }

    async fn more_places_than_the_room_holds_are_warned_of_and_not_refused(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let room = add(&desk, operator, "Room 12", "Parkinson Building", 30).await;
        let fits = call(&desk, operator, WRITE, event(&campus, 30, ("venueId", &room["id"]))).await;
        assert_eq!(fits["event"]["venueWarnings"], json!([]));
        let large = call(&desk, operator, WRITE, event(&campus, 31, ("venueId", &room["id"]))).await;
        assert_eq!(large["event"]["venueWarnings"], json!(["Room 12 holds 30 people, and the event has 31 places."]));
    }

    async fn a_venue_that_is_booked_twice_is_warned_of_by_itself_and_by_what_organisers_write(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let (hall, other) = (add(&desk, operator, "Great Hall", "Parkinson Building", 400).await, add(&desk, operator, "Great Hall", "Union", 90).await);
        call(&desk, operator, WRITE, event(&campus, 100, ("venueId", &hall["id"]))).await;
        let ask = async |field: &str, place: &Value| {
            let mut input = event(&campus, 1, (field, place));
            for only_of_events in ["title", "capacity"] {
                input.as_object_mut().unwrap().remove(only_of_events);
            }
            input["kind"] = json!("TRAINING");
            desk.data(operator, CLASHES, json!({ "input": input })).await.0["eventClashes"].clone()
        };
        let found = ask("venueId", &hall["id"]).await;
        assert_eq!(found[0]["severity"], "WARNING", "{found}");
        assert_eq!(found[0]["sharedVenue"], "Great Hall, Parkinson Building, City Campus");
        assert!(found[0]["why"].as_str().unwrap().contains("both are to be in Great Hall, Parkinson Building"), "{found}");
        for written in ["the great hall", "Great Hall, Parkinson Building, City Campus"] {
            assert_eq!(ask("venue", &json!(written)).await[0]["severity"], "WARNING", "{written}");
        }
        assert_eq!(ask("venueId", &other["id"]).await, json!([]), "the control: a hall of that name elsewhere");
    }

    async fn a_venue_out_of_use_keeps_its_events_and_gets_no_others(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let room = add(&desk, operator, "Room 12", "Parkinson Building", 30).await;
        let made = call(&desk, operator, WRITE, event(&campus, 10, ("venueId", &room["id"]))).await;
        let gone = call(&desk, operator, ARCHIVE, json!({ "venueId": room["id"] })).await;
        assert!(gone["venue"]["archivedAt"].is_string(), "{gone}");
        let refused = call(&desk, operator, WRITE, event(&campus, 10, ("venueId", &room["id"]))).await;
        assert_eq!((&refused["userErrors"][0]["code"], &refused["userErrors"][0]["field"]), (&json!("WRONG_STATE"), &json!("venueId")));
        let input = json!({ "eventId": made["event"]["id"], "version": made["event"]["version"], "title": "Another" });
        let kept = call(&desk, operator, UPDATE, input).await;
        assert_eq!(kept["event"]["venueWarnings"], json!(["Room 12 is out of use."]), "{kept}");
        let starts_at = (campus.store.now() + TimeDelta::days(20)).to_rfc3339();
        let copied = call(&desk, operator, COPY, json!({ "eventId": made["event"]["id"], "startsAt": starts_at })).await;
        assert_eq!((&copied["userErrors"], &copied["event"]["venueDetails"]), (&json!([]), &Value::Null), "{copied}");
        assert_eq!(copied["event"]["venue"], made["event"]["venue"], "its words stay");
        assert_eq!(desk.data(operator, LIST, json!({})).await.0["venues"]["totalCount"], 0);
        call(&desk, operator, ARCHIVE, json!({ "venueId": room["id"], "archived": false })).await;
        let again = call(&desk, operator, WRITE, event(&campus, 10, ("venueId", &room["id"]))).await;
        assert_eq!(again["userErrors"], json!([]));
    }

    async fn two_spellings_of_a_venue_become_one_and_nobody_is_told(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = &campus.operator;
        let (hall, twin) = (add(&desk, operator, "Great Hall", "Parkinson Building", 400).await, add(&desk, operator, "Gt Hall", "Parkinson", 400).await);
        let mut ids = Vec::new();
        for place in [("venueId", twin["id"].clone()), ("venue", json!("Great Hall (Parkinson)")), ("venue", json!("Town Hall"))] {
            let made = call(&desk, operator, WRITE, event(&campus, 10, (place.0, &place.1))).await;
            ids.push(made["event"]["id"].clone());
        }
        let published = ids[0].as_str().unwrap().parse().unwrap();
        campus.change(async |tx| domain::event::publish(tx, operator, published).await).await.unwrap();
        let ann = campus.student("ann").await;
        campus.book(&ann, published).await.unwrap();
        let nothing = call(&desk, operator, MERGE, json!({ "venueId": hall["id"] })).await;
        assert_eq!(nothing["userErrors"][0]["code"], "REQUIRED");
        let input = json!({ "venueId": hall["id"], "otherIds": [twin["id"]], "spellings": ["Great Hall (Parkinson)"] });
        let merged = call(&desk, operator, MERGE, input).await;
        assert_eq!(merged["events"], 2, "{merged}");
        for (id, name) in ids.iter().zip(["Great Hall, Parkinson Building, City Campus", "Great Hall, Parkinson Building, City Campus", "Town Hall"]) {
            assert_eq!(seen(&desk, operator, id).await["venue"], name);
        }
        assert_eq!(desk.data(operator, LIST, json!({})).await.0["venues"]["totalCount"], 1, "the other is out of use");
        campus.run_jobs().await;
        assert_eq!(campus.mails_to(&ann).await, ["booking_confirmed"]);
    }

    async fn what_others_events_name_is_changed_by_operators_of_the_whole_campus(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let lawyer = campus.operator_of("lara", campus.faculty("Law").await).await;
        let room = add(&desk, &lawyer, "Moot court", "Liberty Building", 60).await;
        let id = room["id"].as_str().unwrap().parse().unwrap();
        let refused = [
            campus.change(async |tx| venues::archive(tx, &lawyer, id, true).await.map(|_| ())).await,
            campus.change(async |tx| venues::update(tx, &lawyer, id, 1, venues::VenueChanges::default(), false).await.map(|_| ())).await,
            campus.change(async |tx| venues::merge(tx, &lawyer, id, &[], &["Court".to_owned()]).await.map(|_| ())).await,
        ];
        for one in refused {
            assert!(matches!(one, Err(Error::Forbidden(_))), "{one:?}");
        }
        let input = json!({ "venueId": room["id"], "version": room["version"], "capacity": 70 });
        let changed = call(&desk, &campus.operator, CHANGE, input.clone()).await;
        assert_eq!(changed["venue"]["capacity"], 70, "{changed}");
        let stale = call(&desk, &campus.operator, CHANGE, input).await;
        assert_eq!(stale["userErrors"][0]["code"], "STALE");
    }

    async fn mails_and_calendars_name_the_venue_and_whoever_means_to_come_is_told_when_it_is_called_otherwise(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, student) = (system.demo_client("admin").await, system.demo_client("student1").await);
        let campus = Campus::new(&bed).await;
        let input = json!({ "name": "Great Hall", "building": "Parkinson Building" });
        let hall = admin.data(ADD, json!({ "input": input })).await["createVenue"]["venue"].clone();
        let made = admin.data(WRITE, json!({ "input": event(&campus, 10, ("venueId", &hall["id"])) })).await;
        let id = made["createEvent"]["event"]["id"].as_str().unwrap().to_owned();
        let publish = "mutation($id: ID!) { publishEvent(input: { eventId: $id }) { userErrors { code message } } }";
        let published = admin.data(publish, json!({ "id": id })).await;
        assert_eq!(published["publishEvent"]["userErrors"], json!([]));
        book(&student, &id).await;
        let raw = mail(&bed, "student1", "You are booked: Law fair").await;
        let where_it_is = "Where: Great Hall, Parkinson Building";
        assert!(parsed(&raw).body_text(0).unwrap().contains(where_it_is));
        let file = calendar(&raw).unwrap();
        assert_eq!(file.event("Law fair").location.as_deref(), Some("Great Hall, Parkinson Building"));

        let details = student.data(
            "query($id: ID!) { node(id: $id) { ... on Event { venueDetails { label building } } } }", json!({ "id": id }),
        ).await;
        assert_eq!(details["node"]["venueDetails"]["building"], "Parkinson Building");

        let change = async |version: &Value, name: &str, quietly: bool| {
            let input = json!({ "venueId": hall["id"], "version": version, "name": name, "quietly": quietly });
            let changed = admin.data(CHANGE, json!({ "input": input })).await["updateVenue"].clone();
            assert_eq!(changed["userErrors"], json!([]));
            changed["venue"]["version"].clone()
        };
        let version = change(&hall["version"], "Great Halls", true).await;
        change(&version, "Brotherton Room", false).await;
        let raw = mail(&bed, "student1", "Changed: Law fair").await;
        let text = parsed(&raw).body_text(0).unwrap().into_owned();
        assert!(text.contains("Where: Brotherton Room, Parkinson Building"), "{text}");
        assert!(text.contains("Great Halls, Parkinson Building."), "the better spelling was told to nobody: {text}");
        let moved = calendar(&raw).unwrap().event("Law fair").clone();
        assert!(moved.sequence > file.event("Law fair").sequence);
        assert_eq!(moved.location.as_deref(), Some("Brotherton Room, Parkinson Building"));
        assert_eq!(mails(&bed, "student1", "Changed: Law fair").len(), 1);
    }
}

//! Copies of an event, series of events, and rooms that are booked twice (policy 2.4).

use chrono::{DateTime, TimeDelta, Utc};
use domain::{RefusalCode, Viewer, event as events};
use entity::{
    audit_entry,
    booking::BookingState,
    event::{EventState, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Desk, on_both_columns};

use crate::campus::{Campus, codes};

const COPY: &str = "mutation($input: CopyEventInput!) { copyEvent(input: $input) {
    event { id title state startsAt endsAt capacity placesLeft bookingOpensAt venue audience { faculty { name } } series { id } }
    userErrors { code field message } } }";
const REPEAT: &str = "mutation($input: RepeatEventInput!) { repeatEvent(input: $input) {
    event { id series { id state startsAt startsAtLocal version } } userErrors { code field message } } }";
const UPDATE: &str = "mutation($input: UpdateEventInput!) { updateEvent(input: $input) {
    event { series { title venue startsAt endsAt startsAtLocal capacity } } userErrors { code field message } } }";
const PUBLISH: &str = "mutation($input: PublishEventInput!) { publishEvent(input: $input) {
    event { series { state } } userErrors { code field message } } }";
const CANCEL: &str = "mutation($input: CancelEventInput!) { cancelEvent(input: $input) {
    event { series { state } } userErrors { code field } } }";
const CLASHES: &str = "query($input: EventClashesInput) { eventClashes(input: $input) {
    severity sharedVenue why other { title } } }";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// What a mutation answers.
async fn call(desk: &Desk, viewer: &Viewer, mutation: &str, input: Value) -> Value {
    let (data, _) = desk.data(viewer, mutation, json!({ "input": input })).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

fn each(event: &Value, field: &str) -> Vec<Value> {
    let series = event["event"]["series"].as_array();
    series
        .unwrap_or_else(|| panic!("{event}"))
        .iter()
        .map(|one| one[field].clone())
        .collect()
}

/// A draft on a Tuesday in October at two by the clocks of the university, before they change.
async fn autumn(campus: &Campus) -> Model {
    campus.clock.set(at("2026-10-06T09:00:00Z"));
    let mut draft = campus.draft(10);
    draft.starts_at = at("2026-10-13T13:00:00Z");
    draft.ends_at = at("2026-10-13T15:00:00Z");
    draft.booking_opens_at = Some(at("2026-10-12T08:00:00Z"));
    draft.venue = Some("Room 12".to_owned());
    let created = campus
        .change(async |tx| events::create(tx, &campus.operator, draft).await)
        .await;
    created.unwrap()
}

on_both_columns! {
    async fn a_copy_is_a_draft_like_the_event_at_another_time(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = autumn(&campus).await;
        let operator = campus.again(&campus.operator).await;
        campus.change(async |tx| events::publish(tx, &operator, event.id).await).await.unwrap();
        campus.clock.set(at("2026-10-12T09:00:00Z"));
        campus.book(&campus.student("ann").await, event.id).await.unwrap();
        let desk = Desk::open(&bed).await;
        let input = json!({ "eventId": event.id, "startsAt": "2026-11-10T15:00:00Z" });
        let copied = call(&desk, &operator, COPY, input).await;
        let copy = &copied["event"];
        assert_eq!(copy["state"], "DRAFT");
        assert_eq!((&copy["title"], &copy["venue"]), (&json!("CV workshop"), &json!("Room 12")));
        assert_eq!(copy["endsAt"], "2026-11-10T17:00:00+00:00", "{copied}");
        assert_eq!(copy["bookingOpensAt"], "2026-11-09T10:00:00+00:00", "as long before it, by the clocks");
        assert_eq!((&copy["capacity"], &copy["placesLeft"]), (&json!(10), &json!(10)), "bookings are not copied");
        assert_eq!(copy["series"], json!([]));

        let input = json!({ "eventId": event.id, "startsAt": "2026-01-10T15:00:00Z" });
        let refused = call(&desk, &operator, COPY, input).await;
        assert_eq!(refused["userErrors"][0]["code"], "IN_THE_PAST");
    }

    async fn what_another_faculty_agreed_to_is_not_copied(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let lawyer = campus.operator_of("lara", law).await;
        let mut draft = campus.draft(10);
        draft.faculty_id = Some(law);
        draft.audience = [law, music].map(|id| events::AudienceGroup { faculty_id: Some(id), ..Default::default() }).to_vec();
        let event = campus.change(async |tx| events::create(tx, &campus.operator, draft).await).await.unwrap();
        let desk = Desk::open(&bed).await;
        let input = json!({ "eventId": event.id, "startsAt": (event.starts_at + TimeDelta::days(7)).to_rfc3339() });
        let by_faculty = call(&desk, &lawyer, COPY, input.clone()).await;
        assert_eq!(by_faculty["event"]["audience"], json!([{ "faculty": { "name": "Law" } }]), "{by_faculty}");
        let by_campus = call(&desk, &campus.operator, COPY, input).await;
        assert_eq!(by_campus["event"]["audience"].as_array().unwrap().len(), 2);
    }

    async fn only_whoever_manages_an_event_copies_or_repeats_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (lawyer, musician) = (campus.operator_of("lara", law).await, campus.operator_of("mia", music).await);
        let mut draft = campus.draft(10);
        draft.faculty_id = Some(law);
        let event = campus.change(async |tx| events::create(tx, &lawyer, draft).await).await.unwrap();
        let later = event.starts_at + TimeDelta::days(7);
        let hidden = campus.change(async |tx| events::copy(tx, &musician, event.id, later).await).await;
        assert_eq!(codes(hidden), [RefusalCode::NotFound]);
        let dates = events::Dates::Weekly(3);
        let hidden = campus.change(async |tx| events::repeat(tx, &musician, event.id, dates.clone()).await).await;
        assert_eq!(codes(hidden), [RefusalCode::NotFound]);
        campus.change(async |tx| events::repeat(tx, &lawyer, event.id, dates).await).await.unwrap();
    }

    async fn a_weekly_series_keeps_its_hour_when_the_clocks_change(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = autumn(&campus).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        let made = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": 4 })).await;
        assert_eq!(each(&made, "startsAtLocal"), [
            "Tuesday 13 October 2026, 14:00", "Tuesday 20 October 2026, 14:00", "Tuesday 27 October 2026, 14:00",
            "Tuesday 3 November 2026, 14:00",
        ]);
        assert_eq!(each(&made, "startsAt")[2], "2026-10-27T14:00:00+00:00", "{made}");
        assert_eq!(each(&made, "state"), ["DRAFT"; 4]);

        // One more by its date; the same twice is refused, and so is everything of that call.
        let input = json!({ "eventId": event.id, "startsAt": ["2026-12-01T10:00:00Z"] });
        assert_eq!(each(&call(&desk, &operator, REPEAT, input.clone()).await, "startsAt").len(), 5);
        let twice = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "startsAt": ["2026-12-08T10:00:00Z", "2026-12-01T10:00:00Z"] })).await;
        assert_eq!(twice["userErrors"][0]["code"], "TAKEN", "{twice}");
        for (times, code) in [(1, "REQUIRED"), (0, "REQUIRED"), (-3, "REQUIRED"), (54, "TOO_LONG")] {
            let refused = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": times })).await;
            assert_eq!(refused["userErrors"][0]["code"], code, "{times}: {refused}");
        }
        let (seen, _) = desk.data(&operator, "query($id: ID!) { node(id: $id) { ... on Event { series { id } } } }", json!({ "id": event.id })).await;
        assert_eq!(seen["node"]["series"].as_array().unwrap().len(), 5);
    }

    async fn each_event_of_a_series_is_booked_by_itself(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let first = campus.event(1).await;
        campus.change(async |tx| events::repeat(tx, &campus.operator, first.id, events::Dates::Weekly(2)).await).await.unwrap();
        let all = events::series(campus.store.reader(), &campus.operator, &[campus.event_now(first.id).await.series_id.unwrap()]).await.unwrap();
        let second = campus.change(async |tx| events::publish(tx, &campus.operator, all[1].id).await).await.unwrap();
        let (ann, bob) = (campus.student("ann").await, campus.student("bob").await);
        assert_eq!(campus.book(&ann, first.id).await.unwrap().state, BookingState::Booked);
        assert_eq!(campus.book(&bob, first.id).await.unwrap().state, BookingState::Waiting);
        assert_eq!(campus.book(&bob, second.id).await.unwrap().state, BookingState::Booked);
        // A student sees of the series what is on the calendar.
        let desk = Desk::open(&bed).await;
        let series = "query($id: ID!) { node(id: $id) { ... on Event { series { id } } } }";
        campus.change(async |tx| events::repeat(tx, &campus.operator, first.id, events::Dates::At(vec![first.starts_at + TimeDelta::days(30)])).await).await.unwrap();
        for (viewer, number) in [(&ann, 2), (&campus.operator, 3)] {
            let (seen, _) = desk.data(viewer, series, json!({ "id": first.id })).await;
            assert_eq!(seen["node"]["series"].as_array().unwrap().len(), number);
        }
    }

    async fn a_change_is_of_one_event_or_of_all_that_follow(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = autumn(&campus).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        let made = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": 4 })).await;
        let (ids, versions) = (each(&made, "id"), each(&made, "version"));

        let input = json!({ "eventId": ids[3], "version": versions[3], "venue": "Room 14" });
        let alone = call(&desk, &operator, UPDATE, input).await;
        assert_eq!(each(&alone, "venue"), ["Room 12", "Room 12", "Room 12", "Room 14"]);

        // An hour later from the second on, across the change of the clocks; what one has of its own stays.
        let input = json!({ "eventId": ids[1], "version": versions[1], "appliesTo": "THIS_AND_FOLLOWING", "title": "Letters",
            "startsAt": "2026-10-20T14:00:00Z", "endsAt": "2026-10-20T15:30:00Z" });
        let changed = call(&desk, &operator, UPDATE, input).await;
        assert_eq!(changed["userErrors"], json!([]));
        assert_eq!(each(&changed, "title"), ["CV workshop", "Letters", "Letters", "Letters"]);
        assert_eq!(each(&changed, "venue")[3], "Room 14");
        assert_eq!(each(&changed, "startsAtLocal"), [
            "Tuesday 13 October 2026, 14:00", "Tuesday 20 October 2026, 15:00", "Tuesday 27 October 2026, 15:00",
            "Tuesday 3 November 2026, 15:00",
        ]);
        assert_eq!(each(&changed, "endsAt")[2], "2026-10-27T16:30:00+00:00", "{changed}");

        // What one of them can't be, none becomes.
        let booked = ids[3].as_str().unwrap().parse().unwrap();
        campus.change(async |tx| events::publish(tx, &operator, booked).await).await.unwrap();
        campus.clock.set(at("2026-11-02T12:00:00Z"));
        for name in ["ann", "bob"] {
            campus.book(&campus.student(name).await, booked).await.unwrap();
        }
        campus.clock.set(at("2026-10-06T09:00:00Z"));
        let version = campus.event_now(ids[2].as_str().unwrap().parse().unwrap()).await.version;
        let input = json!({ "eventId": ids[2], "version": version, "appliesTo": "THIS_AND_FOLLOWING", "capacity": 1 });
        let refused = call(&desk, &operator, UPDATE, input).await;
        assert_eq!(refused["userErrors"][0]["code"], "BELOW_PLACES_TAKEN");
        let message = refused["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("Tuesday 3 November 2026, 15:00: 2 places"), "{message}");
        assert_eq!(campus.event_now(ids[2].as_str().unwrap().parse().unwrap()).await.capacity, 10);
    }

    async fn a_series_is_published_and_cancelled_from_one_event_on(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = autumn(&campus).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        let made = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": 3 })).await;
        let ids = each(&made, "id");
        let following = |at: usize| json!({ "eventId": ids[at], "appliesTo": "THIS_AND_FOLLOWING" });
        let published = call(&desk, &operator, PUBLISH, following(0)).await;
        assert_eq!(each(&published, "state"), ["PUBLISHED"; 3]);
        campus.clock.set(at("2026-10-26T12:00:00Z"));
        let ann = campus.student("ann").await;
        let last = ids[2].as_str().unwrap().parse().unwrap();
        campus.book(&ann, last).await.unwrap();
        campus.clock.set(at("2026-10-12T12:00:00Z"));
        let mut input = following(1);
        input["reason"] = json!("Nobody can teach it.");
        let cancelled = call(&desk, &operator, CANCEL, input).await;
        assert_eq!(each(&cancelled, "state"), ["PUBLISHED", "CANCELLED", "CANCELLED"]);
        campus.run_jobs().await;
        assert!(campus.mails_to(&ann).await.contains(&"event_cancelled".to_owned()));

        let lone = campus.event(3).await;
        let refused = call(&desk, &operator, PUBLISH, json!({ "eventId": lone.id, "appliesTo": "THIS_AND_FOLLOWING" })).await;
        assert_eq!(refused["userErrors"][0]["field"], "appliesTo");
        assert_eq!(campus.event_now(lone.id).await.state, EventState::Published);
    }

    async fn a_room_that_is_booked_twice_is_warned_of(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let mut draft = campus.draft(10);
        "Moot court".clone_into(&mut draft.title);
        draft.venue = Some("The Great Hall".to_owned());
        draft.audience = vec![events::AudienceGroup { faculty_id: Some(law), ..Default::default() }];
        let event = campus.change(async |tx| events::create(tx, &campus.operator, draft).await).await.unwrap();
        let desk = Desk::open(&bed).await;
        let ask = async |viewer: &Viewer, venue: &str, hours: i64| {
            let input = json!({ "input": {
                "kind": "TRAINING", "venue": venue,
                "startsAt": (event.starts_at + TimeDelta::hours(hours)).to_rfc3339(),
                "endsAt": (event.ends_at + TimeDelta::hours(hours)).to_rfc3339(),
            } });
            desk.data(viewer, CLASHES, input).await.0["eventClashes"].clone()
        };
        let found = ask(&campus.operator, "great hall", 1).await;
        assert_eq!(found[0]["severity"], "WARNING", "{found}");
        assert_eq!(found[0]["sharedVenue"], "great hall");
        let why = found[0]["why"].as_str().unwrap();
        assert!(why.contains("both are to be in great hall then"), "{why}");
        for (venue, hours) in [("Small Hall", 1), ("great hall", 3), ("Online", 1)] {
            assert_eq!(ask(&campus.operator, venue, hours).await, json!([]), "{venue}");
        }
        // Whoever may not see the draft learns that there is something, and nothing of it.
        let stranger = campus.operator_of("mia", campus.faculty("Music").await).await;
        let veiled = ask(&stranger, "great hall", 1).await;
        assert_eq!((&veiled[0]["sharedVenue"], &veiled[0]["other"]), (&Value::Null, &Value::Null));
        assert!(!veiled.to_string().contains("Moot"), "{veiled}");
    }

    async fn making_an_event_the_first_of_a_series_is_a_change_of_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = autumn(&campus).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": 2 })).await;
        let first = campus.event_now(event.id).await;
        assert_eq!(first.version, event.version + 1);
        let lines = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("event.repeat"))
            .filter(audit_entry::Column::Subject.eq(event.id.to_string()))
            .all(campus.store.reader())
            .await
            .unwrap();
        assert_eq!(lines.len(), 1);
        let after = lines[0].after.as_ref().unwrap();
        assert_eq!(after["seriesId"], json!(first.series_id));
        assert_eq!(after["version"], first.version);

        // Whoever read it before comes too late, and is told of what.
        let input = json!({ "eventId": event.id, "version": event.version, "title": "Another" });
        let stale = call(&desk, &operator, UPDATE, input).await;
        assert_eq!(stale["userErrors"][0]["code"], "STALE");
        assert!(stale["userErrors"][0]["message"].as_str().unwrap().contains("seriesId"), "{stale}");
        // One more date is no change of the first.
        call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "startsAt": ["2026-12-01T10:00:00Z"] })).await;
        assert_eq!(campus.event_now(event.id).await.version, first.version);
    }

    async fn a_series_has_at_most_a_year_of_weeks_however_it_grows(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = autumn(&campus).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        let most = events::LONGEST_SERIES;
        let made = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": most - 1 })).await;
        assert_eq!(each(&made, "id").len(), most - 1);
        let add = async |dates: &[&str]| {
            let input = json!({ "eventId": event.id, "startsAt": dates });
            call(&desk, &operator, REPEAT, input).await
        };
        let two = add(&["2027-12-01T10:00:00Z", "2027-12-02T10:00:00Z"]).await;
        assert_eq!(two["userErrors"][0]["code"], "TOO_LONG", "{two}");
        assert_eq!(each(&add(&["2027-12-01T10:00:00Z"]).await, "id").len(), most, "one is left");
        let over = add(&["2027-12-02T10:00:00Z"]).await;
        assert_eq!(over["userErrors"][0]["code"], "TOO_LONG", "{over}");
    }

    async fn an_hour_that_comes_twice_is_the_first_and_one_that_is_missing_the_next(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        campus.clock.set(at("2026-10-01T09:00:00Z"));
        let weekly = async |starts_at: &str| {
            let mut draft = campus.draft(10);
            draft.starts_at = at(starts_at);
            draft.ends_at = draft.starts_at + TimeDelta::hours(2);
            let event = campus.change(async |tx| events::create(tx, &campus.operator, draft).await).await.unwrap();
            let made = call(&desk, &operator, REPEAT, json!({ "eventId": event.id, "weeklyTimes": 3 })).await;
            (each(&made, "id"), each(&made, "version"), each(&made, "startsAt"))
        };
        // On 25 October 2026 half past one comes twice: an hour and a week after the first of them it is half past one again.
        let (ids, versions, starts) = weekly("2026-10-18T00:30:00Z").await;
        assert_eq!(starts[1..], ["2026-10-25T00:30:00+00:00", "2026-11-01T01:30:00+00:00"]);
        // On 28 March 2027 there is no half past one.
        let (_, _, starts) = weekly("2027-03-21T01:30:00Z").await;
        assert_eq!(starts[1..], ["2027-03-28T01:30:00+00:00", "2027-04-04T00:30:00+00:00"]);

        // The second of the two stays where it is when a change leaves the time alone.
        let second = events::EventChanges {
            starts_at: Some(at("2026-10-25T01:30:00Z")),
            ends_at: Some(at("2026-10-25T03:30:00Z")),
            ..Default::default()
        };
        let id = ids[1].as_str().unwrap().parse().unwrap();
        let moved = campus.update(&campus.event_now(id).await, second).await;
        let input = json!({ "eventId": ids[0], "version": versions[0], "appliesTo": "THIS_AND_FOLLOWING", "title": "By night" });
        let named = call(&desk, &operator, UPDATE, input).await;
        assert_eq!(each(&named, "title"), ["By night"; 3], "{named}");
        assert_eq!(campus.event_now(id).await.starts_at, moved.starts_at);
        // A longer event is longer by the same, also in that night.
        let version = campus.event_now(ids[0].as_str().unwrap().parse().unwrap()).await.version;
        let input = json!({ "eventId": ids[0], "version": version, "appliesTo": "THIS_AND_FOLLOWING", "endsAt": "2026-10-18T03:30:00Z" });
        let longer = call(&desk, &operator, UPDATE, input).await;
        assert_eq!(each(&longer, "endsAt"), ["2026-10-18T03:30:00+00:00", "2026-10-25T04:30:00+00:00", "2026-11-01T04:30:00+00:00"]);
    }
}

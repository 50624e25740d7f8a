//! Calendars for calendar programs (policy 2.4; RFC 5545), read back by another implementation.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    booking as bookings,
    event::{self as events, AudienceGroup, EventChanges},
};
use entity::{
    calendar_feed,
    event::{Model, WaitingListMode},
    user::{self, UserState},
};
use reqwest::{Method, StatusCode};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::json;
use support::{Client, System, calendar::Calendar, on_both_columns};

use crate::campus::Campus;

const MAKE: &str =
    "mutation { createCalendarFeed { calendarFeed { url bookedUrl } userErrors { code } } }";
const REVOKE: &str = "mutation { revokeCalendarFeed { revoked userErrors { code } } }";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The calendar at an address.
async fn read(client: &Client, path: &str) -> Calendar {
    let answer = client.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    assert_eq!(
        answer.headers()["content-type"],
        "text/calendar; charset=utf-8"
    );
    Calendar::read(&answer.text().await.unwrap())
}

/// Makes an address for somebody's own calendar.
async fn make(client: &Client) -> (String, String) {
    let made = client.data(MAKE, json!({})).await["createCalendarFeed"].clone();
    let address = |name: &str| {
        made["calendarFeed"][name]
            .as_str()
            .unwrap_or_else(|| panic!("{made}"))
            .to_owned()
    };
    (address("url"), address("bookedUrl"))
}

/// An event with this title, made by the campus's operator.
async fn titled(campus: &Campus, title: &str, edit: impl FnOnce(&mut events::EventDraft)) -> Model {
    campus
        .event_with(2, |draft| {
            title.clone_into(&mut draft.title);
            edit(draft);
        })
        .await
}

async fn student1(system: &System) -> domain::Viewer {
    let account = user::Entity::find()
        .filter(user::Column::Email.eq(format!("student1@{}", api::demo::DOMAIN)))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap();
    let store = system.store();
    domain::Viewer::load(store.reader(), account.id, None, store.now())
        .await
        .unwrap()
        .unwrap()
}

on_both_columns! {
    async fn everybody_can_subscribe_to_what_is_published_and_sees_no_link_and_no_person(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let title = "Résumés, portfolios; and \\ everything — a workshop whose title is longer than one line of a calendar";
        let event = titled(&campus, title, |draft| {
            "Bring\nyour own; or, better, two.".clone_into(&mut draft.description);
            draft.online_link = Some("https://meet.example.org/secret-room".to_owned());
            draft.venue = Some("Room 1, Main Building".to_owned());
        })
        .await;
        campus.change(async |tx| events::create(tx, &campus.operator, campus.draft(3)).await).await.unwrap();
        campus.book(&campus.student("ann").await, event.id).await.unwrap();

        let answer = system.client().get("/calendar.ics").await;
        assert_eq!(answer.headers()["cache-control"], "public, max-age=300");
        let text = answer.text().await.unwrap();
        let unfolded = text.replace("\r\n ", "");
        for hidden in ["secret-room", "ann", "olga", "university.test"] {
            assert!(!unfolded.contains(hidden), "{hidden}: {text}");
        }
        let calendar = Calendar::read(&text);
        assert_eq!(calendar.titles(), [title], "drafts are for their organisers");
        let found = calendar.event(title);
        assert_eq!(found.uid, format!("{}@mycareer.invalid", event.id));
        assert_eq!(found.description.as_deref(), Some("Bring\nyour own; or, better, two."));
        assert_eq!(found.location.as_deref(), Some("Room 1, Main Building"));
        assert_eq!((found.status.as_str(), found.transp.as_str()), ("CONFIRMED", "TRANSPARENT"));
        assert_eq!(at(&found.starts), event.starts_at);
        assert_eq!(at(&found.ends), event.ends_at);
        assert!(found.url.as_ref().unwrap().ends_with(&format!("/events/{}", event.id)));
    }

    async fn events_mean_the_same_on_both_sides_of_each_change_of_the_clocks(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        // The clocks go back on 25 October 2026 at 01:00 UTC, and forward on 28 March 2027 at 01:00 UTC.
        let cases = [
            ("summer", "2026-10-24T22:00:00Z", "2026-10-24T23:00:00Z"),
            ("half past one, the first time", "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z"),
            ("over the change", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"),
            ("half past one, the second time", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
            ("all night", "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z"),
            ("winter", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"),
            ("before the gap", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"),
            ("after the gap", "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z"),
            ("in years", "2031-07-01T09:00:00Z", "2031-07-01T10:00:00Z"),
        ];
        for (title, starts, ends) in cases {
            titled(&campus, title, |draft| (draft.starts_at, draft.ends_at) = (at(starts), at(ends))).await;
        }
        let calendar = read(system.client(), "/calendar.ics").await;
        for (title, starts, ends) in cases {
            let found = calendar.event(title);
            assert_eq!((found.starts.as_str(), found.ends.as_str()), (starts, ends), "{title}");
        }
    }

    async fn the_sequence_grows_with_each_change_that_people_see_and_with_no_other(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let event = titled(&campus, "Fair", |_| {}).await;
        let now = async || read(system.client(), "/calendar.ics").await.events.remove(0);
        let first = now().await;
        bed.clock().advance(TimeDelta::minutes(1));

        campus.update(&event, EventChanges { capacity: Some(9), ..EventChanges::default() }).await;
        assert_eq!(now().await, first, "the number of places stands in no calendar");

        campus.update(&event, EventChanges { venue: Some(Some("Hall".to_owned())), ..EventChanges::default() }).await;
        let moved = now().await;
        assert_eq!((moved.sequence, moved.location.as_deref()), (first.sequence + 1, Some("Hall")));
        assert!(moved.stamp > first.stamp);

        let starts_at = Some(event.starts_at + TimeDelta::minutes(30));
        campus.update(&event, EventChanges { starts_at, ..EventChanges::default() }).await;
        campus.change(async |tx| events::cancel(tx, &campus.operator, event.id, "No speaker").await).await.unwrap();
        let cancelled = now().await;
        assert_eq!((cancelled.uid, cancelled.sequence), (first.uid, first.sequence + 3));
        assert_eq!(cancelled.status, "CANCELLED");
    }

    async fn a_draft_that_is_cancelled_is_told_to_nobody(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let draft = campus.change(async |tx| events::create(tx, &campus.operator, campus.draft(3)).await).await.unwrap();
        campus.change(async |tx| events::cancel(tx, &campus.operator, draft.id, "no").await).await.unwrap();
        assert_eq!(read(system.client(), "/calendar.ics").await.titles(), [""; 0]);
        let all = system.client().data("{ events(first: 9) { totalCount } }", json!({})).await;
        assert_eq!(all["events"]["totalCount"], 0);
    }

    async fn a_calendar_that_is_still_the_same_is_not_sent_again(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let event = campus.event(3).await;
        let first = system.client().get("/calendar.ics").await;
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let ask = async |known: String| {
            let request = system.client().request(Method::GET, "/calendar.ics");
            request.header("If-None-Match", known).send().await.unwrap()
        };
        bed.clock().advance(TimeDelta::hours(1));
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let same = ask(known).await;
            assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(same.headers()["etag"], tag.as_str());
            assert_eq!(same.text().await.unwrap(), "");
        }
        assert_eq!(ask("\"other\"".to_owned()).await.status(), StatusCode::OK);
        campus.update(&event, EventChanges { title: Some("New".to_owned()), ..EventChanges::default() }).await;
        let changed = ask(tag.clone()).await;
        assert_eq!(changed.status(), StatusCode::OK);
        assert_ne!(changed.headers()["etag"], tag.as_str());
    }

    async fn ones_own_calendar_has_what_one_can_book_and_how_one_stands(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let own = titled(&campus, "Own", |draft| {
            draft.online_link = Some("https://meet.example.org/room".to_owned());
        })
        .await;
        titled(&campus, "Other faculty", |draft| {
            draft.audience = vec![AudienceGroup { faculty_id: Some(law), ..AudienceGroup::default() }];
        })
        .await;
        let full = titled(&campus, "Full", |draft| {
            draft.capacity = 1;
            draft.waiting_list_mode = WaitingListMode::Offer;
        })
        .await;
        let holder = campus.student("holder").await;
        let place = campus.book(&holder, full.id).await.unwrap();

        let student = system.demo_client("student1").await;
        let (url, booked_url) = make(&student).await;
        let before = read(system.client(), &url).await;
        assert!(!before.titles().contains(&"Other faculty"), "{:?}", before.titles());
        let open = before.event("Own");
        assert_eq!((open.transp.as_str(), open.location.as_deref()), ("TRANSPARENT", None));
        assert!(!read(system.client(), &booked_url).await.titles().contains(&"Own"));

        let viewer = student1(&system).await;
        let booking = campus.book(&viewer, own.id).await.unwrap();
        campus.book(&viewer, full.id).await.unwrap();
        let booked = read(system.client(), &booked_url).await;
        let mine = booked.event("Own");
        assert_eq!((mine.status.as_str(), mine.transp.as_str()), ("CONFIRMED", "OPAQUE"));
        assert_eq!(mine.location.as_deref(), Some("https://meet.example.org/room"));
        let waiting = booked.event("Full").clone();
        assert_eq!(waiting.status, "TENTATIVE");
        assert!(waiting.description.as_ref().unwrap().starts_with("You are on the waiting list."));

        campus.cancel(&holder, place.id).await.unwrap();
        campus.run_jobs().await;
        let offered = read(system.client(), &booked_url).await.event("Full").clone();
        assert_eq!((offered.status.as_str(), offered.sequence), ("TENTATIVE", waiting.sequence + 1));
        assert!(offered.description.unwrap().starts_with("A place is held for you until "));

        campus.cancel(&viewer, booking.id).await.unwrap();
        let ended = read(system.client(), &booked_url).await.event("Own").clone();
        assert_eq!((ended.status.as_str(), ended.location), ("CANCELLED", None));
        let again = campus.change(async |tx| bookings::book(tx, &viewer, own.id).await).await.unwrap();
        assert_ne!(again.id, booking.id);
        let rebooked = read(system.client(), &booked_url).await.event("Own").clone();
        assert_eq!((rebooked.status.as_str(), &rebooked.uid), ("CONFIRMED", &mine.uid));
        assert!(rebooked.sequence > ended.sequence && ended.sequence > mine.sequence);
    }

    async fn the_address_of_ones_own_calendar_ends_when_one_says_so(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let made_at = "{ viewer { calendarFeedCreatedAt } }";
        assert_eq!(student.data(made_at, json!({})).await["viewer"]["calendarFeedCreatedAt"], json!(null));
        let (first, _) = make(&student).await;
        assert_ne!(student.data(made_at, json!({})).await["viewer"]["calendarFeedCreatedAt"], json!(null));
        let answer = system.client().get(&first).await;
        assert_eq!(answer.headers()["cache-control"], "private, no-cache");

        let kept = calendar_feed::Entity::find().all(system.store().reader()).await.unwrap();
        assert!(kept.iter().all(|feed| !first.contains(&feed.token_hash)), "the address itself is not kept");

        let (second, _) = make(&student).await;
        assert_eq!(system.client().get(&first).await.status(), StatusCode::NOT_FOUND, "a new one ends the old one");
        read(system.client(), &second).await;
        let revoked = student.data(REVOKE, json!({})).await;
        assert_eq!(revoked["revokeCalendarFeed"]["revoked"], true);
        assert_eq!(system.client().get(&second).await.status(), StatusCode::NOT_FOUND);
        let again = student.data(REVOKE, json!({})).await;
        assert_eq!(again["revokeCalendarFeed"]["revoked"], false);

        let nobody = system.client().graphql(MAKE, json!({})).await;
        assert_eq!(nobody.codes(), ["FORBIDDEN"]);
        for absent in ["/calendars/x.ics", "/calendars/x", "/calendars/.ics"] {
            assert_eq!(system.client().get(absent).await.status(), StatusCode::NOT_FOUND, "{absent}");
        }
    }

    async fn a_suspended_account_has_no_calendar(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (url, _) = make(&system.demo_client("student1").await).await;
        read(system.client(), &url).await;
        user::Entity::update_many()
            .col_expr(user::Column::State, Expr::value(UserState::Suspended))
            .filter(user::Column::Id.eq(student1(&system).await.user_id().unwrap()))
            .exec(system.store().reader())
            .await
            .unwrap();
        assert_eq!(system.client().get(&url).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_reader_notices_what_is_wrong() {
    let broken = "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n";
    let noticed = tokio::task::spawn_blocking(|| Calendar::read(broken)).await;
    assert!(noticed.is_err());
}

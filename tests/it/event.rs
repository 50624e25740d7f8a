//! Events: what can be wrong with them, who sees and changes them, what follows when they change (policy 2.4).

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode, Viewer, booking as bookings,
    event::{self as events, AudienceGroup, EventChanges, EventFilter},
    page::Page,
};
use entity::{
    booking::BookingState,
    delivery,
    event::{EventState, WaitingListMode},
    ids::{EventId, FacultyId, OrganisationId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use support::{Client, on_both_columns};

use crate::campus::{Campus, codes, fields};

async fn titles_for(campus: &Campus, viewer: &Viewer) -> Vec<String> {
    let filter = EventFilter::default();
    let page = Page::first(100);
    let found = events::list(campus.store.reader(), viewer, &filter, &page)
        .await
        .unwrap();
    let count = events::count(campus.store.reader(), viewer, &filter)
        .await
        .unwrap();
    assert_eq!(count, found.rows.len() as u64);
    found.rows.into_iter().map(|event| event.title).collect()
}

on_both_columns! {
    async fn everything_that_is_wrong_is_told_at_once(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let mut draft = campus.draft(0);
        draft.title = String::from("  ");
        draft.starts_at = campus.store.now();
        draft.ends_at = draft.starts_at - TimeDelta::hours(1);
        draft.offer_hours = 0;
        draft.online_link = Some("room 5".to_owned());
        draft.organisation_ids = vec![OrganisationId::new_at(campus.store.now())];
        draft.audience = vec![AudienceGroup::default()];
        draft.booking_closes_at = Some(draft.starts_at + TimeDelta::hours(1));
        let refused = campus
            .change(async |tx| events::create(tx, &campus.operator, draft.clone()).await)
            .await;
        assert_eq!(
            fields(refused),
            [
                "title", "onlineLink", "endsAt", "startsAt", "bookingClosesAt", "capacity", "offerHours", "audience",
                "organisationIds",
            ]
        );
        assert_eq!(titles_for(&campus, &campus.operator).await, [""; 0]);
    }

    async fn each_bad_value_has_its_code(bed: TestBed) {
        type Edit = fn(&mut events::EventDraft);
        let campus = Campus::new(&bed).await;
        let cases: [(Edit, RefusalCode); 8] = [
            (|draft| draft.title = String::new(), RefusalCode::Required),
            (|draft| draft.title = "x".repeat(201), RefusalCode::TooLong),
            (|draft| draft.ends_at = draft.starts_at, RefusalCode::EndsBeforeStart),
            (|draft| draft.starts_at -= TimeDelta::days(8), RefusalCode::InThePast),
            (|draft| draft.capacity = 0, RefusalCode::Invalid),
            (|draft| draft.capacity = -1, RefusalCode::Invalid),
            (|draft| draft.booking_opens_at = Some(draft.starts_at), RefusalCode::Invalid),
            (|draft| draft.audience = vec![AudienceGroup {
                faculty_id: Some(FacultyId::new_at(draft.starts_at)),
                ..AudienceGroup::default()
            }], RefusalCode::NotFound),
        ];
        for (edit, code) in cases {
            let mut draft = campus.draft(5);
            edit(&mut draft);
            let refused = campus.change(async |tx| events::create(tx, &campus.operator, draft).await).await;
            assert_eq!(codes(refused), [code]);
        }
    }

    async fn a_draft_exists_only_for_those_who_manage_it(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let lawyer = campus.operator_of("lara", law).await;
        let musician = campus.operator_of("mia", music).await;
        let mut draft = campus.draft(5);
        draft.faculty_id = Some(law);
        let event = campus.change(async |tx| events::create(tx, &lawyer, draft).await).await.unwrap();

        let (staff, student) = (campus.staff("sid").await, campus.student("ann").await);
        for (viewer, seen) in [(&campus.operator, 1), (&lawyer, 1), (&musician, 0), (&staff, 0), (&student, 0)] {
            assert_eq!(titles_for(&campus, viewer).await.len(), seen);
        }
        assert_eq!(titles_for(&campus, &Viewer::anonymous()).await.len(), 0);

        let hidden = campus.change(async |tx| events::publish(tx, &musician, event.id).await).await;
        assert_eq!(codes(hidden), [RefusalCode::NotFound]);
        let absent = EventId::new_at(campus.store.now());
        let absent = campus.change(async |tx| events::publish(tx, &musician, absent).await).await;
        assert_eq!(codes(absent), [RefusalCode::NotFound]);

        campus.change(async |tx| events::publish(tx, &lawyer, event.id).await).await.unwrap();
        assert_eq!(titles_for(&campus, &student).await.len(), 1);
        assert_eq!(titles_for(&campus, &Viewer::anonymous()).await.len(), 1);
        let foreign = campus.change(async |tx| events::cancel(tx, &musician, event.id, "no").await).await;
        assert!(matches!(foreign, Err(Error::Forbidden(_))), "{foreign:?}");
        let bystander = campus.change(async |tx| events::cancel(tx, &student, event.id, "no").await).await;
        assert!(matches!(bystander, Err(Error::Forbidden(_))), "{bystander:?}");
    }

    async fn an_operator_of_a_faculty_organises_for_it_alone(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let lawyer = campus.operator_of("lara", law).await;
        let refused = campus.change(async |tx| events::create(tx, &lawyer, campus.draft(5)).await).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");

        let mut draft = campus.draft(5);
        draft.faculty_id = Some(law);
        let event = campus.change(async |tx| events::create(tx, &lawyer, draft).await).await.unwrap();
        let changes = EventChanges { faculty_id: Some(None), ..EventChanges::default() };
        let refused = campus.change(async |tx| events::update(tx, &lawyer, event.id, 1, changes).await).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }

    async fn a_change_to_an_old_version_overwrites_nothing(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(5).await;
        let rename = |title: &str| EventChanges { title: Some(title.to_owned()), ..EventChanges::default() };
        let first = campus
            .change(async |tx| events::update(tx, &campus.operator, event.id, event.version, rename("First")).await)
            .await
            .unwrap();
        assert_eq!(first.version, event.version + 1);
        let second = campus
            .change(async |tx| events::update(tx, &campus.operator, event.id, event.version, rename("Second")).await)
            .await;
        assert_eq!(codes(second), [RefusalCode::Stale]);
        assert_eq!(campus.event_now(event.id).await.title, "First");
    }

    async fn the_capacity_never_goes_below_the_places_taken(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(3).await;
        for student in campus.students(2).await {
            campus.book(&student, event.id).await.unwrap();
        }
        let to = |capacity| EventChanges { capacity: Some(capacity), ..EventChanges::default() };
        let refused = campus
            .change(async |tx| events::update(tx, &campus.operator, event.id, event.version, to(1)).await)
            .await;
        assert_eq!(codes(refused), [RefusalCode::BelowPlacesTaken]);
        campus
            .change(async |tx| events::update(tx, &campus.operator, event.id, event.version, to(2)).await)
            .await
            .unwrap();
        assert_eq!(campus.event_now(event.id).await.capacity, 2);
    }

    async fn an_event_that_has_begun_is_not_published(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let draft = campus.draft(2);
        let starts_at = draft.starts_at;
        let event = campus.change(async |tx| events::create(tx, &campus.operator, draft).await).await.unwrap();
        campus.clock.set(starts_at);
        let refused = campus.change(async |tx| events::publish(tx, &campus.operator, event.id).await).await;
        assert_eq!(codes(refused), [RefusalCode::InThePast]);
    }

    async fn everybody_concerned_is_told_once_that_an_event_is_cancelled(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(3).await;
        let mut booked = Vec::new();
        for student in &students {
            booked.push(campus.book(student, event.id).await.unwrap());
        }
        // The last one had left before.
        campus.cancel(&students[2], booked[2].id).await.unwrap();

        let unexplained = campus.change(async |tx| events::cancel(tx, &campus.operator, event.id, " ").await).await;
        assert_eq!(codes(unexplained), [RefusalCode::Required]);
        campus
            .change(async |tx| events::cancel(tx, &campus.operator, event.id, "The speaker is ill.").await)
            .await
            .unwrap();
        campus.run_jobs().await;

        let now = campus.event_now(event.id).await;
        assert_eq!((now.state, now.places_taken), (EventState::Cancelled, 0));
        for booking in &booked {
            assert_eq!(campus.state(booking.id).await, BookingState::Cancelled);
        }
        assert_eq!(campus.mails_to(&students[0]).await, ["booking_confirmed", "event_cancelled"]);
        assert_eq!(campus.mails_to(&students[1]).await, ["event_cancelled", "waiting_list_joined"]);
        assert_eq!(campus.mails_to(&students[2]).await, ["booking_cancelled", "waiting_list_joined"]);
        let twice = campus.change(async |tx| events::cancel(tx, &campus.operator, event.id, "again").await).await;
        assert_eq!(codes(twice), [RefusalCode::WrongState]);
    }

    async fn everybody_concerned_is_told_once_of_each_move(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let students = campus.students(3).await;
        let mut booked = Vec::new();
        for student in &students {
            booked.push(campus.book(student, event.id).await.unwrap());
        }
        // The last one had left before.
        campus.cancel(&students[2], booked[2].id).await.unwrap();
        let moves = async |student: &Viewer| {
            campus.run_jobs().await;
            let mails = campus.mails_to(student).await;
            mails.iter().filter(|template| *template == "event_moved").count()
        };

        let described = EventChanges { description: Some("With tea.".to_owned()), ..EventChanges::default() };
        campus.update(&event, described).await;
        assert_eq!(moves(&students[0]).await, 0, "the control: not every change is a move");

        let elsewhere = EventChanges { venue: Some(Some("Great Hall".to_owned())), ..EventChanges::default() };
        campus.update(&event, elsewhere.clone()).await;
        assert_eq!((moves(&students[0]).await, moves(&students[1]).await, moves(&students[2]).await), (1, 1, 0));
        campus.update(&event, elsewhere).await;
        assert_eq!(moves(&students[0]).await, 1, "it stands there already");

        let day = TimeDelta::days(1);
        let later = EventChanges {
            starts_at: Some(event.starts_at + day),
            ends_at: Some(event.ends_at + day),
            ..EventChanges::default()
        };
        campus.update(&event, later).await;
        assert_eq!((moves(&students[0]).await, moves(&students[1]).await), (2, 2));
    }

    async fn an_event_that_is_moved_twice_before_anybody_is_told_is_told_of_once(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(1).await;
        let student = campus.student("ann").await;
        campus.book(&student, event.id).await.unwrap();
        for venue in ["Great Hall", "Small Hall"] {
            campus.update(&event, EventChanges { venue: Some(Some(venue.to_owned())), ..EventChanges::default() }).await;
        }
        campus.run_jobs().await;
        assert_eq!(campus.mails_to(&student).await, ["booking_confirmed", "event_moved"]);
    }

    async fn a_letter_about_a_move_names_the_place_that_its_reader_knew_last(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event(5).await;
        let students = campus.students(3).await;
        let to = async |venue: &str| {
            campus.update(&event, EventChanges { venue: Some(Some(venue.to_owned())), ..EventChanges::default() }).await
        };
        let before = async |student: &Viewer| -> Vec<String> {
            let letters = delivery::Entity::find()
                .filter(delivery::Column::UserId.eq(student.user_id()))
                .filter(delivery::Column::Template.eq("event_moved"))
                .order_by_asc(delivery::Column::Id)
                .all(campus.store.reader())
                .await
                .unwrap();
            // All were written in one moment.
            let places = letters.iter().map(|letter| letter.fields["was"]["place"].as_str().unwrap().to_owned());
            let mut places: Vec<String> = places.collect();
            places.sort();
            places
        };
        to("First Hall").await;
        campus.run_jobs().await;
        campus.book(&students[0], event.id).await.unwrap();
        to("Second Hall").await;
        // Who books now is told of the second hall by their ticket.
        campus.book(&students[1], event.id).await.unwrap();
        to("Third Hall").await;
        campus.book(&students[2], event.id).await.unwrap();
        to("Fourth Hall").await;
        campus.run_jobs().await;
        assert_eq!(before(&students[0]).await, ["First Hall"]);
        assert_eq!(before(&students[1]).await, ["Second Hall"]);
        assert_eq!(before(&students[2]).await, ["Third Hall"]);
        // The control: what has been told is known.
        to("Fifth Hall").await;
        campus.run_jobs().await;
        assert_eq!(before(&students[0]).await, ["First Hall", "Fourth Hall"]);
        // Whoever finds it where they knew it to be isn't written to.
        to("Sixth Hall").await;
        to("Fifth Hall").await;
        campus.run_jobs().await;
        assert_eq!(before(&students[0]).await.len(), 2);
    }

    async fn a_move_forward_shortens_offers_and_the_register_closes_with_the_event(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(1, |draft| draft.waiting_list_mode = WaitingListMode::Offer).await;
        let students = campus.students(3).await;
        let mut booked = Vec::new();
        for student in &students {
            booked.push(campus.book(student, event.id).await.unwrap());
        }
        campus.cancel(&students[0], booked[0].id).await.unwrap();
        campus.run_jobs().await;
        let offered = campus.booking_now(booked[1].id).await;
        assert_eq!(offered.state, BookingState::Offered);
        let first_deadline = offered.offer_expires_at.unwrap();

        // To twelve hours from now: half of the time until promotion ends is less than was promised.
        let starts_at = campus.store.now() + TimeDelta::hours(12);
        let sooner = EventChanges {
            starts_at: Some(starts_at),
            ends_at: Some(starts_at + TimeDelta::hours(1)),
            ..EventChanges::default()
        };
        let moved = campus.update(&event, sooner).await;
        let deadline = campus.booking_now(booked[1].id).await.offer_expires_at.unwrap();
        assert!(deadline < first_deadline && deadline < events::promotion_ends_at(&moved), "{deadline}");
        campus.run_jobs().await;
        assert!(campus.mails_to(&students[1]).await.contains(&"event_moved".to_owned()));
        campus.clock.set(deadline);
        campus.run_jobs().await;
        assert_eq!(campus.state(booked[1].id).await, BookingState::OfferExpired);
        assert_eq!(campus.state(booked[2].id).await, BookingState::Offered, "there is time for another");

        // Nobody was marked, so it asks when its new time has come, and not before.
        let asked = async || {
            campus.run_jobs().await;
            campus.mails_to(&campus.operator).await.contains(&"register_unmarked".to_owned())
        };
        campus.change(async |tx| bookings::accept_offer(tx, &students[2], booked[2].id).await).await.unwrap();
        campus.clock.set(events::register_due_at(&moved) - TimeDelta::minutes(1));
        assert!(!asked().await);
        campus.clock.set(events::register_due_at(&moved));
        assert!(asked().await);
    }

    async fn a_move_to_a_later_time_shortens_no_offer(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let event = campus.event_with(1, |draft| draft.waiting_list_mode = WaitingListMode::Offer).await;
        let students = campus.students(2).await;
        let first = campus.book(&students[0], event.id).await.unwrap();
        let second = campus.book(&students[1], event.id).await.unwrap();
        campus.cancel(&students[0], first.id).await.unwrap();
        campus.run_jobs().await;
        let deadline = campus.booking_now(second.id).await.offer_expires_at;
        let later = EventChanges {
            starts_at: Some(event.starts_at + TimeDelta::days(1)),
            ends_at: Some(event.ends_at + TimeDelta::days(1)),
            ..EventChanges::default()
        };
        campus.update(&event, later).await;
        assert_eq!(campus.booking_now(second.id).await.offer_expires_at, deadline);
    }

    async fn a_page_of_the_calendar_follows_university_days(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        // 23:30 UTC on 24 October is half past midnight on the 25th in London, the last day of summer time.
        let starts_at = "2026-10-24T23:30:00Z".parse().unwrap();
        campus.event_with(5, |draft| {
            draft.starts_at = starts_at;
            draft.ends_at = starts_at + TimeDelta::minutes(20);
        }).await;
        for (day, seen) in [("2026-10-24", 0), ("2026-10-25", 1), ("2026-10-26", 0)] {
            let day = day.parse().unwrap();
            let filter = EventFilter::calendar(day, day).unwrap();
            let page = Page::first(10);
            let found = events::list(campus.store.reader(), &campus.operator, &filter, &page).await.unwrap();
            assert_eq!(found.rows.len(), seen, "{day}");
        }
    }

    async fn the_calendar_is_filtered_by_audience_and_organisation(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let client = system.demo_client("operator").await;
        let known = client
            .data("{ faculties { id name } organisations(filter: { search: \"Aire Valley\" }) { nodes { id } } }", json!({}))
            .await;
        let faculty = |name: &str| {
            let all = known["faculties"].as_array().unwrap();
            all.iter().find(|faculty| faculty["name"] == name).unwrap()["id"].clone()
        };
        let titles = async |client: &Client, narrowed: Value| -> Vec<String> {
            let today = system.store().now().date_naive();
            let mut variables = json!({ "from": today, "to": today + TimeDelta::days(60) });
            variables.as_object_mut().unwrap().extend(narrowed.as_object().unwrap().clone());
            let found = client
                .data(
                    "query($from: Date!, $to: Date!, $organisation: ID, $faculty: ID) {
                        calendar(from: $from, to: $to, organisationId: $organisation, forFacultyId: $faculty) {
                            totalCount nodes { title } } }",
                    variables,
                )
                .await;
            let nodes = found["calendar"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), found["calendar"]["totalCount"]);
            nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
        };
        let surgery = "CV surgery for engineers".to_owned();
        let all = titles(&client, json!({})).await;
        assert!(all.contains(&surgery), "{all:?}");
        let engineers = titles(&client, json!({ "faculty": faculty("Engineering and Physical Sciences") })).await;
        assert_eq!(engineers, all, "theirs, and those for everybody");
        let managers = titles(&client, json!({ "faculty": faculty("Business") })).await;
        assert!(!managers.contains(&surgery) && !managers.is_empty(), "{managers:?}");
        assert!(managers.iter().all(|title| all.contains(title)), "{managers:?}");

        let organisation = json!({ "organisation": known["organisations"]["nodes"][0]["id"] });
        let with = titles(&client, organisation.clone()).await;
        assert!(with.contains(&"Autumn careers fair".to_owned()) && !with.contains(&surgery), "{with:?}");
        // Organisations don't exist for whoever isn't signed in.
        assert_eq!(titles(system.client(), organisation).await, [""; 0]);
    }
}

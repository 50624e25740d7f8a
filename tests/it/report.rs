//! Reports on events: numbers without names, for whoever may read them (policy 2.4).

use chrono::TimeDelta;
use domain::{
    Viewer,
    booking::{self as bookings, Ticket},
    event as events,
    feedback::{self, Given},
    group_booking, register,
};
use entity::{
    access_grant::Permission,
    audit_entry,
    event::{EventKind, Model},
    event_feedback, event_organisation,
    ids::{ProgrammeId, SchoolId},
    organisation, programme, school, user,
};
use reqwest::{Method, StatusCode};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    sea_query::Expr,
};
use serde_json::{Value, json};
use support::{Desk, System, on_both_columns, operator};

use crate::campus::Campus;

const REPORT: &str = "query($by: ReportGrouping!, $from: Date!, $to: Date!, $kind: EventKind) {
    reports(by: $by, from: $from, to: $to, kind: $kind) {
        title csvUrl chartUrl daysAheadChartUrl note
        total { eventsLeftOut medianDaysAhead meanDaysAhead classPlaces classAttended classAttendanceRate label bookings attended noShows noShowsWithEmployers excused attendanceRate noShowRate }
        rows { label faculty eventsLeftOut medianDaysAhead meanDaysAhead classPlaces classAttended bookings booked attended noShows noShowsWithEmployers excused cancelled lateCancelled waited promoted
            attendanceRate noShowRate } } }";
const PRINTABLE: &str = "query($id: ID!) { employerReportUrl(eventId: $id) }";

/// Somebody who reads reports, of one faculty or of all.
async fn reader(campus: &Campus, name: &str, faculty: Option<entity::ids::FacultyId>) -> Viewer {
    let reader = campus.staff(name).await;
    operator::grant(
        &campus.store,
        reader.user_id().unwrap(),
        Permission::ReadReport,
        faculty,
    )
    .await;
    campus.again(&reader).await
}

/// An event to which the first so many came, and the others did not; its register is closed.
async fn held(
    campus: &Campus,
    people: &[Viewer],
    came: usize,
    edit: impl FnOnce(&mut events::EventDraft),
) -> Model {
    let event = campus.event_with(30, edit).await;
    let mut booked = Vec::new();
    for person in people {
        booked.push(campus.book(person, event.id).await.unwrap());
    }
    campus.clock.set(event.starts_at);
    for booking in &booked[..came] {
        let ticket = Ticket::Booking(booking.id);
        campus
            .change(async |tx| bookings::check_in(tx, &campus.operator, ticket).await)
            .await
            .unwrap();
    }
    campus.clock.set(event.ends_at);
    campus
        .change(async |tx| {
            register::close_register(tx, &campus.operator, event.id, came == 0).await
        })
        .await
        .unwrap();
    campus.event_now(event.id).await
}

async fn asked(desk: &Desk, viewer: &Viewer, by: &str, kind: Option<&str>) -> Value {
    let input = json!({ "by": by, "from": "2020-01-01", "to": "2029-12-31", "kind": kind });
    desk.data(viewer, REPORT, input).await.0["reports"].clone()
}

fn row<'r>(report: &'r Value, label: &str) -> &'r Value {
    let rows = report["rows"].as_array().unwrap();
    rows.iter()
        .find(|row| row["label"] == label)
        .unwrap_or_else(|| panic!("{label} in {report}"))
}

async fn fetched(system: &System, path: &Value) -> (StatusCode, String, String) {
    let request = system.client().request(Method::GET, path.as_str().unwrap());
    let answer = request.send().await.unwrap();
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (answer.status(), kind, answer.text().await.unwrap())
}

on_both_columns! {
    async fn bookings_are_counted_by_faculty_kind_and_term(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("=Law").await, campus.faculty("Music").await);
        let mut people = Vec::new();
        for at in 0..4 {
            people.push(campus.student_of(&format!("lawyer{at}"), law).await);
        }
        people.push(campus.student_of("singer", music).await);
        let workshop = held(&campus, &people, 3, |_| {}).await;
        let employer = organisation::Entity::find().one(campus.store.reader()).await.unwrap();
        let employer = match employer {
            Some(row) => row.id,
            None => campus.change(async |tx| {
                domain::organisation::create(tx, &Viewer::system(), domain::organisation::Profile::named("Brightwater"), true).await
            }).await.unwrap().id,
        };
        held(&campus, &people[3..], 0, |draft| {
            draft.kind = EventKind::EmployerPresentation;
            draft.organisation_ids = vec![employer];
        }).await;
        // One is excused; what is ahead, was cancelled or is a draft is told from what was missed.
        let missed = entity::booking::Entity::find()
            .filter(entity::booking::Column::EventId.eq(workshop.id))
            .filter(entity::booking::Column::UserId.eq(people[4].user_id().unwrap()))
            .one(campus.store.reader())
            .await
            .unwrap()
            .unwrap();
        campus.change(async |tx| register::excuse_no_show(tx, &campus.operator, missed.id, "Ill.").await).await.unwrap();
        let ahead = campus.event(1).await;
        let first = campus.book(&people[0], ahead.id).await.unwrap();
        campus.book(&people[1], ahead.id).await.unwrap();
        campus.cancel(&people[0], first.id).await.unwrap();
        campus.run_jobs().await;
        let off = campus.event(1).await;
        campus.book(&people[0], off.id).await.unwrap();
        campus.change(async |tx| events::cancel(tx, &campus.operator, off.id, "No.").await).await.unwrap();

        let desk = Desk::open(&bed).await;
        let reader = reader(&campus, "rita", None).await;
        let by_faculty = asked(&desk, &reader, "FACULTY", None).await;
        let of_law = row(&by_faculty, "=Law");
        assert_eq!(
            (&of_law["bookings"], &of_law["attended"], &of_law["noShows"], &of_law["noShowsWithEmployers"]),
            (&json!(7), &json!(3), &json!(1), &json!(1)),
            "{by_faculty}"
        );
        assert_eq!((&of_law["booked"], &of_law["cancelled"], &of_law["waited"], &of_law["promoted"]), (&json!(1), &json!(1), &json!(1), &json!(1)));
        assert_eq!((&of_law["attendanceRate"], &of_law["noShowRate"]), (&json!(0.6), &json!(0.4)));
        let of_music = row(&by_faculty, "Music");
        assert_eq!((&of_music["excused"], &of_music["noShowsWithEmployers"], &of_music["noShowRate"]), (&json!(1), &json!(1), &json!(0.5)));
        assert_eq!(by_faculty["total"]["bookings"], 9);

        let by_kind = asked(&desk, &reader, "KIND", None).await;
        assert_eq!(row(&by_kind, "Employer presentation")["noShowsWithEmployers"], 2);
        assert_eq!(row(&by_kind, "Workshop")["noShowsWithEmployers"], 0);
        let only = asked(&desk, &reader, "FACULTY", Some("EMPLOYER_PRESENTATION")).await;
        assert_eq!(only["total"]["bookings"], 2);
        let by_term = asked(&desk, &reader, "TERM", None).await;
        let term = domain::term::Term::of(workshop.starts_at).name();
        assert!(row(&by_term, &term)["attended"] == 3, "{by_term}");
        for by in ["SCHOOL", "PROGRAMME"] {
            let report = asked(&desk, &reader, by, None).await;
            assert_eq!(row(&report, "Not known")["bookings"], 9, "none of them is on a programme");
        }
    }

    async fn whoever_reads_reports_of_a_faculty_reads_of_its_people_alone(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let people = [campus.student_of("lawyer", law).await, campus.student_of("singer", music).await];
        held(&campus, &people, 2, |_| {}).await;
        let desk = Desk::open(&bed).await;
        let reader = reader(&campus, "rita", Some(law)).await;
        for by in ["FACULTY", "KIND", "TERM"] {
            let report = asked(&desk, &reader, by, None).await;
            assert_eq!((&report["total"]["bookings"], report["rows"].as_array().unwrap().len()), (&json!(1), 1), "{report}");
        }
    }

    async fn a_report_is_had_as_csv_and_as_a_picture_by_whoever_asked_as_long_as_they_may(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("=Law & <Order>").await;
        let people = [campus.student_of("lawyer", law).await];
        held(&campus, &people, 1, |_| {}).await;
        let desk = Desk::open(&bed).await;
        let reader = reader(&campus, "rita", None).await;
        let report = asked(&desk, &reader, "FACULTY", None).await;
        let (status, kind, csv) = fetched(&system, &report["csvUrl"]).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/csv; charset=utf-8"));
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("What,Bookings,"), "{csv}");
        assert!(lines[1].starts_with("'=Law & <Order>,1,0,1,"), "no formula: {csv}");
        assert!(lines[2].starts_with("All,1,"), "{csv}");
        let (status, kind, svg) = fetched(&system, &report["chartUrl"]).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "image/svg+xml; charset=utf-8"));
        assert!(svg.contains("=Law &amp; &lt;Order&gt;") && svg.contains("Came 1"), "{svg}");
        let exports = audit_entry::Entity::find().filter(audit_entry::Column::Action.starts_with("report."));
        assert_eq!(exports.count(campus.store.reader()).await.unwrap(), 2, "what is taken away is in the log");

        bed.clock().advance(TimeDelta::minutes(31));
        assert_eq!(fetched(&system, &report["csvUrl"]).await.0, StatusCode::NOT_FOUND);
        let fresh = asked(&desk, &reader, "FACULTY", None).await;
        assert_eq!(fetched(&system, &fresh["csvUrl"]).await.0, StatusCode::OK);
        entity::access_grant::Entity::delete_many()
            .filter(entity::access_grant::Column::UserId.eq(reader.user_id().unwrap()))
            .exec(campus.store.reader())
            .await
            .unwrap();
        assert_eq!(fetched(&system, &fresh["csvUrl"]).await.0, StatusCode::NOT_FOUND);
        system.stop().await;
    }

    async fn employers_are_handed_a_report_without_names_and_small_groups(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let campus = Campus::new(&bed).await;
        let employer = user::Entity::find()
            .filter(user::Column::Email.eq(format!("employer@{}", api::demo::DOMAIN)))
            .one(campus.store.reader())
            .await
            .unwrap()
            .unwrap();
        let employer = Viewer::load(campus.store.reader(), employer.id, None, campus.store.now()).await.unwrap().unwrap();
        let (law, music) = (campus.faculty("Faculty of Lore").await, campus.faculty("Faculty of Harps").await);
        let mut people = Vec::new();
        for at in 0..8 {
            people.push(campus.student_of(&format!("scholar{at}"), law).await);
        }
        people.push(campus.student_of("harpist", music).await);
        let event = held(&campus, &people, 9, |draft| "Careers in lore".clone_into(&mut draft.title)).await;
        let desk = Desk::open(&bed).await;
        let operator = campus.again(&campus.operator).await;
        let path = async |viewer: &Viewer| {
            desk.data(viewer, PRINTABLE, json!({ "id": event.id })).await.0["employerReportUrl"].clone()
        };
        assert_eq!(path(&employer).await, Value::Null, "they took no part in it");
        let takes_part = event_organisation::ActiveModel {
            event_id: Set(event.id),
            organisation_id: Set(employer.person().unwrap().organisation_id.unwrap()),
        };
        event_organisation::Entity::insert(takes_part).exec_without_returning(campus.store.reader()).await.unwrap();
        for person in &people[..4] {
            let given = Given { rating: 4, good: Some("<b>Stories</b>".to_owned()), mend: None };
            campus.change(async |tx| feedback::give(tx, person, event.id, given).await).await.unwrap();
        }
        let (status, _, page) = fetched(&system, &path(&operator).await).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("Careers in lore") && page.contains("9 of 9"), "{page}");
        assert!(page.contains("Fewer than five people answered") && !page.contains("Stories"), "{page}");
        assert!(page.contains("<td>Others</td><td>9</td>"), "one harpist could be told apart: {page}");
        assert!(!page.contains("Harps"), "{page}");

        let given = Given { rating: 1, good: None, mend: Some("The seats".to_owned()) };
        campus.change(async |tx| feedback::give(tx, &people[4], event.id, given).await).await.unwrap();
        let (status, _, page) = fetched(&system, &path(&employer).await).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("On average they give 3.4 of 5") && page.contains("<svg"), "{page}");
        assert!(!page.contains("Stories") && !page.contains("The seats"), "words are read by an organiser first: {page}");
        let mut said = event_feedback::Entity::find().all(campus.store.reader()).await.unwrap();
        said.retain(|answer| answer.event_id == event.id);
        let praise = said.iter().find(|answer| answer.good.is_some());
        for answer in said.iter().filter(|answer| answer.mend.is_some()).chain(praise) {
            campus.change(async |tx| feedback::release(tx, &operator, answer.id, true).await).await.unwrap();
        }
        let (_, _, page) = fetched(&system, &path(&employer).await).await;
        assert_eq!(page.matches("&lt;b&gt;Stories").count(), 1, "{page}");
        assert!(page.contains("The seats"), "{page}");
        for name in ["scholar", "harpist", "university.test"] {
            assert!(!page.contains(name), "{name} in {page}");
        }
        system.stop().await;
    }

    async fn rates_leave_out_events_whose_register_is_open_and_say_how_many(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let people = [campus.student_of("ann", law).await, campus.student_of("bob", law).await];
        held(&campus, &people, 1, |_| {}).await;
        let open = campus.event(3).await;
        let booking = campus.book(&people[0], open.id).await.unwrap();
        let (desk, reader) = (Desk::open(&bed).await, reader(&campus, "rita", None).await);
        let ahead = asked(&desk, &reader, "FACULTY", None).await;
        assert_eq!((&ahead["total"]["eventsLeftOut"], &ahead["note"]), (&json!(0), &Value::Null), "what is to come is not left out");
        campus.clock.set(open.starts_at);
        let ticket = Ticket::Booking(booking.id);
        campus.change(async |tx| bookings::check_in(tx, &campus.operator, ticket).await).await.unwrap();

        let report = asked(&desk, &campus.again(&reader).await, "FACULTY", None).await;
        for row in [row(&report, "Law"), &report["total"]] {
            assert_eq!((&row["attended"], &row["attendanceRate"], &row["eventsLeftOut"]), (&json!(1), &json!(0.5), &json!(1)), "{report}");
        }
        assert_eq!(row(&report, "Law")["booked"], 1);
        assert!(report["note"].as_str().unwrap().contains("1 event"), "{report}");
        campus.change(async |tx| register::close_register(tx, &campus.operator, open.id, false).await).await.unwrap();
        let report = asked(&desk, &campus.again(&reader).await, "FACULTY", None).await;
        assert_eq!((&report["total"]["attended"], &report["total"]["eventsLeftOut"]), (&json!(2), &json!(0)));
    }

    async fn a_report_says_how_many_days_ahead_people_book(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let event = campus.event(30).await;
        let mut people = Vec::new();
        for (at, (faculty, days)) in [(law, 7), (law, 6), (music, 2), (law, 0)].into_iter().enumerate() {
            campus.clock.set(event.starts_at - TimeDelta::days(days) - TimeDelta::minutes(1));
            let person = campus.student_of(&format!("person{at}"), faculty).await;
            campus.book(&person, event.id).await.unwrap();
            people.push(person);
        }
        // Whoever walks in didn't book ahead.
        campus.clock.set(event.starts_at + TimeDelta::minutes(5));
        let late = campus.student_of("late", law).await;
        let email = &late.person().unwrap().email;
        campus.change(async |tx| domain::attendance::walk_in(tx, &campus.operator, event.id, email, None).await).await.unwrap();

        let (desk, reader) = (Desk::open(&bed).await, reader(&campus, "rita", None).await);
        let report = asked(&desk, &reader, "FACULTY", None).await;
        let ahead = |row: &Value| (row["medianDaysAhead"].as_f64().unwrap(), row["meanDaysAhead"].as_f64().unwrap());
        assert_eq!(ahead(row(&report, "Law")), (6.0, 13.0 / 3.0));
        assert_eq!(ahead(row(&report, "Music")), (2.0, 2.0));
        assert_eq!(ahead(&report["total"]), (4.0, 3.75));
        let (_, _, csv) = fetched(&system, &report["csvUrl"]).await;
        assert!(csv.lines().last().unwrap().contains(",4.0,3.8,"), "{csv}");
        let (status, _, svg) = fetched(&system, &report["daysAheadChartUrl"]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(svg.contains("Days booked ahead by faculty") && svg.contains("Law") && svg.contains("median 6"), "{svg}");
        system.stop().await;
    }

    async fn two_schools_of_one_name_are_two_rows_with_their_faculties(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let mut people = Vec::new();
        for (faculty_name, students) in [("Arts", 1), ("Engineering", 2)] {
            let faculty = campus.faculty(faculty_name).await;
            let (id, now) = (SchoolId::new_at(campus.store.now()), campus.store.now());
            let row = school::Model { id, faculty_id: faculty, name: "School of Design".to_owned(), created_at: now };
            school::Entity::insert(row.into_active_model()).exec_without_returning(campus.store.reader()).await.unwrap();
            let row = programme::Model {
                id: ProgrammeId::new_at(now),
                school_id: id,
                name: "Design".to_owned(),
                level: programme::StudyLevel::Undergraduate,
                created_at: now,
            };
            let on = row.id;
            programme::Entity::insert(row.into_active_model()).exec_without_returning(campus.store.reader()).await.unwrap();
            for at in 0..students {
                let person = campus.student_of(&format!("{faculty_name}{at}").to_lowercase(), faculty).await;
                user::Entity::update_many()
                    .col_expr(user::Column::ProgrammeId, Expr::value(on))
                    .filter(user::Column::Id.eq(person.user_id().unwrap()))
                    .exec(campus.store.reader())
                    .await
                    .unwrap();
                people.push(campus.again(&person).await);
            }
        }
        held(&campus, &people, 3, |_| {}).await;
        let (desk, reader) = (Desk::open(&bed).await, reader(&campus, "rita", None).await);
        for (by, label) in [("SCHOOL", "School of Design"), ("PROGRAMME", "Design, School of Design")] {
            let report = asked(&desk, &reader, by, None).await;
            let rows = report["rows"].as_array().unwrap();
            let told: Vec<_> = rows.iter().map(|row| (&row["label"], &row["faculty"], &row["bookings"])).collect();
            let (label, arts, engineering) = (json!(label), json!("Arts"), json!("Engineering"));
            assert_eq!(told, [(&label, &arts, &json!(1)), (&label, &engineering, &json!(2))]);
            let (_, _, svg) = fetched(&system, &report["chartUrl"]).await;
            assert!(svg.contains("(Arts)") && svg.contains("(Engineering)"), "{svg}");
        }
        system.stop().await;
    }

    async fn reports_count_the_places_of_classes_apart_from_people(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let event = campus.event_with(60, |draft| draft.faculty_id = Some(law)).await;
        let class = async |name: &str| {
            campus.change(async |tx| group_booking::book_group(tx, &campus.operator, event.id, name, 20).await).await.unwrap()
        };
        let (came, _uncounted) = (class("Year 1").await, class("Year 2").await);
        let person = campus.student_of("ann", music).await;
        let booking = campus.book(&person, event.id).await.unwrap();
        campus.clock.set(event.starts_at);
        campus.change(async |tx| group_booking::mark_group(tx, &campus.operator, came.id, 15, None).await).await.unwrap();
        let ticket = Ticket::Booking(booking.id);
        campus.change(async |tx| bookings::check_in(tx, &campus.operator, ticket).await).await.unwrap();
        campus.change(async |tx| register::close_register(tx, &campus.operator, event.id, false).await).await.unwrap();

        let (desk, everywhere) = (Desk::open(&bed).await, reader(&campus, "rita", None).await);
        let report = asked(&desk, &everywhere, "FACULTY", None).await;
        let of_law = row(&report, "Law");
        assert_eq!((&of_law["bookings"], &of_law["classPlaces"], &of_law["classAttended"]), (&json!(0), &json!(40), &json!(15)));
        assert_eq!(row(&report, "Music")["classPlaces"], 0);
        let total = &report["total"];
        assert_eq!((&total["attended"], &total["classAttendanceRate"], &total["noShowRate"]), (&json!(1), &json!(0.75), &json!(0.0)));
        for by in ["KIND", "TERM", "SCHOOL", "PROGRAMME"] {
            assert_eq!(asked(&desk, &everywhere, by, None).await["total"]["classAttended"], 15, "{by}");
        }
        // Whoever reads reports of a faculty reads of the classes at its events.
        for (name, faculty, places) in [("lara", law, 40), ("mona", music, 0)] {
            let reader = reader(&campus, name, Some(faculty)).await;
            assert_eq!(asked(&desk, &reader, "KIND", None).await["total"]["classPlaces"], places);
        }
    }

    async fn totals_that_tell_a_small_group_are_not_in_the_report_for_employers(bed: TestBed) {
        let system = bed.system().await;
        let campus = Campus::new(&bed).await;
        let law = campus.faculty("Law").await;
        let mut people = Vec::new();
        for at in 0..9 {
            people.push(campus.student_of(&format!("person{at}"), law).await);
        }
        let desk = Desk::open(&bed).await;
        for (came, told, not_told) in [
            (4, "Fewer than five came", "4 of"),
            (7, "<p>7 came;", "7 of"),
            (9, "9 of 9", "Fewer than five came"),
        ] {
            let event = held(&campus, &people, came, |_| {}).await;
            let operator = campus.again(&campus.operator).await;
            let path = desk.data(&operator, PRINTABLE, json!({ "id": event.id })).await.0["employerReportUrl"].clone();
            let (_, _, page) = fetched(&system, &path).await;
            assert!(page.contains(told) && !page.contains(not_told), "{came}: {page}");
            let faculty = format!("<td>Law</td><td>{came}</td>");
            assert_eq!(page.contains(&faculty), came >= 5, "{page}");
        }
        system.stop().await;
    }

    async fn a_report_is_of_closed_registers_and_at_most_ten_years(bed: TestBed) {
        let campus = Campus::new(&bed).await;
        let desk = Desk::open(&bed).await;
        let event = campus.event(3).await;
        let (open, _) = desk.data(&campus.operator, PRINTABLE, json!({ "id": event.id })).await;
        assert_eq!(open["employerReportUrl"], Value::Null);
        let reader = reader(&campus, "rita", None).await;
        let empty = asked(&desk, &reader, "FACULTY", None).await;
        assert_eq!((&empty["rows"], &empty["total"]["attendanceRate"]), (&json!([]), &Value::Null));
        let question = domain::report::Question {
            by: domain::report::Grouping::Term,
            from: "2000-01-01".parse().unwrap(),
            to: "2026-01-01".parse().unwrap(),
            kind: None,
            faculty_id: None,
        };
        let long = domain::report::report(campus.store.reader(), &reader, question.clone(), campus.store.now()).await;
        assert_eq!(crate::campus::codes(long), [domain::RefusalCode::TooLong]);
        let forbidden = domain::report::report(campus.store.reader(), &campus.operator, question, campus.store.now()).await;
        assert!(matches!(forbidden, Err(domain::Error::Forbidden(_))), "{forbidden:?}");
    }
}

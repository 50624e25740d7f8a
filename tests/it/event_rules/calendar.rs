//! One calendar for the campus, and of it what concerns whoever asks.

use chrono::TimeDelta;
use domain::Viewer;
use serde_json::json;
use support::on_both_columns;

use super::frontend::Frontend;
use crate::coming_events::{employer_at, organisation_in};

const CALENDAR: &str = "query($from: Date!, $to: Date!, $mine: Boolean!) {
    calendar(from: $from, to: $to, forMe: $mine, first: 50) { totalCount nodes { title state } } }";

on_both_columns! {
    async fn everybody_reads_one_calendar_and_students_staff_and_employers_what_concerns_them(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let campus = &front.campus;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (wind, bank) = (organisation_in(campus, "Windward", "Energy").await, organisation_in(campus, "Old Bank", "Finance").await);
        let (emma, otto) = (employer_at(campus, "emma", wind).await, employer_at(campus, "otto", bank).await);
        let (lawyer, musician, staff) = (
            campus.student_of("lea", law).await,
            campus.student_of("max", music).await,
            campus.staff("sid").await,
        );
        front.event("For everybody", json!({ "organisationIds": [wind] })).await;
        front.event("For lawyers", json!({ "audience": [{ "facultyId": law }] })).await;
        let booked = front.event("For musicians", json!({ "audience": [{ "facultyId": music }] })).await;
        front.event("For staff", json!({ "kind": "TRAINING" })).await;
        let starts_at = campus.store.now() + TimeDelta::days(7);
        let draft = json!({
            "title": "A draft", "kind": "WORKSHOP", "capacity": 1, "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1),
        });
        front.done(&campus.operator, "createEvent", draft).await;
        let titles = async |viewer: &Viewer, mine: bool| {
            let today = campus.store.now().date_naive();
            let variables = json!({ "from": today, "to": today + TimeDelta::days(30), "mine": mine });
            let (found, _) = front.desk.data(viewer, CALENDAR, variables).await;
            let nodes = found["calendar"]["nodes"].as_array().unwrap().clone();
            assert_eq!(found["calendar"]["totalCount"], nodes.len());
            let mut titles: Vec<String> = nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect();
            titles.sort();
            titles
        };
        let all = ["For everybody", "For lawyers", "For musicians", "For staff"];
        let nobody = Viewer::anonymous();
        for viewer in [&nobody, &lawyer, &emma, &staff, &campus.operator] {
            assert_eq!(titles(viewer, false).await, all, "drafts are on no calendar");
        }
        for (viewer, concerning) in [
            (&lawyer, &["For everybody", "For lawyers"][..]),
            (&musician, &["For everybody", "For musicians"]),
            (&staff, &all),
            (&emma, &["For everybody"]),
            (&otto, &[]),
            (&nobody, &all),
        ] {
            assert_eq!(titles(viewer, true).await, concerning);
        }
        // What is booked stays, whoever it is for by now; and what is cancelled is said to be.
        front.book(&musician, &booked).await;
        front.update(&booked, json!({ "audience": [{ "facultyId": law }] })).await;
        assert_eq!(titles(&musician, true).await, ["For everybody", "For musicians"]);
        front.done(&campus.operator, "cancelEvent", json!({ "eventId": booked.id, "reason": "No hall." })).await;
        let today = campus.store.now().date_naive();
        let variables = json!({ "from": today, "to": today + TimeDelta::days(30), "mine": true });
        let seen = front.ask(&musician, CALENDAR, variables).await;
        let nodes = seen["calendar"]["nodes"].as_array().unwrap();
        let cancelled = json!({ "title": "For musicians", "state": "CANCELLED" });
        assert!(nodes.contains(&cancelled), "{seen}");
    }
}

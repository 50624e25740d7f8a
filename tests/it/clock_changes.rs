//! The nights in which the clocks change, from what an organiser enters to what people read (policy 2.4).

use chrono::{DateTime, Utc};
use serde_json::json;
use support::on_both_columns;

use crate::ticket::{book, calendar, mail, mails, parsed};

const CREATE: &str = "mutation($input: CreateEventInput!) { createEvent(input: $input) {
    event { id startsAt startsAtLocal } userErrors { code field message } } }";
const PUBLISH: &str =
    "mutation($id: ID!) { publishEvent(input: { eventId: $id }) { userErrors { code message } } }";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

on_both_columns! {
    async fn half_past_one_in_the_night_in_which_the_clocks_go_back_is_two_times_and_each_is_told_apart(bed: TestBed) {
        bed.clock().set(at("2026-10-24T09:00:00Z"));
        let system = bed.system_with_demo_data().await;
        let (admin, student) = (system.demo_client("admin").await, system.demo_client("student1").await);
        let cases = [
            ("Night walk", "2026-10-25T01:30:00+01:00", "2026-10-25T01:50:00+01:00", "2026-10-25T00:30:00Z", "BST"),
            ("Late walk", "2026-10-25T01:30:00+00:00", "2026-10-25T01:50:00+00:00", "2026-10-25T01:30:00Z", "GMT"),
        ];
        for (title, starts, ends, utc, zone) in cases {
            let input = json!({
                "title": title, "kind": "OTHER", "startsAt": starts, "endsAt": ends, "capacity": 5,
                "reminderMinutes": [60], "promotionCutOffMinutes": 0,
            });
            let made = admin.data(CREATE, json!({ "input": input })).await["createEvent"].clone();
            assert_eq!(made["event"]["startsAtLocal"], format!("Sunday 25 October 2026, 01:30 {zone}"), "{made}");
            assert_eq!(at(made["event"]["startsAt"].as_str().unwrap()), at(utc));
            let id = made["event"]["id"].as_str().unwrap().to_owned();
            let published = admin.data(PUBLISH, json!({ "id": id })).await;
            assert_eq!(published["publishEvent"]["userErrors"], json!([]));
            book(&student, &id).await;
            let raw = mail(&bed, "student1", &format!("You are booked: {title}")).await;
            let text = parsed(&raw).body_text(0).unwrap().into_owned();
            assert!(text.contains(&format!("When: Sunday 25 October 2026, 01:30 {zone} to 01:50 {zone}")), "{text}");
            assert_eq!(at(&calendar(&raw).unwrap().event(title).starts), at(utc), "another program reads the same");
        }
        // Each is reminded of an hour before it, which is an hour apart.
        bed.clock().set(at("2026-10-24T23:30:00Z"));
        let raw = mail(&bed, "student1", "Reminder: Night walk").await;
        assert!(parsed(&raw).subject().unwrap().contains("01:30 BST on Sunday 25 October 2026"));
        assert!(mails(&bed, "student1", "Reminder: Late walk").is_empty());
        bed.clock().set(at("2026-10-25T00:30:00Z"));
        let raw = mail(&bed, "student1", "Reminder: Late walk").await;
        assert!(parsed(&raw).subject().unwrap().contains("01:30 GMT on Sunday 25 October 2026"));
        assert_eq!(mails(&bed, "student1", "Reminder: Night walk").len(), 1);
    }
}

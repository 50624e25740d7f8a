//! An employer's own activity: the bookings and the mails in it. (Notes, vacancies and changes: `activity`.)

use chrono::TimeDelta;
use domain::clock::Clock;
use serde_json::{Value, json};
use support::{Client, TestBed, on_both_columns};

use super::organisation;
use crate::campaign::{api::until_sent, segments::done};

const TITLES: [&str; 6] = [
    "Robots at work",
    "Turbines at work",
    "Meet our students",
    "Robotics mailing",
    "Turbine day",
    "Energy mailing",
];

/// What somebody is told of events and mails that this test made, as kind, action and title; the earliest first.
async fn told(client: &Client, about: Value) -> Vec<[String; 3]> {
    let query = "query($about: ID) { activity(organisationId: $about, first: 100) { nodes { kind action title } } }";
    let data = client.data(query, json!({ "about": about })).await;
    let rows = data["activity"]["nodes"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = rows.iter().rev().map(|row| {
        [
            text(&row["kind"]),
            text(&row["action"]),
            text(&row["title"]),
        ]
    });
    rows.filter(|row| TITLES.contains(&row[2].as_str()))
        .collect()
}

fn line(kind: &str, action: &str, title: &str) -> [String; 3] {
    [kind, action, title].map(str::to_owned)
}

/// An event with an organisation, published.
async fn event(bed: &TestBed, operator: &Client, title: &str, with: Value, days: i64) -> Value {
    let starts_at = bed.clock().now() + TimeDelta::days(days);
    let input = json!({ "title": title, "kind": "EMPLOYER_PRESENTATION", "capacity": 20, "organisationIds": [with],
        "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1) });
    let made = done(operator, "createEvent", "event { id }", input).await;
    let id = made["event"]["id"].clone();
    done(
        operator,
        "publishEvent",
        "event { id }",
        json!({ "eventId": id }),
    )
    .await;
    id
}

/// A mail to the contacts of an organisation, which has arrived.
async fn mail(operator: &Client, name: &str, subject: &str, to: Value) {
    let tag = done(operator, "createTag", "tag { id }", json!({ "name": name })).await;
    let tags = json!([tag["tag"]["id"]]);
    let input = json!({ "organisationIds": [to], "tagIds": tags });
    done(operator, "tagOrganisations", "tagged", input).await;
    let input =
        json!({ "name": name, "subject": subject, "body": "Dear {{ name }}", "allOfTags": tags });
    let made = done(operator, "createCampaign", "campaign { id }", input).await;
    let id = made["campaign"]["id"].as_str().unwrap().to_owned();
    let input = json!({ "campaignId": id });
    done(operator, "scheduleCampaign", "campaign { id }", input).await;
    until_sent(operator, &id).await;
}

on_both_columns! {
    async fn an_employer_has_the_events_it_takes_part_in_and_the_mails_it_was_sent_in_its_activity(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, employer) = (system.demo_client("operator").await, system.demo_client("employer").await);
        let own = json!(organisation(&system, "Aire Valley Robotics Ltd").await.id);
        let other = json!(organisation(&system, "Brightwater Energy plc").await.id);
        let robots = event(&bed, &operator, "Robots at work", own.clone(), 90).await;
        bed.clock().advance(TimeDelta::seconds(1));
        event(&bed, &operator, "Turbines at work", other.clone(), 120).await;
        bed.clock().advance(TimeDelta::seconds(1));
        mail(&operator, "Robotics mailing", "Meet our students", own.clone()).await;
        bed.clock().advance(TimeDelta::seconds(1));
        mail(&operator, "Energy mailing", "Turbine day", other.clone()).await;
        bed.clock().advance(TimeDelta::seconds(1));
        done(&operator, "cancelEvent", "event { id }", json!({ "eventId": robots, "reason": "The hall is closed." })).await;

        let (published, cancelled) = (line("BOOKING", "event.publish", "Robots at work"), line("BOOKING", "event.cancel", "Robots at work"));
        // Staff know a mail by its name, and whoever got it by its subject.
        let theirs = [published.clone(), line("MAIL", "campaign.started", "Robotics mailing"), cancelled.clone()];
        assert_eq!(told(&operator, own.clone()).await, theirs);
        let others = [line("BOOKING", "event.publish", "Turbines at work"), line("MAIL", "campaign.started", "Energy mailing")];
        assert_eq!(told(&operator, other.clone()).await, others, "the control: of another employer there is as much");
        for about in [Value::Null, own] {
            let mine = [published.clone(), line("MAIL", "campaign.started", "Meet our students"), cancelled.clone()];
            assert_eq!(told(&employer, about).await, mine);
        }
        assert_eq!(told(&employer, other).await, [[""; 3]; 0]);
    }
}

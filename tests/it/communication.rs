//! The time chart on communication: what employers hear from the campus, and what is planned (policy 2.5).

use std::time::Duration;

use chrono::{DateTime, Months, TimeDelta, Utc};
use domain::clock::Clock;
use serde_json::{Value, json};
use support::{Client, TestBed, on_both_columns, plain_get, until};

use crate::campaign::api::{audience, change, create, until_sent};

const CHART: &str = "query($by: CommunicationBy!, $filter: CommunicationFilter) {
    communicationChart(by: $by, filter: $filter) {
        span by since until svgUrl
        points { from until planned count kind faculty { name } sender { name } organisation { name } }
    } }";

async fn chart(client: &Client, by: &str, filter: Value) -> Value {
    client
        .data(CHART, json!({ "by": by, "filter": filter }))
        .await["communicationChart"]
        .take()
}

/// How many there are of what, planned or not.
fn count(chart: &Value, what: impl Fn(&Value) -> bool, planned: bool) -> u64 {
    let points = chart["points"].as_array().unwrap();
    points
        .iter()
        .filter(|point| point["planned"] == planned && what(point))
        .map(|point| point["count"].as_u64().unwrap())
        .sum()
}

async fn add_note(client: &Client, organisation: &str, input: Value) {
    let mut whole = json!({ "organisationId": organisation, "body": "We talked." });
    whole
        .as_object_mut()
        .unwrap()
        .extend(input.as_object().unwrap().clone());
    let made = client
        .data(
            "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { message } } }",
            json!({ "input": whole }),
        )
        .await;
    assert_eq!(made["addNote"]["userErrors"], json!([]));
}

fn is_mail(point: &Value) -> bool {
    point["kind"] == "BULK_MAIL"
}

async fn name_of(client: &Client, organisation: &str) -> String {
    let found = client
        .data(
            "query($id: ID!) { node(id: $id) { ... on Organisation { name } } }",
            json!({ "id": organisation }),
        )
        .await;
    found["node"]["name"].as_str().unwrap().to_owned()
}

/// A campaign that was sent, one that waits for its time, and notes. Gives the organisation and how many mails each has.
async fn world(bed: &TestBed, operator: &Client) -> (String, u64) {
    let (tag, organisation) = audience(operator, 3).await;
    let sent = create(operator, &tag).await;
    let recipients = change(operator, "scheduleCampaign", &sent).await["campaign"]["recipients"]
        .as_u64()
        .unwrap();
    until_sent(operator, &sent).await;
    let later = create(operator, &tag).await;
    let start = bed.clock().now() + TimeDelta::days(10);
    let scheduled = operator
        .data(
            "mutation($input: ScheduleCampaignInput!) { scheduleCampaign(input: $input) {
               campaign { state } userErrors { message } } }",
            json!({ "input": { "campaignId": later, "notBefore": start } }),
        )
        .await;
    assert_eq!(
        scheduled["scheduleCampaign"]["campaign"]["state"],
        "SCHEDULED"
    );
    let before = bed.clock().now() - Months::new(1);
    add_note(
        operator,
        &organisation,
        json!({ "kind": "CALL", "happenedAt": before }),
    )
    .await;
    let due = bed.clock().now() + TimeDelta::days(5);
    add_note(
        operator,
        &organisation,
        json!({ "kind": "VISIT", "nextAction": "Visit again", "nextActionDueAt": due }),
    )
    .await;
    (organisation, recipients)
}

on_both_columns! {
    async fn mails_and_notes_are_counted_by_time_and_kind_and_what_is_planned_apart(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let before = chart(&operator, "KIND", Value::Null).await;
        let (organisation, mails) = world(&bed, &operator).await;
        let after = chart(&operator, "KIND", Value::Null).await;
        let grown = |what: &dyn Fn(&Value) -> bool, planned| count(&after, what, planned) - count(&before, what, planned);
        assert_eq!(grown(&is_mail, false), mails);
        assert_eq!(grown(&is_mail, true), mails, "the campaign that waits for its time");
        assert_eq!((grown(&|point| point["kind"] == "CALL", false), grown(&|point| point["kind"] == "CALL", true)), (1, 0));
        let visits = |point: &Value| point["kind"] == "VISIT";
        assert_eq!((grown(&visits, false), grown(&visits, true)), (1, 1), "and what is to be done next");
        let call = after["points"].as_array().unwrap().iter()
            .find(|point| point["kind"] == "CALL" && point["from"] == "2026-08-31T23:00:00+00:00");
        assert!(call.is_some(), "September begins at midnight in London: {after}");

        let alone = chart(&operator, "KIND", json!({ "organisationId": organisation, "kind": "BULK_MAIL" })).await;
        assert_eq!((count(&alone, is_mail, false), count(&alone, is_mail, true)), (mails, mails));
        assert_eq!(count(&alone, |point| !is_mail(point), false), 0);
    }

    async fn senders_faculties_and_organisations_are_told_apart(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (organisation, mails) = world(&bed, &operator).await;
        let name = name_of(&operator, &organisation).await;
        let told = operator.data("{ viewer { id name facultyId } faculties { id name } }", json!({})).await;
        let faculty = told["faculties"].as_array().unwrap().iter()
            .find(|faculty| faculty["id"] == told["viewer"]["facultyId"]).unwrap()["name"].clone();
        let viewer = &told["viewer"];
        let only = json!({ "organisationId": organisation, "kind": "BULK_MAIL" });
        let by_organisation = chart(&operator, "ORGANISATION", only.clone()).await;
        assert_eq!(count(&by_organisation, |point| point["organisation"]["name"] == json!(name), false), mails);
        let by_sender = chart(&operator, "SENDER", only.clone()).await;
        assert_eq!(count(&by_sender, |point| point["sender"]["name"] == viewer["name"], false), mails);
        assert_eq!(count(&by_sender, |point| point["sender"]["name"] == viewer["name"], true), mails);
        let by_faculty = chart(&operator, "FACULTY", only).await;
        let own = |point: &Value| point["faculty"]["name"] == faculty;
        assert_eq!(count(&by_faculty, own, false), mails);
        let others = chart(&operator, "KIND", json!({ "senderId": system.demo_client("admin").await
            .data("{ viewer { id } }", json!({})).await["viewer"]["id"] })).await;
        assert_eq!(count(&others, is_mail, false), 0);
    }

    async fn the_chart_is_a_picture_at_an_address_of_ones_own(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        world(&bed, &operator).await;
        let told = chart(&operator, "KIND", Value::Null).await;
        let path = told["svgUrl"].as_str().unwrap().to_owned();
        let url = format!("{}{path}", operator.address());
        let answer = plain_get(&url).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "image/svg+xml; charset=utf-8");
        assert_eq!(answer.headers()["cross-origin-resource-policy"], "cross-origin", "other pages may show it");
        let svg = answer.text().await.unwrap();
        for part in ["<svg ", "<title>Communication with employers by kind</title>", "bulk e-mail", "October 2026, planned"] {
            assert!(svg.contains(part), "no {part} in {svg}");
        }
        assert!(!svg.contains('@'), "no address stands in it");
        let altered = format!("{url}x");
        assert_eq!(plain_get(&altered).await.status(), 404);
        bed.clock().advance(TimeDelta::hours(25));
        assert_eq!(plain_get(&url).await.status(), 404, "it works for a day");
    }

    async fn who_neither_sends_nor_reads_reports_has_no_chart_and_staff_see_what_an_organisation_is_sent(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (organisation, mails) = world(&bed, &operator).await;
        let asked = "query($id: ID!) { node(id: $id) { ... on Organisation {
            mails { name planned mails at sentBy { name } campaign { id } } } } }";
        for somebody in ["untrained", "student1", "employer"] {
            let client = system.demo_client(somebody).await;
            let answer = client.graphql(CHART, json!({ "by": "KIND" })).await;
            assert_eq!(answer.codes()[0], "FORBIDDEN", "{somebody}");
            let lines = client.graphql(asked, json!({ "id": organisation })).await.data;
            if somebody == "untrained" {
                let lines = &lines["node"]["mails"];
                assert_eq!(lines.as_array().unwrap().len(), 2);
                assert_eq!(lines[0]["planned"], true, "the latest first");
                assert_eq!((&lines[1]["planned"], &lines[1]["mails"]), (&json!(false), &json!(mails)));
                assert_eq!(lines[0]["name"], "Autumn fair");
                assert!(lines[1]["sentBy"]["name"].is_string());
                assert_eq!(lines[1]["campaign"], Value::Null, "campaigns are for those who may send");
                let _: DateTime<Utc> = lines[1]["at"].as_str().unwrap().parse().unwrap();
            } else {
                assert_eq!(lines["node"]["mails"], Value::Null, "{somebody}");
            }
        }
        let own = operator.data(asked, json!({ "id": organisation })).await;
        assert!(own["node"]["mails"][0]["campaign"]["id"].is_string());
    }

    async fn a_picture_goes_with_the_right_to_see_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, admin) = (system.demo_client("operator").await, system.demo_client("admin").await);
        let path = chart(&operator, "KIND", Value::Null).await["svgUrl"].as_str().unwrap().to_owned();
        let url = format!("{}{path}", operator.address());
        assert_eq!(plain_get(&url).await.status(), 200);
        let id = operator.data("{ viewer { id } }", json!({})).await["viewer"]["id"].take();
        let suspended = admin.data(
            "mutation($input: SuspendAccessInput!) { suspendAccess(input: $input) { userErrors { message } } }",
            json!({ "input": { "userId": id, "reason": "Leave" } }),
        ).await;
        assert_eq!(suspended["suspendAccess"]["userErrors"], json!([]));
        until(Duration::from_secs(30), "the picture is gone", async || {
            (plain_get(&url).await.status() == 404).then_some(())
        }).await;
    }
}

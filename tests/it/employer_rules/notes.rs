//! What a note keeps of an engagement. (Who took part, who reads it and what it reminds of: `note`.)

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use serde_json::{Value, json};
use support::on_both_columns;

use super::organisation;
use crate::campaign::segments::done;

const KEPT: &str =
    "note { kind happenedAt body outcome nextAction nextActionDueAt authorName createdAt }";

fn moment(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

on_both_columns! {
    async fn a_note_of_whatever_kind_keeps_when_it_was_what_came_of_it_and_what_is_next(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let trust = organisation(&system, "Dales Heritage Trust").await;
        let now = bed.clock().now();
        let (happened_at, due_at) = (now - TimeDelta::days(2), now + TimeDelta::days(5));
        let count = async |kind: &str| {
            let query = "query($at: ID!, $kind: NoteKind!) { notes(filter: { organisationId: $at, kind: $kind }) { totalCount } }";
            let data = operator.data(query, json!({ "at": trust.id, "kind": kind })).await;
            data["notes"]["totalCount"].as_u64().unwrap()
        };
        for kind in ["MEETING", "CALL", "EMAIL", "VISIT", "EVENT", "OTHER"] {
            let before = count(kind).await;
            let input = json!({
                "organisationId": trust.id, "kind": kind, "happenedAt": happened_at, "body": "About the archive.",
                "outcome": "They take two volunteers.", "nextAction": "Send names.", "nextActionDueAt": due_at,
            });
            let kept = done(&operator, "addNote", KEPT, input).await["note"].take();
            let words = ["kind", "body", "outcome", "nextAction", "authorName"].map(|field| kept[field].as_str().unwrap());
            assert_eq!(words, [kind, "About the archive.", "They take two volunteers.", "Send names.", "Oliver Hughes"]);
            let moments = ["happenedAt", "nextActionDueAt", "createdAt"].map(|field| moment(&kept[field]));
            assert_eq!(moments, [happened_at, due_at, now]);
            assert_eq!(count(kind).await, before + 1, "{kind}: it is found by its kind");
        }
    }
}

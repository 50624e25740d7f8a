//! Opening an event to the students of another faculty: its operator is asked by mail, and the answer is mailed back.

use chrono::TimeDelta;
use serde_json::{Value, json};
use support::on_both_columns;

use super::frontend::{Frontend, told};

const REQUEST: &str =
    "mutation($input: RequestEventSharingInput!) { requestEventSharing(input: $input) {
    request { id } userErrors { code } } }";
const ANSWER: &str =
    "mutation($input: AnswerEventSharingInput!) { answerEventSharing(input: $input) {
    request { state } userErrors { code } } }";

on_both_columns! {
    async fn students_of_another_faculty_come_once_its_operator_has_agreed(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let (law, music) = (front.campus.faculty("Law").await, front.campus.faculty("Music").await);
        let (lawyer, musician) = (front.campus.operator_of("lara", law).await, front.campus.operator_of("mia", music).await);
        let max = front.campus.student_of("max", music).await;
        let starts_at = front.campus.store.now() + TimeDelta::days(30);
        let input = json!({
            "title": "Reading a contract", "kind": "WORKSHOP", "facultyId": law, "capacity": 9,
            "startsAt": starts_at, "endsAt": starts_at + TimeDelta::hours(1),
        });
        let event = front.done(&lawyer, "createEvent", input).await;
        front.done(&lawyer, "publishEvent", json!({ "eventId": event["id"] })).await;
        let ask = async || -> Value {
            front.campus.clock.advance(TimeDelta::seconds(1));
            let input = json!({ "eventId": event["id"], "facultyId": music, "message": "Ten places are free." });
            let asked = front.ask(&lawyer, REQUEST, json!({ "input": input })).await;
            front.work().await;
            asked["requestEventSharing"]["request"]["id"].clone()
        };
        let answer = async |request: &Value, agree: bool, words: Option<&str>| {
            front.campus.clock.advance(TimeDelta::seconds(1));
            let input = json!({ "sharingRequestId": request, "agree": agree, "answer": words });
            let answered = front.ask(&musician, ANSWER, json!({ "input": input })).await;
            assert_eq!(answered["answerEventSharing"]["userErrors"], json!([]));
            front.work().await;
        };
        let book = json!({ "eventId": event["id"] });

        let first = ask().await;
        let mail = front.last_mail(&musician).await;
        assert_eq!(mail.subject, "May your students come? Reading a contract");
        let until = front.campus.store.now() + TimeDelta::days(domain::event_sharing::ANSWER_DAYS);
        for words in ["Ten places are free.", &format!("Please agree or decline by {}", told(until)), "Until you agree, your students can't book."] {
            mail.says(words);
        }
        assert_eq!(front.refused(&max, "bookEvent", book.clone()).await, "NOT_ELIGIBLE");
        answer(&first, false, Some("We have a concert.")).await;
        let mail = front.last_mail(&lawyer).await;
        assert_eq!(mail.subject, "Declined: Reading a contract for students of Music");
        mail.says("We have a concert.");
        assert_eq!(front.refused(&max, "bookEvent", book.clone()).await, "NOT_ELIGIBLE");

        ask().await;
        front.until(front.campus.store.now() + TimeDelta::days(domain::event_sharing::ANSWER_DAYS)).await;
        assert_eq!(front.last_mail(&lawyer).await.subject, "No answer: Reading a contract for students of Music");
        assert_eq!(front.refused(&max, "bookEvent", book.clone()).await, "NOT_ELIGIBLE");

        let third = ask().await;
        answer(&third, true, None).await;
        assert_eq!(front.last_mail(&lawyer).await.subject, "Agreed: Reading a contract for students of Music");
        assert_eq!(front.done(&max, "bookEvent", book).await["state"], "BOOKED");
    }
}

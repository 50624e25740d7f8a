//! What is coming reaches those it suits who asked for it: once a week, and of no event twice.

use chrono::TimeDelta;
use domain::{Viewer, coming_events::DigestComingEvents};
use serde_json::json;
use support::on_both_columns;

use super::frontend::Frontend;
use crate::coming_events::{employer_at, organisation_in};

/// The job that comes by the clock on Mondays.
async fn a_week(front: &Frontend<'_>) {
    front
        .campus
        .change(async |tx| tx.enqueue(&DigestComingEvents::default(), None).await)
        .await
        .unwrap();
    front.work().await;
}

async fn choose(front: &Frontend<'_>, person: &Viewer, version: i32, channel: &str) {
    let input = json!({ "version": version, "notices": [{ "topic": "COMING_EVENTS", "channel": channel }] });
    front.done(person, "updateProfile", input).await;
}

on_both_columns! {
    async fn a_weekly_mail_has_what_suits_each_who_asked_and_of_no_event_twice(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let campus = &front.campus;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let (wind, waves) = (organisation_in(campus, "Windward", "Energy").await, organisation_in(campus, "Wave Works", "Energy").await);
        let (lea, silent) = (campus.student_of("lea", law).await, campus.student_of("silent", law).await);
        let lara = campus.operator_of("lara", music).await;
        let emma = employer_at(campus, "emma", wind).await;
        for person in [&lea, &lara, &emma] {
            choose(&front, person, 0, "MAIL_AT_ONCE").await;
        }
        front.event("Court visit", json!({ "audience": [{ "facultyId": law }] })).await;
        front.event("Opera visit", json!({ "audience": [{ "facultyId": music }], "organisationIds": [waves] })).await;
        a_week(&front).await;
        for (person, suits, not) in [
            (&lea, "Court visit", "Opera visit"),
            (&lara, "Opera visit", "Court visit"),
            (&emma, "Opera visit", "Court visit"),
        ] {
            let mail = front.last_mail(person).await;
            assert_eq!(mail.subject, format!("What is coming: {suits}"));
            mail.says("You asked for this mail. To have no more of it:");
            assert!(!mail.text.contains(not), "{mail:?}");
        }
        assert_eq!(front.mails(&silent).await.len(), 0, "nobody gets it who did not ask");

        // A week without news has no mail; one with news has the news alone, and one mail.
        front.until(campus.store.now() + TimeDelta::days(5)).await;
        a_week(&front).await;
        assert_eq!(front.mails(&lea).await.len(), 1, "nothing new");
        front.until(campus.store.now() + TimeDelta::days(2)).await;
        front.event("Second visit", json!({ "audience": [{ "facultyId": law }] })).await;
        for _ in 0..2 {
            a_week(&front).await;
        }
        let mails = front.mails(&lea).await;
        assert_eq!((mails.len(), mails[1].subject.as_str()), (2, "What is coming: Second visit"));
        choose(&front, &lea, 1, "NONE").await;
        front.until(campus.store.now() + TimeDelta::days(7)).await;
        front.event("Fourth visit", json!({ "audience": [{ "facultyId": law }] })).await;
        a_week(&front).await;
        assert_eq!(front.mails(&lea).await.len(), 2);
    }
}

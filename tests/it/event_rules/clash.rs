//! What makes two events clash, as organisers read it before they save a draft.

use chrono::TimeDelta;
use domain::{
    Viewer,
    clash::{SHARED_TAGS, TellOfClashesAhead},
    organisation as organisations, tag,
};
use entity::{
    ids::{FacultyId, OrganisationId},
    user,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use support::on_both_columns;

use super::frontend::Frontend;
use crate::{campus::Campus, coming_events::organisation_in};

const CLASHES: &str =
    "query($input: EventClashesInput) { eventClashes(input: $input) { severity proximity why } }";

async fn division(campus: &Campus, name: &str, of: OrganisationId) -> OrganisationId {
    let profile = organisations::Profile {
        parent_id: Some(of),
        ..organisations::Profile::named(name)
    };
    let made = campus
        .change(async |tx| organisations::create(tx, &Viewer::system(), profile, true).await)
        .await;
    made.unwrap().id
}

on_both_columns! {
    async fn the_same_and_similar_organisations_clash_and_it_is_said_why(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let campus = &front.campus;
        let wind = organisation_in(campus, "Windward", "Energy").await;
        let waves = organisation_in(campus, "Wave Works", "Energy").await;
        let bank = organisation_in(campus, "Old Bank", "Finance").await;
        let other = organisation_in(campus, "Law House", "Law").await;
        let turbines = division(campus, "Windward Turbines", wind).await;
        let tagged = campus
            .change(async |tx| {
                let mut themes = Vec::new();
                for theme in ["Green growth", "Coast", "Apprentices"].iter().take(SHARED_TAGS) {
                    themes.push(tag::create(tx, &Viewer::system(), theme, Some("Theme")).await?.id);
                }
                let both = tag::Which::These(vec![wind, bank]);
                tag::tag_organisations(tx, &Viewer::system(), &both, &themes).await?;
                // One tag alone makes nobody alike.
                let one = tag::Which::These(vec![other]);
                tag::tag_organisations(tx, &Viewer::system(), &one, &themes[..1]).await
            })
            .await;
        tagged.unwrap();
        let event = front.event("Power for the north", json!({
            "kind": "EMPLOYER_PRESENTATION", "capacity": 9, "organisationIds": [wind], "opportunityKinds": ["GRADUATE_JOB"],
        })).await;
        let draft = async |organisation: OrganisationId, offered: &str, hours: i64| -> Value {
            let later = TimeDelta::hours(hours);
            let input = json!({
                "kind": "EMPLOYER_PRESENTATION", "organisationIds": [organisation], "opportunityKinds": [offered],
                "startsAt": event.starts_at + later, "endsAt": event.ends_at + later,
            });
            front.ask(&campus.operator, CLASHES, json!({ "input": input })).await["eventClashes"].clone()
        };
        for (organisation, severity, why) in [
            (wind, "SEVERE", "Windward takes part in both"),
            (turbines, "SEVERE", "Windward Turbines and Windward belong together"),
            (waves, "SEVERE", "Wave Works and Windward are both in the sector Energy"),
            (bank, "WARNING", "Old Bank and Windward share tags"),
        ] {
            let found = draft(organisation, "GRADUATE_JOB", 0).await;
            assert_eq!((&found[0]["severity"], found.as_array().unwrap().len()), (&json!(severity), 1), "{found}");
            assert!(found[0]["why"].as_str().unwrap().contains(why), "{found}");
            assert!(found[0]["why"].as_str().unwrap().contains("both offer graduate jobs"), "{found}");
        }
        let unlike = draft(other, "GRADUATE_JOB", 0).await;
        assert_eq!(unlike[0]["severity"], "NOTICE", "the control: {unlike}");
        // The further apart in time, and the less alike what is offered, the less it matters.
        assert_eq!(draft(wind, "VOLUNTEERING", 0).await[0]["severity"], "WARNING");
        for (hours, severity, proximity) in [(4, "WARNING", "SAME_DAY"), (24, "NOTICE", "WITHIN_DAYS"), (72, "NOTICE", "WITHIN_DAYS")] {
            let found = draft(wind, "GRADUATE_JOB", hours).await;
            assert_eq!((&found[0]["severity"], &found[0]["proximity"]), (&json!(severity), &json!(proximity)), "{hours} hours");
        }
        assert_eq!(draft(wind, "GRADUATE_JOB", 96).await, json!([]));
    }

    async fn events_for_overlapping_programmes_clash_and_those_for_other_students_hardly(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let campus = &front.campus;
        let (law, music) = (campus.faculty("Law").await, campus.faculty("Music").await);
        let wind = organisation_in(campus, "Windward", "Energy").await;
        let of = |faculty: FacultyId| json!([{ "facultyId": faculty, "level": "UNDERGRADUATE" }]);
        let event = front.event("Power for the north", json!({
            "kind": "EMPLOYER_PRESENTATION", "capacity": 9, "organisationIds": [wind], "audience": of(law),
        })).await;
        let draft = async |audience: Value| -> Value {
            let input = json!({
                "kind": "EMPLOYER_PRESENTATION", "organisationIds": [wind], "audience": audience,
                "startsAt": event.starts_at, "endsAt": event.ends_at,
            });
            front.ask(&campus.operator, CLASHES, json!({ "input": input })).await["eventClashes"][0].clone()
        };
        for (audience, severity, why) in [
            (of(law), "SEVERE", "both are for undergraduates of Law."),
            (json!([{ "facultyId": law }]), "SEVERE", "both are for undergraduates of Law."),
            (json!([]), "SEVERE", "both are for undergraduates of Law."),
            (json!([{ "facultyId": law, "level": "RESEARCH" }]), "NOTICE", "no student is invited to both."),
            (of(music), "NOTICE", "no student is invited to both."),
        ] {
            let found = draft(audience.clone()).await;
            assert_eq!(found["severity"], severity, "{audience}: {found}");
            assert!(found["why"].as_str().unwrap().ends_with(why), "{audience}: {found}");
        }
    }
    async fn super_users_are_mailed_once_a_week_which_clashes_are_ahead(bed: TestBed) {
        let front = Frontend::open(&bed).await;
        let campus = &front.campus;
        let sue = campus.staff("sue").await;
        user::Entity::update_many()
            .col_expr(user::Column::IsSuperUser, Expr::value(true))
            .filter(user::Column::Id.eq(sue.user_id().unwrap()))
            .exec(campus.store.reader())
            .await
            .unwrap();
        let tell = async || {
            campus.change(async |tx| tx.enqueue(&TellOfClashesAhead {}, None).await).await.unwrap();
            front.work().await;
        };
        let wind = organisation_in(campus, "Windward", "Energy").await;
        let with = |offered: &str| json!({ "organisationIds": [wind], "opportunityKinds": [offered] });
        front.event("Power for the north", with("GRADUATE_JOB")).await;
        tell().await;
        assert_eq!(front.mails(&sue).await.len(), 0, "nothing clashes");
        front.event("A week on the moor", with("VOLUNTEERING")).await;
        tell().await;
        let mail = front.last_mail(&sue).await;
        assert_eq!(mail.subject, "Clashes ahead on the events calendar");
        for words in ["Power for the north, ", "At the same time as “A week on the moor”", "Windward takes part in both"] {
            mail.says(words);
        }
        tell().await;
        assert_eq!(front.mails(&sue).await.len(), 1, "one mail a week");
    }
}

//! Profiles: everybody shapes their own, and only their own.

use entity::{contact, profile_photo, user::UserKind};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};
use support::{Client, Response, on_both_columns};

use crate::super_user_group::{account, faculty};

/// A PNG of 64 by 64 pixels that says in a comment where it was taken: "secret place".
pub const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAFXRFWHRMb2NhdGlvbgBzZWNyZXQgcGxhY2VtNlGkAAAAT0lEQVR4\
    2u3PQQkAAAgEsItiNKMZ1Qi+hcEKLNXzWgQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgui\
    /wEPZWzwqQAAAABJRU5ErkJggg==";

const OWN: &str = "{ viewer { profile {
    version name post faculty { name } jobTitle telephone interests photo { url width height }
    notices { topic channel atLeast byItself } } } }";
const UPDATE: &str = "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
    profile { version name post faculty { name } jobTitle telephone interests photo { url width height }
        notices { topic channel } }
    userErrors { code field message } } }";

async fn update(client: &Client, version: i32, changes: Value) -> Response {
    let mut input = json!({ "version": version });
    input
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    client.graphql(UPDATE, json!({ "input": input })).await
}

/// The fields that a refusal names.
fn fields(answer: &Response) -> Vec<&str> {
    let errors = answer.data["updateProfile"]["userErrors"].as_array();
    let errors = errors.unwrap_or_else(|| panic!("no userErrors in {answer:?}"));
    errors
        .iter()
        .filter_map(|error| error["field"].as_str())
        .collect()
}

fn channel(notices: &Value, topic: &str) -> String {
    let found = notices
        .as_array()
        .unwrap()
        .iter()
        .find(|choice| choice["topic"] == topic);
    found.unwrap()["channel"].as_str().unwrap().to_owned()
}

on_both_columns! {
    async fn staff_shape_their_name_post_faculty_and_interests(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let untrained = system.demo_client("untrained").await;
        let environment = faculty(&system, "Environment").await;
        let own = untrained.data(OWN, json!({})).await["viewer"]["profile"].clone();
        assert_eq!((&own["version"], &own["name"], &own["post"]), (&json!(0), &json!("Uma Shah"), &json!(null)));
        let changes = json!({
            "name": "Dr Uma Shah", "post": " Placement officer ", "facultyId": environment,
            "interests": ["Ecology", "Ecology", " Data "],
        });
        let answer = update(&untrained, 0, changes).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        let own = untrained.data(OWN, json!({})).await["viewer"]["profile"].clone();
        assert_eq!(
            (&own["version"], &own["name"], &own["post"], &own["faculty"]["name"], &own["interests"]),
            (&json!(1), &json!("Dr Uma Shah"), &json!("Placement officer"), &json!("Environment"), &json!(["Ecology", "Data"]))
        );
        assert_eq!(own["jobTitle"], json!(null));
        let answer = update(&untrained, 1, json!({ "jobTitle": "Officer" })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "that is for employers: {answer:?}");
        let many: Vec<String> = (0..21).map(|at| format!("Interest {at}")).collect();
        let wrong = update(&untrained, 1, json!({ "name": " ", "interests": many })).await;
        assert_eq!(fields(&wrong), ["interests", "name"]);
    }

    async fn of_two_changes_to_one_profile_the_second_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let untrained = system.demo_client("untrained").await;
        assert_eq!(update(&untrained, 0, json!({ "post": "Adviser" })).await.refusals(), [""; 0]);
        let stale = update(&untrained, 0, json!({ "post": "Officer" })).await;
        assert_eq!(stale.refusals(), ["STALE"]);
        assert!(format!("{:?}", stale.data).contains("post"), "{stale:?}");
        // A change of nothing is no change.
        let same = update(&untrained, 1, json!({ "post": "Adviser" })).await;
        assert_eq!(same.data["updateProfile"]["profile"]["version"], 1);
    }

    async fn who_stands_for_a_faculty_stays_in_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let environment = faculty(&system, "Environment").await;
        let operator = system.demo_client("operator").await;
        let answer = update(&operator, 1, json!({ "facultyId": environment })).await;
        assert_eq!(answer.refusals(), ["WRONG_STATE"], "the demo operator disseminates for Engineering");
    }

    async fn students_choose_interests_and_notices_and_the_rest_comes_from_the_university(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let answer = update(&student, 0, json!({ "interests": ["Robotics"], "notices": [{ "topic": "EVENT", "channel": "DAILY_DIGEST" }] })).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        let profile = &answer.data["updateProfile"]["profile"];
        assert_eq!(profile["interests"], json!(["Robotics"]));
        assert_eq!(channel(&profile["notices"], "EVENT"), "DAILY_DIGEST");
        for changes in [
            json!({ "name": "Somebody Else" }),
            json!({ "post": "Professor" }),
            json!({ "facultyId": faculty(&system, "Business").await }),
            json!({ "telephone": "+44 20 7946 0000" }),
        ] {
            let answer = update(&student, 1, changes.clone()).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{changes}: {answer:?}");
        }
        assert_eq!(account(&system, "student1").await.name, "Aisha Khan");
    }

    async fn graduates_shape_their_profile_as_students_do(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let mut graduate = account(&system, "student2").await.into_active_model();
        graduate.kind = Set(UserKind::Graduate);
        graduate.update(system.store().reader()).await.unwrap();
        let graduate = system.demo_client("student2").await;
        let answer = update(&graduate, 0, json!({ "interests": ["Publishing"] })).await;
        assert_eq!(answer.data["updateProfile"]["profile"]["interests"], json!(["Publishing"]), "{answer:?}");
        let answer = update(&graduate, 1, json!({ "post": "Editor" })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
    }

    async fn employers_keep_their_name_job_title_and_telephone_in_their_contact(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let employer = system.demo_client("employer").await;
        let changes = json!({ "name": "Erin Doyle-Kerr", "jobTitle": "Head of Talent", "telephone": "+44 20 7946 0123" });
        let answer = update(&employer, 0, changes).await;
        assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        let account = account(&system, "employer").await;
        let kept = contact::Entity::find_by_id(account.contact_id.unwrap())
            .one(system.store().reader())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (account.name.as_str(), kept.name.as_str(), kept.job_title.as_deref(), kept.telephone.as_deref()),
            ("Erin Doyle-Kerr", "Erin Doyle-Kerr", Some("Head of Talent"), Some("+44 20 7946 0123"))
        );
        let wrong = update(&employer, 1, json!({ "telephone": "ring me" })).await;
        assert_eq!(fields(&wrong), ["telephone"]);
        let answer = update(&employer, 1, json!({ "post": "Dean" })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "{answer:?}");
    }

    async fn notices_are_chosen_by_topic_and_some_can_not_be_switched_off(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let untrained = system.demo_client("untrained").await;
        let choose = |topic: &str, channel: &str| json!({ "notices": [{ "topic": topic, "channel": channel }] });
        let answer = update(&untrained, 0, choose("ENGAGEMENT", "NONE")).await;
        assert_eq!(channel(&answer.data["updateProfile"]["profile"]["notices"], "ENGAGEMENT"), "NONE");
        for (topic, given) in [("SECURITY", "DAILY_DIGEST"), ("ACCESS", "NONE"), ("POLICY_CHANGE", "NONE")] {
            let answer = update(&untrained, 1, choose(topic, given)).await;
            assert_eq!((answer.refusals(), fields(&answer)), (vec!["INVALID"], vec!["notices"]), "{topic}");
        }
        let answer = update(&untrained, 1, choose("ACCESS", "DAILY_DIGEST")).await;
        assert_eq!(channel(&answer.data["updateProfile"]["profile"]["notices"], "ACCESS"), "DAILY_DIGEST");
    }

    async fn a_photo_is_shown_without_what_it_told_besides_the_picture(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let photo = format!("data:image/png;base64,{PNG}");
        let answer = update(&operator, 1, json!({ "photo": photo })).await;
        let shown = &answer.data["updateProfile"]["profile"]["photo"];
        assert_eq!((&shown["width"], &shown["height"]), (&json!(64), &json!(64)), "{answer:?}");
        let first = shown["url"].as_str().unwrap().to_owned();
        let served = system.client().get(&first).await;
        assert_eq!(served.status(), 200);
        for (name, value) in [
            ("content-type", "image/jpeg"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "private, max-age=86400, immutable"),
        ] {
            assert_eq!(served.headers()[name], value);
        }
        let bytes = served.bytes().await.unwrap();
        assert!(bytes.starts_with(&[0xff, 0xd8]), "it was made anew as JPEG");
        assert!(!bytes.windows(12).any(|part| part == b"secret place"));

        // Staff see it on the person; a new photo has a new address, and the old one is gone.
        let staff = system.demo_client("untrained").await;
        let people = "{ superUserGroup { coverage { disseminator { name post photoUrl interests } } } }";
        let data = staff.data(people, json!({})).await;
        let covered = data["superUserGroup"]["coverage"].as_array().unwrap();
        let seen = covered.iter().find(|covered| covered["disseminator"]["name"] == "Oliver Hughes").unwrap();
        assert_eq!(seen["disseminator"]["photoUrl"], first.as_str());
        assert_eq!(seen["disseminator"]["post"], "Employer engagement officer");
        bed.clock().advance(chrono::TimeDelta::seconds(1));
        let answer = update(&operator, 2, json!({ "photo": PNG })).await;
        let second = answer.data["updateProfile"]["profile"]["photo"]["url"].as_str().unwrap().to_owned();
        assert_ne!(first, second);
        assert_eq!(system.client().get(&first).await.status(), 404);
        let answer = update(&operator, 3, json!({ "photo": null })).await;
        assert_eq!(answer.data["updateProfile"]["profile"]["photo"], json!(null), "{answer:?}");
        assert_eq!(system.client().get(&second).await.status(), 404);
        assert_eq!(profile_photo::Entity::find().count(system.store().reader()).await.unwrap(), 0);
    }

    async fn what_is_no_photo_is_refused_whatever_it_says_it_is(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        for photo in [
            "data:image/png;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+",
            "data:image/jpeg;base64,R0lGODlhAQABAAAAACw=",
            "not base 64",
            "",
        ] {
            let answer = update(&operator, 1, json!({ "photo": photo })).await;
            assert_eq!(fields(&answer), ["photo"], "{photo}");
        }
        let nobody = system.client().graphql(UPDATE, json!({ "input": { "version": 0, "photo": PNG } })).await;
        assert!(nobody.codes().contains(&"FORBIDDEN") || nobody.codes().contains(&"UNAUTHENTICATED"), "{nobody:?}");
    }
}

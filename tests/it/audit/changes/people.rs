//! Training and access, the Super User Group, one's own account.

use chrono::TimeDelta;
use domain::clock::Clock;
use entity::job::{self, JobState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

use super::{events::event, walk::Walk};

pub async fn training(walk: &mut Walk<'_>) {
    let input = json!({ "kind": "OTHER", "title": "House rules", "text": "Be kind." });
    let made = walk
        .call(
            "admin",
            "publishAgreement",
            input,
            "agreement { currentVersion { id } }",
        )
        .await;
    let version = &made["agreement"]["currentVersion"]["id"];
    walk.call(
        "untrained",
        "acceptAgreement",
        json!({ "agreementVersionId": version }),
        "",
    )
    .await;
    let found = walk
        .ask("admin", "{ agreements(first: 100) { nodes { id } } }")
        .await;
    let nodes = found["agreements"]["nodes"].as_array().unwrap();
    let agreements: Vec<&Value> = nodes.iter().map(|node| &node["id"]).collect();
    let input = json!({ "title": "Reports again", "permissions": ["READ_REPORT"], "agreementIds": agreements });
    let made = walk
        .call(
            "admin",
            "createTrainingCourse",
            input,
            "trainingCourse { id }",
        )
        .await;
    let course = &made["trainingCourse"]["id"];
    let input = json!({ "trainingCourseId": course, "validityDays": 100 });
    walk.call("admin", "updateTrainingCourse", input, "").await;
    let mut input = event(walk, "Reports, an afternoon", "TRAINING", "AUTOMATIC", 0);
    let starts_at = walk.clock().now() + TimeDelta::days(3);
    input["startsAt"] = json!(starts_at.to_rfc3339());
    input["endsAt"] = json!((starts_at + TimeDelta::hours(1)).to_rfc3339());
    let made = walk
        .call("admin", "createEvent", input, "event { id }")
        .await;
    let input = json!({ "eventId": made["event"]["id"], "trainingCourseId": course });
    walk.call("admin", "linkTrainingSession", input, "").await;
}

pub async fn access(walk: &mut Walk<'_>) {
    let untrained = walk.person("untrained").await;
    let input = json!({ "userId": untrained, "permission": "READ_REPORT" });
    let given = walk
        .call(
            "admin",
            "grantAccess",
            input,
            "operatorAccess { grants { id permission } }",
        )
        .await;
    let grants = given["operatorAccess"]["grants"].as_array().unwrap();
    let grant = grants
        .iter()
        .find(|grant| grant["permission"] == "READ_REPORT")
        .unwrap();
    walk.call(
        "admin",
        "revokeAccess",
        json!({ "grantId": grant["id"] }),
        "",
    )
    .await;
    walk.call(
        "admin",
        "suspendAccess",
        json!({ "userId": untrained, "reason": "A complaint." }),
        "",
    )
    .await;
    walk.call("admin", "restoreAccess", json!({ "userId": untrained }), "")
        .await;
    walk.call(
        "admin",
        "makeAdministrator",
        json!({ "userId": untrained }),
        "",
    )
    .await;
    walk.call(
        "admin",
        "removeAdministrator",
        json!({ "userId": untrained }),
        "",
    )
    .await;
    let student = walk.person("student20").await;
    walk.call(
        "admin",
        "suspendAccount",
        json!({ "userId": student, "reason": "They have left." }),
        "",
    )
    .await;
    walk.call("admin", "restoreAccount", json!({ "userId": student }), "")
        .await;
}

pub async fn group(walk: &mut Walk<'_>) {
    let person = walk.account("untrained").await;
    walk.call("admin", "addSuperUser", json!({ "userId": person.id }), "")
        .await;
    walk.call(
        "admin",
        "removeSuperUser",
        json!({ "userId": person.id }),
        "",
    )
    .await;
    walk.call(
        "admin",
        "setDisseminator",
        json!({ "facultyId": person.faculty_id, "userId": person.id }),
        "",
    )
    .await;
    let input =
        json!({ "kind": "SYSTEM_UPDATE", "title": "A new calendar", "body": "It shows terms." });
    let made = walk
        .call(
            "superuser",
            "publishAnnouncement",
            input,
            "announcement { id }",
        )
        .await;
    walk.call(
        "untrained",
        "markAnnouncementRead",
        json!({ "announcementId": made["announcement"]["id"] }),
        "",
    )
    .await;
    let input = json!({ "kind": "FAULT", "title": "The search is slow", "body": "On Mondays." });
    let made = walk
        .call(
            "untrained",
            "fileSuggestion",
            input,
            "suggestion { id version }",
        )
        .await;
    let suggestion = &made["suggestion"];
    walk.call(
        "operator",
        "voteSuggestion",
        json!({ "suggestionId": suggestion["id"], "supports": true }),
        "",
    )
    .await;
    walk.call(
        "operator",
        "discussSuggestion",
        json!({ "suggestionId": suggestion["id"], "body": "Indeed." }),
        "",
    )
    .await;
    let found = walk
        .ask(
            "superuser",
            "{ suggestions(first: 100) { nodes { id version } } }",
        )
        .await;
    let nodes = found["suggestions"]["nodes"].as_array().unwrap();
    let now = nodes
        .iter()
        .find(|node| node["id"] == suggestion["id"])
        .unwrap();
    let input = json!({ "id": now["id"], "version": now["version"], "state": "PLANNED" });
    walk.call("superuser", "updateSuggestion", input, "").await;

    let row = job::Entity::find()
        .one(walk.store().reader())
        .await
        .unwrap()
        .unwrap();
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::val(JobState::Dead))
        .filter(job::Column::Id.eq(row.id))
        .exec(walk.store().reader())
        .await
        .unwrap();
    walk.call("superuser", "retryJob", json!({ "jobId": row.id }), "")
        .await;
}

pub async fn accounts(walk: &mut Walk<'_>) {
    let found = walk
        .ask("untrained", "{ viewer { profile { version } } }")
        .await;
    let input = json!({ "version": found["viewer"]["profile"]["version"], "post": "Adviser" });
    walk.call("untrained", "updateProfile", input, "").await;
    let password = api::demo::PASSWORD;
    let input = json!({ "newEmail": "new.address@university.test", "password": password });
    walk.call("student18", "changeEmail", input, "").await;
    let input = json!({ "currentPassword": password, "newPassword": "nine violet tractors sing" });
    walk.call("student19", "changePassword", input, "").await;
    walk.sign_in_again("student17").await;
    let found = walk
        .ask("student17", "{ viewer { id } sessions { id isCurrent } }")
        .await;
    let sessions = found["sessions"].as_array().unwrap();
    let other = sessions
        .iter()
        .find(|session| session["isCurrent"] == false)
        .unwrap();
    walk.call("student17", "endSession", json!({ "id": other["id"] }), "")
        .await;
    walk.sign_in_again("student17").await;
    walk.call_without_input("student17", "endOtherSessions")
        .await;
}

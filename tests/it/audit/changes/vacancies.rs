//! Vacancies and the rules by which they are published at once.

use serde_json::{Value, json};

use super::walk::Walk;

const VACANCY: &str = "vacancy { id version organisation { id } }";

async fn submitted(walk: &mut Walk<'_>) -> Value {
    let input = json!({
        "title": "Engineer", "kind": "GRADUATE_JOB", "description": "Build robots.", "hours": "FULL_TIME",
        "salary": "£30,000 a year", "location": "Leeds", "applyLink": "https://airevalley.test/jobs",
    });
    let made = walk.call("employer", "createVacancy", input, VACANCY).await;
    let vacancy = made["vacancy"].clone();
    let input =
        json!({ "id": vacancy["id"], "version": vacancy["version"], "title": "Robot engineer" });
    let made = walk.call("employer", "updateVacancy", input, VACANCY).await;
    let vacancy = made["vacancy"].clone();
    let input = json!({ "id": vacancy["id"], "version": vacancy["version"] });
    let made = walk.call("employer", "submitVacancy", input, VACANCY).await;
    made["vacancy"].clone()
}

pub async fn vacancies(walk: &mut Walk<'_>) {
    let waiting = submitted(walk).await;
    let input =
        json!({ "id": waiting["id"], "version": waiting["version"], "decision": "APPROVE" });
    let made = walk.call("admin", "reviewVacancy", input, VACANCY).await;
    let open = &made["vacancy"];
    let input = json!({ "id": open["id"], "version": open["version"], "outcome": "FILLED" });
    walk.call("employer", "closeVacancy", input, "").await;
    let input = json!({ "organisationId": open["organisation"]["id"], "reason": "They are good." });
    let made = walk
        .call("admin", "setVacancyRule", input, "rule { id }")
        .await;
    let input = json!({ "ruleId": made["rule"]["id"] });
    walk.call("admin", "endVacancyRule", input, "").await;
}

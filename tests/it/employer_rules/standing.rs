//! Where an organisation stands, and what that means for those who look for it and for its vacancies.

use std::time::Duration;

use entity::{contact, organisation::OrganisationState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns, until};

use super::{organisation, put, refused};
use crate::{
    campaign::{
        office::{header, text},
        segments::done,
    },
    vacancy::advert,
};

const PATIENCE: Duration = Duration::from_secs(30);

const STATES: [OrganisationState; 5] = [
    OrganisationState::Approved,
    OrganisationState::Pending,
    OrganisationState::Declined,
    OrganisationState::Suspended,
    OrganisationState::Archived,
];

const SEEN: &str = "query($id: ID!, $contact: ID!) {
    node(id: $id) { id } person: node(id: $contact) { id }
    organisations(filter: { search: \"dales heritage\" }) { totalCount }
    contacts(filter: { organisationId: $id }) { totalCount }
    search(text: \"dales heritage\", kinds: [ORGANISATION, CONTACT]) { totalCount } }";

/// How much somebody sees of Dales Heritage Trust, by each path.
async fn seen(client: &Client, variables: &Value) -> [u64; 5] {
    let data = client.data(SEEN, variables.clone()).await;
    let count = |list: &str| data[list]["totalCount"].as_u64().unwrap();
    [
        u64::from(data["node"].is_object()),
        u64::from(data["person"].is_object()),
        count("organisations"),
        count("contacts"),
        count("search"),
    ]
}

/// Whether anybody finds it who looks for their organisation.
async fn is_found(system: &System) -> bool {
    let found = system
        .client()
        .data(
            "{ findEmployers(search: \"dales heritage\") { name } }",
            json!({}),
        )
        .await;
    found["findEmployers"] != json!([])
}

/// A vacancy of the demo employer that waits for an operator, and one that students find.
async fn vacancies(system: &System) -> [Value; 2] {
    let (employer, admin) = (
        system.demo_client("employer").await,
        system.demo_client("admin").await,
    );
    let mut submitted = Vec::new();
    for title in ["Welder", "Turner"] {
        let wanted = "vacancy { id version state }";
        let made = done(&employer, "createVacancy", wanted, advert(title)).await;
        let at = json!({ "id": made["vacancy"]["id"], "version": made["vacancy"]["version"] });
        let sent = done(&employer, "submitVacancy", wanted, at).await;
        assert_eq!(sent["vacancy"]["state"], "SUBMITTED");
        submitted.push(sent["vacancy"].clone());
    }
    let input = json!({ "id": submitted[1]["id"], "version": submitted[1]["version"], "decision": "APPROVE" });
    done(&admin, "reviewVacancy", "vacancy { id }", input).await;
    let [waiting, open]: [Value; 2] = submitted.try_into().unwrap();
    [waiting["id"].clone(), open["id"].clone()]
}

/// Where a vacancy stands and why, for whoever sees it.
async fn standing(client: &Client, vacancy: &Value) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Vacancy { state reason } } }";
    client.data(query, json!({ "id": vacancy })).await["node"].take()
}

/// Whether a student finds a vacancy.
async fn is_open(student: &Client, vacancy: &Value) -> bool {
    let query = "query($id: ID!) { node(id: $id) { id } }";
    !student.data(query, json!({ "id": vacancy })).await["node"].is_null()
}

on_both_columns! {
    async fn an_organisation_is_there_for_students_while_it_is_approved_and_for_another_employer_never(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (student, staff) = (system.demo_client("student1").await, system.demo_client("untrained").await);
        let employer = system.demo_client("employer").await;
        let (trust, own) = (organisation(&system, "Dales Heritage Trust").await, organisation(&system, "Aire Valley Robotics Ltd").await);
        // He agreed to be shown, and so did the trust.
        let rhys = contact::Entity::find()
            .filter(contact::Column::Name.eq("Rhys Morgan"))
            .one(system.store().reader())
            .await
            .unwrap()
            .unwrap();
        let ids = json!({ "id": trust.id, "contact": rhys.id });
        for state in STATES {
            put(&system, trust.id, state).await;
            put(&system, own.id, state).await;
            let is_approved = state == OrganisationState::Approved;
            assert_eq!(seen(&staff, &ids).await, [1; 5], "the control, {state:?}");
            assert_eq!(seen(&student, &ids).await, [u64::from(is_approved); 5], "{state:?}");
            assert_eq!(seen(&employer, &ids).await, [0; 5], "{state:?}");
            assert_eq!(is_found(&system).await, is_approved, "{state:?}");
            // Its own an employer has whatever becomes of it, and reads how it stands.
            let mine = employer.data("{ organisations { nodes { name state } } }", json!({})).await;
            let state = serde_json::to_value(state).unwrap();
            assert_eq!(mine["organisations"]["nodes"], json!([{ "name": "Aire Valley Robotics Ltd", "state": state }]));
        }
    }

    async fn whoever_is_declined_reads_why_in_a_mail_and_its_open_vacancies_are_declined_with_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, student) = (system.demo_client("operator").await, system.demo_client("student1").await);
        let employer = system.demo_client("employer").await;
        let [waiting, open] = vacancies(&system).await;
        assert!(is_open(&student, &open).await, "the control");
        let own = organisation(&system, "Aire Valley Robotics Ltd").await;
        put(&system, own.id, OrganisationState::Pending).await;
        let why = "Send us the entry in the register.";
        let input = json!({ "organisationId": own.id, "version": own.version, "decision": "DECLINE", "reason": why });
        let declined = done(&operator, "reviewOrganisation", "organisation { state stateReason }", input).await;
        assert_eq!(declined["organisation"], json!({ "state": "DECLINED", "stateReason": why }));
        for vacancy in [&waiting, &open] {
            assert_eq!(standing(&employer, vacancy).await, json!({ "state": "DECLINED", "reason": why }));
        }
        assert!(!is_open(&student, &open).await);
        let mail = until(PATIENCE, "the letter has come", async || {
            let received = bed.mail().received();
            received.into_iter().find(|mail| {
                header(mail, "Subject").is_some_and(|subject| subject.contains("Aire Valley Robotics Ltd has not been approved"))
            })
        })
        .await;
        assert_eq!(mail.to, ["employer@demo.mycareer.test"]);
        assert!(text(&mail).contains(why), "{}", text(&mail));
        assert_eq!(refused(&employer, "createVacancy", advert("Fitter")).await, ["WRONG_STATE"]);
    }

    async fn what_is_archived_takes_its_open_vacancies_with_it_and_brings_none_of_them_back(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (admin, student) = (system.demo_client("admin").await, system.demo_client("student1").await);
        let employer = system.demo_client("employer").await;
        let [waiting, open] = vacancies(&system).await;
        assert!(is_open(&student, &open).await, "the control");
        let own = organisation(&system, "Aire Valley Robotics Ltd").await;
        let input = json!({ "id": own.id, "version": own.version, "reason": "Closed down." });
        let archived = done(&admin, "archiveOrganisation", "organisation { version state }", input).await;
        assert_eq!(archived["organisation"]["state"], "ARCHIVED");
        let withdrawn = json!({ "state": "WITHDRAWN", "reason": "Closed down." });
        for vacancy in [&waiting, &open] {
            assert_eq!(standing(&admin, vacancy).await, withdrawn);
        }
        assert!(!is_open(&student, &open).await);
        assert_eq!(refused(&employer, "createVacancy", advert("Fitter")).await, ["WRONG_STATE"]);

        let input = json!({ "id": own.id, "version": archived["organisation"]["version"] });
        done(&admin, "restoreOrganisation", "organisation { state }", input).await;
        assert_eq!(standing(&admin, &open).await, withdrawn);
        assert!(!is_open(&student, &open).await);
        assert_eq!(refused(&employer, "createVacancy", advert("Fitter")).await, [""; 0], "it goes on with new ones");
    }
}

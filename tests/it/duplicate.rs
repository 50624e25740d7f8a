//! Organisations that are likely the same: found, explained, and dismissed for good (policy 1).

mod contacts;

use domain::{
    duplicate::kept::{Search, Subject},
    organisation::duplicates::{Candidate, ScanDuplicates},
};
use entity::duplicate_pair;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

const LIST: &str = "{ duplicateOrganisations { totalCount nodes {
    pairId clusterId score signals one { id name } other { id name } evidence { field agreement weight }
} } }";

async fn create(operator: &Client, input: Value) {
    let answer = operator
        .data(
            "mutation($input: CreateOrganisationInput!) {
               createOrganisation(input: $input) { organisation { id } userErrors { code message } }
             }",
            json!({ "input": input }),
        )
        .await;
    assert_eq!(answer["createOrganisation"]["userErrors"], json!([]));
}

/// Looks for them among all records, and answers how many pairs there are.
pub async fn scan<S: Subject>(system: &System) -> usize {
    let store = system.store();
    let search = Search::<S>::among_all(store.reader(), store.now())
        .await
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    let pairs = search.keep(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    pairs
}

on_both_columns! {
    async fn pairs_are_found_among_what_exists_with_their_reasons(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let confirmed = |name: &str, address: &str| {
            json!({ "name": name, "address": address, "companyNumber": "04815162", "confirmNotDuplicate": true })
        };
        create(&operator, confirmed("Saltaire Looms Limited", "12 Victoria Road, Saltaire BD18 3LA")).await;
        create(&operator, confirmed("SALTAIRE LOOMS", "12 Victoria Rd, Saltaire BD18 3LA")).await;
        create(&operator, json!({ "name": "Shipley Clocks", "address": "7 Otley Road, Shipley BD17 7EY" })).await;
        assert_eq!(scan::<Candidate>(&system).await, 1);
        let list = operator.data(LIST, json!({})).await["duplicateOrganisations"].take();
        assert_eq!(list["totalCount"], 1);
        let pair = &list["nodes"][0];
        let mut names = [&pair["one"]["name"], &pair["other"]["name"]].map(|name| name.as_str().unwrap());
        names.sort_unstable();
        assert_eq!(names, ["SALTAIRE LOOMS", "Saltaire Looms Limited"]);
        assert_eq!(pair["clusterId"], pair["one"]["id"]);
        assert_eq!(pair["signals"], json!(["SAME_NAME", "COMPANY_NUMBER", "ADDRESS"]));
        assert!(pair["score"].as_f64().unwrap() > 0.99, "{pair}");
        let evidence = pair["evidence"].as_array().unwrap();
        assert_eq!(evidence.len(), 3, "what one of them lacks says nothing: {evidence:?}");
        assert!(evidence.iter().all(|one| one["weight"].as_f64().unwrap() > 0.0), "{evidence:?}");
    }

    async fn a_pair_that_is_none_is_not_told_of_again(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        create(&operator, json!({ "name": "AIRE VALLEY ROBOTICS plc", "confirmNotDuplicate": true })).await;
        let found = operator.data(LIST, json!({})).await;
        let pair = found["duplicateOrganisations"]["nodes"][0]["pairId"].clone();
        let dismiss = "mutation($pair: ID!) { dismissDuplicate(input: { pairId: $pair, reason: \"Two firms of one name\" }) {
            pair { pairId } userErrors { code }
        } }";
        let untrained = system.demo_client("untrained").await;
        let refused = untrained.graphql(dismiss, json!({ "pair": pair })).await;
        assert_eq!(refused.codes().first(), Some(&"FORBIDDEN"));

        let answer = operator.data(dismiss, json!({ "pair": pair })).await;
        assert_eq!(answer["dismissDuplicate"]["userErrors"], json!([]));
        scan::<Candidate>(&system).await;
        assert_eq!(operator.data(LIST, json!({})).await["duplicateOrganisations"]["totalCount"], 0);
        let twice = operator.graphql(dismiss, json!({ "pair": pair })).await;
        assert_eq!(twice.refusals(), ["NOT_FOUND"]);
    }

    async fn a_trading_name_is_found_in_any_case_and_spacing_and_with_a_legal_suffix(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        create(&operator, json!({
            "name": "Coyote Holdings", "tradingNames": ["Road Runner Supplies", "Café Élan"], "confirmNotDuplicate": true,
        }))
        .await;
        let try_to_create = async |name: &str| {
            let create = "mutation($input: CreateOrganisationInput!) { createOrganisation(input: $input) { userErrors { code message } } }";
            let answer = operator.graphql(create, json!({ "input": { "name": name } })).await;
            answer.refusals().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        for name in [
            "Road Runner Supplies", "ROAD RUNNER SUPPLIES LTD", "road  runner supplies", "RoadRunner Supplies plc", "CAFE ELAN", "CAFÉ ÉLAN Limited",
        ] {
            assert_eq!(try_to_create(name).await, ["LIKELY_DUPLICATE"], "{name}");
        }
        assert_eq!(try_to_create("Wile Anvils").await, [""; 0], "the control");
    }

    async fn they_are_looked_for_by_the_clock(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        create(&operator, json!({ "name": "Saltaire Looms Ltd" })).await;
        create(&operator, json!({ "name": "Saltaire Loms plc", "confirmNotDuplicate": true })).await;
        let store = system.store();
        duplicate_pair::Entity::delete_many().exec(store.reader()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&ScanDuplicates::default(), None).await.unwrap();
        tx.commit().await.unwrap();
        support::until(std::time::Duration::from_secs(30), "the pair is found", async || {
            let list = operator.data(LIST, json!({})).await;
            (list["duplicateOrganisations"]["totalCount"] == 1).then_some(())
        })
        .await;
    }
}

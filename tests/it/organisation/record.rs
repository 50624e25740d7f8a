//! What a record has: every field of the domain, the names it trades under, and where it came from.

use serde_json::{Value, json};
use support::{Client, on_both_columns};

use super::{CREATE, UPDATE, create, names};

const RECORD: &str = "query($id: ID!) { node(id: $id) { ... on Organisation {
    name tradingNames website emailDomains sector subSector size kind parent { name } companyNumber address founded
    state source showsContactsToStudents multipleTouchPoints timeZone divisions { name } } } }";

async fn record(client: &Client, id: &Value) -> Value {
    client.data(RECORD, json!({ "id": id })).await["node"].take()
}

on_both_columns! {
    async fn an_organisation_has_every_field_of_the_domain_and_says_where_it_came_from(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let head = create(&operator, json!({ "name": "Forge Group" })).await;
        let all = json!({
            "name": "Kirkstall Forge Ltd", "tradingNames": ["Forge & Sons", "The Forge", "The Forge"],
            "website": "https://kirkstall.example/", "emailDomains": ["kirkstall.example", "forge.example"],
            "sector": "Engineering", "subSector": "Foundries", "size": "LARGE", "kind": "NON_PROFIT", "parentId": head["id"],
            "companyNumber": "01234567", "address": "1 Forge Lane\nLeeds LS5 3BT", "founded": "1200",
            "showsContactsToStudents": true, "multipleTouchPoints": true, "timeZone": "Europe/Paris",
        });
        let added = create(&operator, all.clone()).await;
        let kept = record(&operator, &added["id"]).await;
        for (field, value) in all.as_object().unwrap() {
            let expected = match field.as_str() {
                "tradingNames" => json!(["Forge & Sons", "The Forge"]),
                "parentId" => continue,
                _ => value.clone(),
            };
            assert_eq!(kept[field], expected, "{field}");
        }
        assert_eq!((&kept["parent"]["name"], &kept["state"], &kept["source"]), (&json!("Forge Group"), &json!("APPROVED"), &json!("STAFF")));
        assert_eq!(record(&operator, &head["id"]).await["divisions"], json!([{ "name": "Kirkstall Forge Ltd" }]));
        for kind in ["DIRECT_EMPLOYER", "AGENCY", "SELF_EMPLOYED", "PUBLIC"] {
            let version = operator.data("query($id: ID!) { node(id: $id) { ... on Organisation { version } } }", json!({ "id": added["id"] })).await;
            let input = json!({ "id": added["id"], "version": version["node"]["version"], "kind": kind });
            assert_eq!(operator.graphql(UPDATE, json!({ "input": input })).await.refusals(), [""; 0]);
            assert_eq!(record(&operator, &added["id"]).await["kind"], kind);
        }
        // One that registers itself says so.
        let register = "mutation($input: RegisterEmployerInput!) { registerEmployer(input: $input) { registered } }";
        let input = json!({
            "name": "Ada Byron", "email": "ada@engines.example", "password": "seven quiet otters borrow a lantern",
            "organisation": { "name": "Analytical Engines" },
        });
        system.client().data(register, json!({ "input": input })).await;
        let data = operator.data("{ organisations(filter: { search: \"Analytical\" }) { nodes { source state } } }", json!({})).await;
        assert_eq!(data["organisations"]["nodes"], json!([{ "source": "SELF_REGISTERED", "state": "PENDING" }]));
    }

    async fn names_that_it_trades_under_are_kept_found_warned_of_and_its_employers_to_say(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, employer) = (system.demo_client("operator").await, system.demo_client("employer").await);
        let (student, anybody) = (system.demo_client("student1").await, system.client());
        // Its employer says them, live at once.
        let data = employer.data("{ organisations { nodes { id version } } }", json!({})).await;
        let own = data["organisations"]["nodes"][0].clone();
        let update = "mutation($input: UpdateOwnOrganisationInput!) { updateOwnOrganisation(input: $input) {
            organisation { version tradingNames heldChange { name address } } userErrors { code field } } }";
        let wrong = json!({ "version": own["version"], "tradingNames": vec!["x"; 21] });
        let answer = employer.graphql(update, json!({ "input": wrong })).await;
        assert_eq!(answer.data["updateOwnOrganisation"]["userErrors"], json!([{ "code": "TOO_LONG", "field": "tradingNames" }]));
        let input = json!({ "version": own["version"], "tradingNames": [" Gantry Droids ", "", "Gantry Droids", "AVR"] });
        let data = employer.data(update, json!({ "input": input })).await;
        let now = &data["updateOwnOrganisation"]["organisation"];
        assert_eq!(now["tradingNames"], json!(["Gantry Droids", "AVR"]));
        assert!(now["heldChange"]["name"].is_null(), "they wait for nobody: {now}");

        // Everybody who sees it finds it by them, and so does whoever looks for theirs to register.
        for client in [&operator, &student, &employer] {
            assert_eq!(names(client, json!({ "search": "droids gantry" })).await.0, ["Aire Valley Robotics Ltd"]);
        }
        let found = anybody.data("{ findEmployers(search: \"gantry\") { name } }", json!({})).await;
        assert_eq!(found["findEmployers"], json!([{ "name": "Aire Valley Robotics Ltd" }]));
        let hits = operator.data("{ organisations(filter: { search: \"avr\" }) { nodes { tradingNames } } }", json!({})).await;
        assert_eq!(hits["organisations"]["nodes"][0]["tradingNames"][1], "AVR");

        // Who adds one by such a name is warned, both ways round, and the pair says why.
        let warned = async |input: Value| {
            let answer = operator.graphql(CREATE, json!({ "input": input })).await;
            answer.refusals().iter().map(|code| (*code).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(warned(json!({ "name": "Gantry Droids" })).await, ["LIKELY_DUPLICATE"]);
        assert_eq!(warned(json!({ "name": "Wharfe Machines", "tradingNames": ["Aire Valley Robotics"] })).await, ["LIKELY_DUPLICATE"]);
        create(&operator, json!({ "name": "Gantry Droids", "confirmNotDuplicate": true })).await;
        let pairs = operator.data("{ duplicateOrganisations { nodes { signals } } }", json!({})).await;
        let signals = pairs["duplicateOrganisations"]["nodes"][0]["signals"].as_array().unwrap();
        assert!(signals.contains(&json!("TRADING_NAME")), "{signals:?}");

        // They are emptied, and no longer found by.
        let input = json!({ "version": now["version"], "tradingNames": [] });
        employer.data(update, json!({ "input": input })).await;
        assert_eq!(names(&student, json!({ "search": "droids gantry" })).await.1, 1, "the other one alone");
    }
}

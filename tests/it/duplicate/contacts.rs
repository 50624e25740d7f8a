//! Contacts that are likely the same person: found, explained, dismissed for good, and kept from whoever must liaise first.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use domain::contact::duplicates::{Candidate, ScanContacts};
use entity::{contact_duplicate_pair, duplicate_pair::DuplicatePairState};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

use super::scan;
use crate::key_account::office::Office;

const LIST: &str = "{ duplicateContacts { totalCount nodes {
    pairId clusterId score signals one { id name } other { id name } evidence { field agreement weight }
} } }";

const CREATE: &str = "mutation($input: CreateContactInput!) { createContact(input: $input) {
    contact { id }
    likelyDuplicates { signals one { name } other { name } }
    userErrors { code message }
} }";

async fn create(client: &Client, input: Value) -> Value {
    let mut answer = client.data(CREATE, json!({ "input": input })).await;
    assert_eq!(answer["createContact"]["userErrors"], json!([]));
    answer["createContact"].take()
}

async fn list(client: &Client) -> Value {
    client.data(LIST, json!({})).await["duplicateContacts"].take()
}

/// The pairs with somebody of this name in them.
async fn pairs_with(client: &Client, name: &str) -> Vec<Value> {
    let list = list(client).await;
    let pairs = list["nodes"].as_array().unwrap().iter();
    let has = |pair: &&Value| pair["one"]["name"] == name || pair["other"]["name"] == name;
    pairs.filter(has).cloned().collect()
}

/// The ids of two organisations that have nothing to do with each other.
async fn two_organisations(client: &Client) -> [Value; 2] {
    let ids = ["Saltaire Looms", "Bingley Boilers"].map(async |name| {
        let input = json!({ "input": { "name": name, "kind": "DIRECT_EMPLOYER", "confirmNotDuplicate": true } });
        let create = "mutation($input: CreateOrganisationInput!) { createOrganisation(input: $input) { organisation { id } } }";
        client.data(create, input).await["createOrganisation"]["organisation"]["id"].clone()
    });
    let [one, other] = ids;
    [one.await, other.await]
}

async fn scan_contacts(system: &System) -> usize {
    scan::<Candidate>(system).await
}

on_both_columns! {
    async fn a_person_who_is_there_twice_is_told_when_added_and_found_by_the_search_with_the_reasons(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let before = scan_contacts(&system).await;
        let [looms, boilers] = two_organisations(&operator).await;
        let person = |at: &Value, name: &str, email: &str, telephone: &str| json!({
            "organisationId": at, "name": name, "email": email, "telephone": telephone, "jobTitle": "HR Manager",
        });
        let first = create(&operator, person(&looms, "Robert Illingworth", "rob@looms.test", "0113 496 0771")).await;
        assert_eq!(first["likelyDuplicates"], json!([]), "nobody is like them");
        bed.clock().advance(TimeDelta::seconds(1));
        let again = create(&operator, person(&looms, "Illingworth, Bob", "r.illingworth@looms.test", "+44 113 4960771")).await;
        let told = &again["likelyDuplicates"];
        assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
        assert_eq!(told[0]["one"]["name"], "Robert Illingworth");
        // A colleague, and somebody who has but one thing in common.
        let colleague = create(&operator, person(&looms, "Sarah Otley", "s.otley@looms.test", "0113 496 0772")).await;
        assert_eq!(colleague["likelyDuplicates"], json!([]));
        create(&operator, person(&boilers, "Robina Illing", "robina@boilers.test", "0113 496 0773")).await;

        assert_eq!(scan_contacts(&system).await, before + 1);
        let pairs = pairs_with(&operator, "Robert Illingworth").await;
        let [pair] = pairs.as_slice() else { panic!("{pairs:?}") };
        let signals: Vec<&str> = pair["signals"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for signal in ["SAME_NAME", "TELEPHONE", "SAME_ORGANISATION"] {
            assert!(signals.contains(&signal), "{signals:?}");
        }
        assert!(pair["score"].as_f64().unwrap() > 0.9, "{pair}");
        let fields: Vec<&str> = pair["evidence"].as_array().unwrap().iter().filter_map(|one| one["field"].as_str()).collect();
        assert!(fields.contains(&"EMAIL") && fields.contains(&"JOB_TITLE"), "{fields:?}");

        // Of three records of one person, every pair has one cluster.
        create(&operator, person(&looms, "Rob Illingworth", "bob@looms.test", "0113 496 0771")).await;
        scan_contacts(&system).await;
        let pairs = pairs_with(&operator, "Rob Illingworth").await;
        assert_eq!(pairs.len(), 2, "{pairs:?}");
        assert_eq!(pairs[0]["clusterId"], pairs[1]["clusterId"]);
    }

    async fn contacts_that_are_not_the_same_are_not_told_of_again_and_only_operators_say_so(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let [looms, _] = two_organisations(&operator).await;
        for email in ["ann.thackray@looms.test", "a.thackray@looms.test"] {
            create(&operator, json!({ "organisationId": looms, "name": "Ann Thackray", "email": email })).await;
        }
        let pair = pairs_with(&operator, "Ann Thackray").await.remove(0)["pairId"].clone();
        let dismiss = "mutation($pair: ID!) {
            dismissContactDuplicate(input: { pairId: $pair, reason: \"Mother and daughter\" }) { pair { pairId } userErrors { code } } }";
        for (who, may_list) in [("untrained", false), ("student1", false), ("employer", false)] {
            let client = system.demo_client(who).await;
            let refused = client.graphql(dismiss, json!({ "pair": pair })).await;
            assert_eq!(refused.codes().first(), Some(&"FORBIDDEN"), "{who}");
            let listed = client.graphql(LIST, json!({})).await;
            assert_eq!(listed.codes().is_empty(), may_list, "{who}");
        }

        let answer = operator.data(dismiss, json!({ "pair": pair })).await;
        assert_eq!(answer["dismissContactDuplicate"]["userErrors"], json!([]));
        scan_contacts(&system).await;
        assert_eq!(pairs_with(&operator, "Ann Thackray").await, Vec::<Value>::new());
        let twice = operator.graphql(dismiss, json!({ "pair": pair })).await;
        assert_eq!(twice.refusals(), ["NOT_FOUND"]);
        let kept = contact_duplicate_pair::Entity::find().all(system.store().reader()).await.unwrap();
        let kept: Vec<_> = kept.iter().filter(|row| row.state == DuplicatePairState::Dismissed).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].reason.as_deref(), Some("Mother and daughter"));
    }

    async fn whoever_must_liaise_first_learns_no_address_and_no_number_from_pairs(bed: TestBed) {
        let office = Office::open(&bed).await;
        // Jo Lennox is a key account contact of the operator's; the administrator has no agreement.
        let (admin, operator) = (office.client("admin").await, office.client("operator").await);
        let jo = office.contact("Jo Lennox").await;
        let [looms, _] = two_organisations(&admin).await;
        let guess = json!({ "organisationId": looms, "name": "Joanna Lennox", "email": jo.email, "telephone": jo.telephone });
        let made = create(&admin, guess.clone()).await;
        assert_eq!(made["likelyDuplicates"], json!([]), "a guess is not confirmed");
        scan_contacts(&office.system).await;
        assert_eq!(pairs_with(&admin, "Jo Lennox").await, Vec::<Value>::new());
        assert_eq!(pairs_with(&admin, "Joanna Lennox").await, Vec::<Value>::new());
        let (hidden, all) = (list(&admin).await["totalCount"].as_i64(), list(&operator).await["totalCount"].as_i64());
        let pairs = pairs_with(&operator, "Jo Lennox").await;
        let [pair] = pairs.as_slice() else { panic!("the control: whoever holds them is told: {pairs:?}") };
        assert!(pair["signals"].as_array().unwrap().contains(&json!("EMAIL")), "{pair}");
        assert!(hidden < all, "{hidden:?} {all:?}");
        let dismiss = "mutation($pair: ID!) { dismissContactDuplicate(input: { pairId: $pair }) { userErrors { code } } }";
        let refused = admin.graphql(dismiss, json!({ "pair": pair["pairId"] })).await;
        assert_eq!(refused.refusals(), ["NOT_FOUND"]);

        // Organisations don't tell it either: by a number that a contact of each has.
        let pairs = operator.data("{ duplicateOrganisations { nodes { signals one { name } other { name } } } }", json!({})).await;
        assert!(!pairs.to_string().contains("TELEPHONE"), "{pairs}");

        let request = office.request("admin", "Jo Lennox", "Their record.").await;
        office.answer("operator", &request, true).await;
        assert_eq!(pairs_with(&admin, "Jo Lennox").await.len(), 1, "the control: with the agreement it is there");
    }

    async fn contacts_are_looked_for_by_the_clock_and_after_an_import(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let [looms, _] = two_organisations(&operator).await;
        let told = |name: &str| json!({ "organisationId": looms, "name": name, "telephone": "0113 496 0999" });
        create(&operator, told("Margaret Holdsworth")).await;
        create(&operator, told("Maggie Holdsworth")).await;
        let store = system.store();
        contact_duplicate_pair::Entity::delete_many().exec(store.reader()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&ScanContacts::default(), None).await.unwrap();
        tx.commit().await.unwrap();
        support::until(std::time::Duration::from_secs(30), "the pair is found", async || {
            (pairs_with(&operator, "Maggie Holdsworth").await.len() == 1).then_some(())
        })
        .await;

        let rows = "name,organisation,email\nPeggy Holdsworth,Saltaire Looms,margaret.holdsworth@looms.test\n\
                    Meg Holdsworth,Saltaire Looms,m.holdsworth@looms.test\nMargaret Holdsworth,Bingley Boilers,margaret.holdsworth@looms.test\n";
        let import = "mutation($input: ImportRecordsInput!) { importRecords(input: $input) { userErrors { code message } } }";
        let input = json!({ "input": { "kind": "CONTACTS", "fileName": "people.csv", "file": STANDARD.encode(rows) } });
        let answer = operator.data(import, input).await;
        assert_eq!(answer["importRecords"]["userErrors"], json!([]));
        support::until(std::time::Duration::from_secs(30), "what was imported is compared", async || {
            (!pairs_with(&operator, "Peggy Holdsworth").await.is_empty()).then_some(())
        })
        .await;
    }
}

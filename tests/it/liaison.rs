//! Liaison: nobody reaches a key account contact without the Key Account Operator's agreement, by any path (policy 2.3).

mod bulk;
mod every_order;
mod orders;

use chrono::TimeDelta;
use domain::clock::Clock;
use entity::{audit_entry, liaison_request::LiaisonState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::on_both_columns;

use crate::key_account::office::{ANSWER, Office, REQUEST};

const ADDRESS: &str = "imogen.moss@caldermoss.test";

/// A contact's details by every path that a query has to a contact.
async fn details(office: &Office, who: &str, name: &str) -> Vec<Value> {
    let contact = office.contact(name).await;
    let client = office.client(who).await;
    let fields = "id email telephone";
    let paths = [
        (
            format!("query {{ contacts(first: 100) {{ nodes {{ {fields} }} }} }}"),
            "/contacts/nodes",
        ),
        (
            format!("query {{ contacts(last: 100) {{ edges {{ node {{ {fields} }} }} }} }}"),
            "/contacts/edges",
        ),
        (
            format!("query($id: ID!) {{ node(id: $id) {{ ... on Contact {{ {fields} }} }} }}"),
            "/node",
        ),
        (
            format!(
                "query($id: ID!) {{ nodes(ids: [$id]) {{ ... on Contact {{ organisation {{ contacts {{ {fields} }} }} }} }} }}"
            ),
            "/nodes/0/organisation/contacts",
        ),
        (
            format!(
                "query($id: ID!) {{ notes(filter: {{ contactId: $id }}) {{ nodes {{ contact {{ {fields} }} }} }} }}"
            ),
            "/notes/nodes",
        ),
        (
            format!("query {{ keyAccounts {{ nodes {{ contacts {{ {fields} }} }} }} }}"),
            "/keyAccounts/nodes",
        ),
    ];
    let mut found = Vec::new();
    for (query, pointer) in paths {
        let variables = if query.contains("$id") {
            json!({ "id": contact.id })
        } else {
            json!({})
        };
        let data = client.data(&query, variables).await;
        let before = found.len();
        collect(
            data.pointer(pointer).unwrap(),
            &json!(contact.id),
            &mut found,
        );
        // A contact whom nobody holds is in no key account.
        assert!(
            found.len() > before || pointer.contains("keyAccounts"),
            "{who} finds {name} by {pointer}"
        );
    }
    found
}

/// Every object with this id, without the id.
fn collect(data: &Value, id: &Value, found: &mut Vec<Value>) {
    match data {
        Value::Array(items) => items.iter().for_each(|item| collect(item, id, found)),
        Value::Object(fields) if fields.get("id") == Some(id) => {
            found.push(json!([fields["email"], fields["telephone"]]));
        }
        Value::Object(fields) => fields.values().for_each(|value| collect(value, id, found)),
        _ => {}
    }
}

async fn sees(office: &Office, who: &str, name: &str) -> bool {
    let found = details(office, who, name).await;
    let withheld = found
        .iter()
        .filter(|details| **details == json!([null, null]))
        .count();
    assert!(
        withheld == 0 || withheld == found.len(),
        "{who} sees {name} by some paths: {found:?}"
    );
    withheld == 0
}

on_both_columns! {
    async fn without_agreement_no_path_shows_another_operator_the_address(bed: TestBed) {
        let office = Office::open(&bed).await;
        assert!(!sees(&office, "admin", "Imogen Moss").await);
        assert!(sees(&office, "operator", "Imogen Moss").await, "it is their key account");
        assert!(sees(&office, "operator", "Sana Iqbal").await, "that was agreed");
        assert!(sees(&office, "admin", "Erin Doyle").await, "nobody holds her");
        let imogen = office.contact("Imogen Moss").await;
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { detailsWithheld guidance } } }";
        let data = office.client("admin").await.data(query, json!({ "id": imogen.id })).await;
        let why = data["node"]["detailsWithheld"].as_str().unwrap();
        assert!(why.contains("Oliver Hughes") && why.contains("requestLiaison"), "{why}");
        let data = office.client("operator").await.data(query, json!({ "id": imogen.id })).await;
        assert_eq!(data["node"]["detailsWithheld"], Value::Null);
    }

    async fn an_address_that_is_not_shown_is_not_found_by_or_told_or_overwritten(bed: TestBed) {
        let office = Office::open(&bed).await;
        let imogen = office.contact("Imogen Moss").await;
        let list = "query($email: String!) { contacts(filter: { email: $email }) { totalCount nodes { id } } }";
        let by_address = async |who: &str| {
            let data = office.client(who).await.data(list, json!({ "email": ADDRESS })).await;
            (data["contacts"]["totalCount"].clone(), data["contacts"]["nodes"].as_array().unwrap().len())
        };
        assert_eq!(by_address("admin").await, (json!(0), 0));
        assert_eq!(by_address("operator").await, (json!(1), 1));

        let create = "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code message } } }";
        let same = json!({ "input": { "organisationId": imogen.organisation_id, "name": "Ann Lee", "email": ADDRESS } });
        let answer = office.client("admin").await.graphql(create, same).await;
        assert_eq!(answer.refusals(), ["TAKEN"]);
        assert!(!format!("{answer:?}").contains("Imogen"), "{answer:?}");

        let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code message } } }";
        let change = |field: &str, value: &str| json!({ "input": { "id": imogen.id, "version": 1, field: value } });
        for (field, value) in [("email", "else@caldermoss.test"), ("telephone", "0113 496 0999")] {
            let answer = office.client("admin").await.graphql(update, change(field, value)).await;
            assert_eq!(answer.refusals(), ["LIAISE_FIRST"], "{field}");
        }
        let answer = office.client("admin").await.graphql(update, change("jobTitle", "Senior Partner")).await;
        assert_eq!(answer.refusals(), [""; 0], "the rest of the record is shared");
    }

    async fn the_address_is_shown_with_the_guidance_and_that_is_recorded(bed: TestBed) {
        let office = Office::open(&bed).await;
        let imogen = office.contact("Imogen Moss").await;
        let query = "query($id: ID!) { contactWithGuidance(id: $id) {
            email telephone guidance mustLiaise keyAccountOperator { name } contact { displayName } } }";
        let shown = async |who: &str| office.client(who).await.graphql(query, json!({ "id": imogen.id })).await;
        let seen = shown("admin").await.data["contactWithGuidance"].take();
        assert_eq!(seen["email"], ADDRESS);
        assert!(seen["guidance"].as_str().unwrap().contains("through her clerk"), "{seen}");
        assert_eq!((&seen["mustLiaise"], &seen["contact"]["displayName"]), (&json!(true), &json!("Imogen Moss *")));
        let recorded = audit_entry::Entity::find()
            .filter(audit_entry::Column::Action.eq("contact.show_with_guidance"))
            .filter(audit_entry::Column::Subject.eq(imogen.id.to_string()))
            .all(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(recorded.len(), 1);
        assert_eq!(recorded[0].actor_id, Some(office.person("admin").await));
        for outsider in ["untrained", "employer", "student1"] {
            let answer = shown(outsider).await;
            assert_eq!(answer.codes()[0], "FORBIDDEN", "{outsider}");
            assert!(!format!("{answer:?}").contains(ADDRESS), "{outsider}");
        }
    }

    async fn an_agreement_opens_the_contact_until_its_time_is_over_and_both_sides_are_told(bed: TestBed) {
        let office = Office::open(&bed).await;
        let id = office.request("admin", "Jo Lennox", "Ask her to speak.").await;
        office.until_told(&bed, "Liaison about Jo Lennox", 2).await;
        assert!(!sees(&office, "admin", "Jo Lennox").await, "to have asked is not enough");
        let mine = "{ liaisonRequests(filter: { mineToAnswer: true }) { totalCount nodes { id } } }";
        let to_answer = office.client("operator").await.data(mine, json!({})).await;
        assert_eq!(to_answer["liaisonRequests"]["totalCount"], 2);
        assert_eq!(office.client("admin").await.data(mine, json!({})).await["liaisonRequests"]["totalCount"], 0);

        let until = bed.clock().now() + TimeDelta::days(10);
        let input = json!({ "input": { "liaisonRequestId": id, "agree": true, "validUntil": until } });
        let data = office.client("operator").await.data(ANSWER, input).await;
        assert_eq!(data["answerLiaison"]["liaisonRequest"]["state"], "AGREED");
        office.until_told(&bed, "Agreed: contacting Jo Lennox", 2).await;
        assert!(sees(&office, "admin", "Jo Lennox").await);
        assert!(!sees(&office, "admin", "Imogen Moss").await, "it is for one contact");

        bed.clock().set(until);
        // Access tokens are short; everybody signs in again. The agreement is over before any job has looked.
        assert!(!sees(&office, "admin", "Jo Lennox").await);
        office.until_told(&bed, "Ended: liaison about Jo Lennox", 2).await;
        let query = "query($id: ID!) { node(id: $id) { ... on LiaisonRequest { state } } }";
        let data = office.client("admin").await.data(query, json!({ "id": id })).await;
        assert_eq!(data["node"]["state"], "EXPIRED");
    }

    async fn a_request_that_nobody_answers_runs_out_and_may_be_asked_again(bed: TestBed) {
        let office = Office::open(&bed).await;
        let id = office.request("admin", "Jo Lennox", "Ask her to speak.").await;
        let jo = office.contact("Jo Lennox").await;
        let again = json!({ "input": { "contactId": jo.id, "purpose": "And again." } });
        assert_eq!(office.client("admin").await.graphql(REQUEST, again.clone()).await.refusals(), ["TAKEN"]);
        bed.clock().advance(domain::liaison::ANSWER_WITHIN);
        let late = json!({ "input": { "liaisonRequestId": id, "agree": true } });
        assert_eq!(office.client("operator").await.graphql(ANSWER, late).await.refusals(), ["WRONG_STATE"]);
        assert_eq!(office.client("admin").await.graphql(REQUEST, again).await.refusals(), [""; 0]);
        office.until_told(&bed, "Ended: liaison about Jo Lennox", 2).await;
    }

    async fn declining_says_why_and_only_the_key_account_operator_answers(bed: TestBed) {
        let office = Office::open(&bed).await;
        let id = office.request("admin", "Jo Lennox", "Ask her to speak.").await;
        let silent = json!({ "input": { "liaisonRequestId": id, "agree": false } });
        let operator = office.client("operator").await;
        assert_eq!(operator.graphql(ANSWER, silent.clone()).await.refusals(), ["REQUIRED"]);
        assert_eq!(office.client("admin").await.graphql(ANSWER, silent.clone()).await.codes(), ["FORBIDDEN"]);
        // A request that isn't one's business isn't there.
        office.grant("untrained", &["CLAIM_KEY_ACCOUNT"]).await;
        let other = office.client("untrained").await.graphql(ANSWER, silent).await;
        assert_eq!(other.refusals(), ["NOT_FOUND"]);
        assert_eq!(office.answer("operator", &id, false).await["state"], "DECLINED");
        assert!(!sees(&office, "admin", "Jo Lennox").await);
        office.until_told(&bed, "Declined: contacting Jo Lennox", 2).await;
        let twice = json!({ "input": { "liaisonRequestId": id, "agree": true } });
        assert_eq!(operator.graphql(ANSWER, twice).await.refusals(), ["WRONG_STATE"]);
    }

    async fn an_agreement_lasts_a_year_at_most_and_not_into_the_past(bed: TestBed) {
        let office = Office::open(&bed).await;
        let id = office.request("admin", "Jo Lennox", "Ask her to speak.").await;
        let operator = office.client("operator").await;
        for (days, expected) in [(0, "IN_THE_PAST"), (400, "INVALID")] {
            let until = bed.clock().now() + TimeDelta::days(days);
            let input = json!({ "input": { "liaisonRequestId": id, "agree": true, "validUntil": until } });
            assert_eq!(operator.graphql(ANSWER, input).await.refusals(), [expected], "{days}");
        }
    }

    async fn only_operators_ask_and_only_about_key_account_contacts_of_others(bed: TestBed) {
        let office = Office::open(&bed).await;
        for (who, name, expected) in [
            ("operator", "Imogen Moss", "WRONG_STATE"),
            ("admin", "Erin Doyle", "WRONG_STATE"),
            ("operator", "Sana Iqbal", "TAKEN"),
        ] {
            let contact = office.contact(name).await;
            let input = json!({ "input": { "contactId": contact.id, "purpose": "Ask." } });
            assert_eq!(office.client(who).await.graphql(REQUEST, input).await.refusals(), [expected], "{who} {name}");
        }
        let jo = office.contact("Jo Lennox").await;
        let input = json!({ "input": { "contactId": jo.id, "purpose": "Ask." } });
        for outsider in ["untrained", "employer", "student1"] {
            let answer = office.client(outsider).await.graphql(REQUEST, input.clone()).await;
            assert_eq!(answer.codes()[0], "FORBIDDEN", "{outsider}");
        }
    }

    async fn of_many_requests_of_one_operator_at_once_one_is_made(bed: TestBed) {
        let office = Office::open(&bed).await;
        let viewer = office.viewer("admin").await;
        let jo = office.contact("Jo Lennox").await;
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let (store, viewer) = (office.system.store().clone(), viewer.clone());
            asking.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let asked = domain::liaison::request(&mut tx, &viewer, jo.id, "Ask.").await;
                if asked.is_ok() {
                    tx.commit().await.unwrap();
                }
                asked.is_ok()
            });
        }
        let made = asking.join_all().await.into_iter().filter(|made| *made).count();
        assert_eq!(made, 1);
        let waiting = entity::liaison_request::Entity::find()
            .filter(entity::liaison_request::Column::ContactId.eq(jo.id))
            .filter(entity::liaison_request::Column::State.eq(LiaisonState::Requested))
            .all(office.system.store().reader())
            .await
            .unwrap();
        assert_eq!(waiting.len(), 1);
    }

    async fn contact_without_agreement_is_recorded_flagged_and_told_to_the_key_account_operator(bed: TestBed) {
        let office = Office::open(&bed).await;
        let imogen = office.contact("Imogen Moss").await;
        let add = "mutation($input: AddNoteInput!) { addNote(input: $input) {
            note { kind withoutAgreement } userErrors { code field } } }";
        let now = bed.clock().now();
        let note = |kind: &str, days_ago: i64| json!({ "input": {
            "organisationId": imogen.organisation_id, "contactId": imogen.id, "kind": kind, "body": "Talked.",
            "happenedAt": now - TimeDelta::days(days_ago),
        } });
        for (who, kind, days_ago, flagged) in [
            ("admin", "CALL", 0, true),
            ("admin", "OTHER", 0, false),
            ("admin", "VISIT", 30, false),
            ("operator", "MEETING", 0, false),
        ] {
            let data = office.client(who).await.data(add, note(kind, days_ago)).await;
            assert_eq!(
                data["addNote"]["note"],
                json!({ "kind": kind, "withoutAgreement": flagged }),
                "{who} {kind} {days_ago} days ago"
            );
        }
        office.until_told(&bed, "Imogen Moss was contacted without your agreement", 1).await;
        let told = office.letters("operator", "contacted_without_agreement").await;
        assert_eq!(told.len(), 1);
        assert_eq!((&told[0].fields["author"], &told[0].fields["kind"]), (&json!("Alex Morgan"), &json!("a call")));

        let sana = office.contact("Sana Iqbal").await;
        let agreed = json!({ "input": {
            "organisationId": sana.organisation_id, "contactId": sana.id, "kind": "EMAIL", "body": "Wrote.",
        } });
        let data = office.client("operator").await.data(add, agreed).await;
        assert_eq!(data["addNote"]["note"]["withoutAgreement"], false, "that was agreed");
    }

    async fn guidance_is_the_key_account_operators_to_write(bed: TestBed) {
        let office = Office::open(&bed).await;
        let imogen = office.contact("Imogen Moss").await;
        let add = "mutation($input: AddNoteInput!) { addNote(input: $input) { note { id } userErrors { code field } } }";
        let input = |body: &str| json!({ "input": {
            "organisationId": imogen.organisation_id, "contactId": imogen.id, "kind": "GUIDANCE_ON_CONTACT", "body": body,
        } });
        assert_eq!(office.client("admin").await.graphql(add, input("Ring at home.")).await.refusals(), ["WRONG_STATE"]);
        assert_eq!(office.client("operator").await.graphql(add, input("On leave until May.")).await.refusals(), [""; 0]);
        let query = "query($id: ID!) { node(id: $id) { ... on Contact { guidance } } }";
        let data = office.client("admin").await.data(query, json!({ "id": imogen.id })).await;
        assert_eq!(data["node"]["guidance"], "On leave until May.");
    }
}

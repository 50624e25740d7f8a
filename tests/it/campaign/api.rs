//! Bulk e-mail as a person does it: over HTTP, with the mails looked at.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{At, Behaviour, Client, on_both_columns, until};

use super::office::header;
use crate::audit::bulk::reads;

const PATIENCE: Duration = Duration::from_secs(30);

/// A tag on one of the demo's organisations, and so many new contacts there. Gives the tag and the organisation.
pub(crate) async fn audience(operator: &Client, contacts: usize) -> (String, String) {
    let found = operator
        .data("{ organisations(first: 1) { nodes { id } } }", json!({}))
        .await;
    let organisation = text(&found["organisations"]["nodes"][0]["id"]);
    let made = operator
        .data(
            "mutation { createTag(input: { name: \"Autumn fair\" }) { tag { id } userErrors { message } } }",
            json!({}),
        )
        .await;
    let tag = text(&made["createTag"]["tag"]["id"]);
    operator
        .data(
            "mutation($tag: ID!, $organisation: ID!) {
               tagOrganisations(input: { organisationIds: [$organisation], tagIds: [$tag] }) { userErrors { message } }
             }",
            json!({ "tag": tag, "organisation": organisation }),
        )
        .await;
    join_all((0..contacts).map(|n| {
        operator.data(
            "mutation($input: CreateContactInput!) { createContact(input: $input) { contact { id } userErrors { message } } }",
            json!({ "input": {
                "organisationId": organisation, "name": format!("Contact {n}"), "email": format!("contact{n}@airevalley.test"),
            } }),
        )
    }))
    .await;
    (tag, organisation)
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

pub(crate) async fn create(operator: &Client, tag: &str) -> String {
    let made = operator
        .data(
            "mutation($tag: ID!) {
               createCampaign(input: {
                 name: \"Autumn fair\", subject: \"{{ organisation }} at our fair\", body: \"Dear {{ name }}\", allOfTags: [$tag]
               }) { campaign { id state version } userErrors { code field message } }
             }",
            json!({ "tag": tag }),
        )
        .await;
    assert_eq!(made["createCampaign"]["userErrors"], json!([]));
    assert_eq!(made["createCampaign"]["campaign"]["state"], "DRAFT");
    text(&made["createCampaign"]["campaign"]["id"])
}

pub(crate) async fn change(operator: &Client, mutation: &str, id: &str) -> Value {
    let name = mutation[..1].to_uppercase() + &mutation[1..];
    let query = format!(
        "mutation($input: {name}Input!) {{ {mutation}(input: $input) {{
           campaign {{ state recipients }} userErrors {{ code field message }}
         }} }}"
    );
    let mut data = operator
        .data(&query, json!({ "input": { "campaignId": id } }))
        .await;
    data[mutation].take()
}

async fn state(operator: &Client, id: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Campaign {
        state recipients counts { queued sending sent failed unknown skipped cancelled } finishedAt
    } } }";
    operator.data(query, json!({ "id": id })).await["node"].take()
}

pub(crate) async fn until_sent(operator: &Client, id: &str) {
    until(PATIENCE, "the campaign is sent", async || {
        (state(operator, id).await["state"] == "SENT").then_some(())
    })
    .await;
}

on_both_columns! {
    async fn a_trained_operator_writes_to_employers_and_watches(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 30).await;
        let id = create(&operator, &tag).await;

        let preview = operator.data(
            "query($id: ID!) { campaignPreview(campaignId: $id) { recipients skipped { reason count } } }",
            json!({ "id": id }),
        ).await;
        let recipients = preview["campaignPreview"]["recipients"].as_u64().unwrap();
        assert!(recipients >= 30);
        let by_tags = operator.data(
            "query($tag: ID!) { campaignPreview(input: { anyOfTags: [$tag] }) { recipients skipped { reason count } } }",
            json!({ "tag": tag }),
        ).await;
        assert_eq!(preview, by_tags);

        let started = change(&operator, "scheduleCampaign", &id).await;
        assert_eq!(started, json!({ "campaign": { "state": "SENDING", "recipients": recipients }, "userErrors": [] }));
        until_sent(&operator, &id).await;
        assert_eq!(bed.mail().received().len() as u64, recipients);

        let ledger = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Campaign {
               counts { sent } deliveries(first: 100, state: SENT) { totalCount nodes { address state messageId contact { name } } }
               createdBy { name } allOfTags { name }
             } } }",
            json!({ "id": id }),
        ).await["node"].take();
        assert_eq!(ledger["counts"]["sent"], recipients);
        let read = reads(&system).await.pop().unwrap().after.unwrap();
        assert_eq!((&read["people"], &read["fields"]), (&json!(recipients), &json!(["Delivery.address"])), "policy 3");
        assert_eq!(ledger["deliveries"]["totalCount"], recipients);
        assert_eq!(ledger["allOfTags"], json!([{ "name": "Autumn fair" }]));
        for mail in bed.mail().received() {
            let row = ledger["deliveries"]["nodes"].as_array().unwrap().iter()
                .find(|row| row["messageId"] == mail.message_id).unwrap();
            assert_eq!(json!(mail.to), json!([row["address"]]));
        }
        let listed = operator.data("{ campaigns(state: SENT) { totalCount nodes { id } } }", json!({})).await;
        assert_eq!(listed["campaigns"], json!({ "totalCount": 1, "nodes": [{ "id": id }] }));
    }

    async fn who_was_not_trained_is_refused_and_sees_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, untrained) = (system.demo_client("operator").await, system.demo_client("untrained").await);
        let (tag, _) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        for query in [
            format!("mutation {{ scheduleCampaign(input: {{ campaignId: \"{id}\" }}) {{ campaign {{ state }} }} }}"),
            "{ campaigns { totalCount } }".to_owned(),
            format!("{{ campaignPreview(campaignId: \"{id}\") {{ recipients }} }}"),
        ] {
            let answer = untrained.graphql(&query, json!({})).await;
            assert_eq!(answer.codes().first(), Some(&"FORBIDDEN"), "{query}");
            let why = answer.errors[0]["message"].as_str().unwrap();
            assert!(why.contains("SEND_BULK_EMAIL") && why.contains("training"), "{why}");
        }
        let hidden = untrained.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(hidden["node"], Value::Null);
        assert_eq!(state(&operator, &id).await["state"], "DRAFT");
    }

    async fn a_refusal_names_the_field(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let answer = operator.data(
            "mutation { createCampaign(input: { name: \"x\", subject: \"{{ salary }}\", body: \"x\" }) {
               campaign { id } userErrors { code field }
             } }",
            json!({}),
        ).await;
        assert_eq!(answer["createCampaign"], json!({ "campaign": null, "userErrors": [
            { "code": "CANNOT_RENDER", "field": "subject" },
            { "code": "REQUIRED", "field": "allOfTags" },
        ] }));
    }

    async fn a_link_in_the_mail_unsubscribes_when_the_button_is_pressed(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, organisation) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        change(&operator, "scheduleCampaign", &id).await;
        until_sent(&operator, &id).await;
        let mails = bed.mail().received();
        let mail = mails.iter().find(|mail| mail.to == ["contact0@airevalley.test"]).unwrap();
        let link = header(mail, "List-Unsubscribe").unwrap();
        let path = &link[link.find("/unsubscribe/").unwrap()..link.len() - 1];
        let skipped = async || {
            let preview = operator.data(
                "query($id: ID!) { campaignPreview(campaignId: $id) { skipped { reason count } } }", json!({ "id": id }),
            ).await;
            preview["campaignPreview"]["skipped"].clone()
        };
        let before = skipped().await;

        let nobody = system.client();
        let page = nobody.get(path).await;
        assert_eq!(page.status(), 200);
        assert!(page.headers()["Content-Security-Policy"].to_str().unwrap().starts_with("default-src 'none'"));
        let html = page.text().await.unwrap();
        assert!(html.contains("method=\"post\"") && html.contains(path), "{html}");
        assert_eq!(skipped().await, before, "looking changes nothing");

        let one_click = nobody.request(reqwest::Method::POST, path)
            .header("Content-Type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click");
        assert_eq!(one_click.send().await.unwrap().status(), 200);
        assert_ne!(skipped().await, before);
        let contacts = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Organisation { contacts(first: 100) { email bulkOptedOutAt } } } }",
            json!({ "id": organisation }),
        ).await;
        let contact = contacts["node"]["contacts"].as_array().unwrap().iter()
            .find(|row| row["email"] == "contact0@airevalley.test").unwrap().clone();
        assert!(contact["bulkOptedOutAt"].is_string(), "{contact}");

        for wrong in ["/unsubscribe/nonsense", "/unsubscribe/"] {
            assert_eq!(nobody.get(wrong).await.status(), 404, "{wrong}");
        }
        let wrong = nobody.request(reqwest::Method::POST, "/unsubscribe/nonsense").send().await.unwrap();
        assert_eq!(wrong.status(), 404);
    }

    async fn whoever_may_send_watches_a_campaign_while_it_is_sent_and_nobody_else_does(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, untrained) = (system.demo_client("operator").await, system.demo_client("untrained").await);
        let (tag, _) = audience(&operator, 3).await;
        let id = create(&operator, &tag).await;
        let watching = format!("subscription {{ campaignProgress(campaignId: \"{id}\") {{ state counts {{ queued sent }} }} }}");
        let mut watch = operator.watch(&watching).await;
        let mut elsewhere = untrained.watch(&watching).await;
        elsewhere.until("FORBIDDEN").await;
        let started = change(&operator, "scheduleCampaign", &id).await;
        let recipients = started["campaign"]["recipients"].as_i64().unwrap();
        watch.until("\"state\":\"SENT\"").await;
        watch.until(&format!("\"counts\":{{\"queued\":0,\"sent\":{recipients}}}")).await;
    }

    async fn a_campaign_is_paused_resumed_and_cancelled(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 5).await;
        let id = create(&operator, &tag).await;
        // Nothing gets through, so that the campaign stays on its way.
        bed.mail().behave(Behaviour::Reply(At::Connect, 421));
        change(&operator, "scheduleCampaign", &id).await;
        assert_eq!(change(&operator, "pauseCampaign", &id).await["campaign"]["state"], "PAUSED");
        assert_eq!(change(&operator, "pauseCampaign", &id).await["userErrors"][0]["code"], "WRONG_STATE");
        assert_eq!(change(&operator, "resumeCampaign", &id).await["campaign"]["state"], "SENDING");
        assert_eq!(change(&operator, "cancelCampaign", &id).await["campaign"]["state"], "CANCELLED");
        let unknown = change(&operator, "cancelCampaign", "cmp_01h455vb4pex5vsknk084sn02q").await;
        assert_eq!(unknown["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(bed.mail().received().len(), 0);
    }
}

//! The rules of bulk mail as its senders and recipients meet them (policy 2.5): over HTTP, and by what arrives at the relay.
//! What these leave out has tests of its own, with the campaigns.

mod caps;
mod halting;
mod life;
mod reasons;
mod suppression;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use support::{Client, TestBed};

use crate::campaign::segments::done;

const PATIENCE: Duration = Duration::from_secs(30);

/// An approved organisation under a tag of its own, with a contact at each address. Gives the tag and the organisation.
async fn employer(operator: &Client, name: &str, addresses: &[&str]) -> (Value, Value) {
    let named = json!({ "name": name });
    let made = done(
        operator,
        "createOrganisation",
        "organisation { id }",
        named.clone(),
    )
    .await;
    let organisation = made["organisation"]["id"].clone();
    let tag = done(operator, "createTag", "tag { id }", named).await["tag"]["id"].take();
    let input = json!({ "organisationIds": [organisation], "tagIds": [tag] });
    done(operator, "tagOrganisations", "tagged", input).await;
    for address in addresses {
        contact(operator, &organisation, address).await;
    }
    (tag, organisation)
}

/// A contact at an address, named after it.
async fn contact(operator: &Client, organisation: &Value, address: &str) -> Value {
    let (name, _) = address.split_once('@').unwrap();
    let input = json!({ "organisationId": organisation, "name": name, "email": address });
    let made = done(operator, "createContact", "contact { id version }", input).await;
    made["contact"].clone()
}

/// A draft to everybody under a tag.
async fn draft(operator: &Client, tag: &Value, body: &str) -> String {
    let input =
        json!({ "name": "Autumn fair", "subject": "Our fair", "body": body, "allOfTags": [tag] });
    let made = done(operator, "createCampaign", "campaign { id state }", input).await;
    assert_eq!(made["campaign"]["state"], "DRAFT");
    made["campaign"]["id"].as_str().unwrap().to_owned()
}

/// Starts a campaign, and gives how many it goes to and who is left out.
async fn start(operator: &Client, id: &str) -> (u64, BTreeMap<String, u64>) {
    let wanted = "campaign { recipients skipped { reason count } }";
    let input = json!({ "campaignId": id });
    told(&done(operator, "scheduleCampaign", wanted, input).await["campaign"])
}

/// How many a draft would go to, and who would be left out.
async fn preview(operator: &Client, id: &str) -> (u64, BTreeMap<String, u64>) {
    let query = "query($id: ID!) { campaignPreview(campaignId: $id) { recipients skipped { reason count } } }";
    told(&operator.data(query, json!({ "id": id })).await["campaignPreview"])
}

fn told(of: &Value) -> (u64, BTreeMap<String, u64>) {
    let skipped = of["skipped"].as_array().unwrap().iter().map(|skip| {
        let reason = skip["reason"].as_str().unwrap().to_owned();
        (reason, skip["count"].as_u64().unwrap())
    });
    (of["recipients"].as_u64().unwrap(), skipped.collect())
}

/// Those who are left out, as [`start`] and [`preview`] give them.
fn skipped<const N: usize>(reasons: [(&str, u64); N]) -> BTreeMap<String, u64> {
    reasons
        .into_iter()
        .map(|(reason, count)| (reason.to_owned(), count))
        .collect()
}

/// How a campaign stands.
async fn campaign(operator: &Client, id: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Campaign { state version recipients refusal skipped { reason count }
        counts { queued sending sent failed unknown skipped cancelled } } } }";
    operator.data(query, json!({ "id": id })).await["node"].take()
}

/// To whom mails went in a domain, each as often as one did.
fn arrived(bed: &TestBed, domain: &str) -> Vec<String> {
    let received = bed.mail().received().into_iter();
    let mut to: Vec<String> = received
        .flat_map(|mail| mail.to)
        .filter(|to| to.ends_with(domain))
        .collect();
    to.sort_unstable();
    to
}

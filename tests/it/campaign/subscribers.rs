//! A campaign for contacts of some subscriber types (policy 2.5: fewer mails that don't concern whoever gets them).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::on_both_columns;

use super::{
    api::{text, until_sent},
    segments::done,
};

const PREVIEW: &str = "query($input: CampaignAudienceInput!) { campaignPreview(input: $input) { recipients skipped { reason count } } }";

on_both_columns! {
    async fn a_campaign_reaches_the_subscriber_types_that_it_names_and_counts_nobody_else(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let tag = done(&operator, "createTag", "tag { id }", json!({ "name": "Quarries" })).await["tag"]["id"].clone();
        let mut at = Vec::new();
        for name in ["Limeworks", "Slateworks"] {
            let made = done(&operator, "createOrganisation", "organisation { id }", json!({ "name": name })).await;
            at.push(made["organisation"]["id"].clone());
        }
        done(&operator, "tagOrganisations", "tagged", json!({ "organisationIds": at, "tagIds": [tag] })).await;
        let contact = async |place: usize, name: &str, kind: &str, more: Value| {
            let mut input = json!({
                "organisationId": at[place], "name": name, "subscriberType": kind,
                "email": format!("{}@quarries.test", name.to_lowercase()),
            });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            done(&operator, "createContact", "contact { id version }", input).await["contact"].clone()
        };
        contact(0, "Ann", "PLACEMENTS", json!({})).await;
        contact(0, "Bea", "EVENTS", json!({})).await;
        let cy = contact(0, "Cy", "GENERAL", json!({})).await;
        contact(0, "Dee", "PLACEMENTS", json!({ "bulkOptedOut": true })).await;
        contact(0, "Eve", "GENERAL", json!({ "bulkOptedOut": true })).await;
        // One address at two records: only that of the type asked for counts, and so isn't a second one.
        contact(0, "Flo", "GENERAL", json!({})).await;
        contact(1, "Flo", "EVENTS", json!({})).await;
        contact(1, "Gus", "EVENTS", json!({ "email": null })).await;

        let preview = async |types: Value| {
            let input = json!({ "allOfTags": [tag], "subscriberTypes": types });
            operator.data(PREVIEW, json!({ "input": input })).await["campaignPreview"].clone()
        };
        assert_eq!(preview(json!([])).await, json!({ "recipients": 4, "skipped": [
            { "reason": "OPTED_OUT", "count": 2 }, { "reason": "NO_ADDRESS", "count": 1 }, { "reason": "DUPLICATE_ADDRESS", "count": 1 },
        ] }), "the control: everybody");
        assert_eq!(preview(json!(["PLACEMENTS"])).await, json!({ "recipients": 1, "skipped": [{ "reason": "OPTED_OUT", "count": 1 }] }));
        assert_eq!(preview(json!(["PARTNERSHIP"])).await, json!({ "recipients": 0, "skipped": [] }));
        let both = json!({ "recipients": 3, "skipped": [{ "reason": "OPTED_OUT", "count": 1 }, { "reason": "NO_ADDRESS", "count": 1 }] });
        assert_eq!(preview(json!(["EVENTS", "PLACEMENTS"])).await, both);

        // Types that not everybody has are enough of an audience; the general one is nearly everybody.
        let draft = |types: Value| json!({ "name": "Blasts", "subject": "Blasts", "body": "Dear {{ name }}", "subscriberTypes": types });
        let create = "mutation($input: CreateCampaignInput!) { createCampaign(input: $input) { campaign { id } userErrors { code field } } }";
        let answer = operator.graphql(create, json!({ "input": draft(json!(["GENERAL", "EVENTS"])) })).await;
        assert_eq!(answer.refusals(), ["REQUIRED"]);
        let made = done(&operator, "createCampaign", "campaign { id version }", draft(json!(["EVENTS"]))).await;
        let input = json!({
            "campaignId": made["campaign"]["id"], "version": 1, "allOfTags": [tag],
            "subscriberTypes": ["EVENTS", "PLACEMENTS", "EVENTS"],
        });
        let changed = done(&operator, "updateCampaign", "campaign { version subscriberTypes }", input).await;
        assert_eq!(changed["campaign"], json!({ "version": 2, "subscriberTypes": ["PLACEMENTS", "EVENTS"] }));
        let id = text(&made["campaign"]["id"]);
        let query = "query($id: ID!) { campaignPreview(campaignId: $id) { recipients skipped { reason count } } }";
        assert_eq!(operator.data(query, json!({ "id": id })).await["campaignPreview"], both);

        // Who is of a type when it starts is meant, whatever they are later.
        let input = json!({ "id": cy["id"], "version": cy["version"], "subscriberType": "EVENTS" });
        let cy = done(&operator, "updateContact", "contact { id version }", input).await["contact"].clone();
        let started = done(&operator, "scheduleCampaign", "campaign { recipients skipped { reason count } }", json!({ "campaignId": id })).await;
        assert_eq!(started["campaign"], json!({ "recipients": 4, "skipped": both["skipped"] }));
        let input = json!({ "id": cy["id"], "version": cy["version"], "subscriberType": "GENERAL" });
        done(&operator, "updateContact", "contact { id }", input).await;
        until_sent(&operator, &id).await;
        let to: BTreeSet<String> = bed.mail().received().into_iter().flat_map(|mail| mail.to).collect();
        let wanted = ["ann@quarries.test", "bea@quarries.test", "cy@quarries.test", "flo@quarries.test"];
        assert_eq!(to.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
        // A copy is for the same.
        let copy = done(&operator, "copyCampaign", "campaign { subscriberTypes }", json!({ "campaignId": id })).await;
        assert_eq!(copy["campaign"]["subscriberTypes"], json!(["PLACEMENTS", "EVENTS"]));
    }
}

//! Organisations and contacts, key accounts, bulk e-mail.

use chrono::TimeDelta;
use domain::{clock::Clock, organisation::duplicates};
use entity::{
    campaign::{self, CampaignState},
    delivery,
    ids::{CampaignId, DeliveryId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr,
};
use serde_json::json;

use super::walk::Walk;

pub async fn employers(walk: &mut Walk<'_>) {
    let input = json!({ "name": "Zephyr Windmills", "kind": "DIRECT_EMPLOYER" });
    let made = walk
        .call(
            "admin",
            "createOrganisation",
            input,
            "organisation { id version }",
        )
        .await;
    let organisation = made["organisation"].clone();
    walk.keep("organisation", &organisation["id"]);
    let input =
        json!({ "id": organisation["id"], "version": organisation["version"], "sector": "Energy" });
    walk.call("admin", "updateOrganisation", input, "").await;
    for (name, email) in [
        ("one", "zoe@zephyr.example"),
        ("other", "zac@zephyr.example"),
    ] {
        let input = json!({ "organisationId": organisation["id"], "name": format!("Zoe {name}"), "email": email });
        let made = walk
            .call("admin", "createContact", input, "contact { id version }")
            .await;
        walk.keep(name, &made["contact"]["id"]);
        let input = json!({ "id": made["contact"]["id"], "version": made["contact"]["version"], "jobTitle": "Head",
            "onHold": true });
        let held = walk
            .call("admin", "updateContact", input, "contact { version }")
            .await;
        let input = json!({ "id": made["contact"]["id"], "version": held["contact"]["version"],
            "reason": "They read it." });
        walk.call("admin", "liftContactHold", input, "").await;
    }
    walk.call(
        "admin",
        "inviteEmployer",
        json!({ "contactId": walk.id("one") }),
        "",
    )
    .await;
    let made = walk
        .call(
            "admin",
            "createTag",
            json!({ "name": "Wind power" }),
            "tag { id }",
        )
        .await;
    let tag = made["tag"]["id"].clone();
    let both = json!({ "organisationIds": [organisation["id"]], "tagIds": [tag] });
    walk.call("admin", "tagOrganisations", both.clone(), "")
        .await;
    walk.call("admin", "untagOrganisations", both.clone(), "")
        .await;
    let input = json!({ "name": "Windpower" });
    let double = walk.call("admin", "createTag", input, "tag { id }").await;
    let input = json!({ "tagId": tag, "otherIds": [double["tag"]["id"]] });
    walk.call("admin", "mergeTags", input, "").await;
    walk.call("admin", "archiveTag", json!({ "id": tag }), "")
        .await;
    let input = json!({ "organisationId": organisation["id"], "kind": "MEETING", "body": "We met.", "nextAction": "Write." });
    let made = walk.call("admin", "addNote", input, "note { id }").await;
    let input = json!({ "noteId": made["note"]["id"] });
    walk.call("admin", "completeNextAction", input, "").await;
    let input = json!({ "name": "Wind", "filter": { "sector": "Energy" } });
    let made = walk
        .call("admin", "saveSegment", input, "segment { id }")
        .await;
    let input = json!({ "id": made["segment"]["id"] });
    walk.call("admin", "deleteSegment", input, "").await;
    not_the_same(walk).await;
}

/// Says of likely duplicates that they are none.
async fn not_the_same(walk: &mut Walk<'_>) {
    let input = json!({ "name": "Zephyr Windmills Ltd", "kind": "DIRECT_EMPLOYER", "confirmNotDuplicate": true });
    walk.call("admin", "createOrganisation", input, "").await;
    let store = walk.store();
    let search = duplicates::Search::among_all(store.reader(), store.now())
        .await
        .unwrap();
    walk.change(async |tx| search.keep(tx).await).await;
    let found = walk
        .ask(
            "admin",
            "{ duplicateOrganisations(first: 1) { nodes { pairId } } }",
        )
        .await;
    let pair = &found["duplicateOrganisations"]["nodes"][0]["pairId"];
    walk.call(
        "admin",
        "dismissDuplicate",
        json!({ "pairId": pair, "reason": "Two houses." }),
        "",
    )
    .await;

    let organisation = walk.id("organisation");
    for name in ["Ottoline Featherstonehaugh", "Featherstonehaugh, Ottoline"] {
        let input = json!({ "organisationId": organisation, "name": name });
        walk.call("admin", "createContact", input, "").await;
    }
    let found = walk
        .ask(
            "admin",
            "{ duplicateContacts(first: 1) { nodes { pairId } } }",
        )
        .await;
    let pair = &found["duplicateContacts"]["nodes"][0]["pairId"];
    walk.call(
        "admin",
        "dismissContactDuplicate",
        json!({ "pairId": pair, "reason": "Twins." }),
        "",
    )
    .await;
}

pub async fn key_accounts(walk: &mut Walk<'_>) {
    let named = |walk: &Walk<'_>, who: &str| json!([{ "contactId": walk.id(who), "guidance": "Write first." }]);
    let input =
        json!({ "organisationId": walk.id("organisation"), "contacts": named(walk, "one") });
    let made = walk
        .call("operator", "claimKeyAccount", input, "keyAccount { id }")
        .await;
    let account = made["keyAccount"]["id"].clone();
    let input = json!({ "keyAccountId": account, "contacts": named(walk, "other") });
    walk.call("operator", "addKeyAccountContacts", input, "")
        .await;
    let input = json!({ "contactId": walk.id("one"), "purpose": "A fair." });
    walk.call("admin", "requestLiaison", input, "").await;
    let found = walk
        .ask(
            "operator",
            "{ liaisonRequests(first: 100) { nodes { id state contact { id } } } }",
        )
        .await;
    let asked = found["liaisonRequests"]["nodes"].as_array().unwrap();
    let asked = asked
        .iter()
        .find(|request| request["contact"]["id"] == walk.id("one"))
        .unwrap();
    walk.call(
        "operator",
        "answerLiaison",
        json!({ "liaisonRequestId": asked["id"], "agree": true }),
        "",
    )
    .await;
    let input = json!({ "keyAccountId": account, "contactId": walk.id("other") });
    walk.call("operator", "removeKeyAccountContact", input, "")
        .await;
    let to = walk.person("admin").await;
    walk.call(
        "operator",
        "handOverKeyAccount",
        json!({ "keyAccountId": account, "toUserId": to }),
        "",
    )
    .await;
    walk.call(
        "admin",
        "releaseKeyAccount",
        json!({ "keyAccountId": account }),
        "",
    )
    .await;
}

pub async fn campaigns(walk: &mut Walk<'_>) {
    let made = walk
        .call(
            "admin",
            "createTag",
            json!({ "name": "Tidal power" }),
            "tag { id }",
        )
        .await;
    let tag = made["tag"]["id"].clone();
    walk.keep("tag", &tag);
    let both = json!({ "organisationIds": [walk.id("organisation")], "tagIds": [tag] });
    walk.call("admin", "tagOrganisations", both, "").await;
    let input = json!({ "name": "Spring", "subject": "Spring", "body": "Dear {{ name }},", "allOfTags": [tag] });
    let made = walk
        .call("admin", "createCampaign", input, "campaign { id version }")
        .await;
    let campaign = made["campaign"].clone();
    let id = &campaign["id"];
    let input = json!({ "campaignId": id, "version": campaign["version"], "name": "Early spring" });
    walk.call("admin", "updateCampaign", input, "").await;
    walk.call("admin", "sendTestCampaign", json!({ "campaignId": id }), "")
        .await;
    let later = (walk.clock().now() + TimeDelta::days(2)).to_rfc3339();
    walk.call(
        "admin",
        "scheduleCampaign",
        json!({ "campaignId": id, "notBefore": later }),
        "",
    )
    .await;
    // Its mails would be out before anybody could pause it.
    let plain: CampaignId = id.as_str().unwrap().parse().unwrap();
    campaign::Entity::update_many()
        .col_expr(campaign::Column::State, Expr::val(CampaignState::Sending))
        .filter(campaign::Column::Id.eq(plain))
        .exec(walk.store().reader())
        .await
        .unwrap();
    walk.call("admin", "pauseCampaign", json!({ "campaignId": id }), "")
        .await;
    for (name, subject) in [
        ("settleDelivery", "deliveryId"),
        ("settleDeliveries", "campaignId"),
    ] {
        let like = delivery::Entity::find()
            .one(walk.store().reader())
            .await
            .unwrap()
            .unwrap();
        let unknown = delivery::Model {
            id: DeliveryId::new_at(walk.store().now()),
            campaign_id: Some(plain),
            purpose_key: None,
            address: format!("{name}@zephyr.example"),
            state: delivery::DeliveryState::Unknown,
            message_id: format!("{name}@university.test"),
            ..like
        };
        let mail = unknown.id;
        delivery::Entity::insert(unknown.into_active_model().reset_all())
            .exec_without_returning(walk.store().reader())
            .await
            .unwrap();
        let mut input = json!({ "settlement": "SENT", "reason": "The relay's log says so." });
        input[subject] = if subject == "deliveryId" {
            json!(mail)
        } else {
            id.clone()
        };
        walk.call("admin", name, input, "").await;
    }
    walk.call("admin", "resumeCampaign", json!({ "campaignId": id }), "")
        .await;

    let input = json!({ "name": "Late", "subject": "Late", "body": "Dear {{ name }},", "allOfTags": [tag] });
    let made = walk
        .call("admin", "createCampaign", input, "campaign { id }")
        .await;
    walk.call(
        "admin",
        "cancelCampaign",
        json!({ "campaignId": made["campaign"]["id"] }),
        "",
    )
    .await;
}

/// A topic, rules by which a campaign needs a second sender, and what the two of them do.
pub async fn reviewed_campaigns(walk: &mut Walk<'_>) {
    let made = walk
        .call(
            "admin",
            "createMailTopic",
            json!({ "name": "Renewable energy" }),
            "topic { id }",
        )
        .await;
    let topic = json!({ "id": made["topic"]["id"] });
    walk.call("admin", "archiveMailTopic", topic, "").await;
    let rules = json!({ "version": 0, "reviewAbove": 0 });
    walk.call("admin", "updateMailRules", rules, "").await;
    let input = json!({ "name": "Read twice", "subject": "Read twice", "body": "Dear {{ name }},",
        "allOfTags": [walk.id("tag")] });
    let made = walk
        .call("admin", "createCampaign", input, "campaign { id }")
        .await;
    let id = made["campaign"]["id"].clone();
    walk.call("admin", "submitCampaign", json!({ "campaignId": id }), "")
        .await;
    let reason = json!({ "campaignId": id, "reason": "Say when." });
    walk.call("operator", "declineCampaign", reason, "").await;
    let submitted = walk
        .call(
            "admin",
            "submitCampaign",
            json!({ "campaignId": id }),
            "campaign { version }",
        )
        .await;
    let input = json!({ "campaignId": id, "version": submitted["campaign"]["version"] });
    walk.call("operator", "approveCampaign", input, "").await;
    let copied = walk
        .call(
            "admin",
            "copyCampaign",
            json!({ "campaignId": id }),
            "campaign { id }",
        )
        .await;
    let copy = json!({ "campaignId": copied["campaign"]["id"] });
    let file = json!({ "campaignId": copy["campaignId"], "version": 1, "name": "a.pdf", "file": "JVBERi0x" });
    let added = walk
        .call(
            "admin",
            "addCampaignAttachment",
            file,
            "campaign { version attachments { id } }",
        )
        .await;
    let of = &added["campaign"];
    let file = json!({ "attachmentId": of["attachments"][0]["id"], "version": of["version"] });
    walk.call("admin", "removeCampaignAttachment", file, "")
        .await;
    let promoted = format!(
        "{{ campaignPromotions(campaignId: {}) {{ event {{ id }} }} }}",
        copy["campaignId"]
    );
    let offered = walk.ask("admin", &promoted).await;
    let event = offered["campaignPromotions"][0]["event"]["id"].clone();
    let mut left_out = json!({ "campaignId": copy["campaignId"], "eventIds": [event] });
    walk.call(
        "admin",
        "leaveOutCampaignEvents",
        {
            let mut input = left_out.clone();
            input["reason"] = json!("They know of it.");
            input
        },
        "",
    )
    .await;
    let back = walk
        .call(
            "admin",
            "bringBackCampaignEvents",
            left_out.take(),
            "campaign { version }",
        )
        .await;
    let input = json!({ "name": "To be joined", "subject": "Joined", "body": "Dear {{ name }},",
        "allOfTags": [walk.id("tag")] });
    let made = walk
        .call("admin", "createCampaign", input, "campaign { id version }")
        .await;
    let both = json!({
        "intoCampaignId": copy["campaignId"], "intoVersion": back["campaign"]["version"],
        "fromCampaignId": made["campaign"]["id"], "fromVersion": made["campaign"]["version"],
    });
    walk.call("admin", "joinCampaigns", both, "").await;
    walk.call("admin", "cancelCampaign", copy.clone(), "").await;
    walk.call("admin", "archiveCampaign", copy, "").await;
}

/// A file of contacts that is tried, and then imported.
pub async fn files_of_records(walk: &mut Walk<'_>) {
    let file = json!({ "kind": "CONTACTS", "fileName": "a.csv", "dryRun": true, "file": "bmFtZSxvcmdhbmlzYXRpb24KQW5uLEFjbWUK" });
    let asked = walk
        .call("admin", "importRecords", file, "import { id }")
        .await;
    let import = asked["import"]["id"].clone();
    let waiting = format!("{{ node(id: {import}) {{ ... on RecordImport {{ state }} }} }}");
    walk.until_answered("admin", &waiting, "DONE").await;
    walk.call("admin", "runImport", json!({ "importId": import }), "")
        .await;
}

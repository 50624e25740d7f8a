//! What else a mail tells of, and one mail made of two (policy 2.5: employers get fewer mails).

use chrono::TimeDelta;
use entity::{event, event_organisation, faculty};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

use super::{
    api::{audience, change, create, text, until_sent},
    office::text as text_of,
};

const OFFERED: &str =
    "query($id: ID!) { campaignPromotions(campaignId: $id) { leftOutBecause event { id title } } }";

async fn offered(client: &Client, id: &str) -> Vec<(String, Value)> {
    let data = client.data(OFFERED, json!({ "id": id })).await;
    let all = data["campaignPromotions"].as_array().unwrap();
    all.iter()
        .map(|one| (text(&one["event"]["title"]), one["leftOutBecause"].clone()))
        .collect()
}

async fn titles(client: &Client, id: &str) -> Vec<String> {
    offered(client, id)
        .await
        .into_iter()
        .map(|(title, _)| title)
        .collect()
}

/// Calls a mutation and answers its payload.
async fn call(client: &Client, mutation: &str, input: Value) -> Value {
    let name = mutation[..1].to_uppercase() + &mutation[1..];
    let query = format!(
        "mutation($input: {name}Input!) {{ {mutation}(input: $input) {{
           campaign {{ id state version subject body refusal anyOfTags {{ id }} allOfTags {{ id }} }}
           userErrors {{ code field message }}
         }} }}"
    );
    client.data(&query, json!({ "input": input })).await[mutation].take()
}

async fn event_named(system: &System, title: &str) -> event::Model {
    let found = event::Entity::find().filter(event::Column::Title.eq(title));
    found.one(system.store().reader()).await.unwrap().unwrap()
}

const FAIR: &str = "Autumn careers fair";
const LAW: &str = "Law firms explained";

on_both_columns! {
    async fn what_is_coming_up_is_in_a_mail_by_default_and_leaving_it_out_asks_why(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 2).await;
        let id = create(&operator, &tag).await;
        let all = offered(&operator, &id).await;
        assert!(all.iter().any(|(title, _)| title == FAIR), "{all:?}");
        assert!(all.iter().all(|(title, because)| !title.starts_with("Training") && because.is_null()), "{all:?}");

        let none = json!({ "campaignId": id, "eventIds": [], "reason": "Too many" });
        let none = call(&operator, "leaveOutCampaignEvents", none).await;
        assert_eq!(none["userErrors"][0]["code"], "REQUIRED");
        let events = operator.data(OFFERED, json!({ "id": id })).await;
        let fair = events["campaignPromotions"].as_array().unwrap().iter()
            .find(|one| one["event"]["title"] == FAIR).unwrap()["event"]["id"].clone();
        let why = |reason: &str| json!({ "campaignId": id, "eventIds": [fair], "reason": reason });
        let unsaid = call(&operator, "leaveOutCampaignEvents", why(" ")).await;
        assert_eq!(unsaid["userErrors"][0]["field"], "reason", "{unsaid}");
        let left = call(&operator, "leaveOutCampaignEvents", why("They have all booked a stand.")).await;
        assert_eq!((&left["userErrors"], &left["campaign"]["version"]), (&json!([]), &json!(2)));
        let left_out = offered(&operator, &id).await.into_iter().find(|(title, _)| title == FAIR).unwrap();
        assert_eq!(left_out.1, "They have all booked a stand.");

        let others: Vec<String> = titles(&operator, &id).await.into_iter().filter(|title| title != FAIR).collect();
        assert!(!others.is_empty());
        change(&operator, "scheduleCampaign", &id).await;
        until_sent(&operator, &id).await;
        let mail = text_of(&bed.mail().received()[0]);
        assert!(mail.contains("Coming up"), "{mail}");
        assert!(others.iter().all(|title| mail.contains(title.as_str())), "{others:?} in {mail}");
        assert!(!mail.contains(FAIR), "{mail}");
        let late = call(&operator, "bringBackCampaignEvents", json!({ "campaignId": id, "eventIds": [fair] })).await;
        assert_eq!(late["userErrors"][0]["code"], "WRONG_STATE");
        let told = offered(&operator, &id).await;
        assert_eq!(told.len(), others.len() + 1, "what it told of, and what was left out, stay known: {told:?}");
    }

    async fn what_is_brought_back_is_in_the_mail_and_what_is_cancelled_is_not(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        let fair = event_named(&system, FAIR).await;
        let ids = json!({ "campaignId": id, "eventIds": [fair.id] });
        let mut why = ids.clone();
        why["reason"] = json!("By mistake");
        call(&operator, "leaveOutCampaignEvents", why).await;
        let back = call(&operator, "bringBackCampaignEvents", ids).await;
        assert_eq!(back["userErrors"], json!([]));
        let law = event_named(&system, LAW).await;
        let mut row = law.into_active_model();
        row.state = Set(event::EventState::Cancelled);
        row.update(system.store().reader()).await.unwrap();
        change(&operator, "scheduleCampaign", &id).await;
        until_sent(&operator, &id).await;
        let mail = text_of(&bed.mail().received()[0]);
        assert!(mail.contains(FAIR) && !mail.contains(LAW), "{mail}");
        assert!(mail.contains("/events/evt_"), "a link leads to it: {mail}");
    }

    async fn a_facultys_event_suits_an_audience_like_the_employers_that_take_part(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let db = system.store().reader();
        let (tag, _) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        let law = event_named(&system, LAW).await;
        let mut published = law.clone().into_active_model();
        published.state = Set(event::EventState::Published);
        published.update(db).await.unwrap();
        let taking_part = event_organisation::Entity::find().filter(event_organisation::Column::EventId.eq(law.id));
        let organisation = taking_part.one(db).await.unwrap().unwrap().organisation_id;
        let tagged = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Organisation { tags { id } } } }", json!({ "id": organisation }),
        ).await;
        let has_it = tagged["node"]["tags"].as_array().unwrap().iter().any(|one| one["id"] == tag.as_str());
        assert!(!has_it, "the first organisation is another one");
        assert!(titles(&operator, &id).await.contains(&LAW.to_owned()), "the Careers Centre's suits everybody");
        let some = faculty::Entity::find().one(db).await.unwrap().unwrap();
        let mut row = law.into_active_model();
        row.faculty_id = Set(Some(some.id));
        row.update(db).await.unwrap();
        assert!(!titles(&operator, &id).await.contains(&LAW.to_owned()));
        operator.data(
            "mutation($input: TagOrganisationsInput!) { tagOrganisations(input: $input) { userErrors { message } } }",
            json!({ "input": { "organisationIds": [organisation], "tagIds": [tag] } }),
        ).await;
        assert!(titles(&operator, &id).await.contains(&LAW.to_owned()));
    }

    async fn campaigns_to_the_same_people_within_days_are_shown_and_two_drafts_become_one_mail(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, organisation) = audience(&operator, 2).await;
        let made = operator.data(
            "mutation { createTag(input: { name: \"Robotics\" }) { tag { id } userErrors { message } } }", json!({}),
        ).await;
        let other_tag = text(&made["createTag"]["tag"]["id"]);
        let elsewhere = operator.data(
            "mutation { createTag(input: { name: \"Nobody has it\" }) { tag { id } userErrors { message } } }", json!({}),
        ).await;
        let nobody = text(&elsewhere["createTag"]["tag"]["id"]);
        operator.data(
            "mutation($input: TagOrganisationsInput!) { tagOrganisations(input: $input) { userErrors { message } } }",
            json!({ "input": { "organisationIds": [organisation], "tagIds": [other_tag] } }),
        ).await;
        let (first, second) = (create(&operator, &tag).await, create(&operator, &other_tag).await);
        create(&operator, &nobody).await;
        let shown = async || {
            let data = operator.data(
                "query($id: ID!) { overlappingCampaigns(campaignId: $id) { contacts campaign { id state } } }",
                json!({ "id": first }),
            ).await;
            data["overlappingCampaigns"].as_array().unwrap().clone()
        };
        let found = shown().await;
        assert_eq!(found.len(), 1, "nobody is reached by the third: {found:?}");
        assert_eq!(found[0]["campaign"]["id"], second.as_str());
        assert!(found[0]["contacts"].as_u64().unwrap() >= 2);

        let read = |into: i32| json!({ "intoCampaignId": first, "intoVersion": into, "fromCampaignId": second, "fromVersion": 1 });
        let stale = call(&operator, "joinCampaigns", read(9)).await;
        assert_eq!(stale["userErrors"][0]["code"], "STALE");
        let itself = json!({ "intoCampaignId": first, "intoVersion": 1, "fromCampaignId": first, "fromVersion": 1 });
        assert_eq!(call(&operator, "joinCampaigns", itself).await["userErrors"][0]["code"], "INVALID");
        let joined = call(&operator, "joinCampaigns", read(1)).await;
        assert_eq!(joined["userErrors"], json!([]));
        let campaign = &joined["campaign"];
        assert_eq!((&campaign["state"], &campaign["version"]), (&json!("DRAFT"), &json!(2)));
        assert_eq!(campaign["body"], "Dear {{ name }}\n\n**{{ organisation }} at our fair**\n\nDear {{ name }}");
        assert_eq!((campaign["anyOfTags"].as_array().unwrap().len(), &campaign["allOfTags"]), (2, &json!([])));
        let over = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Campaign { state refusal } } }", json!({ "id": second }),
        ).await;
        assert_eq!(over["node"], json!({ "state": "CANCELLED", "refusal": "It was joined with “Autumn fair”." }));
        assert_eq!(shown().await.len(), 0, "what is over overlaps with nothing");

        change(&operator, "scheduleCampaign", &first).await;
        until_sent(&operator, &first).await;
        let mut to: Vec<_> = bed.mail().received().into_iter().flat_map(|mail| mail.to).collect();
        let mails = to.len();
        to.sort();
        to.dedup();
        assert_eq!(to.len(), mails, "nobody has two");
    }

    async fn a_campaign_of_last_week_is_shown_and_one_of_last_month_is_not(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 1).await;
        let sent = create(&operator, &tag).await;
        change(&operator, "scheduleCampaign", &sent).await;
        until_sent(&operator, &sent).await;
        for (days, shown) in [(6, 1), (25, 0)] {
            bed.clock().advance(TimeDelta::days(days));
            let operator = system.demo_client("operator").await;
            let draft = create(&operator, &tag).await;
            let found = operator.data(
                "query($id: ID!) { overlappingCampaigns(campaignId: $id) { campaign { id } } }", json!({ "id": draft }),
            ).await;
            let found = found["overlappingCampaigns"].as_array().unwrap();
            let is_shown = found.iter().filter(|one| one["campaign"]["id"] == sent.as_str()).count();
            assert_eq!(is_shown, shown, "after {days} more days");
        }
    }

    async fn who_may_not_send_sees_neither_and_joins_nothing(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, _) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        let untrained = system.demo_client("untrained").await;
        let answer = untrained.graphql(OFFERED, json!({ "id": id })).await;
        assert_eq!(answer.codes()[0], "FORBIDDEN");
        let answer = untrained.graphql(
            "query($id: ID!) { overlappingCampaigns(campaignId: $id) { contacts } }", json!({ "id": id }),
        ).await;
        assert_eq!(answer.codes()[0], "FORBIDDEN");
    }
}

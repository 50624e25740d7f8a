//! What recipients say of the mail they get: topics, bulk mail as a whole, and whether students see them.

use domain::{
    campaign::{
        self, SkipReason,
        preferences::{self, Bulk, Wishes},
        unsubscribe,
    },
    mail_topic,
    suppression::{self, AddressKey},
};
use entity::{
    audit_entry, contact,
    delivery::DeliveryState,
    ids::{CampaignId, MailTopicId},
    suppression::SuppressionReason,
    topic_opt_out,
};
use reqwest::Method;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use support::{Client, System, on_both_columns};

use super::{
    api::{audience, change, create, text, until_sent},
    office::{Office, text as text_of},
    world::World,
};

async fn topic(superuser: &Client, name: &str) -> String {
    let made = superuser
        .data(
            "mutation($name: String!) { createMailTopic(input: { name: $name, description: \"What is on.\" }) {
               topic { id name } userErrors { code }
             } }",
            json!({ "name": name }),
        )
        .await;
    text(&made["createMailTopic"]["topic"]["id"])
}

async fn skipped(operator: &Client, id: &str) -> Value {
    let preview = operator
        .data(
            "query($id: ID!) { campaignPreview(campaignId: $id) { skipped { reason count } } }",
            json!({ "id": id }),
        )
        .await;
    preview["campaignPreview"]["skipped"].clone()
}

async fn audit(system: &System, action: &str) -> Vec<audit_entry::Model> {
    audit_entry::Entity::find()
        .filter(audit_entry::Column::Action.eq(action))
        .order_by_asc(audit_entry::Column::Id)
        .all(system.store().reader())
        .await
        .unwrap()
}

async fn with_topic(world: &World, sender: &domain::Viewer, id: CampaignId) -> MailTopicId {
    let mut tx = world.store.begin().await.unwrap();
    let admin = domain::Viewer::system();
    let topic = mail_topic::create(&mut tx, &admin, "Fairs", None).await;
    let topic = match topic {
        Ok(topic) => topic.id,
        Err(error) => panic!("{error}"),
    };
    let changes = campaign::Changes {
        topic: Some(Some(topic)),
        ..campaign::Changes::default()
    };
    campaign::update(&mut tx, sender, id, 1, changes)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    topic
}

on_both_columns! {
    async fn a_recipient_chooses_topics_and_consent_on_a_page_that_only_a_form_changes(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, superuser) = (system.demo_client("operator").await, system.demo_client("superuser").await);
        let (fairs, vacancies) = (topic(&superuser, "Fairs").await, topic(&superuser, "Vacancies").await);
        let (tag, organisation) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        let set = operator.data(
            "mutation($id: ID!, $topic: ID) { updateCampaign(input: { campaignId: $id, version: 1, topicId: $topic }) {
               campaign { topic { name } } userErrors { code }
             } }",
            json!({ "id": id, "topic": fairs }),
        ).await;
        assert_eq!(set["updateCampaign"]["campaign"]["topic"]["name"], "Fairs");
        change(&operator, "scheduleCampaign", &id).await;
        until_sent(&operator, &id).await;
        let mails = bed.mail().received();
        let mail = mails.iter().find(|mail| mail.to == ["contact0@airevalley.test"]).unwrap();
        let words = text_of(mail);
        let path = &words[words.find("/preferences/").unwrap()..];
        let path = path.split_whitespace().next().unwrap();
        let before = skipped(&operator, &id).await;

        let nobody = system.client();
        let page = nobody.get(path).await;
        assert_eq!(page.status(), 200);
        let policy = page.headers()["Content-Security-Policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
        let html = page.text().await.unwrap();
        assert!(!html.contains("<script") && html.contains("method=\"post\"") && html.contains("What is on."), "{html}");
        assert_eq!(html.matches(" checked").count(), 3, "both topics and bulk mail: {html}");
        assert_eq!(skipped(&operator, &id).await, before, "looking changes nothing");
        assert_eq!(audit(&system, "contact.preferences_changed").await.len(), 0);

        let post = async |form: String| {
            let answer = nobody.request(Method::POST, path)
                .header("Content-Type", "application/x-www-form-urlencoded").body(form).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.text().await.unwrap()
        };
        let form = format!("bulk=yes&topic={vacancies}&students=yes");
        for _ in 0..2 {
            let html = post(form.clone()).await;
            assert!(html.contains("Saved") && html.matches(" checked").count() == 3, "{html}");
        }
        assert!(skipped(&operator, &id).await.as_array().unwrap()
            .contains(&json!({ "reason": "OPTED_OUT_OF_TOPIC", "count": 1 })));
        let changes = audit(&system, "contact.preferences_changed").await;
        assert_eq!(changes.len(), 1, "the second time nothing changed");
        let (was, is) = (changes[0].before.as_ref().unwrap(), changes[0].after.as_ref().unwrap());
        assert_eq!((&was["topicsOptedOut"], &is["topicsOptedOut"]), (&json!([]), &json!([fairs])));
        assert_eq!((&was["visibleToStudents"], &is["visibleToStudents"]), (&json!(false), &json!(true)));
        assert_eq!(is["source"], "PREFERENCES_PAGE");

        post("bulk=no".to_owned()).await;
        assert!(skipped(&operator, &id).await.as_array().unwrap()
            .iter().any(|skip| skip["reason"] == "OPTED_OUT"));
        assert_eq!(audit(&system, "contact.unsubscribed").await.len(), 1);
        let html = post(format!("bulk=yes&topic={vacancies}&topic={fairs}")).await;
        assert!(html.contains("value=\"yes\" checked"), "{html}");
        assert_eq!(skipped(&operator, &id).await, before, "who comes back gets mail again");
        assert_eq!(audit(&system, "contact.subscribed_again").await.len(), 1);
        let contacts = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Organisation { contacts(first: 100) { email visibleToStudents } } } }",
            json!({ "id": organisation }),
        ).await;
        let contact = contacts["node"]["contacts"].as_array().unwrap().iter()
            .find(|row| row["email"] == "contact0@airevalley.test").unwrap().clone();
        assert_eq!(contact["visibleToStudents"], false, "a box that is not ticked is a no");
    }

    async fn who_opts_out_of_the_topic_after_the_start_is_skipped(bed: TestBed) {
        let office = Office::open(&bed).await;
        let world = &office.world;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        world.employers(tag, 2).await;
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        let mail_topic_id = with_topic(world, &sender, id).await;
        world.start(&sender, id).await.unwrap();
        let ledger = world.ledger(id).await;
        world.insert::<topic_opt_out::Entity>(topic_opt_out::Model {
            contact_id: ledger[0].contact_id.unwrap(), mail_topic_id, opted_out_at: world.store.now(),
        }).await;
        office.work().await;
        let ledger = world.ledger(id).await;
        assert_eq!(ledger[0].state, DeliveryState::Skipped);
        assert_eq!(ledger[0].last_reply.as_deref(), Some("the contact opted out of the topic after the start"));
        assert_eq!(ledger[1].state, DeliveryState::Sent);

        let audience = campaign::Audience { all_of: vec![tag], ..campaign::Audience::default() };
        let about = async |topic| campaign::preview(&world.store, &sender, &audience, topic).await.unwrap();
        let preview = about(Some(mail_topic_id)).await;
        assert_eq!((preview.recipients, preview.skipped.get(&SkipReason::OptedOutOfTopic)), (1, Some(&1)));
        assert_eq!(about(None).await.recipients, 2, "mail about anything else is welcome");
    }

    async fn a_link_opens_nothing_of_a_contact_whose_address_is_another_by_now(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (store, sender) = (&world.store, world.sender().await);
        let id = world.started(&sender, 1).await;
        let mail = world.ledger(id).await.remove(0);
        let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
        let link = unsubscribe::token(&key, mail.id, &mail.address).unwrap();
        let link = unsubscribe::read(store, &link).await.unwrap().unwrap();
        assert!(preferences::read(store, link).await.unwrap().is_known, "the control: it is theirs");
        let row = contact::Entity::find().one(store.reader()).await.unwrap().unwrap();
        let mut row = row.into_active_model();
        row.email = Set(Some("ada@elsewhere.test".to_owned()));
        world.change(row).await;

        assert!(!preferences::read(store, link).await.unwrap().is_known);
        let wishes = Wishes { bulk: Some(false), topics: [].into(), visible_to_students: true };
        let mut tx = store.begin().await.unwrap();
        let now = preferences::change(&mut tx, link, &wishes).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(now.bulk, Bulk::OptedOut, "the address gets no more mail");
        let row = contact::Entity::find().one(store.reader()).await.unwrap().unwrap();
        assert!(!row.visible_to_students);
    }

    async fn no_click_takes_back_a_suppression_after_a_bounce(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (store, sender) = (&world.store, world.sender().await);
        let id = world.started(&sender, 1).await;
        let mail = world.ledger(id).await.remove(0);
        let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
        let link = unsubscribe::token(&key, mail.id, &mail.address).unwrap();
        let link = unsubscribe::read(store, &link).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        suppression::suppress(&mut tx, &key.hash(&mail.address).unwrap(), SuppressionReason::Bounced).await.unwrap();
        let wishes = Wishes { bulk: Some(true), topics: [].into(), visible_to_students: false };
        let now = preferences::change(&mut tx, link, &wishes).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(now.bulk, Bulk::Suppressed(SuppressionReason::Bounced));
        assert_eq!(entity::suppression::Entity::find().all(store.reader()).await.unwrap().len(), 1);
    }

    async fn topics_are_kept_by_super_users_and_used_by_senders(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, superuser) = (system.demo_client("operator").await, system.demo_client("superuser").await);
        let fairs = topic(&superuser, "Fairs").await;
        let make = "mutation { createMailTopic(input: { name: \"fairs\" }) { topic { id } userErrors { code field } } }";
        assert_eq!(operator.graphql(make, json!({})).await.codes(), ["FORBIDDEN"]);
        assert_eq!(superuser.graphql(make, json!({})).await.refusals(), ["TAKEN"]);
        let list = "{ mailTopics { id name } }";
        assert_eq!(operator.data(list, json!({})).await["mailTopics"], json!([{ "id": fairs, "name": "Fairs" }]));
        for other in ["untrained", "employer", "student1"] {
            let other = system.demo_client(other).await;
            assert_eq!(other.graphql(list, json!({})).await.codes(), ["FORBIDDEN"]);
            let node = other.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": fairs })).await;
            assert_eq!(node["node"], Value::Null);
        }
        superuser.data(
            "mutation($id: ID!) { archiveMailTopic(input: { id: $id }) { topic { archivedAt } userErrors { code } } }",
            json!({ "id": fairs }),
        ).await;
        assert_eq!(operator.data(list, json!({})).await["mailTopics"], json!([]));
        let (tag, _) = audience(&operator, 1).await;
        let refused = operator.graphql(
            "mutation($tag: ID!, $topic: ID) { createCampaign(input: {
               name: \"x\", subject: \"x\", body: \"x\", allOfTags: [$tag], topicId: $topic
             }) { campaign { id } userErrors { code field } } }",
            json!({ "tag": tag, "topic": fairs }),
        ).await;
        assert_eq!(refused.refusals(), ["NOT_FOUND"]);
    }
}

//! Review by a second trained sender, copying, putting away, and the mail as a chosen recipient gets it.

use chrono::TimeDelta;
use domain::{
    RefusalCode,
    campaign::{self, Changes, Filter, StartCampaign, Timing},
};
use entity::{access_grant::Permission, campaign::CampaignState, contact};
use serde_json::{Value, json};
use support::on_both_columns;

use super::{
    api::{audience, create, text, until_sent},
    office::{Office, text as text_of},
    world::{World, refusal},
};

on_both_columns! {
    async fn above_a_number_of_recipients_a_second_sender_has_to_look(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        world.rules(Some(3), None, None).await;
        let (author, second) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        let (few, many) = (world.tag("few").await, world.tag("many").await);
        world.employers(few, 3).await;
        world.employers(many, 4).await;
        // The control: as many as the rule allows need nobody.
        let id = world.campaign(&author, few, "Dear {{ name }}").await;
        assert_eq!(world.start(&author, id).await.unwrap().state, CampaignState::Sending);

        let id = world.campaign(&author, many, "Dear {{ name }}").await;
        let refused = refusal(world.start(&author, id).await);
        assert_eq!(refused.code, RefusalCode::NeedsAgreement);
        assert!(refused.message.contains("4 recipients. Above 3"), "{}", refused.message);
        let later = Timing { not_before: Some(world.store.now() + TimeDelta::hours(1)), not_after: None };
        let mut tx = world.store.begin().await.unwrap();
        assert_eq!(refusal(campaign::schedule(&mut tx, &author, id, later).await).code, RefusalCode::NeedsAgreement);
        assert_eq!(refusal(campaign::approve(&mut tx, &second, id, 1).await).code, RefusalCode::WrongState);

        let submitted = campaign::submit(&mut tx, &author, id, Timing::default()).await.unwrap();
        assert_eq!(submitted.state, CampaignState::InReview);
        let words = Changes { body: Some("Other words".to_owned()), ..Changes::default() };
        assert_eq!(refusal(campaign::update(&mut tx, &second, id, submitted.version, words).await).code, RefusalCode::WrongState);
        assert_eq!(refusal(campaign::schedule(&mut tx, &second, id, Timing::default()).await).code, RefusalCode::WrongState);
        assert_eq!(refusal(campaign::approve(&mut tx, &author, id, submitted.version).await).code, RefusalCode::NeedsAgreement);
        assert_eq!(refusal(campaign::approve(&mut tx, &second, id, submitted.version - 1).await).code, RefusalCode::Stale);
        let approved = campaign::approve(&mut tx, &second, id, submitted.version).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((approved.state, approved.recipients), (CampaignState::Sending, 4));
        assert_eq!(approved.scheduled_by, author.user_id(), "it goes out in the name of whoever submitted it");
        assert_eq!(approved.approved_by, second.user_id());
    }

    async fn whoever_submits_for_the_author_cannot_approve_and_untrained_people_neither(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        world.rules(Some(0), None, None).await;
        let (author, second) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        let (third, untrained) = (
            world.staff("tom", &[Permission::SendBulkEmail]).await,
            world.staff("una", &[Permission::ManageEvent]).await,
        );
        let tag = world.tag("engineering").await;
        world.employers(tag, 1).await;
        let id = world.campaign(&author, tag, "Dear {{ name }}").await;
        let mut tx = world.store.begin().await.unwrap();
        let version = campaign::submit(&mut tx, &second, id, Timing::default()).await.unwrap().version;
        for wrong in [&author, &second] {
            let refused = refusal(campaign::approve(&mut tx, wrong, id, version).await);
            assert_eq!(refused.code, RefusalCode::NeedsAgreement);
        }
        assert!(matches!(campaign::approve(&mut tx, &untrained, id, version).await, Err(domain::Error::Forbidden(_))));
        let declined = campaign::decline(&mut tx, &third, id, "Name the hall.").await.unwrap();
        assert_eq!((declined.state, declined.refusal.as_deref()), (CampaignState::Draft, Some("Name the hall.")));
        assert_eq!(refusal(campaign::approve(&mut tx, &third, id, declined.version).await).code, RefusalCode::WrongState);
        let version = campaign::submit(&mut tx, &second, id, Timing::default()).await.unwrap().version;
        assert_eq!(campaign::approve(&mut tx, &third, id, version).await.unwrap().state, CampaignState::Sending);
    }

    async fn an_approved_campaign_waits_for_its_time_and_one_that_grew_meanwhile_is_refused(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        world.rules(Some(2), None, None).await;
        let (author, second) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        let (tag, growing) = (world.tag("engineering").await, world.tag("growing").await);
        world.employers(tag, 3).await;
        world.employers(growing, 2).await;
        let opens = world.store.now() + TimeDelta::hours(1);
        let timing = Timing { not_before: Some(opens), not_after: Some(opens + TimeDelta::hours(1)) };
        let (approved, grown) = (
            world.campaign(&author, tag, "Hello").await,
            world.campaign(&author, growing, "Hello").await,
        );
        let mut tx = world.store.begin().await.unwrap();
        let version = campaign::submit(&mut tx, &author, approved, timing).await.unwrap().version;
        assert_eq!(campaign::approve(&mut tx, &second, approved, version).await.unwrap().state, CampaignState::Scheduled);
        campaign::schedule(&mut tx, &author, grown, timing).await.unwrap();
        tx.commit().await.unwrap();
        world.employers(growing, 3).await;
        bed.clock().set(opens);
        let mut tx = world.store.begin().await.unwrap();
        let start = |campaign_id| StartCampaign { campaign_id, not_before: opens };
        assert!(campaign::start_scheduled(&mut tx, start(approved)).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(world.campaign_row(approved).await.state, CampaignState::Sending);
        let mut tx = world.store.begin().await.unwrap();
        let refused = refusal(campaign::start_scheduled(&mut tx, start(grown)).await);
        assert_eq!(refused.code, RefusalCode::NeedsAgreement);
    }

    async fn a_review_that_takes_longer_than_there_is_time_starts_nothing(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (author, second) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        let tag = world.tag("engineering").await;
        world.employers(tag, 1).await;
        let id = world.campaign(&author, tag, "Hello").await;
        let closes = world.store.now() + TimeDelta::hours(1);
        let mut tx = world.store.begin().await.unwrap();
        let timing = Timing { not_before: None, not_after: Some(closes) };
        let version = campaign::submit(&mut tx, &author, id, timing).await.unwrap().version;
        tx.commit().await.unwrap();
        bed.clock().set(closes + TimeDelta::seconds(1));
        let mut tx = world.store.begin().await.unwrap();
        assert_eq!(refusal(campaign::approve(&mut tx, &second, id, version).await).code, RefusalCode::InThePast);
    }

    async fn a_copy_is_a_new_draft_and_what_is_over_can_be_put_away(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (author, second) = (world.sender().await, world.staff("olive", &[Permission::SendBulkEmail]).await);
        let tag = world.tag("engineering").await;
        world.employers(tag, 1).await;
        let id = world.campaign(&author, tag, "Dear {{ name }}").await;
        let mut tx = world.store.begin().await.unwrap();
        let copy = campaign::copy(&mut tx, &second, id).await.unwrap();
        assert_eq!((copy.name.as_str(), copy.state, copy.created_by), ("Copy of Autumn fair", CampaignState::Draft, second.user_id().unwrap()));
        assert_eq!((copy.body.as_str(), copy.all_of.0), ("Dear {{ name }}", vec![tag]));
        assert_eq!(refusal(campaign::archive(&mut tx, &author, id, true).await).code, RefusalCode::WrongState);
        campaign::cancel(&mut tx, &author, id).await.unwrap();
        assert!(campaign::archive(&mut tx, &author, id, true).await.unwrap().archived_at.is_some());
        let listed = async |archived| campaign::count(tx.conn(), &author, Filter { state: None, archived }).await.unwrap();
        assert_eq!((listed(false).await, listed(true).await), (1, 2));
    }

    async fn the_text_is_markdown_whose_links_are_looked_at_and_whose_html_is_text(bed: TestBed) {
        let office = Office::open(&bed).await;
        let world = &office.world;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        let org = world.organisation("Lovelace *&* Sons", &[tag]).await;
        let mut ada = world.contact(org, "ada");
        "<b>Ada</b> [x](https://evil.test)".clone_into(&mut ada.name);
        world.insert::<contact::Entity>(ada).await;
        let body = "# Our fair\n\nDear {{ name }} of {{ organisation }},\n\n- **one** [programme](https://a.test/p)\n\n<script>alert(1)</script>\n";
        let id = world.campaign(&sender, tag, body).await;
        world.start(&sender, id).await.unwrap();
        office.work().await;
        let mail = office.relay.received().remove(0);
        let plain = text_of(&mail).replace("\r\n", "\n");
        assert!(plain.contains("Our fair\n\nDear <b>Ada</b> [x](https://evil.test) of Lovelace *&* Sons,\n\n- one programme (https://a.test/p)"), "{plain}");
        let parsed = mail_parser::MessageParser::default().parse(&mail.raw).unwrap();
        let html = parsed.body_html(0).unwrap();
        assert!(html.contains("<h1>Our fair</h1>") && html.contains("<strong>one</strong>"), "{html}");
        assert!(html.contains("&lt;b&gt;Ada&lt;/b&gt;") && html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("href=\"https://evil.test"), "{html}");

        let mut tx = world.store.begin().await.unwrap();
        let id = world_draft(&mut tx, &sender, tag, "[now](javascript:alert(1))").await;
        assert_eq!((id.code, id.field), (RefusalCode::Invalid, Some("body")));
    }

    async fn a_sender_looks_at_the_mail_as_a_chosen_contact_would_get_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        let (tag, organisation) = audience(&operator, 1).await;
        let id = create(&operator, &tag).await;
        let contacts = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Organisation { name contacts(first: 100) { id name email } } } }",
            json!({ "id": organisation }),
        ).await["node"].take();
        let contact = contacts["contacts"].as_array().unwrap().iter()
            .find(|row| row["email"] == "contact0@airevalley.test").unwrap().clone();
        let query = "query($id: ID!, $contact: ID!) { node(id: $id) { ... on Campaign { mailFor(contactId: $contact) { subject text html } } } }";
        let seen = operator.data(query, json!({ "id": id, "contact": contact["id"] })).await;
        assert_eq!(seen["node"]["mailFor"], json!({
            "subject": format!("{} at our fair", text(&contacts["name"])), "text": "Dear Contact 0", "html": "<p>Dear Contact 0</p>\n",
        }));
        let unknown = operator.graphql(query, json!({ "id": id, "contact": "con_01h455vb4pex5vsknk084sn02q" })).await;
        assert_eq!(unknown.codes().len(), 1);
        assert_eq!(unknown.data["node"]["mailFor"], Value::Null);
        assert_eq!(bed.mail().received().len(), 0, "nobody got anything");
    }

    async fn the_rules_are_set_by_super_users_and_ask_for_a_review_over_http(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, superuser) = (system.demo_client("operator").await, system.demo_client("superuser").await);
        let set = "mutation($version: Int!, $above: Int) { updateMailRules(input: { version: $version, reviewAbove: $above }) {
            rules { reviewAbove contactCap version } userErrors { code field }
        } }";
        assert_eq!(operator.graphql(set, json!({ "version": 0, "above": 1 })).await.codes(), ["FORBIDDEN"]);
        let rules = superuser.data(set, json!({ "version": 0, "above": 1 })).await;
        assert_eq!(rules["updateMailRules"], json!({ "rules": { "reviewAbove": 1, "contactCap": 4, "version": 1 }, "userErrors": [] }));
        assert_eq!(superuser.graphql(set, json!({ "version": 0, "above": 2 })).await.refusals(), ["STALE"]);
        let (tag, _) = audience(&operator, 2).await;
        let id = create(&operator, &tag).await;
        let start = "mutation($id: ID!) { scheduleCampaign(input: { campaignId: $id }) { campaign { state } userErrors { code } } }";
        assert_eq!(operator.graphql(start, json!({ "id": id })).await.refusals(), ["NEEDS_AGREEMENT"]);
        let submit = "mutation($id: ID!) { submitCampaign(input: { campaignId: $id }) { campaign { state version } userErrors { code } } }";
        let submitted = operator.data(submit, json!({ "id": id })).await["submitCampaign"].take();
        assert_eq!(submitted["campaign"]["state"], "IN_REVIEW");
        let approve = "mutation($id: ID!, $version: Int!) { approveCampaign(input: { campaignId: $id, version: $version }) {
            campaign { state approvedBy { name } } userErrors { code } } }";
        let version = submitted["campaign"]["version"].clone();
        assert_eq!(operator.graphql(approve, json!({ "id": id, "version": version })).await.refusals(), ["NEEDS_AGREEMENT"]);
        let off = superuser.data(
            "mutation { updateMailRules(input: { version: 1, reviewAbove: null }) { rules { reviewAbove } userErrors { code } } }", json!({}),
        ).await;
        assert_eq!(off["updateMailRules"]["rules"]["reviewAbove"], Value::Null);
        let copy = operator.data(
            "mutation($id: ID!) { copyCampaign(input: { campaignId: $id }) { campaign { id state } userErrors { code } } }", json!({ "id": id }),
        ).await;
        let copied = text(&copy["copyCampaign"]["campaign"]["id"]);
        operator.data(start, json!({ "id": copied })).await;
        until_sent(&operator, &copied).await;
        let away = operator.data(
            "mutation($id: ID!) { archiveCampaign(input: { campaignId: $id }) { campaign { archivedAt } userErrors { code } } }", json!({ "id": copied }),
        ).await;
        assert!(away["archiveCampaign"]["campaign"]["archivedAt"].is_string());
        let listed = operator.data("{ campaigns { totalCount } all: campaigns(archived: true) { totalCount } }", json!({})).await;
        assert_eq!((&listed["campaigns"]["totalCount"], &listed["all"]["totalCount"]), (&json!(1), &json!(2)));
    }
}

/// What a draft with this text is refused for.
async fn world_draft(
    tx: &mut domain::Tx,
    sender: &domain::Viewer,
    tag: entity::ids::TagId,
    body: &str,
) -> domain::Refusal {
    let draft = campaign::Draft {
        name: "x".to_owned(),
        subject: "x".to_owned(),
        body: body.to_owned(),
        audience: campaign::Audience {
            all_of: vec![tag],
            ..campaign::Audience::default()
        },
        topic: None,
    };
    refusal(campaign::create(tx, sender, draft).await)
}

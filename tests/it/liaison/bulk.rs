//! No bulk mail reaches a key account contact without agreement: not when the audience is looked at, not when it is frozen,
//! and not when an agreement ends between the start and the mail.

use chrono::TimeDelta;
use domain::{
    campaign::{self, Audience, SkipReason, ledger},
    suppression::AddressKey,
};
use entity::{delivery, ids::CampaignId, tag};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use support::{Client, on_both_columns};

use crate::key_account::office::Office;

const CREATE: &str = "mutation($input: CreateCampaignInput!) { createCampaign(input: $input) {
    campaign { id } userErrors { code message } } }";

/// A draft to everybody in the region, among whom are Imogen Moss, Jo Lennox and Sana Iqbal.
async fn draft(office: &Office, client: &Client) -> String {
    let tag = tag::Entity::find()
        .filter(tag::Column::Name.eq("Leeds City Region"))
        .one(office.system.store().reader())
        .await
        .unwrap()
        .unwrap();
    let input = json!({ "input": {
        "name": "Autumn fair", "subject": "The autumn fair", "body": "Dear {{ name }}", "allOfTags": [tag.id],
    } });
    let data = client.data(CREATE, input).await;
    data["createCampaign"]["campaign"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn preview(client: &Client, id: &str) -> Value {
    let query = "query($id: ID!) { campaignPreview(campaignId: $id) { recipients skipped { reason count } } }";
    client.data(query, json!({ "id": id })).await["campaignPreview"].take()
}

async fn ledger_of(office: &Office, id: &str) -> Vec<delivery::Model> {
    delivery::Entity::find()
        .filter(delivery::Column::CampaignId.eq(id.parse::<CampaignId>().unwrap()))
        .order_by_asc(delivery::Column::Address)
        .all(office.system.store().reader())
        .await
        .unwrap()
}

const SCHEDULE: &str =
    "mutation($input: ScheduleCampaignInput!) { scheduleCampaign(input: $input) {
    campaign { recipients skipped { reason count } } userErrors { code message } } }";

on_both_columns! {
    async fn bulk_mail_leaves_out_key_account_contacts_without_agreement_before_and_after_the_start(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (admin, operator) = (office.client("admin").await, office.client("operator").await);
        // Erin, Paul, Imogen, Jo and Sana are in the region.
        let by_operator = draft(&office, &operator).await;
        assert_eq!(preview(&operator, &by_operator).await, json!({ "recipients": 5, "skipped": [] }));
        let by_admin = draft(&office, &admin).await;
        let left_out = json!([{ "reason": "KEY_ACCOUNT_WITHOUT_AGREEMENT", "count": 2 }]);
        assert_eq!(preview(&admin, &by_admin).await, json!({ "recipients": 3, "skipped": left_out }));

        let request = office.request("admin", "Jo Lennox", "Invite her to the fair.").await;
        office.answer("operator", &request, true).await;
        let data = admin.data(SCHEDULE, json!({ "input": { "campaignId": by_admin } })).await;
        assert_eq!(
            data["scheduleCampaign"]["campaign"],
            json!({ "recipients": 4, "skipped": [{ "reason": "KEY_ACCOUNT_WITHOUT_AGREEMENT", "count": 1 }] })
        );
        let addresses: Vec<String> = ledger_of(&office, &by_admin).await.into_iter().map(|mail| mail.address).collect();
        assert_eq!(
            addresses,
            ["erin.doyle@airevalley.test", "jo.lennox@northerndata.test", "paul.sykes@airevalley.test", "sana.iqbal@northerndata.test"]
        );
    }

    async fn an_address_of_a_key_account_contact_is_not_reached_under_another_name(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (admin, operator) = (office.client("admin").await, office.client("operator").await);
        let create = "mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code } } }";
        let erin = office.contact("Erin Doyle").await;
        let input = json!({ "input": {
            "organisationId": erin.organisation_id, "name": "I. Moss", "email": "imogen.moss@caldermoss.test",
        } });
        assert_eq!(admin.graphql(create, input).await.refusals(), [""; 0]);
        let id = draft(&office, &admin).await;
        let skipped = json!([{ "reason": "KEY_ACCOUNT_WITHOUT_AGREEMENT", "count": 3 }]);
        assert_eq!(preview(&admin, &id).await, json!({ "recipients": 3, "skipped": skipped }));
        let id = draft(&office, &operator).await;
        let skipped = json!([{ "reason": "DUPLICATE_ADDRESS", "count": 1 }]);
        assert_eq!(preview(&operator, &id).await, json!({ "recipients": 5, "skipped": skipped }));
    }

    async fn an_agreement_that_ends_after_the_start_holds_the_mail_back(bed: TestBed) {
        let store = bed.store().await;
        api::demo::load(&store).await.unwrap();
        let person = async |mailbox: &str| {
            let found = entity::user::Entity::find()
                .filter(entity::user::Column::Email.eq(format!("{mailbox}@demo.mycareer.test")))
                .one(store.reader())
                .await;
            let id = found.unwrap().unwrap().id;
            domain::Viewer::load(store.reader(), id, None, store.now()).await.unwrap().unwrap()
        };
        let operator = person("operator").await;
        let tags = tag::Entity::find().filter(tag::Column::Name.eq("Leeds City Region")).all(store.reader()).await.unwrap();
        let audience = Audience { all_of: vec![tags[0].id], ..Audience::default() };
        let mut tx = store.begin().await.unwrap();
        let draft = campaign::Draft {
            name: "Fair".to_owned(),
            subject: "The fair".to_owned(),
            body: "Dear {{ name }}".to_owned(),
            audience: audience.clone(),
            topic: None,
        };
        let id = campaign::create(&mut tx, &operator, draft).await.unwrap().id;
        let started = campaign::schedule(&mut tx, &operator, id, campaign::Timing::default()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(started.recipients, 5, "the operator's own, and Sana Iqbal by agreement");

        let whole = ledger::Lane { campaign_id: id, from: None, to: None };
        let claimable = async || {
            let mails = ledger::due(store.reader(), &whole, None, [], &[], store.now(), 100).await.unwrap();
            let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
            let withheld = ledger::withheld(store.reader(), &key, id, &mails, store.now()).await.unwrap();
            let ids: Vec<_> = mails.iter().map(|mail| mail.id).collect();
            let tx = store.begin().await.unwrap();
            let being_sent = ledger::hold(&tx, id).await.unwrap().unwrap();
            let claimed = ledger::claim(&tx, being_sent, &ids, "a test", &domain::mail_rules::MailRules::default()).await.unwrap();
            drop(tx);
            for mail in &mails {
                assert_ne!(withheld.contains_key(&mail.id), claimed.contains(&mail.id), "both look at the same rule");
            }
            claimed.len()
        };
        assert_eq!(claimable().await, 5);
        bed.clock().advance(domain::liaison::AGREED_FOR + TimeDelta::days(1));
        assert_eq!(claimable().await, 4, "the agreement about Sana Iqbal is over");
        let preview = campaign::preview(&store, &operator, &audience, None).await.unwrap();
        assert_eq!(preview.skipped.get(&SkipReason::KeyAccountWithoutAgreement), Some(&1));
    }

    async fn another_senders_campaign_does_not_show_the_address_either(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (admin, operator) = (office.client("admin").await, office.client("operator").await);
        let id = draft(&office, &operator).await;
        operator.data(SCHEDULE, json!({ "input": { "campaignId": id } })).await;
        let query = "query($id: ID!) { node(id: $id) { ... on Campaign {
            recipients deliveries(first: 100) { totalCount nodes { address contact { email } } } } } }";
        let seen = admin.data(query, json!({ "id": id })).await;
        assert_eq!(seen["node"]["recipients"], 5);
        assert_eq!(seen["node"]["deliveries"]["totalCount"], 3);
        assert!(!seen.to_string().contains("imogen.moss"), "{seen}");
        let own = operator.data(query, json!({ "id": id })).await;
        assert_eq!(own["node"]["deliveries"]["totalCount"], 5);
    }
}

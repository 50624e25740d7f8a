//! When mails go out and how fast: quiet hours where an organisation is, and a rate that is changed on the way.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use domain::{
    campaign::{self, Estimate},
    mail_rules::{self, MailRules},
};
use entity::{contact, ids::CampaignId, organisation};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use support::on_both_columns;

use super::{
    api::{audience, change, create},
    office::Office,
    world::World,
};

/// An organisation in a time zone, and so many contacts of it.
async fn employer(world: &World, tag: entity::ids::TagId, zone: &str, contacts: usize) {
    let id = world.organisation(zone, &[tag]).await;
    let found = organisation::Entity::find_by_id(id);
    let mut row = found
        .one(world.store.reader())
        .await
        .unwrap()
        .unwrap()
        .into_active_model();
    row.time_zone = Set(zone.to_owned());
    row.update(world.store.reader()).await.unwrap();
    for nth in 0..contacts {
        let mut row = world.contact(id, &format!("{nth}"));
        row.email = Some(format!(
            "{nth}@{}.test",
            zone.replace('/', ".").to_lowercase()
        ));
        world.insert::<contact::Entity>(row).await;
    }
}

/// Sets the rules as an administrator would.
async fn set_rules(world: &World, change: impl FnOnce(&mut MailRules)) {
    let mut admin = world.staff("ada", &[]).await;
    let id = admin.user_id().unwrap();
    let user = entity::user::Entity::find_by_id(id)
        .one(world.store.reader())
        .await
        .unwrap()
        .unwrap();
    let mut user = user.into_active_model();
    user.is_administrator = Set(true);
    user.email = Set(format!("{id}@university.test"));
    user.update(world.store.reader()).await.unwrap();
    admin = domain::Viewer::load(world.store.reader(), id, None, world.store.now())
        .await
        .unwrap()
        .unwrap();
    let mut tx = world.store.begin().await.unwrap();
    let (mut rules, version) = MailRules::load(tx.conn()).await.unwrap();
    change(&mut rules);
    mail_rules::update(&mut tx, &admin, version, rules)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn night(rules: &mut MailRules) {
    (rules.quiet_from, rules.quiet_until) = (Some(20), Some(7));
}

fn utc(hour: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 5, hour, 0, 0).unwrap()
}

async fn estimate(world: &World, id: CampaignId) -> Option<Estimate> {
    let db = world.store.reader();
    campaign::estimates(db, &[id], world.store.now())
        .await
        .unwrap()
        .remove(&id)
}

fn domains(office: &Office) -> Vec<String> {
    let mut to: Vec<String> = office
        .relay
        .received()
        .into_iter()
        .flat_map(|mail| mail.to)
        .collect();
    to.sort_unstable();
    to
}

on_both_columns! {
    async fn a_mail_waits_while_it_is_night_where_its_organisation_is_and_holds_nobody_up(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let tag = world.tag("engineering").await;
        // The first in the ledger waits longest.
        employer(world, tag, "America/Los_Angeles", 150).await;
        employer(world, tag, "America/New_York", 2).await;
        employer(world, tag, "Europe/London", 2).await;
        set_rules(world, night).await;
        let id = world.campaign(&sender, tag, "Hello").await;
        world.start(&sender, id).await.unwrap();
        assert_eq!(world.store.now(), utc(8), "it is nine in London, four in New York and one in Los Angeles");
        office.work().await;
        assert_eq!(domains(&office), ["0@europe.london.test", "1@europe.london.test"]);
        let waits = estimate(world, id).await.unwrap();
        assert_eq!((waits.in_quiet_hours, waits.quiet_until), (152, Some(utc(11))));

        bed.clock().set(utc(11));
        office.work().await;
        assert_eq!(domains(&office).len(), 4, "it is seven in New York");
        assert_eq!(estimate(world, id).await.unwrap().in_quiet_hours, 150);
        assert!(!office.is_sent(id).await);
        bed.clock().set(utc(14));
        office.work().await;
        assert!(office.is_sent(id).await);
        assert_eq!((office.relay.received().len(), office.most_copies()), (154, 1));
        assert_eq!(estimate(world, id).await, None, "nothing is left to be estimated");
    }

    async fn without_quiet_hours_every_hour_will_do(bed: TestBed) {
        // The control of the test above.
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let tag = world.tag("engineering").await;
        employer(world, tag, "America/New_York", 2).await;
        let id = world.campaign(&sender, tag, "Hello").await;
        world.start(&sender, id).await.unwrap();
        office.work().await;
        assert!(office.is_sent(id).await);
    }

    async fn quiet_hours_that_are_set_while_a_campaign_is_sent_hold_from_the_next_claim(bed: TestBed) {
        let office = Office::open_with(&bed, &["--mail-rate", "2/h"]).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let tag = world.tag("engineering").await;
        employer(world, tag, "America/New_York", 5).await;
        let id = world.campaign(&sender, tag, "Hello").await;
        world.start(&sender, id).await.unwrap();
        office.work().await;
        assert_eq!(office.relay.received().len(), 2, "the rate lets no more go");
        set_rules(world, |rules| {
            night(rules);
            rules.mail_rate = Some("1000/s".parse().unwrap());
        }).await;
        office.work_for(Duration::from_mins(5)).await;
        assert_eq!(office.relay.received().len(), 2, "now it is night");
        bed.clock().set(utc(11) - TimeDelta::minutes(2));
        office.work().await;
        assert_eq!(office.relay.received().len(), 2);
        office.work_for(Duration::from_mins(3)).await;
        assert!(office.is_sent(id).await);
    }

    async fn the_rate_is_changed_while_a_campaign_is_sent_and_acts_at_the_next_claim(bed: TestBed) {
        let office = Office::open_with(&bed, &["--mail-rate", "3/h"]).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 12).await;
        office.work().await;
        assert_eq!(office.relay.received().len(), 3);
        set_rules(world, |rules| rules.mail_rate = Some("7/h".parse().unwrap())).await;
        office.work_for(Duration::from_mins(2)).await;
        assert_eq!(office.relay.received().len(), 7, "those that went before count towards it");
        let end = estimate(world, id).await.unwrap();
        assert_eq!(end.rate.unwrap().to_string(), "7/h");
        assert_eq!((end.end.unwrap() - world.store.now()).num_minutes(), 42, "5 of 7 in an hour");
        set_rules(world, |rules| rules.mail_rate = Some("500/s".parse().unwrap())).await;
        office.work_for(Duration::from_mins(2)).await;
        assert!(office.is_sent(id).await, "the hour that was asked for before is over at once");
    }

    async fn without_a_rate_the_end_is_estimated_by_what_went_out_lately(bed: TestBed) {
        let office = Office::open_with(&bed, &["--mail-rate", "10/h"]).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 30).await;
        assert_eq!(estimate(world, id).await.unwrap().end, None, "nothing is known yet");
        office.work().await;
        let end = estimate(world, id).await.unwrap().end.unwrap();
        assert_eq!(end - world.store.now(), TimeDelta::minutes(10), "10 in five minutes, and 20 are left");
    }

    async fn rules_of_hours_and_rates_make_sense(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let admin = system.demo_client("admin").await;
        let set = async |input: Value| {
            let mutation = "mutation($input: UpdateMailRulesInput!) { updateMailRules(input: $input) {
                rules { quietFrom quietUntil mailRate domainRate version } userErrors { code field }
            } }";
            admin.data(mutation, json!({ "input": input })).await["updateMailRules"].take()
        };
        for (input, field) in [
            (json!({ "version": 0, "quietFrom": 24 }), "quietFrom"),
            (json!({ "version": 0, "quietFrom": 7, "quietUntil": 7 }), "quietFrom"),
            (json!({ "version": 0, "quietUntil": 7 }), "quietFrom"),
            (json!({ "version": 0, "mailRate": "fast" }), "mailRate"),
            (json!({ "version": 0, "domainRate": "0/s" }), "domainRate"),
        ] {
            let refused = set(input.clone()).await;
            assert_eq!(refused["userErrors"], json!([{ "code": "INVALID", "field": field }]), "{input}");
        }
        let kept = set(json!({ "version": 0, "quietFrom": 21, "quietUntil": 7, "mailRate": "600/60s", "domainRate": "20/10s" })).await;
        assert_eq!(kept["rules"], json!({
            "quietFrom": 21, "quietUntil": 7, "mailRate": "600/min", "domainRate": "20/10s", "version": 1,
        }));
        let none = set(json!({ "version": 1, "quietFrom": null, "quietUntil": null, "mailRate": null })).await;
        assert_eq!(none["rules"], json!({
            "quietFrom": null, "quietUntil": null, "mailRate": null, "domainRate": "20/10s", "version": 2,
        }));
    }

    async fn an_operator_says_where_an_organisation_is_and_sees_how_a_campaign_goes(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("operator").await;
        entity::mail_rules::Entity::delete_many().exec(system.store().reader()).await.unwrap();
        let (tag, organisation) = audience(&operator, 2).await;
        let move_to = async |zone: &str| {
            let found = operator.data(
                "query($id: ID!) { node(id: $id) { ... on Organisation { version timeZone } } }", json!({ "id": organisation }),
            ).await;
            operator.data(
                "mutation($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) {
                   organisation { timeZone } userErrors { code field } } }",
                json!({ "input": { "id": organisation, "version": found["node"]["version"], "timeZone": zone } }),
            ).await["updateOrganisation"].take()
        };
        let nowhere = move_to("Middle/Earth").await;
        assert_eq!(nowhere["userErrors"], json!([{ "code": "INVALID", "field": "timeZone" }]));
        assert_eq!(move_to("America/New_York").await["organisation"], json!({ "timeZone": "America/New_York" }));
        let id = create(&operator, &tag).await;
        let started = change(&operator, "scheduleCampaign", &id).await;
        let recipients = started["campaign"]["recipients"].as_u64().unwrap();
        let seen = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Campaign { state estimate { inQuietHours quietUntil rate end } } } }",
            json!({ "id": id }),
        ).await;
        let estimate = &seen["node"]["estimate"];
        assert_eq!(seen["node"]["state"], "SENDING");
        assert_eq!(estimate["inQuietHours"], recipients, "quiet hours hold without anybody having set them");
        let until: DateTime<Utc> = estimate["quietUntil"].as_str().unwrap().parse().unwrap();
        assert!(until > system.store().now() && until - system.store().now() < TimeDelta::days(1));
        assert!(bed.mail().received().is_empty());
    }
}

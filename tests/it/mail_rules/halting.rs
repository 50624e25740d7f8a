//! Pausing, resuming and cancelling while mails go out.

use chrono::TimeDelta;
use domain::{campaign::unsubscribe, suppression::AddressKey};
use entity::delivery::DeliveryState;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, TestBed, on_both_columns, until};

use super::{PATIENCE, arrived, campaign, draft, start};
use crate::campaign::{segments::done, world::World};

const RECIPIENTS: u64 = 500;
/// So that a campaign takes five seconds, and somebody can step in.
const RATE: &str = "100/s";
/// So many have gone out when somebody does.
const UNDER_WAY: usize = 5;

fn number(counts: &Value, state: &str) -> u64 {
    counts[state].as_u64().unwrap()
}

/// How a campaign's mails stand when none of them is on its way, or `state` is reached.
async fn settled(bed: &TestBed, operator: &Client, id: &str, state: &str) -> Value {
    until(PATIENCE, "nothing is on its way", async || {
        // What a worker puts off comes by the clock.
        bed.clock().advance(TimeDelta::milliseconds(10));
        let now = campaign(operator, id).await;
        (now["state"] == state && now["counts"]["sending"] == 0).then(|| now["counts"].clone())
    })
    .await
}

on_both_columns! {
    async fn after_a_pause_or_a_cancellation_nothing_is_claimed_and_who_unsubscribes_meanwhile_is_skipped(bed: TestBed) {
        let system = bed.system_with(&[("MYCAREER_MAIL_RATE", RATE)]).await;
        assert!(api::demo::load(system.store()).await.unwrap());
        bed.clock().advance(TimeDelta::seconds(1));
        let operator = system.demo_client("operator").await;
        let world = World { store: system.store().clone() };
        world.rules(None, None, None).await;
        let tag = world.tag("presses").await;
        world.employers(tag, usize::try_from(RECIPIENTS).unwrap()).await;
        let ours = || arrived(&bed, ".test").into_iter().filter(|to| to.contains("@employer")).count() as u64;

        let id = draft(&operator, &json!(tag), "Dear {{ name }}").await;
        assert_eq!(start(&operator, &id).await.0, RECIPIENTS);
        bed.mail().wait_for(UNDER_WAY, PATIENCE).await;
        let input = json!({ "campaignId": id });
        done(&operator, "pauseCampaign", "campaign { state }", input.clone()).await;
        let waiting = number(&campaign(&operator, &id).await["counts"], "queued");
        assert!(waiting > 0, "it was over already");
        let halted = settled(&bed, &operator, &id, "PAUSED").await;
        assert!(number(&halted, "queued") >= waiting, "{waiting} waited when it was paused: {halted}");
        assert_eq!((number(&halted, "sent"), number(&halted, "sent") + number(&halted, "queued")), (ours(), RECIPIENTS));

        // By the link in an earlier mail, say: it is for the address.
        let ledger = world.ledger(id.parse().unwrap()).await;
        let mail = ledger.iter().find(|mail| mail.state == DeliveryState::Queued).unwrap();
        let key = AddressKey::load(system.store().reader(), system.store().now()).await.unwrap();
        let path = format!("/unsubscribe/{}", unsubscribe::token(&key, mail.id, &mail.address).unwrap());
        let pressed = system.client().request(Method::POST, &path)
            .header("Content-Type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click").send().await.unwrap();
        assert_eq!(pressed.status(), 200);
        done(&operator, "resumeCampaign", "campaign { state }", input).await;
        let over = settled(&bed, &operator, &id, "SENT").await;
        assert_eq!((number(&over, "sent"), number(&over, "skipped"), ours()), (RECIPIENTS - 1, 1, RECIPIENTS - 1));
        assert!(!arrived(&bed, ".test").contains(&mail.address));
        assert!(bed.mail().count_by_message_id().values().all(|copies| *copies == 1), "nobody has it twice");

        let id = draft(&operator, &json!(tag), "Dear {{ name }}").await;
        let (recipients, _) = start(&operator, &id).await;
        let before = usize::try_from(RECIPIENTS - 1).unwrap();
        bed.mail().wait_for(before + UNDER_WAY, PATIENCE).await;
        done(&operator, "cancelCampaign", "campaign { state }", json!({ "campaignId": id })).await;
        let counts = campaign(&operator, &id).await["counts"].take();
        let cancelled = number(&counts, "cancelled");
        assert!(cancelled > 0 && number(&counts, "queued") == 0, "it was over already: {counts}");
        let over = settled(&bed, &operator, &id, "CANCELLED").await;
        assert!(number(&over, "cancelled") >= cancelled, "{over}");
        let sent = number(&over, "sent");
        assert_eq!((sent + number(&over, "cancelled"), ours()), (recipients, RECIPIENTS - 1 + sent));
    }
}

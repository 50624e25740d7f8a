//! An address that is not to be written to is remembered when its contact is not.

use chrono::TimeDelta;
use entity::contact;
use reqwest::Method;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Received, System, on_both_columns};

use super::{arrived, contact, draft, employer, preview, skipped, start};
use crate::{
    campaign::{api::until_sent, office::header, segments::done},
    data_protection::person::{columns_with, nothing_is_on_its_way},
};

const SECRET: &str = "a secret of enough letters";
const UNKNOWN_USER: &str = include_str!("../../data/reports/unknown_user.eml");

/// What a mail server says of a mail that it couldn't deliver.
fn report(mail: &Received) -> String {
    UNKNOWN_USER
        .replace("ENVELOPE_SENDER", &mail.from)
        .replace("RECIPIENT", &mail.to[0])
        .replace('\n', "\r\n")
}

async fn contact_at(system: &System, address: &str) -> contact::Model {
    contact::Entity::find()
        .filter(contact::Column::Email.eq(address))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

on_both_columns! {
    async fn who_bounced_or_unsubscribed_gets_no_mail_as_a_new_contact_either_after_the_old_one_was_erased(bed: TestBed) {
        let settings = [("MYCAREER_BOUNCE_DOMAIN", "bounces.university.test"), ("MYCAREER_BOUNCE_SECRET", SECRET)];
        let system = bed.system_with(&settings).await;
        assert!(api::demo::load(system.store()).await.unwrap());
        bed.clock().advance(TimeDelta::seconds(1));
        let (operator, admin) = (system.demo_client("operator").await, system.demo_client("admin").await);
        let all = ["ann@otley.test", "ben@otley.test", "cem@otley.test"];
        let (tag, organisation) = employer(&operator, "Otley Presses", &all).await;
        let first = draft(&operator, &tag, "Hello").await;
        assert_eq!(start(&operator, &first).await, (3, skipped([])));
        until_sent(&operator, &first).await;
        let received = bed.mail().received();
        let to = |address: &str| received.iter().find(|mail| mail.to == [address]).unwrap();

        // The server of the one says that there is nobody; the other presses the button of their mail program.
        let answer = system.client().request(Method::POST, "/hooks/mail-report").bearer_auth(SECRET)
            .header("Content-Type", "message/rfc822").body(report(to("ann@otley.test"))).send().await.unwrap();
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(told, json!({ "outcome": "SUPPRESSED" }));
        let link = header(to("ben@otley.test"), "List-Unsubscribe").unwrap();
        let path = &link[link.find("/unsubscribe/").unwrap()..link.len() - 1];
        let pressed = system.client().request(Method::POST, path)
            .header("Content-Type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click").send().await.unwrap();
        assert_eq!(pressed.status(), 200);
        let second = draft(&operator, &tag, "Hello").await;
        assert_eq!(preview(&operator, &second).await, (1, skipped([("OPTED_OUT", 1), ("SUPPRESSED", 1)])), "at once");

        nothing_is_on_its_way(system.store()).await;
        for address in &all[..2] {
            let input = json!({ "personId": contact_at(&system, address).await.id, "reason": "They asked." });
            done(&admin, "erasePerson", "erasure { isDryRun }", input).await;
        }
        let gone = all[..2].iter().map(|address| (*address).to_owned()).collect::<Vec<_>>();
        assert_eq!(columns_with(system.store(), &gone).await, [""; 0], "the addresses stand nowhere any more");
        for address in &all[..2] {
            contact(&operator, &organisation, address).await;
        }
        // What is left of the old records has no address.
        for (recipients, reasons) in [preview(&operator, &second).await, start(&operator, &second).await] {
            assert_eq!((recipients, reasons["SUPPRESSED"]), (1, 2), "they are known when they come again: {reasons:?}");
        }
        until_sent(&operator, &second).await;
        assert_eq!(arrived(&bed, "@otley.test"), ["ann@otley.test", "ben@otley.test", "cem@otley.test", "cem@otley.test"]);
    }
}

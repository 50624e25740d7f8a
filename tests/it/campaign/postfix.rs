//! Through a real mail server: what it delivers, and the reports that it writes of what it can't deliver.

use std::time::Duration;

use api::commands::bounce::take;
use domain::mail_report::{Outcome, Source};
use entity::{contact, delivery::Bounce, suppression};
use sea_orm::{EntityTrait, PaginatorTrait};
use support::{Postfix, on_both_columns, until_equal};

use super::{office::Office, world::World};

const BOUNCE_DOMAIN: &str = "bounces.university.test";
const PATIENCE: Duration = Duration::from_secs(30);

on_both_columns! {
    async fn a_real_mail_server_delivers_and_its_reports_are_understood(bed: TestBed) {
        let postfix = Postfix::start(&["ann@employer.test", "bob@employer.test"], "full.test", BOUNCE_DOMAIN);
        let office = Office::open_at(&bed, &postfix.url(), &["--bounce-domain", BOUNCE_DOMAIN]).await;
        let world = &office.world;
        let (sender, tag) = (world.sender().await, world.tag("engineering").await);
        let organisation = world.organisation("Lovelace & Sons", &[tag]).await;
        let addresses = ["ann@employer.test", "bob@employer.test", "gone@employer.test", "eve@full.test", "max@nowhere.test"];
        for address in addresses {
            let mut row = world.contact(organisation, address);
            row.email = Some(address.to_owned());
            world.insert::<contact::Entity>(row).await;
        }
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        world.start(&sender, id).await.unwrap();
        office.work().await;
        assert_eq!(world.states(id).await.sent, 5, "the server took them all");

        until_equal(PATIENCE, "mails delivered", 2, async || postfix.delivered().len()).await;
        for (mail, name) in postfix.delivered().iter().zip(["ann", "bob"]) {
            assert!(mail.contains(&format!("Dear {name}@employer.test")), "{mail}");
            assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{mail}");
        }
        until_equal(PATIENCE, "mails returned", 3, async || postfix.returned().len()).await;
        let mut outcomes = Vec::new();
        for (recipient, report) in postfix.returned() {
            let outcome = take(&world.store, report.as_bytes(), Some(&recipient), Source::Command).await;
            outcomes.push(outcome.unwrap());
        }
        outcomes.sort_by_key(|outcome| format!("{outcome:?}"));
        assert_eq!(outcomes, [Outcome::Noted, Outcome::Suppressed, Outcome::Suppressed]);
        let mut bounced: Vec<_> = world.ledger(id).await.into_iter()
            .filter_map(|mail| Some((mail.address, mail.bounce?)))
            .collect();
        bounced.sort_by(|one, other| one.0.cmp(&other.0));
        let expected = [("eve@full.test", Bounce::Soft), ("gone@employer.test", Bounce::Hard), ("max@nowhere.test", Bounce::Hard)];
        assert_eq!(bounced, expected.map(|(address, bounce)| (address.to_owned(), bounce)));
        assert_eq!(suppressions(world).await, 2);
    }

    async fn with_one_envelope_sender_for_all_mails_a_real_server_returns_them_there_and_the_link_in_them_says_whose(bed: TestBed) {
        let postfix = Postfix::start(&["ann@employer.test"], "full.test", BOUNCE_DOMAIN);
        let envelope = format!("returns@{BOUNCE_DOMAIN}");
        let office = Office::open_at(&bed, &postfix.url(), &["--envelope-sender", &envelope]).await;
        let world = &office.world;
        let (sender, tag) = (world.sender().await, world.tag("engineering").await);
        let organisation = world.organisation("Lovelace & Sons", &[tag]).await;
        for address in ["ann@employer.test", "gone@employer.test"] {
            let mut row = world.contact(organisation, address);
            row.email = Some(address.to_owned());
            world.insert::<contact::Entity>(row).await;
        }
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        world.start(&sender, id).await.unwrap();
        office.work().await;
        until_equal(PATIENCE, "mails delivered", 1, async || postfix.delivered().len()).await;
        let arrived = postfix.delivered().remove(0);
        assert!(arrived.contains(&format!("Return-Path: <{envelope}>")), "{arrived}");
        assert!(arrived.contains("From: ") && arrived.contains("careers@mycareer.test"), "{arrived}");
        until_equal(PATIENCE, "mails returned", 1, async || postfix.returned().len()).await;
        let (recipient, report) = postfix.returned().remove(0);
        assert_eq!(recipient, envelope);
        let outcome = take(&world.store, report.as_bytes(), Some(&recipient), Source::Command).await;
        assert_eq!(outcome.unwrap(), Outcome::Suppressed);
        let bounced: Vec<_> = world.ledger(id).await.into_iter().filter(|mail| mail.bounce.is_some()).collect();
        assert_eq!(bounced.iter().map(|mail| mail.address.as_str()).collect::<Vec<_>>(), ["gone@employer.test"]);
    }
}

async fn suppressions(world: &World) -> u64 {
    suppression::Entity::find()
        .count(world.store.reader())
        .await
        .unwrap()
}

//! How much bulk mail a contact and an organisation get in a period, over the whole campus.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{
    RefusalCode,
    campaign::{self, Audience, SkipReason, Timing},
    suppression::AddressKey,
};
use entity::{
    campaign::CampaignState,
    contact,
    ids::{CampaignId, TagId},
};
use support::{Column, TestBed, on_both_columns, until};

use super::world::{World, refusal};

/// How many would get mail, and how many would be over a cap.
async fn preview(world: &World, sender: &domain::Viewer, tag: TagId) -> (u64, u64) {
    let audience = Audience {
        all_of: vec![tag],
        ..Audience::default()
    };
    let preview = campaign::preview(&world.store, sender, &audience, None)
        .await
        .unwrap();
    (
        preview.recipients,
        preview
            .skipped
            .get(&SkipReason::OverCap)
            .copied()
            .unwrap_or(0),
    )
}

/// Starts `second` while the start of `first` has not been committed, and answers whether it waited for that, and what
/// became of it.
async fn start_in_between(
    world: &Arc<World>,
    sender: &domain::Viewer,
    first: CampaignId,
    second: CampaignId,
) -> (bool, domain::Result<entity::campaign::Model>) {
    let mut tx = world.store.begin().await.unwrap();
    campaign::schedule(&mut tx, sender, first, Timing::default())
        .await
        .unwrap();
    let (other, asker) = (Arc::clone(world), sender.clone());
    let starting = tokio::spawn(async move { other.start(&asker, second).await });
    // Long enough for a start of two recipients, many times over.
    let waited = tokio::time::timeout(
        Duration::from_secs(3),
        until(Duration::from_secs(30), "it has started", async || {
            starting.is_finished().then_some(())
        }),
    )
    .await
    .is_err();
    tx.commit().await.unwrap();
    (waited, starting.await.unwrap())
}

async fn two_drafts(
    bed: &TestBed,
    contact_cap: Option<i32>,
    organisation_cap: Option<i32>,
) -> (Arc<World>, domain::Viewer, CampaignId, CampaignId) {
    let world = World::new(bed.store().await).await;
    world.rules(None, contact_cap, organisation_cap).await;
    let sender = world.sender().await;
    let tag = world.tag("engineering").await;
    world.employers(tag, 2).await;
    // Whoever needs the key first makes it, and others wait for that.
    AddressKey::load(world.store.reader(), world.store.now())
        .await
        .unwrap();
    let first = world.campaign(&sender, tag, "Hello").await;
    let second = world.campaign(&sender, tag, "Hello").await;
    (Arc::new(world), sender, first, second)
}

on_both_columns! {
    async fn a_contact_gets_no_more_mails_in_a_period_than_the_cap(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        world.rules(None, Some(2), None).await;
        let sender = world.sender().await;
        let (tag, other) = (world.tag("engineering").await, world.tag("other").await);
        world.employers(tag, 3).await;
        world.employers(other, 1).await;
        for _ in 0..2 {
            assert_eq!(preview(&world, &sender, tag).await, (3, 0));
            let id = world.campaign(&sender, tag, "Hello").await;
            world.start(&sender, id).await.unwrap();
        }
        assert_eq!(preview(&world, &sender, tag).await, (0, 3));
        let id = world.campaign(&sender, tag, "Hello").await;
        assert_eq!(refusal(world.start(&sender, id).await).code, RefusalCode::EmptyAudience);
        assert_eq!(preview(&world, &sender, other).await, (1, 0), "others have had none");
        bed.clock().advance(TimeDelta::days(31));
        assert_eq!(preview(&world, &sender, tag).await, (3, 0), "the period is over");
    }

    async fn what_did_not_go_out_counts_for_nothing(bed: TestBed) {
        let (world, sender, first, second) = two_drafts(&bed, Some(1), None).await;
        world.start(&sender, first).await.unwrap();
        let mut tx = world.store.begin().await.unwrap();
        campaign::cancel(&mut tx, &sender, first).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.start(&sender, second).await.unwrap().recipients, 2);
    }

    async fn the_contacts_of_an_organisation_are_counted_together(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        world.rules(None, None, Some(5)).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        for name in ["Lovelace", "Babbage"] {
            let org = world.organisation(name, &[tag]).await;
            for nth in 0..4 {
                world.insert::<contact::Entity>(world.contact(org, &format!("{name}{nth}"))).await;
            }
            // Who is left out for another reason takes no place.
            let mut away = world.contact(org, &format!("{name}away"));
            away.do_not_email = true;
            world.insert::<contact::Entity>(away).await;
        }
        assert_eq!(preview(&world, &sender, tag).await, (8, 0));
        let first = world.campaign(&sender, tag, "Hello").await;
        assert_eq!(world.start(&sender, first).await.unwrap().recipients, 8);
        assert_eq!(preview(&world, &sender, tag).await, (2, 6), "one more for each");
        let second = world.campaign(&sender, tag, "Hello").await;
        let started = world.start(&sender, second).await.unwrap();
        assert_eq!(started.recipients, 2);
        assert_eq!(started.skipped["OVER_CAP"], 6, "the reason is told after the start too");
    }

    async fn two_campaigns_at_once_do_not_both_take_the_last_place_of_a_contact(bed: TestBed) {
        the_second_finds_no_place(&bed, Some(1), None).await;
    }

    async fn two_campaigns_at_once_do_not_both_take_the_last_place_of_an_organisation(bed: TestBed) {
        the_second_finds_no_place(&bed, None, Some(2)).await;
    }

    async fn without_a_cap_nobody_waits_for_anybody(bed: TestBed) {
        // The control: the test above would notice if starts didn't wait. SQLite has one writer in any case.
        let (world, sender, first, second) = two_drafts(&bed, None, None).await;
        let (waited, started) = start_in_between(&world, &sender, first, second).await;
        assert_eq!(waited, bed.column() == Column::SqliteMemory);
        assert_eq!(started.unwrap().state, CampaignState::Sending);
    }
}

async fn the_second_finds_no_place(
    bed: &TestBed,
    contact_cap: Option<i32>,
    organisation_cap: Option<i32>,
) {
    let (world, sender, first, second) = two_drafts(bed, contact_cap, organisation_cap).await;
    let (waited, started) = start_in_between(&world, &sender, first, second).await;
    assert!(waited, "the second waits for what the first writes");
    assert_eq!(refusal(started).code, RefusalCode::EmptyAudience);
    assert_eq!(
        (
            world.ledger(first).await.len(),
            world.ledger(second).await.len()
        ),
        (2, 0)
    );
}

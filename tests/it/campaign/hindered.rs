//! What goes on when something is in the way: a full domain, a busy worker, a campaign that was halted meanwhile.

use std::time::Duration;

use domain::{
    campaign::{self, Counts, ledger},
    delivery::{self, Verdict},
};
use entity::{
    audit_entry,
    campaign::CampaignState,
    delivery::{DeliveryState, Model as Mail},
    ids::{CampaignId, DeliveryId},
    job,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use support::{Behaviour, Column, TestBed, on_both_columns, until};
use worker::jobs::LookAfterMail;

use super::{office::Office, sending::waiting, world::World};

const PATIENCE: Duration = Duration::from_secs(20);

/// `mails` contacts in one domain, then `others` in one of their own each.
fn one_large_domain(mails: usize, others: usize) -> impl Iterator<Item = String> {
    let large = std::iter::repeat_n("large.test".to_owned(), mails);
    large.chain((0..others).map(|n| format!("small{n}.test")))
}

fn received_at(office: &Office, domain: &str) -> usize {
    let received = office.relay.received();
    let to_it = received.iter().filter(|mail| mail.to[0].contains(domain));
    to_it.count()
}

async fn claim(world: &World, id: CampaignId, mails: &[Mail]) {
    let ids: Vec<DeliveryId> = mails.iter().map(|mail| mail.id).collect();
    let tx = world.store.begin().await.unwrap();
    let being_sent = ledger::hold(&tx, id).await.unwrap().unwrap();
    let claimed = ledger::claim(
        &tx,
        being_sent,
        &ids,
        "me",
        &domain::mail_rules::MailRules::default(),
    )
    .await
    .unwrap();
    assert_eq!(claimed.len(), ids.len());
    tx.commit().await.unwrap();
}

async fn record(world: &World, mails: &[Mail], verdict: Verdict) {
    let tx = world.store.begin().await.unwrap();
    let results = mails.iter().map(|mail| (mail.id, verdict.clone()));
    delivery::record(&tx, "me", results).await.unwrap();
    tx.commit().await.unwrap();
}

async fn look_after(office: &Office) {
    let mut tx = office.world.store.begin().await.unwrap();
    tx.enqueue(&LookAfterMail::default(), None).await.unwrap();
    tx.commit().await.unwrap();
    office.work().await;
}

fn untried() -> Verdict {
    Verdict::Untried {
        reply: "it had to wait".to_owned(),
    }
}

/// Mails to it wait, after a few tries, and nobody else's do.
async fn a_domain_that_answers(bed: &TestBed, code: u16) {
    let office = Office::open(bed).await;
    let (world, sender) = (&office.world, office.world.sender().await);
    let id = world.started_at(&sender, one_large_domain(60, 40)).await;
    let behaviour = Behaviour::PutDomainOff("large.test".to_owned(), code);
    office.relay.behave(behaviour);
    office.work().await;
    assert_eq!(received_at(&office, "small"), 40);
    let commands = office.relay.commands();
    let tries = commands.iter().filter(|line| line.contains("large.test"));
    let tries = tries.count();
    assert!((1..=20).contains(&tries), "it was asked {tries} times");
    let counts = world.states(id).await;
    assert_eq!((counts.sent, counts.queued), (40, 60));
    office.relay.behave(Behaviour::Accept);
    office.work_for(Duration::from_mins(3)).await;
    assert_eq!(
        (office.relay.received().len(), office.most_copies()),
        (100, 1)
    );
    assert!(office.is_sent(id).await);
}

on_both_columns! {
    async fn a_mail_given_back_to_a_cancelled_campaign_is_cancelled(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 6).await;
        let mails = world.ledger(id).await;
        claim(world, id, &mails[..4]).await;
        let mut tx = world.store.begin().await.unwrap();
        campaign::cancel(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        record(world, &mails[..2], untried()).await;
        let until = world.store.now();
        record(world, &mails[2..3], Verdict::PutOff { reply: "busy".to_owned(), until }).await;
        record(world, &mails[3..4], Verdict::Sent).await;
        assert_eq!(world.states(id).await, Counts { cancelled: 5, sent: 1, ..Counts::default() });
    }

    async fn what_is_due_next_is_found_however_many_before_it_were_sent(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 12).await;
        let mails = world.ledger(id).await;
        let lane = ledger::Lane { campaign_id: id, from: None, to: None };
        let next = async |after: &Mail| {
            let due = ledger::due(world.store.reader(), &lane, Some(after.id), [], &[], world.store.now(), 1);
            due.await.unwrap().first().map(|mail| mail.id)
        };
        assert_eq!(next(&mails[0]).await, Some(mails[1].id));
        claim(world, id, &mails[1..11]).await;
        record(world, &mails[1..11], Verdict::Sent).await;
        assert_eq!(next(&mails[0]).await, Some(mails[11].id));
        assert_eq!(next(&mails[11]).await, None);
    }

    async fn a_mail_given_back_to_a_paused_campaign_waits_as_before(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 3).await;
        let mails = world.ledger(id).await;
        claim(world, id, &mails).await;
        let mut tx = world.store.begin().await.unwrap();
        campaign::pause(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        record(world, &mails, untried()).await;
        assert_eq!(world.states(id).await, Counts { queued: 3, ..Counts::default() });
    }

    async fn nothing_waits_for_ever_in_a_cancelled_campaign(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 5).await;
        let mut tx = world.store.begin().await.unwrap();
        campaign::cancel(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        // Put back at the very moment of the cancellation.
        let mut row = world.ledger(id).await.remove(0).into_active_model();
        row.state = Set(DeliveryState::Queued);
        row.update(world.store.reader()).await.unwrap();
        job::Entity::delete_many().exec(world.store.reader()).await.unwrap();
        look_after(&office).await;
        assert_eq!(world.states(id).await, Counts { cancelled: 5, ..Counts::default() });
        assert_eq!(office.relay.received().len(), 0);
    }

    async fn a_late_answer_is_kept_even_when_the_campaign_is_over(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 3).await;
        let mails = world.ledger(id).await;
        claim(world, id, &mails[..2]).await;
        office.work_for(Duration::from_mins(2)).await;
        assert_eq!(world.states(id).await, Counts { unknown: 2, sent: 1, ..Counts::default() });
        assert!(office.is_sent(id).await);
        record(world, &mails[..1], Verdict::Sent).await;
        record(world, &mails[1..2], untried()).await;
        let ledger = world.ledger(id).await;
        assert_eq!(ledger[0].state, DeliveryState::Sent);
        assert_eq!(ledger[1].state, DeliveryState::Unknown, "nothing waits in a campaign that is over");
        assert_eq!(ledger[1].last_reply.as_deref(), Some("it had to wait"), "and yet it is known");
    }

    async fn a_domain_over_its_limit_holds_up_nobody_else(bed: TestBed) {
        let office = Office::open_with(&bed, &["--mail-domain-rate", "5/h"]).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        // More than a chunk of the one stand before all the others.
        let id = world.started_at(&sender, one_large_domain(150, 25)).await;
        office.work().await;
        assert_eq!(received_at(&office, "small"), 25, "they have nothing to do with the full one");
        assert_eq!(received_at(&office, "large.test"), 5, "the control: the limit is kept");
        assert_eq!(world.states(id).await, Counts { sent: 30, queued: 145, ..Counts::default() });
        assert!(world.ledger(id).await.iter().all(|mail| mail.attempts <= 1));
    }

    async fn a_slow_domain_does_not_slow_the_others(bed: TestBed) {
        let office = Office::open_with(&bed, &["--mail-domain-rate", "2/s"]).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started_at(&sender, one_large_domain(9, 60)).await;
        office.work().await;
        assert!(office.is_sent(id).await);
        let order: Vec<bool> = office.relay.received().iter().map(|mail| mail.to[0].contains("large")).collect();
        let last_other = order.iter().rposition(|large| !large).unwrap();
        let before = order[..last_other].iter().filter(|large| **large).count();
        assert!(before <= 4, "{before} of the slow ones went out before the last of the fast ones");
        assert_eq!(received_at(&office, "large.test"), 9);
    }

    async fn a_domain_that_is_busy_is_left_alone_for_a_while(bed: TestBed) {
        a_domain_that_answers(&bed, 450).await;
    }

    async fn a_domain_that_sends_us_away_is_not_the_relay(bed: TestBed) {
        a_domain_that_answers(&bed, 421).await;
    }

    async fn what_became_of_a_mail_is_written_while_others_have_the_hands(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 90).await;
        let mailer = office.services.mailer().unwrap();
        let mut held = Vec::new();
        for _ in 0..20 {
            held.push(mailer.hands.take(1).await.unwrap());
        }
        let watching = async {
            held.pop();
            office.relay.wait_for(1, PATIENCE).await;
            // It is the only one that goes round, so this waits for the end of a mail, and nothing else is sent.
            let last = mailer.hands.take(1).await.unwrap();
            until(PATIENCE, "what was sent is known to be", async || {
                let sent = world.states(id).await.sent;
                (sent == office.relay.received().len() as u64).then_some(())
            })
            .await;
            assert!(office.relay.received().len() < 90);
            drop((last, held));
        };
        tokio::join!(office.work(), watching);
        assert!(office.is_sent(id).await);
        assert_eq!(office.most_copies(), 1);
    }

    async fn who_opts_out_while_the_last_mails_wait_gets_none(bed: TestBed) {
        let office = Office::open_with(&bed, &["--mail-rate", "1/s"]).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 5).await;
        let watching = async {
            office.relay.wait_for(1, PATIENCE).await;
            // All five were read and claimed together.
            let first = office.relay.received().remove(0).message_id;
            let ledger = world.ledger(id).await;
            let last = ledger.iter().rfind(|mail| mail.message_id != first).unwrap();
            world.opts_out(last).await;
        };
        tokio::join!(office.work(), watching);
        assert_eq!(world.states(id).await, Counts { sent: 4, skipped: 1, ..Counts::default() });
        assert!(office.is_sent(id).await);
    }

    async fn a_mail_in_doubt_is_settled_by_whoever_found_out(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 6).await;
        for mail in &world.ledger(id).await[..4] {
            world.leave_claimed(mail).await;
        }
        office.work_for(Duration::from_mins(1)).await;
        assert_eq!(world.states(id).await, Counts { sent: 2, unknown: 4, ..Counts::default() });
        let doubtful = world.ledger(id).await;

        let mut tx = world.store.begin().await.unwrap();
        let settled = campaign::settle_delivery(&mut tx, &sender, doubtful[0].id, campaign::Settlement::Sent, "Seen in the relay's log").await.unwrap();
        assert_eq!((settled.state, settled.last_reply.as_deref()), (DeliveryState::Sent, Some("Seen in the relay's log")));
        let again = campaign::settle_delivery(&mut tx, &sender, doubtful[0].id, campaign::Settlement::SendAgain, "x").await;
        assert_eq!(super::world::refusal(again).code, domain::RefusalCode::WrongState);
        tx.commit().await.unwrap();
        assert!(office.is_sent(id).await, "nothing is left to be done");

        let mut tx = world.store.begin().await.unwrap();
        let reopened = campaign::settle_deliveries(&mut tx, &sender, id, campaign::Settlement::SendAgain, "The relay's disk was lost").await.unwrap();
        assert_eq!((reopened.state, reopened.finished_at), (CampaignState::Sending, None));
        tx.commit().await.unwrap();
        office.work().await;
        assert_eq!(world.states(id).await, Counts { sent: 6, ..Counts::default() });
        assert!(office.is_sent(id).await);
        let received = office.relay.received();
        assert_eq!((received.len(), office.most_copies()), (5, 1));
        assert!(doubtful[1..4].iter().all(|mail| received.iter().any(|got| got.message_id == mail.message_id)));
        let audited = audit_entry::Entity::find().filter(audit_entry::Column::Action.eq("campaign.settled_to_send_again"));
        let audited = audited.one(world.store.reader()).await.unwrap().unwrap();
        assert_eq!(audited.after.unwrap(), serde_json::json!({ "deliveries": 3, "reason": "The relay's disk was lost" }));
    }

    async fn a_cancelled_campaign_sends_nothing_again(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 3).await;
        world.leave_claimed(&world.ledger(id).await[0]).await;
        let mut tx = world.store.begin().await.unwrap();
        campaign::cancel(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        office.work_for(Duration::from_mins(1)).await;
        look_after(&office).await;
        let nobody = world.staff("nobody", &[]).await;
        let mut tx = world.store.begin().await.unwrap();
        let again = campaign::settle_deliveries(&mut tx, &sender, id, campaign::Settlement::SendAgain, "Lost").await;
        assert_eq!(super::world::refusal(again).code, domain::RefusalCode::WrongState);
        let refused = campaign::settle_deliveries(&mut tx, &nobody, id, campaign::Settlement::Sent, "Seen").await;
        assert!(matches!(refused, Err(domain::Error::Forbidden(_))), "{refused:?}");
        campaign::settle_deliveries(&mut tx, &sender, id, campaign::Settlement::Sent, "Seen").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.states(id).await, Counts { sent: 1, cancelled: 2, ..Counts::default() });
    }
}

/// On PostgreSQL alone: SQLite gives the whole database to one writer at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_after_campaigns_locks_one_at_a_time() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let office = Office::open(&bed).await;
    let (world, sender) = (&office.world, office.world.sender().await);
    let tag = world.tag("engineering").await;
    world.employers(tag, 2).await;
    let mut started = Vec::new();
    for _ in 0..2 {
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        world.start(&sender, id).await.unwrap();
        started.push(id);
    }
    started.sort_unstable();
    let [first, second] = started[..] else {
        panic!("two campaigns")
    };
    // Somebody is at the second, so looking after the campaigns stops there, and must hold nothing of the first.
    let mut busy = world.store.begin().await.unwrap();
    campaign::pause(&mut busy, &sender, second).await.unwrap();
    let store = world.store.clone();
    let looking = tokio::spawn(async move {
        for id in ledger::to_look_after(store.reader(), store.now())
            .await
            .unwrap()
        {
            let mut tx = store.begin().await.unwrap();
            ledger::look_after(&mut tx, id).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    until(PATIENCE, "it waits at the second", async || {
        (waiting(&world.store).await > 0).then_some(())
    })
    .await;
    let mut tx = world.store.begin().await.unwrap();
    let paused = tokio::time::timeout(PATIENCE, campaign::pause(&mut tx, &sender, first)).await;
    assert_eq!(
        paused.expect("the first is free").unwrap().state,
        CampaignState::Paused
    );
    tx.commit().await.unwrap();
    assert!(!looking.is_finished());
    busy.commit().await.unwrap();
    looking.await.unwrap();
}

//! From the ledger to the relay.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Store,
    campaign::{self, ledger, unsubscribe},
    mail::{self, Letter},
    mail_rules::MailRules,
};
use entity::{campaign::CampaignState, delivery::DeliveryState};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use support::{At, Behaviour, Column, TestBed, on_both_columns, until};

use super::office::{Office, header, text};

const PATIENCE: Duration = Duration::from_secs(30);

on_both_columns! {
    async fn everybody_gets_one_mail_of_their_own(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 230).await;
        office.work().await;

        assert_eq!(office.relay.received().len(), 230);
        assert_eq!(office.most_copies(), 1);
        assert!(office.is_sent(id).await);
        let campaign = world.campaign_row(id).await;
        assert_eq!(campaign.finished_at, Some(world.store.now()));
        assert_eq!(world.states(id).await, campaign::Counts { sent: 230, ..Default::default() });
        for mail in world.ledger(id).await {
            assert_eq!((mail.attempts, mail.sent_at), (1, Some(world.store.now())));
            let received = office.relay.received().into_iter().find(|got| got.to == [mail.address.clone()]).unwrap();
            assert_eq!(received.message_id, mail.message_id);
            assert_eq!(header(&received, "Subject").unwrap(), "The autumn fair and Lovelace & Sons");
            assert!(text(&received).contains(&format!("Dear {}", mail.recipient_name)));
        }
    }

    async fn every_mail_has_a_way_out_that_works(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 1).await;
        office.work().await;
        let mail = office.relay.received().remove(0);
        assert_eq!(header(&mail, "List-Unsubscribe-Post").unwrap(), "List-Unsubscribe=One-Click");
        let link = header(&mail, "List-Unsubscribe").unwrap();
        let link = link.trim_matches(['<', '>']);
        assert!(text(&mail).contains(link), "a person can read it too");
        let (_, token) = link.split_once("/unsubscribe/").unwrap();
        let link = unsubscribe::read(&world.store, token).await.unwrap().unwrap();
        let mut tx = world.store.begin().await.unwrap();
        unsubscribe::unsubscribe(&mut tx, link).await.unwrap();
        tx.commit().await.unwrap();
        let contact = world.ledger(id).await[0].contact_id.unwrap();
        let contact = entity::contact::Entity::find_by_id(contact).one(world.store.reader()).await.unwrap().unwrap();
        assert_eq!(contact.bulk_opted_out_at, Some(world.store.now()));
    }

    async fn who_opts_out_after_the_start_gets_none(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 3).await;
        let mail = world.ledger(id).await.remove(1);
        world.opts_out(&mail).await;
        office.work().await;
        assert_eq!(office.relay.received().len(), 2);
        assert_eq!(world.states(id).await, campaign::Counts { sent: 2, skipped: 1, ..Default::default() });
        assert!(office.is_sent(id).await);
    }

    async fn an_address_that_is_refused_fails_and_the_others_arrive(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 20).await;
        let refused = world.ledger(id).await.remove(7).address;
        office.relay.behave(Behaviour::RefuseAddresses(vec![refused.clone()]));
        office.work().await;
        assert_eq!(world.states(id).await, campaign::Counts { sent: 19, failed: 1, ..Default::default() });
        let failed = world.ledger(id).await.into_iter().find(|mail| mail.state == DeliveryState::Failed).unwrap();
        assert_eq!(failed.address, refused);
        assert!(failed.last_reply.unwrap().contains("550"));
        assert!(office.is_sent(id).await);
    }

    async fn a_mailbox_that_is_busy_is_tried_again_after_a_while(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 5).await;
        office.relay.behave(Behaviour::Reply(At::Rcpt, 450));
        office.work().await;
        assert_eq!(world.states(id).await, campaign::Counts { queued: 5, ..Default::default() });
        assert!(world.ledger(id).await.iter().all(|mail| mail.attempts == 1));
        office.relay.behave(Behaviour::Accept);
        office.work_for(Duration::from_secs(50)).await;
        assert_eq!(office.relay.received().len(), 0, "not before a minute has passed");
        office.work_for(Duration::from_secs(20)).await;
        assert_eq!(office.relay.received().len(), 5);
        assert!(office.is_sent(id).await);
    }

    async fn a_mailbox_that_is_busy_for_days_is_given_up(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 1).await;
        office.relay.behave(Behaviour::Reply(At::Rcpt, 450));
        for _ in 0..5 * 24 {
            office.work().await;
            bed.clock().advance(TimeDelta::hours(1));
        }
        assert_eq!(world.states(id).await, campaign::Counts { failed: 1, ..Default::default() });
        assert!(office.is_sent(id).await);
    }

    async fn a_relay_that_is_away_for_an_hour_costs_nothing_but_the_hour(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 120).await;
        office.relay.behave(Behaviour::Reply(At::Mail, 421));
        office.work_for(Duration::from_hours(1)).await;
        assert_eq!(world.states(id).await, campaign::Counts { queued: 120, ..Default::default() });
        assert!(world.ledger(id).await.iter().all(|mail| mail.attempts == 0), "it is not held against anybody");
        assert_eq!(office.dead_jobs().await, 0);
        office.relay.behave(Behaviour::Accept);
        office.work_for(Duration::from_mins(1)).await;
        assert_eq!(office.relay.received().len(), 120);
        assert_eq!(office.most_copies(), 1);
        assert!(office.is_sent(id).await);
    }

    async fn a_mail_whose_answer_never_came_is_unknown_and_not_sent_again(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 10).await;
        office.relay.behave_once(Behaviour::Drop(At::Dot));
        office.work().await;
        office.work_for(Duration::from_mins(5)).await;
        assert_eq!(world.states(id).await, campaign::Counts { sent: 9, unknown: 1, ..Default::default() });
        assert_eq!((office.relay.received().len(), office.most_copies()), (10, 1));
        assert!(office.is_sent(id).await, "somebody may look at the one, and nobody has to wait for it");
    }

    async fn what_a_killed_worker_had_claimed_is_unknown_and_the_rest_goes_out(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 10).await;
        for mail in &world.ledger(id).await[..3] {
            world.leave_claimed(mail).await;
        }
        office.work().await;
        assert_eq!(world.states(id).await, campaign::Counts { sent: 7, sending: 3, ..Default::default() });
        assert!(!office.is_sent(id).await, "the claims may still be alive");
        office.work_for(Duration::from_secs(30)).await;
        assert_eq!(world.states(id).await, campaign::Counts { sent: 7, unknown: 3, ..Default::default() });
        assert!(office.is_sent(id).await);
        assert_eq!(office.relay.received().len(), 7);
    }

    async fn a_campaign_that_nobody_works_is_found(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 10).await;
        entity::job::Entity::delete_many().exec(world.store.reader()).await.unwrap();
        let mut tx = world.store.begin().await.unwrap();
        tx.enqueue(&worker::jobs::LookAfterMail::default(), None).await.unwrap();
        tx.commit().await.unwrap();
        office.work().await;
        assert!(office.is_sent(id).await);
        assert_eq!(office.relay.received().len(), 10);
    }

    async fn pausing_holds_everything_and_resuming_loses_nothing(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 250).await;
        let change = async |resume: bool| {
            let mut tx = world.store.begin().await.unwrap();
            let changed = if resume {
                campaign::resume(&mut tx, &sender, id).await
            } else {
                campaign::pause(&mut tx, &sender, id).await
            };
            changed.unwrap();
            tx.commit().await.unwrap();
        };
        change(false).await;
        office.work().await;
        assert_eq!(office.relay.received().len(), 0);
        // Resumed while the jobs of the first start are still about, and again when they are gone.
        change(true).await;
        change(false).await;
        change(true).await;
        office.work().await;
        assert_eq!((office.relay.received().len(), office.most_copies()), (250, 1));
        assert!(office.is_sent(id).await);
    }

    async fn cancelling_ends_it(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let id = world.started(&sender, 10).await;
        world.leave_claimed(&world.ledger(id).await[0]).await;
        let mut tx = world.store.begin().await.unwrap();
        campaign::cancel(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        office.work_for(Duration::from_mins(1)).await;
        assert_eq!(office.relay.received().len(), 0);
        assert_eq!(world.campaign_row(id).await.state, CampaignState::Cancelled);
        let counts = world.states(id).await;
        assert_eq!(counts.cancelled, 9);
        assert_eq!(counts.unknown + counts.sending, 1, "that one may have gone out");
    }

    async fn a_test_mail_goes_to_whoever_asks_and_to_nobody_else(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let tag = world.tag("engineering").await;
        world.employers(tag, 3).await;
        let id = world.campaign(&sender, tag, "Dear {{ name }} of {{ organisation }}").await;
        for _ in 0..2 {
            let mut tx = world.store.begin().await.unwrap();
            campaign::send_test(&mut tx, &sender, id).await.unwrap();
            tx.commit().await.unwrap();
            bed.clock().advance(TimeDelta::seconds(1));
        }
        office.work().await;
        let received = office.relay.received();
        assert_eq!(received.len(), 2, "as often as they ask");
        assert_eq!(received[0].to, ["sam@university.test"]);
        assert_eq!(header(&received[0], "Subject").unwrap(), "Test: The autumn fair and Example Ltd");
        assert!(text(&received[0]).contains("Dear sam of Example Ltd"));
        assert_eq!(world.campaign_row(id).await.state, CampaignState::Draft);
    }

    async fn a_letter_whose_answer_never_came_is_sent_again_under_its_message_id(bed: TestBed) {
        let office = Office::open(&bed).await;
        let store = &office.world.store;
        let mut tx = store.begin().await.unwrap();
        let letter = Letter {
            template: "verify_email",
            to: "ada@employer.test".parse().unwrap(),
            name: "Ada".to_owned(),
            user_id: None,
            purpose_key: "verify_email/1".to_owned(),
            fields: serde_json::json!({ "verify_link": "/verify/1", "expires_at": "2026-10-06T08:00:00Z" }),
        };
        assert!(mail::post(&mut tx, letter.clone()).await.unwrap().is_some());
        assert!(mail::post(&mut tx, letter).await.unwrap().is_none(), "once for one purpose");
        tx.commit().await.unwrap();
        office.relay.behave_once(Behaviour::Drop(At::Dot));
        office.work().await;
        assert_eq!(office.relay.received().len(), 1);
        office.work_for(Duration::from_secs(70)).await;
        let received = office.relay.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].message_id, received[1].message_id);
        assert_eq!(received[0].raw, received[1].raw);
        assert_eq!(header(&received[0], "Auto-Submitted").unwrap(), "auto-generated");
        assert!(text(&received[0]).contains("http://127.0.0.1:8000/verify/1"));
        office.work_for(Duration::from_mins(5)).await;
        assert_eq!(office.relay.received().len(), 2, "and then it is over");
    }

    async fn a_letter_outlives_a_relay_that_is_away(bed: TestBed) {
        let office = Office::open(&bed).await;
        let (world, sender) = (&office.world, office.world.sender().await);
        let tag = world.tag("engineering").await;
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        let mut tx = world.store.begin().await.unwrap();
        campaign::send_test(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
        office.relay.behave(Behaviour::Reply(At::Connect, 421));
        office.work_for(Duration::from_hours(1)).await;
        assert_eq!((office.relay.received().len(), office.dead_jobs().await), (0, 0));
        office.relay.behave(Behaviour::Accept);
        office.work_for(Duration::from_mins(1)).await;
        assert_eq!(office.relay.received().len(), 1);
    }
}

/// On the other database one transaction writes at a time anyhow.
#[tokio::test]
async fn whoever_halts_a_campaign_waits_for_claims_that_have_begun() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let office = Office::open(&bed).await;
    let (world, sender) = (&office.world, office.world.sender().await);
    let id = world.started(&sender, 2).await;
    let mail = world.ledger(id).await.remove(0);
    let (rules, _) = MailRules::load(world.store.reader()).await.unwrap();

    let claiming = world.store.begin().await.unwrap();
    let being_sent = ledger::hold(&claiming, id).await.unwrap().unwrap();
    let claimed = ledger::claim(&claiming, being_sent, &[mail.id], "a worker", &rules)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    let pausing = async {
        let mut tx = world.store.begin().await.unwrap();
        campaign::pause(&mut tx, &sender, id).await.unwrap();
        tx.commit().await.unwrap();
    };
    tokio::pin!(pausing);
    let waits = until(PATIENCE, "somebody waits for a lock", async || {
        (waiting(&world.store).await > 0).then_some(())
    });
    tokio::select! {
        biased;
        () = &mut pausing => panic!("it was paused while a claim was under way"),
        () = waits => {}
    }
    claiming.commit().await.unwrap();
    pausing.await;

    let late = world.store.begin().await.unwrap();
    let being_sent = ledger::hold(&late, id).await.unwrap();
    assert!(being_sent.is_none(), "nothing can be claimed without");
}

/// How many wait for a lock on PostgreSQL.
pub async fn waiting(store: &Store) -> i64 {
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let statement = Statement::from_string(DbBackend::Postgres, waiting);
    let row = store.reader().query_one_raw(statement).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

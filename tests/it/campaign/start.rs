//! Writing, starting and halting campaigns.

use std::collections::HashSet;

use chrono::TimeDelta;
use domain::{
    Error, RefusalCode,
    campaign::{self, Audience, Changes, Draft, Filter, StartCampaign, Timing},
    mail::message_id,
};
use entity::{access_grant::Permission, campaign::CampaignState, delivery::DeliveryState};
use sea_orm::{EntityTrait, sea_query::Expr};
use support::on_both_columns;

use super::world::{TRAINING, World, refusal};

on_both_columns! {
    async fn who_was_not_trained_is_told_of_the_training(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let other = world.staff("olive", &[Permission::ManageEvent]).await;
        let tag = world.tag("engineering").await;
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        let mut tx = world.store.begin().await.unwrap();
        let draft = Draft { name: "x".into(), subject: "x".into(), body: "x".into(), audience: Audience::default(), topic: None };
        let attempts = [
            campaign::create(&mut tx, &other, draft).await,
            campaign::update(&mut tx, &other, id, 1, Changes::default()).await,
            campaign::schedule(&mut tx, &other, id, Timing::default()).await,
            campaign::send_test(&mut tx, &other, id).await,
            campaign::pause(&mut tx, &other, id).await,
            campaign::resume(&mut tx, &other, id).await,
            campaign::cancel(&mut tx, &other, id).await,
        ];
        for attempt in attempts {
            let Err(Error::Forbidden(why)) = attempt else { panic!("{attempt:?}") };
            assert!(why.contains("SEND_BULK_EMAIL") && why.contains(TRAINING), "{why}");
        }
        assert!(campaign::find(tx.conn(), &other, id).await.unwrap().is_none());
        assert_eq!(campaign::count(tx.conn(), &other, Filter::default()).await.unwrap(), 0);
        assert_eq!(campaign::count(tx.conn(), &sender, Filter::default()).await.unwrap(), 1);
    }

    async fn a_start_writes_one_row_per_recipient_with_an_id_and_a_message_id_of_its_own(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let id = world.started(&sender, 1_234).await;
        let ledger = world.ledger(id).await;
        assert_eq!(ledger.len(), 1_234);
        assert_eq!(ledger.iter().map(|mail| mail.id).collect::<HashSet<_>>().len(), 1_234);
        let mut by_address: Vec<_> = ledger.iter().collect();
        by_address.sort_by(|a, b| a.address.cmp(&b.address));
        for (nth, mail) in by_address.into_iter().enumerate() {
            assert_eq!(mail.id.uuid().get_version_num(), 7);
            assert_eq!(mail.id.uuid().get_variant(), uuid::Variant::RFC4122);
            assert_eq!(mail.message_id, message_id(mail.id));
            assert_eq!(mail.address, format!("contact{nth:05}@employer{}.test", nth % 7));
            assert_eq!(mail.address_domain, format!("employer{}.test", nth % 7));
            assert_eq!(mail.recipient_name, format!("contact{nth:05}"));
            assert_eq!(mail.state, DeliveryState::Queued);
            assert_eq!(mail.fields["organisation"], "Lovelace & Sons");
            assert_eq!(mail.next_attempt_at, world.store.now());
        }
        let campaign = world.campaign_row(id).await;
        assert_eq!((campaign.state, campaign.recipients), (CampaignState::Sending, 1_234));
        assert_eq!(campaign.started_at, Some(world.store.now()));
    }

    async fn one_mail_that_cannot_be_written_stops_the_start(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        let org = world.organisation("Lovelace & Sons", &[tag]).await;
        for (name, job_title) in [("ada", Some("Director")), ("ben", None)] {
            let mut row = world.contact(org, name);
            row.job_title = job_title.map(str::to_owned);
            world.insert::<entity::contact::Entity>(row).await;
        }
        let id = world.campaign(&sender, tag, "Dear {{ name }},\n{{ job_title }}").await;
        let refused = refusal(world.start(&sender, id).await);
        assert_eq!(refused.code, RefusalCode::CannotRender);
        assert!(refused.message.contains("1 of 2 recipients: ben (the text, line 2"), "{}", refused.message);
        assert_eq!(world.ledger(id).await.len(), 0, "nothing was written");
        assert_eq!(world.campaign_row(id).await.state, CampaignState::Draft);

        let mut tx = world.store.begin().await.unwrap();
        let mended = Changes { body: Some("Dear {{ name }},\n{{ job_title or 'colleague' }}".into()), ..Changes::default() };
        campaign::update(&mut tx, &sender, id, 1, mended).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.start(&sender, id).await.unwrap().recipients, 2);
    }

    async fn a_draft_is_checked_as_a_whole(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let mut tx = world.store.begin().await.unwrap();
        let draft = Draft {
            name: " ".into(),
            subject: "A\nB".into(),
            body: "Dear {{ nmae }}".into(),
            audience: Audience::default(),
            topic: None,
        };
        let Err(Error::Refused(refusals)) = campaign::create(&mut tx, &sender, draft).await else { panic!() };
        let told: Vec<_> = refusals.iter().map(|refusal| (refusal.code, refusal.field.unwrap())).collect();
        assert_eq!(told, [
            (RefusalCode::Required, "name"),
            (RefusalCode::Invalid, "subject"),
            (RefusalCode::CannotRender, "body"),
            (RefusalCode::Required, "allOfTags"),
        ]);
        assert!(refusals[2].message.contains("There is no field {{ nmae }}"), "{}", refusals[2].message);
    }

    async fn who_comes_too_late_with_a_change_is_told_what_changed(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        let mut tx = world.store.begin().await.unwrap();
        let change = |name: &str| Changes { name: Some(name.to_owned()), ..Changes::default() };
        let updated = campaign::update(&mut tx, &sender, id, 1, change("Winter fair")).await.unwrap();
        assert_eq!((updated.name.as_str(), updated.version), ("Winter fair", 2));
        tx.commit().await.unwrap();
        let mut tx = world.store.begin().await.unwrap();
        let refused = refusal(campaign::update(&mut tx, &sender, id, 1, change("Spring fair")).await);
        assert_eq!(refused.code, RefusalCode::Stale);
        assert!(refused.message.contains("(name)"), "{}", refused.message);
    }

    async fn an_empty_audience_is_refused_and_says_why(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        let refused = refusal(world.start(&sender, id).await);
        assert_eq!(refused.code, RefusalCode::EmptyAudience);
        let org = world.organisation("Lovelace & Sons", &[tag]).await;
        let mut row = world.contact(org, "ada");
        row.do_not_email = true;
        world.insert::<entity::contact::Entity>(row).await;
        let refused = refusal(world.start(&sender, id).await);
        assert!(refused.message.contains("all 1 contacts"), "{}", refused.message);
    }

    async fn states_allow_what_they_should_and_nothing_else(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let id = world.started(&sender, 3).await;
        let mut tx = world.store.begin().await.unwrap();
        let wrong = |result: domain::Result<_>| {
            let result: domain::Result<entity::campaign::Model> = result;
            assert!(result.is_err(), "{result:?}");
            assert_eq!(refusal(result).code, RefusalCode::WrongState);
        };
        wrong(campaign::schedule(&mut tx, &sender, id, Timing::default()).await);
        wrong(campaign::update(&mut tx, &sender, id, 2, Changes::default()).await);
        wrong(campaign::resume(&mut tx, &sender, id).await);
        assert_eq!(campaign::pause(&mut tx, &sender, id).await.unwrap().state, CampaignState::Paused);
        wrong(campaign::pause(&mut tx, &sender, id).await);
        assert_eq!(campaign::resume(&mut tx, &sender, id).await.unwrap().state, CampaignState::Sending);
        assert_eq!(campaign::cancel(&mut tx, &sender, id).await.unwrap().state, CampaignState::Cancelled);
        wrong(campaign::cancel(&mut tx, &sender, id).await);
        wrong(campaign::resume(&mut tx, &sender, id).await);
        tx.commit().await.unwrap();
        assert_eq!(world.states(id).await.cancelled, 3);
    }

    async fn a_campaign_starts_at_its_time_and_not_after_it(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        world.employers(tag, 2).await;
        let hour = TimeDelta::hours(1);
        let opens = world.store.now() + hour;
        let timing = Timing { not_before: Some(opens), not_after: Some(opens + hour) };
        let schedule = async |id| {
            let mut tx = world.store.begin().await.unwrap();
            let scheduled = campaign::schedule(&mut tx, &sender, id, timing).await.unwrap();
            assert_eq!(scheduled.state, CampaignState::Scheduled);
            tx.commit().await.unwrap();
        };
        let start = async |id| {
            let mut tx = world.store.begin().await.unwrap();
            let started = campaign::start_scheduled(&mut tx, StartCampaign { campaign_id: id, not_before: opens }).await;
            tx.commit().await.unwrap();
            started.unwrap()
        };
        let (first, second) = (world.campaign(&sender, tag, "Hello").await, world.campaign(&sender, tag, "Hello").await);
        schedule(first).await;
        schedule(second).await;
        assert!(!start(first).await, "not before its time");
        bed.clock().set(opens);
        assert!(start(first).await);
        assert!(!start(first).await, "once");
        assert_eq!(world.campaign_row(first).await.state, CampaignState::Sending);
        bed.clock().set(opens + hour + hour);
        assert!(start(second).await);
        assert_eq!(world.campaign_row(second).await.state, CampaignState::Missed);
        assert_eq!(world.ledger(second).await.len(), 0);
    }

    async fn a_scheduled_start_needs_the_right_again(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("engineering").await;
        world.employers(tag, 2).await;
        let id = world.campaign(&sender, tag, "Hello").await;
        let opens = world.store.now() + TimeDelta::hours(1);
        let mut tx = world.store.begin().await.unwrap();
        let timing = Timing { not_before: Some(opens), not_after: None };
        campaign::schedule(&mut tx, &sender, id, timing).await.unwrap();
        tx.commit().await.unwrap();
        entity::access_grant::Entity::update_many()
            .col_expr(entity::access_grant::Column::State, Expr::val(entity::access_grant::GrantState::Revoked))
            .exec(world.store.reader()).await.unwrap();
        bed.clock().set(opens);
        let mut tx = world.store.begin().await.unwrap();
        let job = StartCampaign { campaign_id: id, not_before: opens };
        let refused = refusal(campaign::start_scheduled(&mut tx, job).await);
        drop(tx);
        let mut tx = world.store.begin().await.unwrap();
        campaign::give_up_start(&mut tx, id, &refused.message).await.unwrap();
        tx.commit().await.unwrap();
        let campaign = world.campaign_row(id).await;
        assert_eq!(campaign.state, CampaignState::Draft);
        assert!(campaign.refusal.unwrap().contains("no longer send bulk e-mail"));
    }
}

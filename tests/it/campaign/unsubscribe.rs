//! The way out of bulk mail.

use domain::{
    RefusalCode,
    campaign::{self, Audience, SkipReason, unsubscribe},
    suppression::AddressKey,
};
use entity::contact;
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};
use support::on_both_columns;

use super::world::{World, refusal};

on_both_columns! {
    async fn reading_a_link_changes_nothing_and_using_it_holds_for_good(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (store, sender) = (&world.store, world.sender().await);
        let tag = world.tag("engineering").await;
        let org = world.organisation("Lovelace & Sons", &[tag]).await;
        let ada = world.contact(org, "ada");
        world.insert::<contact::Entity>(ada.clone()).await;
        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        world.start(&sender, id).await.unwrap();
        let mail = world.ledger(id).await.remove(0);
        let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
        let token = unsubscribe::token(&key, mail.id, &mail.address).unwrap();
        let ada_now = async || contact::Entity::find_by_id(ada.id).one(store.reader()).await.unwrap().unwrap();

        let link = unsubscribe::read(store, &token).await.unwrap().unwrap();
        assert_eq!(ada_now().await.bulk_opted_out_at, None);
        for _ in 0..2 {
            let mut tx = store.begin().await.unwrap();
            unsubscribe::unsubscribe(&mut tx, link).await.unwrap();
            tx.commit().await.unwrap();
        }
        let unsubscribed = ada_now().await;
        assert_eq!((unsubscribed.bulk_opted_out_at, unsubscribed.version), (Some(store.now()), 2));

        // A new contact with the old address gets no mail either.
        let mut again = world.contact(org, "ada lovelace");
        again.email = ada.email.clone();
        let mut left = unsubscribed.into_active_model();
        left.email = Set(None);
        world.change(left).await;
        world.insert::<contact::Entity>(again).await;
        let audience = Audience { all_of: vec![tag], ..Audience::default() };
        let preview = campaign::preview(store, &sender, &audience, None).await.unwrap();
        let skipped = [(SkipReason::OptedOut, 1), (SkipReason::Suppressed, 1)];
        assert_eq!((preview.recipients, preview.skipped), (0, skipped.into()));
        let second = world.campaign(&sender, tag, "Dear {{ name }}").await;
        assert_eq!(refusal(world.start(&sender, second).await).code, RefusalCode::EmptyAudience);
    }

    async fn all_processes_have_one_key(bed: TestBed) {
        let store = bed.store().await;
        let hash = async || {
            let key = AddressKey::load(store.reader(), store.now()).await.unwrap();
            key.hash("ada@employer.test").unwrap()
        };
        let (a, b, c) = tokio::join!(hash(), hash(), hash());
        assert!(a == b && b == c);
    }
}

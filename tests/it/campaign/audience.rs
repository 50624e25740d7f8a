//! Who is reached, and who is left out and why.

use std::collections::BTreeMap;

use domain::{
    RefusalCode,
    campaign::{self, Audience, SkipReason},
    suppression::{self, AddressKey},
};
use entity::{
    contact::ContactState, ids::TagId, organisation::OrganisationState,
    suppression::SuppressionReason,
};
use support::on_both_columns;

use super::world::{World, refusal};

on_both_columns! {
    async fn every_reason_to_be_left_out_is_counted(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let (store, sender) = (&world.store, world.sender().await);
        let tag = world.tag("engineering").await;
        let org = world.organisation("Lovelace & Sons", &[tag]).await;
        let now = store.now();
        let mut rows = Vec::new();
        let mut add = |change: &dyn Fn(&mut entity::contact::Model)| {
            let mut row = world.contact(org, &format!("c{}", rows.len()));
            change(&mut row);
            rows.push(row);
        };
        add(&|_| {});
        add(&|row| row.state = ContactState::Inactive);
        add(&|row| row.do_not_email = true);
        add(&|row| row.bulk_opted_out_at = Some(now));
        add(&|row| row.on_hold_at = Some(now));
        add(&|row| row.email = None);
        add(&|row| row.email = Some(String::new()));
        for wrong in ["nobody", "a b@c.test", "a@b@c.test", "a@b"] {
            add(&|row| row.email = Some(wrong.to_owned()));
        }
        add(&|row| row.email = Some("gone@employer.test".to_owned()));
        add(&|row| row.email = Some("c0@employer.test".to_owned()));
        // Somebody who is left out takes no address from anybody.
        add(&|row| { row.email = Some("shared@employer.test".to_owned()); row.do_not_email = true; });
        add(&|row| row.email = Some("shared@employer.test".to_owned()));
        for row in rows {
            world.insert::<entity::contact::Entity>(row).await;
        }
        let mut tx = store.begin().await.unwrap();
        let key = AddressKey::load(tx.conn(), now).await.unwrap();
        let hash = key.hash("GONE@employer.test").unwrap();
        suppression::suppress(&mut tx, &hash, SuppressionReason::Complained).await.unwrap();
        suppression::suppress(&mut tx, &hash, SuppressionReason::Erased).await.unwrap();
        tx.commit().await.unwrap();

        let audience = Audience { all_of: vec![tag], ..Audience::default() };
        let preview = campaign::preview(store, &sender, &audience, None).await.unwrap();
        let skipped = BTreeMap::from([
            (SkipReason::Inactive, 1),
            (SkipReason::DoNotEmail, 2),
            (SkipReason::OptedOut, 1),
            (SkipReason::OnHold, 1),
            (SkipReason::NoAddress, 2),
            (SkipReason::InvalidAddress, 4),
            (SkipReason::Suppressed, 1),
            (SkipReason::DuplicateAddress, 1),
        ]);
        assert_eq!((preview.recipients, &preview.skipped), (2, &skipped));

        let id = world.campaign(&sender, tag, "Dear {{ name }}").await;
        let started = world.start(&sender, id).await.unwrap();
        assert_eq!(started.recipients, 2);
        assert_eq!(serde_json::from_value::<campaign::Skipped>(started.skipped).unwrap(), skipped);
        let mut addresses: Vec<String> = world.ledger(id).await.into_iter().map(|mail| mail.address).collect();
        addresses.sort();
        assert_eq!(addresses, ["c0@employer.test", "shared@employer.test"]);
    }

    async fn tags_are_all_of_any_of_and_none_of_over_approved_organisations(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let (a, b, c) = (world.tag("a").await, world.tag("b").await, world.tag("c").await);
        let approved = OrganisationState::Approved;
        for (state, name, tags) in [
            (approved, "only a", vec![a]),
            (approved, "a and b", vec![a, b]),
            (approved, "a and c", vec![a, c]),
            (approved, "all", vec![a, b, c]),
            (approved, "none", vec![]),
            (OrganisationState::Pending, "pending", vec![a, b]),
            (OrganisationState::Suspended, "suspended", vec![a, b]),
        ] {
            let id = world.organisation_in(state, name, &tags).await;
            world.insert::<entity::contact::Entity>(world.contact(id, name)).await;
        }
        let reached = async |all_of: &[TagId], any_of: &[TagId], none_of: &[TagId]| {
            let audience = Audience { all_of: all_of.to_vec(), any_of: any_of.to_vec(), none_of: none_of.to_vec(), ..Audience::default() };
            campaign::preview(&world.store, &sender, &audience, None).await.unwrap().recipients
        };
        assert_eq!(reached(&[a], &[], &[]).await, 4);
        assert_eq!(reached(&[a, b], &[], &[]).await, 2);
        assert_eq!(reached(&[a, b, b], &[], &[]).await, 2, "a tag named twice counts once");
        assert_eq!(reached(&[], &[b, c], &[]).await, 3);
        assert_eq!(reached(&[a], &[b, c], &[]).await, 3);
        assert_eq!(reached(&[a], &[], &[b]).await, 2);
        assert_eq!(reached(&[a], &[b, c], &[c]).await, 1);
    }

    async fn an_audience_without_tags_or_with_unknown_ones_is_refused(bed: TestBed) {
        let world = World::new(bed.store().await).await;
        let sender = world.sender().await;
        let tag = world.tag("a").await;
        let preview = async |audience: Audience| campaign::preview(&world.store, &sender, &audience, None).await;
        let none = Audience { none_of: vec![tag], ..Audience::default() };
        let refused = refusal(preview(none).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::Required, Some("allOfTags")));

        let unknown = Audience { any_of: vec![tag, TagId::new_at(world.store.now())], ..Audience::default() };
        let refused = refusal(preview(unknown).await);
        assert_eq!((refused.code, refused.field), (RefusalCode::NotFound, Some("anyOfTags")));
    }
}

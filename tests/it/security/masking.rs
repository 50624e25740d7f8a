//! What is somebody's is masked where a row is written for a log (policy 3).

use std::fmt::Debug;

use entity::{contact, delivery, user};
use sea_orm::EntityTrait;
use support::on_both_columns;

/// A row as a log would have it.
fn shown(row: &impl Debug) -> String {
    format!("{row:?}")
}

on_both_columns! {
    async fn a_row_that_is_logged_by_mistake_tells_nobody_of_its_person(bed: TestBed) {
        let store = bed.store().await;
        api::demo::load(&store).await.unwrap();
        let accounts = user::Entity::find().all(store.reader()).await.unwrap();
        assert!(!accounts.is_empty());
        for account in &accounts {
            let text = shown(account);
            // The control: what is nobody's is there.
            assert!(text.contains("kind") && text.contains(&shown(&account.id)), "{text}");
            assert!(!text.contains(&account.name) && !text.contains(&account.email), "{text}");
        }
        for contact in contact::Entity::find().all(store.reader()).await.unwrap() {
            let text = shown(&contact);
            assert!(text.contains(&shown(&contact.id)));
            for value in [Some(contact.name), contact.email, contact.telephone].into_iter().flatten() {
                assert!(!text.contains(&value), "{text}");
            }
        }
        for mail in delivery::Entity::find().all(store.reader()).await.unwrap() {
            assert!(!shown(&mail).contains(&mail.address));
        }
        let viewer = domain::Viewer::load(store.reader(), accounts[0].id, None, store.now()).await.unwrap().unwrap();
        assert!(!shown(&viewer).contains(&accounts[0].email));
    }
}

//! Erasure finds a person however they are written, and by what they were called and reached by earlier.

use domain::{
    Store, Viewer,
    data_protection::{self, Run},
};
use entity::{
    contact,
    delivery::{self, DeliveryState},
    ids::{DeliveryId, RegistrationId},
    note, registration,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, QueryOrder};
use serde_json::{Value, json};
use support::{Client, keep_values_of, on_both_columns};

use super::person::{columns_with, nothing_is_on_its_way};

const NOTE: &str = "mutation($input: AddNoteInput!) { addNote(input: $input) {
    note { id } userErrors { code field message } } }";
const CHANGE: &str = "mutation($input: UpdateContactInput!) { updateContact(input: $input) {
    contact { version } userErrors { code field message } } }";

/// What stands of her somewhere, and must not afterwards.
const WRITTEN: &[&str] = &[
    "ADA LOVELACE",
    "ada  lovelace",
    "Lovelace, Ada",
    "Augusta BYRON",
    "Ada@Engines.TEST",
    "AUGUSTA@byron.test",
    "0113 496 0123",
    "01134960123",
    "(0113) 496-0123",
    "+44 113 4960123",
    "+44 (0)113.496.0123",
    "0044-113-496-0123",
    // That of her registration alone.
    "07700-900 456",
    "+447700900456",
];

/// What is not hers, and stays.
const OTHERS: &[&str] = &[
    "0113 496 0124",
    "Ada Love",
    "Adalbert",
    "ada@engines.example",
];

/// Which of these stand somewhere, and in which columns.
async fn standing(store: &Store, all: &[&'static str]) -> Vec<(&'static str, Vec<String>)> {
    let mut found = Vec::new();
    for text in all {
        let columns = columns_with(store, &[(*text).to_owned()]).await;
        if !columns.is_empty() {
            found.push((*text, columns));
        }
    }
    found
}

async fn change(client: &Client, input: Value) -> Value {
    let told = client.data(CHANGE, json!({ "input": input })).await;
    assert_eq!(told["updateContact"]["userErrors"], json!([]));
    told["updateContact"]["contact"]["version"].clone()
}

async fn write(client: &Client, about: &contact::Model, body: &str) {
    let input = json!({
        "organisationId": about.organisation_id, "contactId": about.id, "kind": "CALL", "body": body,
    });
    let told = client.data(NOTE, json!({ "input": input })).await;
    assert_eq!(told["addNote"]["userErrors"], json!([]), "{body}");
}

on_both_columns! {
    async fn no_spelling_no_former_address_and_no_other_way_of_writing_a_number_is_left(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let operator = system.demo_client("operator").await;
        let account = super::super::super_user_group::account(&system, "employer").await;
        let contacts = contact::Entity::find().order_by_asc(contact::Column::Id).all(store.reader()).await.unwrap();
        let hers = contacts.iter().find(|row| Some(row.id) == account.contact_id).unwrap().clone();
        let another = contacts.iter().find(|row| row.organisation_id != hers.organisation_id).unwrap().clone();
        // She had another name and another address, of which the log alone knows.
        let version = change(&operator, json!({
            "id": hers.id, "version": hers.version, "name": "Augusta Byron", "email": "augusta@byron.test",
        }))
        .await;
        change(&operator, json!({
            "id": hers.id, "version": version, "name": "Ada Lovelace", "email": "ada@engines.test", "telephone": "0113 496 0123",
        }))
        .await;
        registration::Entity::insert(registration::Model {
            id: RegistrationId::new_at(store.now()),
            user_id: account.id,
            organisation_id: hers.organisation_id,
            kind: registration::RegistrationKind::Join,
            state: registration::RegistrationState::Declined,
            job_title: None,
            telephone: Some("07700 900456".to_owned()),
            submitted_at: store.now(),
            decided_by: None,
            decided_at: None,
            reason: None,
        }.into_active_model().reset_all())
        .exec_without_returning(store.reader())
        .await
        .unwrap();
        // In notes about somebody else, in what a mail to somebody else is filled with, and in the log.
        for text in WRITTEN.iter().chain(OTHERS) {
            write(&operator, &another, &format!("It was said ({text}) at the fair.")).await;
        }
        write(&operator, &hers, "Ada called; Lovelace it is.").await;
        nothing_is_on_its_way(store).await;
        let texts: Vec<&str> = WRITTEN.iter().chain(OTHERS).copied().collect();
        let letter = delivery::Model {
            id: DeliveryId::new_at(store.now()),
            campaign_id: None,
            contact_id: None,
            user_id: None,
            address: "somebody@else.test".to_owned(),
            address_domain: "else.test".to_owned(),
            purpose_key: Some("test/1".to_owned()),
            fields: json!({ "said": texts }),
            state: DeliveryState::Sent,
            message_id: "test-1@university.test".to_owned(),
            recipient_name: "Somebody Else".to_owned(),
            template: "test".to_owned(),
            attachments: None,
            attempts: 1,
            next_attempt_at: store.now(),
            claimed_by: None,
            claimed_until: None,
            sent_at: Some(store.now()),
            last_reply: None,
            request_id: None,
            created_at: store.now(),
            bounce: None,
            bounced_at: None,
            complained_at: None,
        };
        delivery::Entity::insert(letter.into_active_model().reset_all()).exec_without_returning(store.reader()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for text in &texts {
            tx.audit(&Viewer::system(), "test.mention", text_number(&texts, text), None, Some(json!({ "said": [text] }))).await.unwrap();
        }
        tx.commit().await.unwrap();
        let before = standing(store, WRITTEN).await;
        assert_eq!(before.len(), WRITTEN.len(), "the control: each of them stands there: {before:?}");
        assert!(before.iter().all(|(_, columns)| columns.len() >= 3), "{before:?}");
        keep_values_of(store.reader()).await;

        let mut tx = store.begin().await.unwrap();
        let reason = "ADA LOVELACE asked, on 0113/4960123.";
        data_protection::erase(&mut tx, &Viewer::system(), &account.id.to_string(), reason, Run::Real).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(standing(store, WRITTEN).await, []);
        assert_eq!(standing(store, &["4960123", "496 0123", "900456", "900 456", "byron", "lovelace"]).await, []);
        let others = standing(store, OTHERS).await;
        assert_eq!(others.len(), OTHERS.len(), "what is others' stays: {others:?}");
        assert!(others.iter().all(|(_, columns)| columns.len() >= 3), "in the log and in the mail too: {others:?}");
        system.stop().await;
    }

    async fn a_name_of_one_word_goes_from_the_persons_own_rows_and_is_a_word_elsewhere(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let operator = system.demo_client("operator").await;
        let contacts = contact::Entity::find().order_by_asc(contact::Column::Id).all(store.reader()).await.unwrap();
        let accounts = entity::user::Entity::find().all(store.reader()).await.unwrap();
        let free: Vec<_> = contacts
            .into_iter()
            .filter(|row| accounts.iter().all(|account| account.contact_id != Some(row.id)))
            .collect();
        let (hers, another) = (free[0].clone(), free[1].clone());
        let mut row = hers.clone().into_active_model();
        row.name = Set("Madonna".to_owned());
        row.update(store.reader()).await.unwrap();
        write(&operator, &hers, "MADONNA asked for a stand. The Madonnas sing.").await;
        write(&operator, &another, "They lend us the Madonna for the exhibition.").await;
        nothing_is_on_its_way(store).await;
        keep_values_of(store.reader()).await;
        let mut tx = store.begin().await.unwrap();
        data_protection::erase(&mut tx, &Viewer::system(), &hers.id.to_string(), "asked", Run::Real).await.unwrap();
        tx.commit().await.unwrap();
        let mut bodies: Vec<String> = note::Entity::find().all(store.reader()).await.unwrap().into_iter().map(|row| row.body).collect();
        bodies.retain(|body| body.contains("stand. The") || body.contains("exhibition"));
        bodies.sort();
        assert_eq!(bodies, ["They lend us the Madonna for the exhibition.", "[erased] asked for a stand. The Madonnas sing."]);
        system.stop().await;
    }

    async fn an_earlier_address_that_is_another_persons_now_is_left_to_them(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let operator = system.demo_client("operator").await;
        let contacts = contact::Entity::find().order_by_asc(contact::Column::Id).all(store.reader()).await.unwrap();
        let accounts = entity::user::Entity::find().all(store.reader()).await.unwrap();
        let free: Vec<_> = contacts
            .into_iter()
            .filter(|row| accounts.iter().all(|account| account.contact_id != Some(row.id)))
            .collect();
        let (hers, another) = (free[0].clone(), free[1].clone());
        let version = change(&operator, json!({ "id": hers.id, "version": hers.version, "email": "careers@office.test" })).await;
        change(&operator, json!({ "id": hers.id, "version": version, "email": "hers@office.test" })).await;
        change(&operator, json!({ "id": another.id, "version": another.version, "email": "careers@office.test" })).await;
        write(&operator, &another, "Write to Careers@Office.test, not to HERS@office.test.").await;
        nothing_is_on_its_way(store).await;
        keep_values_of(store.reader()).await;
        let mut tx = store.begin().await.unwrap();
        data_protection::erase(&mut tx, &Viewer::system(), &hers.id.to_string(), "asked", Run::Real).await.unwrap();
        tx.commit().await.unwrap();
        let left = note::Entity::find().all(store.reader()).await.unwrap();
        assert!(left.iter().any(|row| row.body == "Write to Careers@Office.test, not to [erased]."));
        system.stop().await;
    }
}

fn text_number(texts: &[&str], text: &str) -> usize {
    texts
        .iter()
        .position(|one| *one == text)
        .unwrap_or_default()
}

//! What people and administrators ask for through the API: a copy of everything, and that somebody goes.

use std::time::Duration;

use chrono::TimeDelta;
use domain::data_protection::{ApplyRetention, Person};
use entity::{audit_entry, booking, booking::BookingState, contact, subject_access, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use support::{Client, Response, System, TestBed, keep_values_of, on_both_columns, until};

use super::person::{columns_with, nothing_is_on_its_way};
use crate::{profile::PNG, super_user_group::account};

const PATIENCE: Duration = Duration::from_secs(30);

const COPY: &str = "mutation($id: ID) { requestSubjectAccessExport(input: { personId: $id }) {
    export { id requestedAt expiresAt } userErrors { code field } } }";
const ERASE: &str = "mutation($id: ID!, $reason: String!, $dryRun: Boolean!) {
    erasePerson(input: { personId: $id, reason: $reason, dryRun: $dryRun }) {
        erasure { isDryRun changes { table column rows outcome keptBecause } } userErrors { code field message } } }";
const PHOTO: &str =
    "mutation($photo: String) { updateProfile(input: { version: 0, photo: $photo }) {
    profile { version photo { url } } userErrors { code field message } } }";

async fn ask(client: &Client, id: Option<&str>) -> Response {
    client.graphql(COPY, json!({ "id": id })).await
}

async fn erase(client: &Client, id: &str, dry_run: bool) -> Response {
    let variables = json!({ "id": id, "reason": "They asked on 3 March.", "dryRun": dry_run });
    client.graphql(ERASE, variables).await
}

/// The link that this person was sent.
async fn link(bed: &TestBed, to: &str) -> String {
    until(PATIENCE, "the mail with the link", async || {
        bed.mail().received().iter().find_map(|mail| {
            let parsed = mail_parser::MessageParser::default().parse(&mail.raw)?;
            let text = parsed.body_text(0)?;
            let (_, rest) = text.split_once("/personal-data/")?;
            let token = rest.split_whitespace().next()?;
            (mail.to == [to]).then(|| format!("/personal-data/{token}"))
        })
    })
    .await
}

async fn fetch(system: &System, link: &str, form: &str) -> reqwest::Response {
    let path = format!("{link}/{form}");
    let post = system.client().request(reqwest::Method::POST, &path);
    post.send().await.unwrap()
}

async fn lines(system: &System, action: &str) -> Vec<audit_entry::Model> {
    audit_entry::Entity::find()
        .filter(audit_entry::Column::Action.eq(action))
        .order_by_asc(audit_entry::Column::Number)
        .all(system.store().reader())
        .await
        .unwrap()
}

/// Somebody at an organisation who has no account.
async fn contact_without_account(system: &System) -> contact::Model {
    let accounts: Vec<_> = user::Entity::find()
        .all(system.store().reader())
        .await
        .unwrap()
        .into_iter()
        .filter_map(|account| account.contact_id)
        .collect();
    contact::Entity::find()
        .filter(contact::Column::Id.is_not_in(accounts))
        .filter(contact::Column::Email.is_not_null())
        .filter(contact::Column::Telephone.is_not_null())
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

on_both_columns! {
    async fn a_copy_is_told_of_by_mail_and_is_for_whoever_has_the_link_until_it_expires(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let email = "student1@demo.mycareer.test";
        let shown = student.data(PHOTO, json!({ "photo": PNG })).await;
        assert!(shown["updateProfile"]["profile"]["photo"]["url"].is_string(), "{shown}");

        let asked = ask(&student, None).await;
        assert_eq!(asked.refusals(), [""; 0]);
        assert_eq!(ask(&student, None).await.refusals(), ["WRONG_STATE"], "one at a time");
        let link = link(&bed, email).await;

        // A mail program that follows the link takes nothing, and learns nothing.
        let page = system.client().get(&link).await;
        assert_eq!(page.status(), 200);
        assert_eq!(page.headers()["Cache-Control"], "no-store");
        assert!(!page.text().await.unwrap().contains(email));
        assert_eq!(lines(&system, "person.fetch_export").await.len(), 0);
        assert_eq!(system.client().get(&format!("{link}/json")).await.status(), 405);

        let got = fetch(&system, &link, "json").await;
        assert_eq!(got.status(), 200);
        assert!(got.headers()["Content-Disposition"].to_str().unwrap().starts_with("attachment"));
        let copy: Value = got.json().await.unwrap();
        let table = |name: &str| copy["tables"].as_array().unwrap().iter().find(|part| part["table"] == name).cloned();
        assert_eq!(table("user_account").unwrap()["about_them"][0]["email"], email);
        assert!(table("profile_photo").unwrap()["about_them"][0]["bytes"].as_str().unwrap().len() > 100);
        let got = fetch(&system, &link, "document").await;
        assert_eq!(got.status(), 200);
        assert!(got.headers()["Content-Security-Policy"].to_str().unwrap().contains("sandbox"));
        let document = got.text().await.unwrap();
        assert!(document.contains(email) && document.contains("data:image/jpeg;base64,"), "{document}");
        assert!(!document.contains("argon2"));

        // Each of it is in the log.
        let own = account(&system, "student1").await.id;
        let requested = lines(&system, "person.request_export").await;
        assert_eq!((requested.len(), requested[0].actor_id), (1, Some(own)));
        assert_eq!(lines(&system, "person.export").await.len(), 1);
        let forms: Vec<_> = lines(&system, "person.fetch_export").await.into_iter().map(|line| line.after.unwrap()["form"].clone()).collect();
        assert_eq!(forms, ["json", "document"]);

        // An altered link is none, and this one ends after a week; then the copy goes.
        let altered = format!("{}{}", &link[..link.len() - 1], if link.ends_with('A') { 'B' } else { 'A' });
        let shorter = &link[..link.len() - 4];
        for wrong in [altered.as_str(), shorter, "/personal-data/x"] {
            assert_eq!(system.client().get(wrong).await.status(), 404, "{wrong}");
            assert_eq!(fetch(&system, wrong, "json").await.status(), 404, "{wrong}");
        }
        bed.clock().advance(TimeDelta::days(6));
        assert_eq!(system.client().get(&link).await.status(), 200);
        bed.clock().advance(TimeDelta::days(2));
        assert_eq!(system.client().get(&link).await.status(), 404);
        assert_eq!(fetch(&system, &link, "json").await.status(), 404);
        let mut tx = system.store().begin().await.unwrap();
        tx.enqueue(&ApplyRetention::default(), None).await.unwrap();
        tx.commit().await.unwrap();
        until(PATIENCE, "the copy is deleted", async || {
            let left = subject_access::Entity::find().count(system.store().reader()).await.unwrap();
            (left == 0).then_some(())
        })
        .await;
    }

    async fn administrators_alone_ask_for_the_copy_of_somebody_else_who_is_told_themselves(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let contact = contact_without_account(&system).await;
        let id = contact.id.to_string();
        for mailbox in ["student1", "employer", "untrained", "operator", "superuser"] {
            let client = system.demo_client(mailbox).await;
            assert_eq!(ask(&client, Some(&id)).await.codes(), ["FORBIDDEN"], "{mailbox}");
        }
        assert_eq!(ask(system.client(), None).await.codes()[0], "FORBIDDEN");
        assert_eq!(subject_access::Entity::find().count(system.store().reader()).await.unwrap(), 0);

        let admin = system.demo_client("admin").await;
        assert_eq!(ask(&admin, Some("org_01h455vb4pex5vsknk084sn02q")).await.codes(), ["BAD_USER_INPUT"]);
        assert_eq!(ask(&admin, Some("con_01h455vb4pex5vsknk084sn02q")).await.refusals(), ["NOT_FOUND"]);
        assert_eq!(ask(&admin, Some(&id)).await.refusals(), [""; 0]);
        let link = link(&bed, contact.email.as_deref().unwrap()).await;
        let copy: Value = fetch(&system, &link, "json").await.json().await.unwrap();
        assert!(copy.to_string().contains(&contact.name));
        assert!(!copy.to_string().contains("admin@demo"), "whoever asked is left out");
        // Their own they ask for like everybody.
        assert_eq!(ask(&admin, None).await.refusals(), [""; 0]);
    }

    async fn an_administrator_erases_a_person_and_is_shown_first_what_would_go(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let student = system.demo_client("student1").await;
        let shown = student.data(PHOTO, json!({ "photo": PNG })).await;
        let photo = shown["updateProfile"]["profile"]["photo"]["url"].as_str().unwrap().to_owned();
        assert_eq!(ask(&student, None).await.refusals(), [""; 0]);
        let link = link(&bed, "student1@demo.mycareer.test").await;
        let id = account(&system, "student1").await.id.to_string();
        let values = Person::find(store.reader(), &id).await.unwrap().values();

        for mailbox in ["student1", "employer", "untrained", "operator", "superuser"] {
            let client = system.demo_client(mailbox).await;
            assert!(erase(&client, &id, true).await.codes().contains(&"FORBIDDEN"), "{mailbox}");
        }
        let admin = system.demo_client("admin").await;
        // Their places are others' to have first.
        assert_eq!(erase(&admin, &id, false).await.refusals(), ["WRONG_STATE"]);
        let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id }) { userErrors { code } } }";
        let live = [BookingState::Booked, BookingState::Waiting, BookingState::Offered];
        let live = booking::Entity::find()
            .filter(booking::Column::UserId.eq(account(&system, "student1").await.id))
            .filter(booking::Column::State.is_in(live));
        for row in live.all(store.reader()).await.unwrap() {
            student.data(cancel, json!({ "id": row.id })).await;
        }
        nothing_is_on_its_way(store).await;
        let no_reason = json!({ "id": id, "reason": " ", "dryRun": false });
        assert_eq!(admin.graphql(ERASE, no_reason).await.refusals(), ["REQUIRED"]);

        let numbers = audit_entry::Entity::find().count(store.reader()).await.unwrap();
        let dry = erase(&admin, &id, true).await;
        assert_eq!(dry.refusals(), [""; 0]);
        let would = &dry.data["erasePerson"]["erasure"];
        assert_eq!(would["isDryRun"], true);
        assert_eq!(audit_entry::Entity::find().count(store.reader()).await.unwrap(), numbers, "it leaves no trace");
        assert!(columns_with(store, &values).await.len() > 1, "nor does it change anything");
        assert_eq!(student.graphql("{ viewer { email } }", json!({})).await.codes(), [""; 0]);
        let of = |table: &str| would["changes"].as_array().unwrap().iter().find(|change| change["table"] == table).cloned().unwrap();
        assert_eq!((of("profile_photo")["outcome"].clone(), of("profile_photo")["keptBecause"].clone()), (json!("DELETED"), Value::Null));
        assert_eq!(of("user_account")["outcome"], "EMPTIED");
        assert!(of("user_account")["keptBecause"].as_str().unwrap().contains("pseudonym"));

        keep_values_of(store.reader()).await;
        let done = erase(&admin, &id, false).await;
        assert_eq!(done.data["erasePerson"]["erasure"]["changes"], would["changes"], "as was said");
        assert_eq!(columns_with(store, &values).await, [""; 0]);
        assert_eq!(student.graphql("{ viewer { email } }", json!({})).await.codes(), ["UNAUTHENTICATED"]);
        assert_eq!(system.client().get(&photo).await.status(), 404);
        assert_eq!(system.client().get(&link).await.status(), 404);
        let log = lines(&system, "person.erase").await;
        assert_eq!((log.len(), log[0].actor_id), (1, Some(account(&system, "admin").await.id)));
        assert!(log[0].after.clone().unwrap().to_string().contains("3 March"));
        let own = account(&system, "admin").await.id.to_string();
        assert_eq!(erase(&admin, &own, true).await.refusals()[0], "WRONG_STATE", "administrators first give up their office");
    }

    async fn a_contact_without_an_account_is_erased_as_well(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let contact = contact_without_account(&system).await;
        let values = [contact.email.clone().unwrap(), contact.telephone.clone().unwrap()];
        assert!(!columns_with(system.store(), &values).await.is_empty());
        let admin = system.demo_client("admin").await;
        nothing_is_on_its_way(system.store()).await;
        keep_values_of(system.store().reader()).await;
        let done = erase(&admin, &contact.id.to_string(), false).await;
        assert_eq!(done.refusals(), [""; 0], "{done:?}");
        assert_eq!(columns_with(system.store(), &values).await, [""; 0]);
    }
}

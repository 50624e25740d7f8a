//! Letters, which are all mails but those of campaigns: they reach those who opted out of bulk mail, and never those who must not
//! be sent any mail, nor addresses at which mail is held back (policy 2.5 and 3).

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use chrono::TimeDelta;
use domain::{
    delivery::ALWAYS_SENT,
    mail::{self, Letter},
    suppression::{self, AddressKey},
};
use entity::{
    contact,
    delivery::{self, DeliveryState},
    ids::{ContactId, DeliveryId, UserId},
    suppression::SuppressionReason,
    user::{self, UserKind, UserState},
};
use sea_orm::{ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use support::{on_both_columns, until};

use crate::campaign::{office::Office, world::World};

const PATIENCE: Duration = Duration::from_secs(30);

/// Every kind of letter, with fields that it can be written with: whatever folder there is. (That each folder is a mail and each
/// mail a folder is tested beside the templates.)
fn kinds() -> Vec<(&'static str, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../worker/src/mail/templates");
    let mut kinds: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("layout"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let sample = fs::read_to_string(path.join("sample.json")).unwrap();
            let name: &'static str = name.leak();
            (name, serde_json::from_str(&sample).unwrap())
        })
        .collect();
    kinds.sort_by_key(|(name, _)| *name);
    kinds
}

/// A contact as this changes them. Answers their id and address.
async fn contact(
    world: &World,
    name: &str,
    change: impl FnOnce(&mut contact::Model),
) -> (ContactId, String) {
    let organisation = world.organisation(name, &[]).await;
    let mut row = world.contact(organisation, name);
    change(&mut row);
    let known = (row.id, row.email.clone().unwrap());
    world.insert::<contact::Entity>(row).await;
    known
}

/// The account of a contact, under another address than theirs.
async fn account(world: &World, contact_id: ContactId, email: &str) -> UserId {
    let (id, now) = (UserId::new_at(world.store.now()), world.store.now());
    world
        .insert::<user::Entity>(user::Model {
            id,
            email: email.to_owned(),
            name: "Paula".to_owned(),
            kind: UserKind::Employer,
            is_super_user: false,
            is_administrator: false,
            state: UserState::Active,
            faculty_id: None,
            programme_id: None,
            year_of_study: None,
            contact_id: Some(contact_id),
            email_verified_at: Some(now),
            session_version: 0,
            booking_blocked_at: None,
            created_at: now,
            updated_at: now,
        })
        .await;
    id
}

fn letter(template: &'static str, to: &str, user_id: Option<UserId>, fields: Value) -> Letter {
    Letter {
        template,
        to: to.parse().unwrap(),
        name: "Paula".to_owned(),
        user_id,
        purpose_key: format!("test/{template}/{to}"),
        fields,
    }
}

async fn post(world: &World, letter: Letter) -> DeliveryId {
    let mut tx = world.store.begin().await.unwrap();
    let posted = mail::post(&mut tx, letter).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    posted
}

async fn row(world: &World, id: DeliveryId) -> delivery::Model {
    let found = delivery::Entity::find_by_id(id);
    found.one(world.store.reader()).await.unwrap().unwrap()
}

on_both_columns! {
    async fn no_kind_of_letter_reaches_who_wants_no_mail_or_is_on_hold_but_the_few_that_are_named(bed: TestBed) {
        let office = Office::open(&bed).await;
        let world = &office.world;
        let now = world.store.now();
        // The controls: nothing against it, and against bulk mail alone.
        let (_, free) = contact(world, "free", |_| {}).await;
        let (_, opted_out) = contact(world, "opted out", |row| row.bulk_opted_out_at = Some(now)).await;
        let mut tx = world.store.begin().await.unwrap();
        let key = AddressKey::load(tx.conn(), now).await.unwrap();
        suppression::suppress(&mut tx, &key.hash(&opted_out).unwrap(), SuppressionReason::Unsubscribed).await.unwrap();
        tx.commit().await.unwrap();
        let (_, no_mail) = contact(world, "no mail", |row| row.do_not_email = true).await;
        let (_, held) = contact(world, "held", |row| row.on_hold_at = Some(now)).await;
        let (person, _) = contact(world, "person", |row| row.do_not_email = true).await;
        let elsewhere = "paula@elsewhere.test";
        let their_account = account(world, person, elsewhere).await;

        let mut posted = BTreeMap::new();
        let mut tx = world.store.begin().await.unwrap();
        for (template, fields) in kinds() {
            for (to, user_id, withheld) in [
                (free.as_str(), None, None),
                (&opted_out, None, None),
                (&no_mail, None, Some("DO_NOT_EMAIL: ")),
                (&held, None, Some("ON_HOLD: ")),
                (elsewhere, Some(their_account), Some("DO_NOT_EMAIL: ")),
            ] {
                let written = mail::post(&mut tx, letter(template, to, user_id, fields.clone())).await.unwrap();
                posted.insert(written.unwrap(), (template, to, withheld));
            }
        }
        tx.commit().await.unwrap();
        assert!(posted.len() > 5 * 40, "these are not all kinds: {}", posted.len());
        office.work().await;

        let copies = office.relay.count_by_message_id();
        for (id, (template, to, withheld)) in posted {
            let row = row(world, id).await;
            let arrived = copies.get(&row.message_id).copied().unwrap_or(0);
            let always = ALWAYS_SENT.iter().any(|(name, _)| *name == template);
            let expected = match withheld.filter(|_| !always) {
                None => (DeliveryState::Sent, 1, None),
                Some(reason) => (DeliveryState::Skipped, 0, Some(reason)),
            };
            let reason = expected.2.filter(|reason| row.last_reply.as_ref().is_some_and(|said| said.starts_with(reason)));
            assert_eq!((row.state, arrived, reason), expected, "{template} to {to}: {:?}", row.last_reply);
        }
        let received = office.relay.received();
        for mail in &received {
            assert!(mail.to.len() == 1 && !mail.raw.is_empty());
        }
        let withheld_from = received.iter().filter(|mail| [no_mail.as_str(), &held, elsewhere].contains(&mail.to[0].as_str()));
        assert_eq!(withheld_from.count(), 3 * ALWAYS_SENT.len(), "what arrived there is what is named");
    }

    async fn a_letter_is_looked_at_when_it_is_claimed_and_not_when_it_was_written(bed: TestBed) {
        let office = Office::open(&bed).await;
        let world = &office.world;
        let (id, address) = contact(world, "ann", |_| {}).await;
        let fields = kinds().into_iter().find(|(name, _)| *name == "booking_cancelled").unwrap().1;
        let of_letter = |n: i32| Letter {
            purpose_key: format!("test/{n}"),
            ..letter("booking_cancelled", &address, None, fields.clone())
        };
        let set = async |do_not_email: bool| {
            let found = contact::Entity::find_by_id(id).one(world.store.reader()).await.unwrap().unwrap();
            let mut row = found.into_active_model();
            row.do_not_email = Set(do_not_email);
            world.change(row).await;
        };
        // Written before, and claimed afterwards; and one whose worker went away with it, which would be sent again.
        let (waiting, orphaned) = (post(world, of_letter(1)).await, post(world, of_letter(2)).await);
        world.leave_claimed(&row(world, orphaned).await).await;
        set(true).await;
        bed.clock().advance(TimeDelta::minutes(1));
        office.work().await;
        for id in [waiting, orphaned] {
            assert_eq!(row(world, id).await.state, DeliveryState::Skipped);
        }
        assert_eq!(office.relay.received().len(), 0);
        // What was skipped stays so. The control: the next letter arrives once nothing stands against it.
        set(false).await;
        let next = post(world, of_letter(3)).await;
        office.work().await;
        assert_eq!(row(world, waiting).await.state, DeliveryState::Skipped);
        assert_eq!(row(world, next).await.state, DeliveryState::Sent);
        assert_eq!(office.relay.received().len(), 1);
        assert_eq!(office.dead_jobs().await, 0);
    }

    async fn an_employer_who_wants_no_mail_still_chooses_a_password_anew(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (operator, employer) = (system.demo_client("operator").await, system.demo_client("employer").await);
        let own = employer.data("{ viewer { contactId } }", json!({})).await;
        let found = operator.data(
            "query($id: ID!) { node(id: $id) { ... on Contact { id version } } }", json!({ "id": own["viewer"]["contactId"] }),
        ).await;
        let (email, contact) = ("employer@demo.mycareer.test", &found["node"]);
        let update = "mutation($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code field message } } }";
        let input = json!({ "id": contact["id"], "version": contact["version"], "doNotEmail": true });
        assert_eq!(operator.data(update, json!({ "input": input })).await["updateContact"]["userErrors"], json!([]));
        let forgotten = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { requested userErrors { code } } }";
        let answer = system.client().data(forgotten, json!({ "input": { "email": email } })).await;
        assert_eq!(answer["requestPasswordReset"]["requested"], true);
        until(PATIENCE, "the letter arrives", async || {
            bed.mail().received().iter().any(|mail| mail.to == [email]).then_some(())
        }).await;
    }
}

#[test]
fn the_letters_that_reach_everybody_are_kinds_of_letters_and_stand_in_the_guide() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operation.md");
    let guide = fs::read_to_string(guide).unwrap();
    let kinds = kinds();
    for (template, why) in ALWAYS_SENT {
        assert!(kinds.iter().any(|(name, _)| name == template), "{template}");
        assert!(
            guide.contains(&format!("| `{template}` | {why} |")),
            "docs/operation.md doesn't say of {template}: {why}"
        );
    }
}

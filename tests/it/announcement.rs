//! Announcements: staff are told as they chose, receipts are counted by faculty, and who has not read a change of the
//! policy is reminded once.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Store, Tx,
    announcement::{RemindOfAnnouncement, TellOfAnnouncement},
    notice::{self, Channel, Topic},
    super_user_group::{self, DigestGroup},
};
use entity::{delivery, ids::UserId, kept_notice, user};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, Desk, on_both_columns, until};
use worker::{
    engine::{Engine, EngineConfig, EngineSignals, Registry},
    services::Services,
};

use crate::{
    delivered::told,
    super_user_group::{account, add_staff, faculty},
};

const PATIENCE: Duration = Duration::from_secs(20);

const PUBLISH: &str = "mutation($input: PublishAnnouncementInput!) {
    publishAnnouncement(input: $input) { announcement { id title remindAt } userErrors { code field message } } }";
const READ: &str = "mutation($id: ID!) {
    markAnnouncementRead(input: { announcementId: $id }) { announcement { readAt } userErrors { code } } }";
const RECEIPTS: &str = "query($id: ID!) { node(id: $id) { ... on Announcement {
    readAt receipts { faculty { name } people read unread { name } } } } }";

fn policy_change() -> Value {
    json!({ "kind": "POLICY_CHANGE", "title": "Second senders", "body": "Large campaigns wait for a second sender." })
}

async fn publish(client: &Client, input: Value) -> String {
    let data = client.data(PUBLISH, json!({ "input": input })).await;
    assert_eq!(
        data["publishAnnouncement"]["userErrors"],
        json!([]),
        "{data}"
    );
    data["publishAnnouncement"]["announcement"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn change<T>(store: &Store, act: impl AsyncFnOnce(&mut Tx) -> domain::Result<T>) -> T {
    let mut tx = store.begin().await.unwrap();
    let done = act(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn choose(store: &Store, person: UserId, topic: Topic, channel: Channel) {
    change(store, async |tx| {
        notice::choose(tx, person, &[(topic, channel)]).await
    })
    .await;
}

/// The mails of a template that were posted, as the accounts they go to.
async fn posted(store: &Store, template: &str) -> Vec<UserId> {
    let rows = delivery::Entity::find()
        .filter(delivery::Column::Template.eq(template))
        .all(store.reader())
        .await
        .unwrap();
    rows.into_iter().filter_map(|row| row.user_id).collect()
}

async fn staff(store: &Store) -> u64 {
    user::Entity::find()
        .filter(user::Column::Kind.eq(user::UserKind::Staff))
        .count(store.reader())
        .await
        .unwrap()
}

/// Runs the jobs of the group that are due.
async fn run_jobs(store: &Store) {
    let registry = Registry::default()
        .with::<TellOfAnnouncement>()
        .with::<RemindOfAnnouncement>()
        .with::<DigestGroup>();
    let engine = Engine::new(
        store.clone(),
        EngineSignals::memory(),
        registry,
        Services::default(),
        EngineConfig::default(),
    );
    engine.run_due().await.unwrap();
}

on_both_columns! {
    async fn a_policy_change_reaches_all_staff_by_mail_and_nobody_else(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let superuser = system.demo_client("superuser").await;
        let digested = account(&system, "untrained").await.id;
        choose(store, digested, Topic::PolicyChange, Channel::DailyDigest).await;
        publish(&superuser, policy_change()).await;
        until(PATIENCE, "the operator is told", async || {
            told(&bed, "Policy change: Second senders").contains(&"operator@demo.mycareer.test".to_owned()).then_some(())
        })
        .await;
        let told_at_once = posted(store, "announcement").await;
        // All but who published it and who wants it in the digest.
        assert_eq!(told_at_once.len() as u64, staff(store).await - 2);
        assert!(!told_at_once.contains(&digested));
        let kept = kept_notice::Entity::find().all(store.reader()).await.unwrap();
        assert_eq!(kept.iter().map(|row| row.user_id).collect::<Vec<_>>(), [digested]);
    }

    async fn a_system_update_is_kept_for_the_digest_or_dropped_as_staff_chose(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let (at_once, never) = (account(&system, "operator").await.id, account(&system, "untrained").await.id);
        choose(store, at_once, Topic::Announcement, Channel::MailAtOnce).await;
        choose(store, never, Topic::Announcement, Channel::None).await;
        let superuser = system.demo_client("superuser").await;
        let business = faculty(&system, "Engineering and Physical Sciences").await;
        let input = json!({ "kind": "SYSTEM_UPDATE", "title": "New calendar", "body": "It begins on Mondays.", "facultyIds": [business] });
        publish(&superuser, input).await;
        until(PATIENCE, "the operator is told", async || (posted(store, "announcement").await == [at_once]).then_some(())).await;
        assert_eq!(kept_notice::Entity::find().count(store.reader()).await.unwrap(), 0, "other faculties are not told");
        // Nobody is told of it twice, whatever runs again.
        let id = system.demo_client("operator").await
            .data("{ announcements(first: 1) { nodes { id title } } }", json!({})).await;
        assert_eq!(id["announcements"]["nodes"][0]["title"], "New calendar");
        let announcement_id = id["announcements"]["nodes"][0]["id"].as_str().unwrap().parse().unwrap();
        change(store, async |tx| domain::announcement::tell_audience(tx, TellOfAnnouncement { announcement_id }).await).await;
        assert_eq!(posted(store, "announcement").await, [at_once]);
    }

    async fn an_announcement_to_faculties_exists_for_their_staff_and_the_group(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let superuser = system.demo_client("superuser").await;
        let environment = faculty(&system, "Environment").await;
        let mut input = policy_change();
        input["facultyIds"] = json!([environment]);
        let id = publish(&superuser, input).await;
        let node = "query($id: ID!) { node(id: $id) { id } }";
        for (mailbox, exists) in [("admin", true), ("superuser", true), ("operator", false), ("untrained", false)] {
            let client = system.demo_client(mailbox).await;
            let found = client.data(node, json!({ "id": id })).await;
            assert_eq!(!found["node"].is_null(), exists, "{mailbox}");
            let all = client.data("{ announcements { nodes { id } } }", json!({})).await;
            let listed = all["announcements"]["nodes"].as_array().unwrap().iter().any(|node| node["id"] == id.as_str());
            assert_eq!(listed, exists, "{mailbox}");
            if !exists {
                assert_eq!(client.graphql(READ, json!({ "id": id })).await.refusals(), ["NOT_FOUND"]);
            }
        }
        for mailbox in ["student1", "employer"] {
            let client = system.demo_client(mailbox).await;
            let answer = client.graphql("{ announcements { totalCount } }", json!({})).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{mailbox}: {answer:?}");
        }
        let operator = system.demo_client("operator").await;
        let answer = operator.graphql(PUBLISH, json!({ "input": policy_change() })).await;
        assert!(answer.codes().contains(&"FORBIDDEN"), "only the Group publishes: {answer:?}");
    }

    async fn receipts_are_counts_for_the_group_and_names_for_the_disseminator_of_a_faculty(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let [superuser, operator, untrained] =
            [system.demo_client("superuser").await, system.demo_client("operator").await, system.demo_client("untrained").await];
        let id = publish(&superuser, policy_change()).await;
        assert_eq!(operator.graphql(READ, json!({ "id": id })).await.refusals(), [""; 0]);
        let again = operator.data(READ, json!({ "id": id })).await;
        assert!(again["markAnnouncementRead"]["announcement"]["readAt"].is_string(), "a second time changes nothing");

        let receipts = async |client: &Client| client.data(RECEIPTS, json!({ "id": id })).await["node"]["receipts"].clone();
        let all = receipts(&superuser).await;
        let engineering = "Engineering and Physical Sciences";
        let of = |all: &Value, name: &str| {
            all.as_array().unwrap().iter().find(|receipt| receipt["faculty"]["name"] == name).cloned().unwrap()
        };
        assert_eq!(
            of(&all, engineering),
            json!({ "faculty": { "name": engineering }, "people": 2, "read": 1, "unread": null }),
            "the operator has read it, the untrained has not, and the Group learns no names"
        );
        assert_eq!(of(&all, "Business")["people"], 2);
        // The operator disseminates for Engineering, and learns of nobody else.
        assert_eq!(
            receipts(&operator).await,
            json!([{ "faculty": { "name": engineering }, "people": 2, "read": 1, "unread": [{ "name": "Uma Shah" }] }])
        );
        assert_eq!(receipts(&untrained).await, json!([]));
        untrained.data(READ, json!({ "id": id })).await;
        assert_eq!(of(&receipts(&operator).await, engineering)["unread"], json!([]));
    }

    async fn who_has_not_read_a_policy_change_is_reminded_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let superuser = system.demo_client("superuser").await;
        let operator = system.demo_client("operator").await;
        let mut input = policy_change();
        input["remindAfterDays"] = json!(3);
        let id = publish(&superuser, input).await;
        operator.data(READ, json!({ "id": id })).await;
        let people = staff(store).await;
        bed.clock().advance(TimeDelta::days(3) - TimeDelta::minutes(1));
        run_jobs(store).await;
        assert!(posted(store, "announcement_reminder").await.is_empty());
        bed.clock().advance(TimeDelta::minutes(1));
        until(PATIENCE, "they are reminded", async || {
            run_jobs(store).await;
            (!posted(store, "announcement_reminder").await.is_empty()).then_some(())
        })
        .await;
        let reminded = posted(store, "announcement_reminder").await;
        assert_eq!(reminded.len() as u64, people - 2, "all but who published it and who has read it");
        assert!(!reminded.contains(&account(&system, "operator").await.id));
        let announcement_id = id.parse().unwrap();
        let again = change(store, async |tx| {
            domain::announcement::remind_unread(tx, RemindOfAnnouncement { announcement_id }).await
        })
        .await;
        assert_eq!(again, 0, "nobody is reminded twice");
    }

    async fn who_has_not_read_an_update_of_the_system_is_reminded_when_it_says_so(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let superuser = system.demo_client("superuser").await;
        let people = staff(store).await;
        let mut input = json!({ "kind": "SYSTEM_UPDATE", "title": "A new calendar", "body": "It shows terms." });
        publish(&superuser, input.clone()).await;
        input["title"] = json!("A new search");
        input["remindAfterDays"] = json!(3);
        publish(&superuser, input.clone()).await;
        bed.clock().advance(TimeDelta::days(3) - TimeDelta::minutes(1));
        run_jobs(store).await;
        assert!(posted(store, "announcement_reminder").await.is_empty());
        bed.clock().advance(TimeDelta::minutes(1));
        // By itself an update comes at the next digest, and so does what reminds of it.
        let told = async || {
            let kept = entity::kept_notice::Entity::find().all(store.reader()).await.unwrap();
            let kept = kept.iter().filter(|notice| notice.template == "announcement_reminder").count();
            kept + posted(store, "announcement_reminder").await.len()
        };
        until(PATIENCE, "they are reminded of one of the two", async || {
            run_jobs(store).await;
            (told().await as u64 == people - 1).then_some(())
        })
        .await;
        input["remindAfterDays"] = json!(0);
        let superuser = system.demo_client("superuser").await;
        let refused = superuser.graphql(PUBLISH, json!({ "input": input })).await;
        assert_eq!(refused.refusals(), ["INVALID"]);
    }

    async fn many_are_told_with_a_few_statements(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let environment = faculty(&system, "Environment").await;
        let superuser = system.demo_client("superuser").await;
        let desk = Desk::open(&bed).await;
        add_staff(system.store(), environment, 250).await;
        let mut input = policy_change();
        input["facultyIds"] = json!([environment]);
        publish(&superuser, input).await;
        until(PATIENCE, "all of them are told", async || {
            (posted(system.store(), "announcement").await.len() == 250).then_some(())
        })
        .await;
        let viewer = account(&system, "superuser").await.id;
        let viewer = domain::Viewer::load(desk.store().reader(), viewer, None, desk.store().now()).await.unwrap().unwrap();
        let query = "query($first: Int!) { announcements(first: $first) { nodes {
            readAt publishedBy { name } faculties { name } receipts { people read faculty { name } } } } }";
        let (_, one) = desk.data(&viewer, query, json!({ "first": 1 })).await;
        let (many, all) = desk.data(&viewer, query, json!({ "first": 3 })).await;
        assert_eq!(many["announcements"]["nodes"].as_array().unwrap().len(), 3);
        assert_eq!(one, all);
    }

    async fn the_group_is_told_every_week_of_faults_wishes_gaps_and_unread_announcements(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        change(store, async |tx| super_user_group::post_group_digest(tx).await).await;
        let again = change(store, async |tx| super_user_group::post_group_digest(tx).await).await;
        assert_eq!(again, 0, "once a day at most");
        let mails = delivery::Entity::find()
            .filter(delivery::Column::Template.eq("group_digest"))
            .all(store.reader())
            .await
            .unwrap();
        assert_eq!(mails.len(), 4, "every member, and nobody else");
        let fields = &mails[0].fields;
        let titles = |name: &str| -> Vec<&str> {
            fields[name].as_array().unwrap().iter().filter_map(|row| row["title"].as_str()).collect()
        };
        assert_eq!(titles("faults").len(), 2);
        assert_eq!(titles("most_voted")[0], "Find employers by telephone number");
        let gaps: Vec<&str> = fields["gaps"].as_array().unwrap().iter().filter_map(|gap| gap["faculty"].as_str()).collect();
        assert_eq!(gaps, ["Arts, Humanities and Cultures", "Biological Sciences", "Environment"]);
        assert!(titles("unread").contains(&"Liaise first, also before an invitation"));
        until(PATIENCE, "the mails arrive", async || {
            (told(&bed, "Super User Group: the week to Monday 5 October 2026").len() == 4).then_some(())
        })
        .await;
    }
}

//! Suggestions: staff put faults and improvements forward, everybody has one vote, and the Super User Group decides.

use std::time::Duration;

use domain::{Viewer, suggestion as suggestions};
use entity::{ids::SuggestionId, suggestion, suggestion_vote};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, Desk, System, on_both_columns, until};
use tokio::task::JoinSet;

use crate::{
    delivered::told,
    super_user_group::{account, add_staff, faculty},
};

const PATIENCE: Duration = Duration::from_secs(20);

const FILE: &str = "mutation($input: FileSuggestionInput!) {
    fileSuggestion(input: $input) { suggestion { id version state votes } userErrors { code field message } } }";
const VOTE: &str = "mutation($id: ID!, $supports: Boolean!) {
    voteSuggestion(input: { suggestionId: $id, supports: $supports }) {
        suggestion { votes hasMyVote } userErrors { code field } } }";
const DISCUSS: &str = "mutation($id: ID!, $body: String!) {
    discussSuggestion(input: { suggestionId: $id, body: $body }) {
        suggestion { comments { author { name } body } } userErrors { code field } } }";
const UPDATE: &str = "mutation($input: UpdateSuggestionInput!) {
    updateSuggestion(input: $input) {
        suggestion { version state priority outcome title } userErrors { code field message } } }";

async fn filed(client: &Client) -> String {
    let input =
        json!({ "kind": "FAULT", "title": "Maps are upside down", "body": "North is below." });
    let data = client.data(FILE, json!({ "input": input })).await;
    assert_eq!(data["fileSuggestion"]["userErrors"], json!([]));
    data["fileSuggestion"]["suggestion"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn update(client: &Client, id: &str, version: i32, changes: Value) -> support::Response {
    let mut input = json!({ "id": id, "version": version });
    input
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    client.graphql(UPDATE, json!({ "input": input })).await
}

async fn row(system: &System, id: &str) -> suggestion::Model {
    let id: SuggestionId = id.parse().unwrap();
    let found = suggestion::Entity::find_by_id(id)
        .one(system.store().reader())
        .await;
    found.unwrap().unwrap()
}

on_both_columns! {
    async fn a_suggestion_goes_from_filed_to_done_and_whoever_filed_it_is_told(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (untrained, superuser) = (system.demo_client("untrained").await, system.demo_client("superuser").await);
        let id = filed(&untrained).await;
        for (version, changes) in [
            (1, json!({ "state": "UNDER_DISCUSSION" })),
            (2, json!({ "state": "PLANNED", "priority": "HIGH" })),
            (3, json!({ "state": "DONE", "outcome": "They were turned." })),
        ] {
            let answer = update(&superuser, &id, version, changes).await;
            assert_eq!(answer.refusals(), [""; 0], "{answer:?}");
        }
        let now = row(&system, &id).await;
        assert_eq!((now.state, now.version), (suggestion::SuggestionState::Done, 4));
        until(PATIENCE, "three mails arrive", async || {
            let told = told(&bed, "Your suggestion: Maps are upside down");
            (told == vec!["untrained@demo.mycareer.test".to_owned(); 3]).then_some(())
        })
        .await;
        let mails = bed.mail().received();
        assert!(mails.iter().any(|mail| String::from_utf8_lossy(&mail.raw).contains("They were turned.")));
        // It is over: no state, no vote leads back.
        assert_eq!(update(&superuser, &id, 4, json!({ "state": "PLANNED" })).await.refusals(), ["WRONG_STATE"]);
        let vote = untrained.graphql(VOTE, json!({ "id": id, "supports": true })).await;
        assert_eq!(vote.refusals(), ["WRONG_STATE"]);
    }

    async fn what_is_done_or_declined_says_what_came_of_it(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let superuser = system.demo_client("superuser").await;
        let id = filed(&system.demo_client("untrained").await).await;
        for state in ["DONE", "DECLINED"] {
            let answer = update(&superuser, &id, 1, json!({ "state": state, "outcome": "  " })).await;
            assert_eq!(answer.refusals(), ["REQUIRED"], "{state}");
        }
        assert_eq!(update(&superuser, &id, 1, json!({ "state": "DECLINED", "outcome": "Maps are so." })).await.refusals(), [""; 0]);
        assert_eq!(update(&superuser, &id, 2, json!({ "outcome": null })).await.refusals(), ["REQUIRED"]);
    }

    async fn only_the_group_decides_and_the_filer_may_reword_until_it_is_taken_up(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let [untrained, operator, superuser] =
            [system.demo_client("untrained").await, system.demo_client("operator").await, system.demo_client("superuser").await];
        let id = filed(&untrained).await;
        for changes in [json!({ "state": "PLANNED" }), json!({ "priority": "HIGH" }), json!({ "outcome": "x" })] {
            let answer = update(&untrained, &id, 1, changes.clone()).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{changes}: {answer:?}");
        }
        assert_eq!(update(&operator, &id, 1, json!({ "title": "Mine" })).await.codes(), ["FORBIDDEN"]);
        assert_eq!(update(&untrained, &id, 1, json!({ "title": "Maps are turned" })).await.refusals(), [""; 0]);
        assert_eq!(update(&superuser, &id, 2, json!({ "state": "UNDER_DISCUSSION" })).await.refusals(), [""; 0]);
        assert_eq!(update(&untrained, &id, 3, json!({ "title": "Again" })).await.codes(), ["FORBIDDEN"]);
        for mailbox in ["student1", "employer"] {
            let client = system.demo_client(mailbox).await;
            let input = json!({ "kind": "FAULT", "title": "x", "body": "y" });
            let answer = client.graphql(FILE, json!({ "input": input })).await;
            assert!(answer.codes().contains(&"FORBIDDEN"), "{mailbox}");
            let node = client.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(node["node"], json!(null), "{mailbox}");
        }
    }

    async fn of_two_changes_to_one_version_the_second_is_refused(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let superuser = system.demo_client("superuser").await;
        let id = filed(&system.demo_client("untrained").await).await;
        assert_eq!(update(&superuser, &id, 1, json!({ "priority": "LOW" })).await.refusals(), [""; 0]);
        let stale = update(&superuser, &id, 1, json!({ "priority": "HIGH" })).await;
        assert_eq!(stale.refusals(), ["STALE"]);
        assert!(format!("{:?}", stale.data).contains("priority"), "it says what changed: {stale:?}");
        assert_eq!(row(&system, &id).await.priority, Some(suggestion::SuggestionPriority::Low));
    }

    async fn everybody_has_one_vote_and_can_take_it_back(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (untrained, operator) = (system.demo_client("untrained").await, system.demo_client("operator").await);
        let id = filed(&untrained).await;
        let vote = async |client: &Client, supports: bool| {
            let data = client.data(VOTE, json!({ "id": id, "supports": supports })).await;
            let suggestion = &data["voteSuggestion"]["suggestion"];
            (suggestion["votes"].as_i64().unwrap(), suggestion["hasMyVote"].as_bool().unwrap())
        };
        assert_eq!(vote(&operator, true).await, (1, true));
        assert_eq!(vote(&operator, true).await, (1, true));
        assert_eq!(vote(&untrained, true).await, (2, true));
        assert_eq!(vote(&operator, false).await, (1, false));
        assert_eq!(vote(&operator, false).await, (1, false));
    }

    async fn votes_at_once_are_counted_right(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let store = system.store();
        let id: SuggestionId = filed(&system.demo_client("untrained").await).await.parse().unwrap();
        let environment = faculty(&system, "Environment").await;
        let voters = add_staff(store, environment, 15).await;
        let mut voting = JoinSet::new();
        // Each votes three times over; every third takes it back in the end.
        for (at, voter) in voters.into_iter().enumerate() {
            for round in 0..3 {
                let store = store.clone();
                voting.spawn(async move {
                    let viewer = Viewer::load(store.reader(), voter, None, store.now()).await.unwrap().unwrap();
                    let mut tx = store.begin().await.unwrap();
                    suggestions::vote(&mut tx, &viewer, id, at % 3 > 0 || round < 2).await.unwrap();
                    tx.commit().await.unwrap();
                });
            }
        }
        voting.join_all().await;
        let votes = suggestion_vote::Entity::find()
            .filter(suggestion_vote::Column::SuggestionId.eq(id))
            .count(store.reader())
            .await
            .unwrap();
        let counted = row(&system, &id.to_string()).await.votes;
        assert_eq!(u64::try_from(counted).unwrap(), votes);
        assert!((10..=15).contains(&counted), "{counted}");
    }

    async fn a_discussion_is_seen_by_staff_and_its_filer_is_told(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let (untrained, superuser) = (system.demo_client("untrained").await, system.demo_client("superuser").await);
        let id = filed(&untrained).await;
        superuser.data(DISCUSS, json!({ "id": id, "body": "Which maps?" })).await;
        bed.clock().advance(chrono::TimeDelta::seconds(1));
        let data = untrained.data(DISCUSS, json!({ "id": id, "body": "All of them." })).await;
        assert_eq!(
            data["discussSuggestion"]["suggestion"]["comments"],
            json!([
                { "author": { "name": "Sandra Byrne" }, "body": "Which maps?" },
                { "author": { "name": "Uma Shah" }, "body": "All of them." },
            ])
        );
        until(PATIENCE, "the filer is told of the other's comment", async || {
            (told(&bed, "Sandra Byrne on your suggestion") == ["untrained@demo.mycareer.test"]).then_some(())
        })
        .await;
        assert!(told(&bed, "Uma Shah on your suggestion").is_empty(), "nobody is told of what they said");
    }

    async fn suggestions_are_listed_by_votes_or_by_age_with_as_many_statements_for_one_as_for_all(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let desk = Desk::open(&bed).await;
        let viewer = account(&system, "superuser").await.id;
        let viewer = Viewer::load(desk.store().reader(), viewer, None, desk.store().now()).await.unwrap().unwrap();
        let query = "query($first: Int!, $order: SuggestionOrder, $filter: SuggestionFilter) {
            suggestions(first: $first, orderBy: $order, filter: $filter) { totalCount nodes {
                title votes hasMyVote filedBy { name post } comments { body author { name } } } } }";
        let titles = |data: &Value| -> Vec<String> {
            let nodes = data["suggestions"]["nodes"].as_array().unwrap();
            nodes.iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect()
        };
        let (newest, _) = desk.data(&viewer, query, json!({ "first": 3, "order": "NEWEST" })).await;
        let all = ["The calendar begins on a Sunday", "Tickets are printed without the room", "Find employers by telephone number"];
        assert_eq!(titles(&newest), all);
        let (voted, many) = desk.data(&viewer, query, json!({ "first": 3, "order": "MOST_VOTES" })).await;
        assert_eq!(titles(&voted), [all[2], all[1], all[0]]);
        let (_, one) = desk.data(&viewer, query, json!({ "first": 1, "order": "MOST_VOTES" })).await;
        assert_eq!(many, one);
        let (faults, _) = desk.data(&viewer, query, json!({ "first": 3, "order": "NEWEST", "filter": { "kind": "FAULT", "state": "DONE" } })).await;
        assert_eq!((titles(&faults), &faults["suggestions"]["totalCount"]), (vec![all[1].to_owned()], &json!(1)));
    }
}

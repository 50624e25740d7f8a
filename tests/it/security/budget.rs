//! What everybody may ask for in a minute.

use std::{net::IpAddr, sync::Arc};

use api::http::graphql::budget::{Allowances, Budget, Payer, RedisBudget};
use chrono::{TimeDelta, TimeZone, Utc};
use domain::{Viewer, clock::ManualClock};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, Column, OwnRedis, TestBed, on_both_columns};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// The least that can be set: the largest operation.
const BUDGET: u64 = 100_000;
const SETTINGS: [(&str, &str); 2] = [
    ("MYCAREER_COST_BUDGET", "100000"),
    ("MYCAREER_COST_BUDGET_ANONYMOUS", "100000"),
];

/// Could have many fields, and has none in an empty database: 100 rows of 100 rows.
const DEAR: &str =
    "{ events(first: 100) { nodes { bookings(first: 100) { nodes { id state } } } } }";

/// How a request went: the status, and the three headers and `Retry-After`.
#[derive(Debug)]
struct Went {
    status: u16,
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<u64>,
    retry_after: Option<u64>,
    body: Value,
}

async fn ask(client: &Client, path: &str, query: &str) -> Went {
    let answer = client
        .request(Method::POST, path)
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap();
    let number = |name: &str| answer.headers().get(name)?.to_str().unwrap().parse().ok();
    Went {
        status: answer.status().as_u16(),
        limit: number("x-ratelimit-limit"),
        remaining: number("x-ratelimit-remaining"),
        reset: number("x-ratelimit-reset"),
        retry_after: number("retry-after"),
        body: serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default(),
    }
}

/// Asks until there is no budget left, and gives the refusal and what was paid.
async fn exhaust(client: &Client) -> (Went, u64) {
    let mut paid = 0;
    loop {
        let went = ask(client, "/graphql", DEAR).await;
        if went.status == 429 {
            return (went, paid);
        }
        assert_eq!(went.status, 200, "{went:?}");
        paid += went.body["extensions"]["cost"].as_u64().unwrap();
        assert_eq!(went.remaining, Some(BUDGET - paid));
        assert!(paid <= BUDGET);
    }
}

on_both_columns! {
    async fn every_answer_says_how_the_budget_stands(bed: TestBed) {
        let system = bed.system_with(&SETTINGS).await;
        let client = system.client();
        let cheap = ask(client, "/graphql", "{ viewer { name } }").await;
        let cost = cheap.body["extensions"]["cost"].as_u64().unwrap();
        assert_eq!((cheap.limit, cheap.remaining), (Some(BUDGET), Some(BUDGET - cost)));
        assert!(cheap.reset.is_some_and(|reset| (1..=61).contains(&reset)), "{cheap:?}");
        assert_eq!(cheap.retry_after, None);
        // What is refused costs the reading of it, and says as much.
        for (query, status) in [("{", 400), ("{ nothing }", 400)] {
            let refused = ask(client, "/graphql", query).await;
            assert_eq!((refused.status, refused.limit), (status, Some(BUDGET)));
        }
        let token = ask(&client.clone().with_token("nonsense"), "/graphql", "{ viewer { name } }").await;
        assert_eq!((token.status, token.remaining), (401, Some(BUDGET - cost - 3)));
        let stream = ask(client, "/graphql/stream", "{ viewer { name } }").await;
        assert_eq!((stream.status, stream.remaining), (200, Some(BUDGET - 2 * cost - 3)));
        system.stop().await;
    }

    async fn over_the_budget_nothing_is_carried_out_until_it_is_there_again(bed: TestBed) {
        let system = bed.system_with(&SETTINGS).await;
        let client = system.client();
        let (refused, paid) = exhaust(client).await;
        assert!(paid > BUDGET / 2, "the budget is of use: {paid}");
        let error = &refused.body["errors"][0];
        assert_eq!(error["extensions"]["code"], "RATE_LIMITED");
        assert_eq!(error["extensions"]["retryAfterSeconds"].as_u64(), refused.retry_after);
        assert!(refused.body.get("data").is_none());
        assert!(refused.retry_after.is_some_and(|wait| (1..=61).contains(&wait)), "{refused:?}");
        let stream = ask(client, "/graphql/stream", DEAR).await;
        assert_eq!((stream.status, stream.retry_after.is_some()), (429, true));
        // Redis goes by a clock of its own, which no test can move on.
        if bed.column() == Column::SqliteMemory {
            bed.clock().advance(TimeDelta::seconds(60));
            assert_eq!(ask(client, "/graphql", DEAR).await.status, 429, "not a second early");
            bed.clock().advance(TimeDelta::seconds(1));
            assert_eq!(ask(client, "/graphql", DEAR).await.status, 200);
        }
        system.stop().await;
    }

    async fn everybody_has_a_budget_of_their_own(bed: TestBed) {
        let system = bed.system_with(&SETTINGS).await;
        api::demo::load(system.store()).await.unwrap();
        let one = system.demo_client("student1").await;
        let other = system.demo_client("student2").await;
        let (_, paid) = exhaust(&one).await;
        assert!(paid > 0);
        assert_eq!(ask(&other, "/graphql", DEAR).await.status, 200);
        assert_eq!(ask(system.client(), "/graphql", DEAR).await.status, 200);
        // A second connection, or a second token, is no second budget.
        let again = system.demo_client("student1").await;
        assert_eq!(ask(&again, "/graphql", DEAR).await.status, 429);
        system.stop().await;
    }

    async fn over_a_websocket_an_operation_ends_in_an_error_and_the_socket_stays(bed: TestBed) {
        let system = bed.system_with(&SETTINGS).await;
        exhaust(system.client()).await;
        let address = system.client().address().replace("http://", "ws://");
        let mut request = format!("{address}/graphql/ws").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let mut say = async |message: Value| {
            socket.send(Message::text(message.to_string())).await.unwrap();
            let heard = socket.next().await.unwrap().unwrap();
            serde_json::from_str::<Value>(heard.to_text().unwrap()).unwrap()
        };
        assert_eq!(say(json!({"type": "connection_init"})).await["type"], "connection_ack");
        let refused = say(json!({"type": "subscribe", "id": "1", "payload": {"query": DEAR}})).await;
        assert_eq!(refused["type"], "error");
        assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
        assert_eq!(say(json!({"type": "ping"})).await["type"], "pong");
        system.stop().await;
    }
}

fn here() -> Payer {
    Payer::of(&Viewer::anonymous(), Some(IpAddr::from([192, 0, 2, 1])))
}

/// A process that counts in this Redis.
fn process(url: &str, prefix: &str) -> Budget {
    let allowances = Allowances {
        account: 1_000,
        address: 1_000,
    };
    let clock = ManualClock::at(Utc.with_ymd_and_hms(2026, 10, 5, 8, 0, 0).unwrap());
    let redis = RedisBudget::new(url, prefix).unwrap();
    Budget::new(allowances, Arc::new(clock), Some(redis))
}

/// How many operations of cost 7 each process was allowed, when all ask at once, 200 times each.
async fn allowed(processes: Vec<Budget>) -> u64 {
    let asking = processes.into_iter().map(|process| {
        tokio::spawn(async move {
            let mut allowed = 0;
            for _ in 0..200 {
                let standing = process.spend(here(), 7).await.unwrap();
                allowed += u64::from(standing.wait.is_none());
            }
            allowed
        })
    });
    let mut all = 0;
    for process in asking.collect::<Vec<_>>() {
        all += process.await.unwrap();
    }
    all
}

/// Of Redis alone: the memory column has one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_processes_have_one_budget_together() {
    let bed = TestBed::new(Column::PostgresRedis).await;
    let redis = bed.redis().unwrap();
    let together = (0..4)
        .map(|_| process(redis.url(), redis.prefix()))
        .collect();
    assert_eq!(allowed(together).await, 1_000 / 7);
    // The control: processes that don't share their count have a budget each.
    let apart = (0..4)
        .map(|n| process(redis.url(), &format!("{}-{n}", redis.prefix())))
        .collect();
    assert_eq!(allowed(apart).await, 4 * (1_000 / 7));
}

/// Decided: who can't ask Redis answers all the same, within a budget of the process's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_each_process_counts_by_itself() {
    let mut redis = OwnRedis::start().await;
    let processes: Vec<Budget> = (0..2).map(|_| process(&redis.url(), "mycareer")).collect();
    assert_eq!(allowed(processes.clone()).await, 1_000 / 7);
    redis.stop();
    assert_eq!(allowed(processes).await, 2 * (1_000 / 7));
}

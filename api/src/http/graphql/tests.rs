//! Each test of `/graphql` names the sentence of the GraphQL over HTTP specification that it holds us to.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_graphql::{Context, Object, Result, Schema, Subscription, async_trait::async_trait};
use domain::policy::{Rights, Row, names};
use futures_util::{Stream, StreamExt, stream};
use poem::{
    Body,
    http::{HeaderMap, header},
};
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::*;
use crate::graphql::{document::Limits, endpoint};

mod http;
mod sockets;
mod streams;

struct Query;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn echo(&self, number: i32) -> i32 {
        number
    }

    async fn endless(&self) -> i32 {
        std::future::pending().await
    }

    async fn secret(&self) -> Option<&str> {
        Some("the secret")
    }

    async fn partial(&self) -> Option<Result<i32>> {
        Some(Err(domain::Error::Fault("inside".to_owned()).into()))
    }

    async fn broken(&self) -> Result<i32> {
        Err(domain::Error::Fault("inside".to_owned()).into())
    }
}

/// How often the mutation was carried out.
type Pokes = Arc<AtomicU32>;

struct Mutation;

#[Object]
impl Mutation {
    async fn poke(&self, ctx: &Context<'_>) -> Result<bool> {
        ctx.data::<Pokes>()?.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }

    async fn restricted(&self) -> Option<bool> {
        Some(true)
    }
}

struct Root;

#[Subscription]
impl Root {
    /// Whatever the test sends.
    async fn numbers(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = i32> + use<>> {
        let numbers = ctx.data::<broadcast::Sender<i32>>()?.subscribe();
        Ok(stream::unfold(numbers, |mut numbers| async {
            let number = numbers.recv().await.ok()?;
            Some((number, numbers))
        }))
    }

    async fn three(&self) -> impl Stream<Item = i32> {
        stream::iter(1..=3)
    }

    async fn secrets(&self) -> impl Stream<Item = i32> {
        stream::iter(1..=3)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "this is the shape of the policy's own function"
)]
fn row(coordinate: &str) -> Option<&'static Row> {
    let rights = match coordinate {
        "Query.secret" | "Mutation.restricted" | "Root.secrets" => Rights::NONE.read(names::STAFF),
        _ => Rights::NONE.both(names::EVERYONE),
    };
    let coordinate: &'static str = Box::leak(coordinate.to_owned().into_boxed_str());
    Some(Box::leak(Box::new(Row::new(coordinate, rights))))
}

/// Lets in nobody as nobody, and the system as itself.
#[derive(Default)]
struct TestDoor {
    /// Whether all sessions have ended.
    ended: AtomicBool,
    /// Whether everybody's rights are others than they were.
    changed: AtomicBool,
}

#[async_trait]
impl Authenticate for TestDoor {
    async fn viewer(&self, authorization: Option<&str>) -> domain::Result<Viewer> {
        match authorization {
            None => Ok(Viewer::anonymous()),
            Some("Bearer system") => Ok(Viewer::system()),
            Some("Bearer broken") => Err(domain::Error::Fault("the database".to_owned())),
            Some(_) => Err(domain::Error::Unauthenticated(
                "The access token has expired.".to_owned(),
            )),
        }
    }

    async fn still(&self, viewer: &Viewer) -> domain::Result<Viewer> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(domain::Error::Unauthenticated(
                "The session has ended.".to_owned(),
            ));
        }
        Ok(if self.changed.load(Ordering::SeqCst) {
            Viewer::anonymous()
        } else {
            viewer.clone()
        })
    }

    fn equip(&self, request: Request, _: &Arc<Viewer>) -> Request {
        request
    }
}

struct Bench {
    route: Route,
    door: Arc<TestDoor>,
    numbers: broadcast::Sender<i32>,
    pokes: Pokes,
}

/// A service that looks often whether sessions go on.
fn bench() -> Bench {
    bench_that_waits(INTRODUCTION_WITHIN)
}

/// The same, which waits so long for an introduction.
fn bench_that_waits(introduction_within: Duration) -> Bench {
    let (numbers, _) = broadcast::channel(16);
    let pokes = Pokes::default();
    let counted = Arc::clone(&pokes);
    let sender = numbers.clone();
    let api = endpoint::Endpoint::with_rows(
        || {
            Schema::build(Query, Mutation, Root)
                .data(sender.clone())
                .data(Arc::clone(&counted))
        },
        row,
        Limits::default(),
    )
    .unwrap();
    let door = Arc::new(TestDoor::default());
    let mut service = Service::new(Arc::new(api), Arc::clone(&door) as Arc<dyn Authenticate>);
    service.look_again_every = Duration::from_millis(10);
    service.introduction_within = introduction_within;
    Bench {
        route: service.mount(Route::new()),
        door,
        numbers,
        pokes,
    }
}

/// What came back over HTTP.
struct Came {
    status: u16,
    headers: HeaderMap,
    text: String,
    /// How often the mutation was carried out for it.
    pokes: u32,
}

impl Came {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }

    fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

async fn send(req: poem::Request) -> Came {
    let bench = bench();
    let response = bench.route.get_response(req).await;
    Came {
        pokes: bench.pokes.load(Ordering::SeqCst),
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.into_body().into_string().await.unwrap(),
    }
}

fn post(address: &str) -> poem::RequestBuilder {
    poem::Request::builder()
        .method(Method::POST)
        .uri_str(address)
        .content_type("application/json")
}

use futures_util::SinkExt;
use poem::listener::{Acceptor, Listener, TcpListener};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::*;

/// A client of the `graphql-transport-ws` protocol.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    door: Arc<TestDoor>,
    numbers: broadcast::Sender<i32>,
}

impl Client {
    /// Opens a socket to a service of its own.
    async fn open() -> Self {
        Self::open_to(bench()).await
    }

    async fn open_to(bench: Bench) -> Self {
        let acceptor = TcpListener::bind("127.0.0.1:0")
            .into_acceptor()
            .await
            .unwrap();
        let address = acceptor.local_addr().remove(0);
        tokio::spawn(poem::Server::new_with_acceptor(acceptor).run(bench.route));
        let mut request = format!("ws://{}/graphql/ws", address.as_socket_addr().unwrap())
            .into_client_request()
            .unwrap();
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        let (socket, response) = connect_async(request).await.unwrap();
        assert_eq!(
            response.headers()["sec-websocket-protocol"],
            "graphql-transport-ws"
        );
        Self {
            socket,
            door: bench.door,
            numbers: bench.numbers,
        }
    }

    /// Opens a socket and says who is there.
    async fn introduced(payload: Value) -> Self {
        let mut client = Self::open().await;
        client
            .say(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }

    async fn say(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}}))
            .await;
    }

    async fn hear(&mut self) -> Value {
        match self.socket.next().await.unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// The code with which the socket is closed, whatever is said before.
    async fn closed(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.socket.next().await.unwrap().unwrap() {
                return frame.unwrap().code.into();
            }
        }
    }

    /// Sends a number to the subscribers, once there is one.
    async fn number(&self, number: i32) {
        while self.numbers.send(number).is_err() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn operations_run_side_by_side() {
    let mut client = Client::introduced(json!(null)).await;
    client.subscribe("n", "subscription { numbers }").await;
    client.number(7).await;
    assert_eq!(
        client.hear().await["payload"]["data"],
        json!({"numbers": 7})
    );
    client.subscribe("q", "{ hello }").await;
    assert_eq!(
        client.hear().await["payload"]["data"],
        json!({"hello": "world"})
    );
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "q"}));
    client.number(8).await;
    assert_eq!(client.hear().await["id"], "n");
}

#[tokio::test]
async fn a_subscription_completes() {
    let mut client = Client::introduced(json!({})).await;
    client.subscribe("1", "subscription { three }").await;
    for number in 1..=3 {
        let heard = client.hear().await;
        assert_eq!(
            (&heard["type"], &heard["payload"]["data"]["three"]),
            (&json!("next"), &json!(number))
        );
    }
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "1"}));
}

#[tokio::test]
async fn a_subscription_that_the_client_completes_is_over() {
    let mut client = Client::introduced(json!({})).await;
    client.subscribe("1", "subscription { numbers }").await;
    client.number(1).await;
    assert_eq!(client.hear().await["id"], "1");
    client.say(json!({"type": "complete", "id": "1"})).await;
    // Its id is free again.
    client.subscribe("1", "{ hello }").await;
    assert_eq!(
        client.hear().await["payload"]["data"],
        json!({"hello": "world"})
    );
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload() {
    let mut client = Client::introduced(json!({})).await;
    client
        .say(json!({"type": "ping", "payload": {"a": 1}}))
        .await;
    assert_eq!(
        client.hear().await,
        json!({"type": "pong", "payload": {"a": 1}})
    );
    client.say(json!({"type": "ping"})).await;
    assert_eq!(client.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn every_operation_is_looked_at_before_it_runs() {
    let mut client = Client::introduced(json!({})).await;
    for (query, code) in [
        ("subscription { secrets }", "FORBIDDEN"),
        ("mutation { restricted }", "FORBIDDEN"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
    ] {
        client.subscribe("1", query).await;
        let heard = client.hear().await;
        assert_eq!(heard["type"], "error", "{query}");
        assert_eq!(heard["payload"][0]["extensions"]["code"], code, "{query}");
    }
    client.subscribe("1", &"{a".repeat(100)).await;
    assert_eq!(
        client.hear().await["payload"][0]["extensions"]["code"],
        "LIMIT_EXCEEDED"
    );
}

#[tokio::test]
async fn who_says_so_first_is_let_in() {
    let mut client = Client::introduced(json!({"Authorization": "Bearer system"})).await;
    client.subscribe("1", "{ secret }").await;
    assert_eq!(
        client.hear().await["payload"]["data"],
        json!({"secret": "the secret"})
    );
}

#[tokio::test]
async fn the_socket_is_closed_with_the_code_of_the_protocol() {
    let mut client = Client::open().await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(
        client.closed().await,
        4401,
        "an operation before the introduction"
    );

    let mut client = Client::open().await;
    let payload = json!({"Authorization": "Bearer expired"});
    client
        .say(json!({"type": "connection_init", "payload": payload}))
        .await;
    assert_eq!(client.closed().await, 4403, "a token that is no good");

    let mut client = Client::open_to(bench_that_waits(Duration::from_millis(1))).await;
    assert_eq!(client.closed().await, 4408, "no introduction in time");

    let mut client = Client::introduced(json!({})).await;
    client.say(json!({"type": "connection_init"})).await;
    assert_eq!(client.closed().await, 4429, "a second introduction");

    let mut client = Client::introduced(json!({})).await;
    client.say(json!({"type": "nonsense"})).await;
    assert_eq!(client.closed().await, 4400, "an unknown message");

    let mut client = Client::introduced(json!({})).await;
    client.subscribe("1", "subscription { numbers }").await;
    client.subscribe("1", "subscription { numbers }").await;
    assert_eq!(client.closed().await, 4409, "an id that is in use");
}

#[tokio::test]
async fn the_socket_is_closed_when_the_session_ends() {
    let mut client = Client::introduced(json!({})).await;
    client.subscribe("1", "subscription { numbers }").await;
    client.number(1).await;
    assert_eq!(
        client.hear().await["payload"]["data"],
        json!({"numbers": 1})
    );
    client.door.ended.store(true, Ordering::SeqCst);
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test]
async fn nothing_more_is_told_when_rights_have_changed() {
    let mut client = Client::introduced(json!({"Authorization": "Bearer system"})).await;
    client.subscribe("1", "subscription { numbers }").await;
    client.number(1).await;
    assert_eq!(
        client.hear().await["payload"]["data"],
        json!({"numbers": 1})
    );
    client.door.changed.store(true, Ordering::SeqCst);
    let heard = client.hear().await;
    assert_eq!(heard["type"], "error");
    assert_eq!(heard["payload"][0]["extensions"]["code"], "FORBIDDEN");
    // A new operation has the new rights.
    client.subscribe("2", "{ secret }").await;
    let heard = client.hear().await;
    assert_eq!(heard["payload"]["data"], json!({"secret": null}));
}

#[tokio::test]
async fn what_is_no_socket_is_refused() {
    let req = poem::Request::builder().uri_str("/graphql/ws").finish();
    assert_eq!(send(req).await.status, 400);
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_talk() {
    let mut client = Client::introduced(json!(null)).await;
    let long = " ".repeat(crate::http::intake::LONGEST_BODY);
    client.subscribe("q", &format!("{{ hello }}{long}")).await;
    assert_eq!(client.closed().await, 4400);

    // One that is far too long isn't even read: the connection is gone before a close frame could be sent.
    let mut client = Client::introduced(json!(null)).await;
    let far_too_long = json!({"type": "ping", "payload": {"text": long.repeat(3)}}).to_string();
    let _ = client.socket.send(Message::text(far_too_long)).await;
    let answered = client.socket.next().await;
    assert!(
        !matches!(answered, Some(Ok(Message::Text(_)))),
        "{answered:?}"
    );
}

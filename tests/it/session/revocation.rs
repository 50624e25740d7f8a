//! An open connection sees at once that its session has ended.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use support::{System, figure, on_both_columns};
use tokio::time::timeout;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const WATCH: &str = "subscription { jobChanged { id } }";
const END_OTHERS: &str = "mutation { endOtherSessions { ended } }";

/// What is promised. A connection that nobody told would look again after ten seconds.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn revoke(system: &System) {
    let elsewhere = system.demo_client("admin").await;
    let ended = elsewhere.data(END_OTHERS, json!({})).await;
    assert_eq!(ended["endOtherSessions"]["ended"], 1);
}

on_both_columns! {
    async fn a_socket_is_closed_at_once_when_its_session_ends(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let watcher = system.demo_client("admin").await;
        let address = format!("{}/graphql/ws", watcher.address().replace("http", "ws"));
        let mut request = address.into_client_request().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let mut say = async |message: Value| socket.send(Message::text(message.to_string())).await.unwrap();
        let authorization = format!("Bearer {}", watcher.token().unwrap());
        say(json!({ "type": "connection_init", "payload": { "Authorization": authorization } })).await;
        say(json!({ "type": "subscribe", "id": "1", "payload": { "query": WATCH } })).await;
        let acknowledged = socket.next().await.unwrap().unwrap();
        assert!(acknowledged.to_text().unwrap().contains("connection_ack"));
        // What is asked after the subscription is answered after it is open.
        socket.send(Message::text(json!({ "type": "ping" }).to_string())).await.unwrap();
        socket.next().await.unwrap().unwrap();

        revoke(&system).await;
        let began = Instant::now();
        let closed = timeout(AT_ONCE, async {
            loop {
                match socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    other => panic!("no close frame: {other:?}"),
                }
            }
        })
        .await
        .expect("the socket stays open");
        figure(&format!("a socket was closed {} ms after its session ended, on {}", began.elapsed().as_millis(), bed.column()));
        assert_eq!(closed, Some(4403));
        system.stop().await;
    }

    async fn a_stream_ends_at_once_when_its_session_does(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let watcher = system.demo_client("admin").await;
        let mut stream = watcher
            .request(Method::POST, "/graphql/stream")
            .header("Accept", "text/event-stream")
            .json(&json!({ "query": WATCH }))
            .send()
            .await
            .unwrap();
        assert!(stream.status().is_success());

        revoke(&system).await;
        let mut told = String::new();
        timeout(AT_ONCE, async {
            while let Some(chunk) = stream.chunk().await.unwrap() {
                told.push_str(&String::from_utf8_lossy(&chunk));
            }
        })
        .await
        .expect("the stream goes on");
        assert!(told.contains("UNAUTHENTICATED"), "{told}");
        assert!(told.contains("event: complete"), "{told}");
        system.stop().await;
    }
}

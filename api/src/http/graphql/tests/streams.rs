use super::*;

fn request(query: &str) -> poem::Request {
    post("/graphql/stream")
        .header("accept", "text/event-stream")
        .body(json!({"query": query}).to_string())
}

/// The events of a stream that ends.
async fn events(query: &str) -> Vec<(String, String)> {
    let came = send(request(query)).await;
    assert_eq!(came.status, 200);
    assert_eq!(came.header(header::CONTENT_TYPE), "text/event-stream");
    came.text
        .split_terminator("\n\n")
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap();
            (
                name.strip_prefix("event: ").unwrap().to_owned(),
                data.strip_prefix("data:").unwrap().trim().to_owned(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_subscription_is_one_event_after_another_until_it_is_complete() {
    let events = events("subscription { three }").await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["next", "next", "next", "complete"]);
    let last: Value = serde_json::from_str(&events[2].1).unwrap();
    assert_eq!(last["data"], json!({"three": 3}));
}

#[tokio::test]
async fn a_query_is_one_event() {
    let events = events("{ hello }").await;
    assert_eq!(events.len(), 2);
    assert!(events[0].1.contains("world"));
}

#[tokio::test]
async fn what_may_not_run_is_told_in_an_event() {
    for (query, code) in [
        ("subscription { secrets }", "FORBIDDEN"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ] {
        let events = events(query).await;
        assert_eq!(events.len(), 2, "{events:?}");
        let told: Value = serde_json::from_str(&events[0].1).unwrap();
        assert_eq!(told["errors"][0]["extensions"]["code"], code);
        assert!(told.get("data").is_none());
    }
}

#[tokio::test]
async fn what_is_no_request_is_told_by_the_status() {
    let mutation = poem::Request::builder()
        .uri_str("/graphql/stream?query=mutation%7Bpoke%7D")
        .finish();
    assert_eq!(send(mutation).await.status, 405);
    assert_eq!(
        send(post("/graphql/stream").body("nonsense")).await.status,
        400
    );
    let html = post("/graphql/stream")
        .header("accept", "text/html")
        .body("{}");
    assert_eq!(send(html).await.status, 406);
    let expired = post("/graphql/stream")
        .header("authorization", "Bearer expired")
        .body(json!({"query": "{ hello }"}).to_string());
    assert_eq!(send(expired).await.status, 401);
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let bench = bench();
    let response = bench
        .route
        .get_response(request("subscription { numbers }"))
        .await;
    bench.door.ended.store(true, Ordering::SeqCst);
    let text = response.into_body().into_string().await.unwrap();
    assert!(text.contains("UNAUTHENTICATED"), "{text}");
    assert!(text.ends_with("event: complete\ndata:\n\n"), "{text}");
}

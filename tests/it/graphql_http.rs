//! The endpoint against those who mean it no good, over real connections. What the specification asks of it is tested
//! beside its code.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Client, on_both_columns};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::form_urlencoded;

/// 700 bytes that stand for 2 to the power of 20 fields.
fn nested_spreads() -> String {
    let mut document = "{...A0}".to_owned();
    for level in 0..20 {
        document += &format!("fragment A{level} on Query{{...A{0} ...A{0}}}", level + 1);
    }
    document + "fragment A20 on Query{__typename}"
}

/// What became of a document that must be refused.
async fn refusal(client: &Client, document: &str) -> String {
    let answer = client.graphql(document, json!({})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.data, Value::Null);
    answer.codes().join(" ")
}

on_both_columns! {
    async fn what_would_cost_too_much_is_refused_before_it_costs_anything(bed: TestBed) {
        let system = bed.system().await;
        let client = system.client();
        let bomb = nested_spreads();
        assert!(bomb.len() < 1_000, "{}", bomb.len());
        let aliases: String = (0..4_000).map(|n| format!("a{n}: __typename ")).collect();
        for document in [
            bomb,
            format!("{{{aliases}}}"),
            "{a".repeat(100) + &"}".repeat(100),
            "{a".repeat(100_000),
            "{ events(first: 100) { nodes { bookings(first: 100) { nodes { event { bookings(first: 100) { nodes { id } } } } } } } }".to_owned(),
        ] {
            assert_eq!(refusal(client, &document).await, "LIMIT_EXCEEDED", "{}", &document[..40]);
        }
        system.stop().await;
    }

    async fn fragments_that_spread_each_other_are_refused(bed: TestBed) {
        let system = bed.system().await;
        let circle = "{...A} fragment A on Query{...B ...B} fragment B on Query{...A ...A}";
        assert_eq!(refusal(system.client(), circle).await, "GRAPHQL_VALIDATION_FAILED");
        system.stop().await;
    }

    /// Only the head of the request is sent: whoever answers it hasn't waited for the ten megabytes.
    async fn a_body_that_is_too_long_is_refused_unread(bed: TestBed) {
        let system = bed.system().await;
        let host = system.client().address().strip_prefix("http://").unwrap().to_owned();
        let mut connection = TcpStream::connect(&host).await.unwrap();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: 10000000\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        connection.read_exact(&mut status).await.unwrap();
        assert_eq!(std::str::from_utf8(&status).unwrap(), "HTTP/1.1 413");
        drop(connection);
        system.stop().await;
    }

    async fn mutations_by_get_or_as_plain_text_are_refused(bed: TestBed) {
        let system = bed.system().await;
        let sign_in = r#"mutation { signIn(input: {email: "x@example.test", password: "x"}) { accessToken } }"#;
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("query", sign_in)
            .finish();
        let by_get = system.client().get(&format!("/graphql?{query}")).await;
        assert_eq!(by_get.status(), StatusCode::METHOD_NOT_ALLOWED);
        for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let as_text = system
                .client()
                .request(Method::POST, "/graphql")
                .header("content-type", content_type)
                .body(json!({"query": sign_in}).to_string())
                .send()
                .await
                .unwrap();
            assert_eq!(as_text.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        }
        system.stop().await;
    }

    async fn graphiql_can_ask_for_the_whole_schema(bed: TestBed) {
        let system = bed.system().await;
        let query = include_str!("../../api/src/graphql/document/introspection.graphql");
        let data = system.client().data(query, json!({})).await;
        assert_eq!(data["__schema"]["queryType"]["name"], "Query");
        system.stop().await;
    }

    async fn a_token_that_is_no_good_is_told_so(bed: TestBed) {
        let system = bed.system().await;
        let answer = system
            .client()
            .clone()
            .with_token("nonsense")
            .graphql("{ viewer { name } }", json!({}))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
        system.stop().await;
    }
}

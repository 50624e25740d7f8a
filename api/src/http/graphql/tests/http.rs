use super::*;
use crate::http::intake::LONGEST_BODY;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";

async fn ask(accept: &str, body: impl Into<Body>) -> Came {
    send(post("/graphql").header("accept", accept).body(body)).await
}

async fn get(query: &str) -> Came {
    send(
        poem::Request::builder()
            .uri_str(format!("/graphql?{query}"))
            .finish(),
    )
    .await
}

fn query(text: &str) -> String {
    json!({"query": text}).to_string()
}

#[tokio::test]
async fn a_server_must_handle_post_requests_with_json() {
    let came = ask(GRAPHQL, query("{ hello }")).await;
    assert_eq!(came.status, 200);
    assert_eq!(
        came.json(),
        json!({"data": {"hello": "world"}, "extensions": {"cost": 1}})
    );
}

#[tokio::test]
async fn a_server_must_indicate_the_media_type_and_should_indicate_the_encoding() {
    for accept in [GRAPHQL, JSON] {
        let came = ask(accept, query("{ hello }")).await;
        assert_eq!(
            came.header(header::CONTENT_TYPE),
            format!("{accept}; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn without_accept_it_should_be_as_if_graphql_response_was_accepted() {
    let came = send(post("/graphql").body(query("{ hello }"))).await;
    assert!(came.header(header::CONTENT_TYPE).starts_with(GRAPHQL));
}

#[tokio::test]
async fn without_a_supported_media_type_the_server_must_respond_406() {
    let came = ask("text/html", query("mutation { poke }")).await;
    assert_eq!((came.status, came.code().as_str()), (406, "BAD_REQUEST"));
    assert_eq!(came.pokes, 0);
}

#[tokio::test]
async fn the_encoding_must_be_assumed_to_be_utf8() {
    let came = ask(JSON, r#"{"query": "{ hello } # é"}"#).await;
    assert_eq!(came.status, 200);
    let latin = [&br#"{"query": "{ hello } # "#[..], &[0xe9], b"\"}"].concat();
    assert_eq!(ask(JSON, latin).await.status, 400);
}

#[tokio::test]
async fn without_a_content_type_the_server_should_respond_4xx() {
    let req = poem::Request::builder()
        .method(Method::POST)
        .uri_str("/graphql")
        .body(query("{ hello }"));
    assert_eq!(send(req).await.status, 415);
}

/// What browsers send to other sites without asking is refused, whatever it holds.
#[tokio::test]
async fn bodies_that_a_page_of_another_site_can_send_are_refused() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/jsonp",
        "application/json; charset=utf-16",
        "text/plain; application/json",
    ] {
        let req = poem::Request::builder()
            .method(Method::POST)
            .uri_str("/graphql")
            .content_type(content_type)
            .body(query("mutation { poke }"));
        let came = send(req).await;
        assert_eq!((came.status, came.pokes), (415, 0), "{content_type}");
    }
    let compressed = post("/graphql")
        .header("content-encoding", "gzip")
        .body("x");
    assert_eq!(send(compressed).await.status, 415);
}

#[tokio::test]
async fn get_parameters_must_be_read_from_the_query_component() {
    let came = get(
        "query=query%20A(%24n%3AInt!)%7Becho(number%3A%24n)%7Dquery%20B%7Bhello%7D&operationName=A&variables=%7B%22n%22%3A7%7D&extensions=%7B%7D",
    )
    .await;
    assert_eq!(came.json()["data"], json!({"echo": 7}));
}

#[tokio::test]
async fn an_empty_operation_name_is_equivalent_to_none() {
    assert_eq!(
        get("query=query%20A%7Bhello%7D&operationName=")
            .await
            .status,
        200
    );
    let body = json!({"query": "query A { hello }", "operationName": ""}).to_string();
    assert_eq!(ask(GRAPHQL, body).await.status, 200);
}

#[tokio::test]
async fn get_must_not_execute_mutations_and_must_respond_405() {
    for query in [
        "query=mutation%7Bpoke%7D",
        "query=query%20A%7Bhello%7Dmutation%20B%7Bpoke%7D&operationName=B",
    ] {
        let came = get(query).await;
        assert_eq!((came.status, came.pokes), (405, 0), "{query}");
        assert_eq!(came.header(header::ALLOW), "POST");
    }
}

#[tokio::test]
async fn post_executes_mutations() {
    let came = ask(GRAPHQL, query("mutation { poke }")).await;
    assert_eq!((came.status, came.pokes), (200, 1));
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD] {
        let req = poem::Request::builder()
            .method(method)
            .uri_str("/graphql?query=%7Bhello%7D")
            .finish();
        let came = send(req).await;
        assert_eq!(
            (came.status, came.header(header::ALLOW)),
            (405, "GET, POST")
        );
    }
}

/// JSON parsing failure and invalid parameters: 400 in either media type.
#[tokio::test]
async fn what_is_not_a_well_formed_request_should_result_in_400() {
    for body in [
        "NONSENSE",
        r#"{"query":"#,
        "",
        "null",
        "7",
        r#""{ hello }""#,
        r#"{"qeury": "{ hello }"}"#,
        r#"{"query": null}"#,
        r#"{"query": 7}"#,
        r#"{"query": ["{ hello }"]}"#,
        r#"{"query": "{ hello }", "variables": [7]}"#,
        r#"{"query": "{ hello }", "variables": "{}"}"#,
        r#"{"query": "{ hello }", "operationName": 7}"#,
        r#"{"query": "{ hello }", "extensions": 7}"#,
        r#"[{"query": "{ hello }"}]"#,
        "[]",
    ] {
        for accept in [GRAPHQL, JSON] {
            let came = ask(accept, body).await;
            assert_eq!(
                (came.status, came.code().as_str()),
                (400, "BAD_REQUEST"),
                "{body}"
            );
            assert!(came.json().get("data").is_none());
        }
    }
    for query in [
        "",
        "query=%7Bhello%7D&variables=nonsense",
        "query=%7Bhello%7D&variables=%5B%5D",
        "query=%7Bhello%7D&extensions=7",
        "query=%7Bhello%7D&query=%7Bhello%7D",
    ] {
        assert_eq!(get(query).await.status, 400, "{query}");
    }
    let deep = format!(
        r#"{{"query": "{{ hello }}", "variables": {}1{}}}"#,
        "[".repeat(9_999),
        "]".repeat(9_999)
    );
    assert_eq!(ask(JSON, deep).await.status, 400);
}

#[tokio::test]
async fn null_for_an_optional_parameter_is_equivalent_to_none() {
    let body =
        json!({"query": "{ hello }", "operationName": null, "variables": null, "extensions": null});
    assert_eq!(ask(GRAPHQL, body.to_string()).await.status, 200);
    assert_eq!(
        get("query=%7Bhello%7D&variables=null&extensions=null")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn other_parameters_are_ignored() {
    let body = json!({"query": "{ hello }", "id": 7}).to_string();
    assert_eq!(ask(GRAPHQL, body).await.status, 200);
    assert_eq!(get("query=%7Bhello%7D&fbclid=7").await.status, 200);
}

/// Document parsing and validation failure, an operation that can't be determined, variables that don't fit: 400, or 200
/// with `application/json`. There is no `data`.
#[tokio::test]
async fn a_request_error_is_400_and_with_plain_json_200() {
    for (body, code) in [
        (query("{"), "GRAPHQL_PARSE_FAILED"),
        (query(""), "GRAPHQL_PARSE_FAILED"),
        (query("{ nothing }"), "GRAPHQL_VALIDATION_FAILED"),
        (
            query("query($n: Int!) { echo(number: $n) }"),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": "query($n: Int!) { echo(number: $n) }", "variables": {"n": "x"}})
                .to_string(),
            "BAD_USER_INPUT",
        ),
        (
            json!({"query": "{ hello }", "operationName": "A"}).to_string(),
            "OPERATION_UNKNOWN",
        ),
        (
            query("query A { hello } query B { hello }"),
            "OPERATION_UNKNOWN",
        ),
        (query("subscription { three }"), "BAD_REQUEST"),
        (query(&"{a".repeat(100)), "LIMIT_EXCEEDED"),
    ] {
        let modern = ask(GRAPHQL, body.clone()).await;
        assert_eq!(
            (modern.status, modern.code().as_str()),
            (400, code),
            "{body}"
        );
        assert!(modern.json().get("data").is_none(), "{body}");
        let plain = ask(JSON, body.clone()).await;
        assert_eq!((plain.status, plain.code().as_str()), (200, code), "{body}");
        assert!(plain.json().get("data").is_none(), "{body}");
    }
}

/// Field errors encountered during execution: 200, even when `data` is null.
#[tokio::test]
async fn a_field_error_is_a_partial_response_with_200() {
    for accept in [GRAPHQL, JSON] {
        let partial = ask(accept, query("{ hello partial }")).await;
        assert_eq!(partial.status, 200);
        assert_eq!(
            partial.json()["data"],
            json!({"hello": "world", "partial": null})
        );
        assert_eq!(partial.code(), "INTERNAL");
        let null = ask(accept, query("{ hello broken }")).await;
        assert_eq!(null.status, 200);
        assert_eq!(null.json().get("data"), Some(&Value::Null));
        assert!(!null.text.contains("inside"));
    }
}

#[tokio::test]
async fn a_denied_field_is_a_partial_response() {
    let came = ask(GRAPHQL, query("{ hello secret }")).await;
    assert_eq!(came.status, 200);
    assert_eq!(
        came.json()["data"],
        json!({"hello": "world", "secret": null})
    );
    assert_eq!(came.code(), "FORBIDDEN");
}

/// If the client is not permitted to issue the request the server SHOULD reply with 403, 401 or similar.
#[tokio::test]
async fn who_is_not_permitted_should_get_403_or_401() {
    let denied = ask(GRAPHQL, query("mutation { restricted }")).await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "FORBIDDEN"));

    let with = |authorization: &str| {
        post("/graphql")
            .header("authorization", authorization)
            .body(query("{ secret }"))
    };
    let expired = send(with("Bearer expired")).await;
    assert_eq!(
        (expired.status, expired.code().as_str()),
        (401, "UNAUTHENTICATED")
    );
    assert_eq!(expired.header(header::WWW_AUTHENTICATE), "Bearer");

    let broken = send(with("Bearer broken")).await;
    assert_eq!((broken.status, broken.code().as_str()), (500, "INTERNAL"));
    assert!(!broken.text.contains("database"));

    let allowed = send(with("Bearer system")).await;
    assert_eq!(allowed.json()["data"], json!({"secret": "the secret"}));
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_is_read() {
    // The body never ends: reading it to the end would, neither.
    let endless = || {
        let bytes = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
        Body::from_bytes_stream(bytes)
    };
    let announced = post("/graphql")
        .header("content-length", 10_000_000)
        .body(endless());
    assert_eq!(send(announced).await.status, 413);
    assert_eq!(send(post("/graphql").body(endless())).await.status, 413);
    let mut longest = query("{ hello }");
    longest.push_str(&" ".repeat(LONGEST_BODY - longest.len()));
    assert_eq!(ask(GRAPHQL, longest).await.status, 200);
}

#[tokio::test]
async fn answers_are_not_kept_for_others() {
    let came = get("query=%7Bhello%7D").await;
    assert_eq!(came.header(header::CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn graphiql_is_a_page() {
    let came = send(poem::Request::builder().uri_str("/graphiql").finish()).await;
    assert_eq!(came.status, 200);
    assert!(came.text.contains("<title>MyCareer</title>"));
}

/// The clock of the test runs on by itself, so nobody waits.
#[tokio::test(start_paused = true)]
async fn an_operation_that_takes_too_long_is_given_up() {
    let came = ask(GRAPHQL, query("{ endless }")).await;
    assert_eq!((came.status, &*came.code()), (503, "TIMED_OUT"));
    assert!(came.json().get("data").is_none());
}

#[tokio::test]
async fn graphiql_loads_what_is_here_and_nothing_else() {
    let get = |path: &str| send(poem::Request::builder().uri_str(path).finish());
    let page = get("/graphiql").await;
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
    let mut loaded = 0;
    for part in page
        .text
        .split(['"', '\''])
        .filter(|part| part.starts_with("/assets/"))
    {
        let file = get(part).await;
        assert_eq!(file.status, 200, "{part}");
        assert!(
            file.header(header::CACHE_CONTROL).contains("immutable"),
            "{part}"
        );
        loaded += 1;
    }
    assert_eq!(
        loaded,
        page.text.matches("<script").count() + page.text.matches("<link").count()
    );
    assert_eq!(get("/assets/graphiql/4.1.2/passwords").await.status, 404);
}

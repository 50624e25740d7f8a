//! Pages of other sites: which may call the API, and which may not.

use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use support::{System, on_both_columns};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};

const LISTED: &str = "https://careers.example.test";
const OTHER: &str = "https://elsewhere.test";

/// Asks as a browser does before it lets a page of `origin` send JSON.
async fn may_send(system: &System, origin: &str) -> Response {
    system
        .client()
        .request(Method::OPTIONS, "/graphql")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type",
        )
        .send()
        .await
        .unwrap()
}

fn header<'r>(answer: &'r Response, name: &str) -> &'r str {
    answer
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The status with which a WebSocket is refused to a page of `origin`; none when it is opened.
async fn socket_refused(system: &System, origin: Option<&str>) -> Option<u16> {
    let address = system.client().address().replace("http://", "ws://");
    let mut request = format!("{address}/graphql/ws")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert(
        "sec-websocket-protocol",
        "graphql-transport-ws".parse().unwrap(),
    );
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().unwrap());
    }
    match connect_async(request).await {
        Ok(_) => None,
        Err(Error::Http(response)) => Some(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

on_both_columns! {
    async fn a_listed_origin_may_call_the_api_and_read_the_answer(bed: TestBed) {
        let settings = [("MYCAREER_CORS_ORIGINS", "https://careers.example.test,http://localhost:5173")];
        let system = bed.system_with(&settings).await;
        for origin in [LISTED, "http://localhost:5173"] {
            let answer = may_send(&system, origin).await;
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            assert_eq!(header(&answer, "access-control-allow-origin"), origin);
            assert_eq!(header(&answer, "access-control-allow-methods"), "GET, POST");
            assert!(header(&answer, "access-control-allow-headers").contains("authorization"));
            // Nobody is signed in by a cookie, so a browser has none to send along.
            assert_eq!(header(&answer, "access-control-allow-credentials"), "");

            let called = system
                .client()
                .request(Method::POST, "/graphql")
                .header("origin", origin)
                .json(&json!({ "query": "{ viewer { name } }" }))
                .send()
                .await
                .unwrap();
            assert_eq!(header(&called, "access-control-allow-origin"), origin);
            assert!(header(&called, "access-control-expose-headers").contains("x-request-id"));
            assert!(called.headers().get_all("vary").iter().any(|vary| vary == "origin"));
        }
        system.stop().await;
    }

    async fn any_other_origin_is_told_nothing(bed: TestBed) {
        for settings in [&[("MYCAREER_CORS_ORIGINS", LISTED)][..], &[]] {
            let system = bed.system_with(settings).await;
            for origin in [OTHER, "https://careers.example.test.elsewhere.test", "null"] {
                let answer = may_send(&system, origin).await;
                assert_eq!(answer.status(), StatusCode::FORBIDDEN);
                assert_eq!(header(&answer, "access-control-allow-origin"), "");
            }
            system.stop().await;
        }
    }

    async fn pages_that_are_no_part_of_the_api_are_open_to_no_other_origin(bed: TestBed) {
        let system = bed.system_with(&[("MYCAREER_CORS_ORIGINS", LISTED)]).await;
        for path in ["/metrics", "/graphiql", "/health/ready"] {
            let answer = system.client().request(Method::GET, path).header("origin", LISTED).send().await.unwrap();
            assert_eq!(header(&answer, "access-control-allow-origin"), "", "{path}");
        }
        system.stop().await;
    }

    async fn a_websocket_is_opened_to_programs_own_pages_and_listed_origins_alone(bed: TestBed) {
        let system = bed.system_with(&[("MYCAREER_CORS_ORIGINS", LISTED)]).await;
        let own = system.client().address().to_owned();
        for origin in [None, Some(own.as_str()), Some(LISTED)] {
            assert_eq!(socket_refused(&system, origin).await, None, "{origin:?}");
        }
        for origin in [OTHER, "null", "http://127.0.0.1:1"] {
            assert_eq!(socket_refused(&system, Some(origin)).await, Some(403), "{origin}");
        }
        system.stop().await;
    }
}

//! Every answer, of whatever address and status, tells browsers to keep it to itself.

use reqwest::{Method, header::HeaderMap, redirect::Policy};
use sea_orm::ConnectionTrait;
use serde_json::json;
use support::{System, http_client, on_both_columns, plain_get};

/// What stands in every answer, and what it says.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=()"),
];

/// Requests that are answered with as many statuses as there are, and the status of each.
const REQUESTS: [(&str, &str, u16); 40] = [
    ("GET", "/", 303),
    ("GET", "/graphiql", 200),
    ("GET", "/assets/page.css", 200),
    ("GET", "/assets/graphiql/4.1.2/start.js", 200),
    ("GET", "/assets/graphiql/4.1.2/passwords", 404),
    ("GET", "/health/live", 200),
    ("GET", "/health/ready", 200),
    ("GET", "/metrics", 200),
    ("GET", "/preferences/test", 200),
    ("GET", "/preferences/nonsense", 404),
    ("POST", "/preferences/nonsense", 404),
    ("GET", "/unsubscribe/test", 200),
    ("GET", "/unsubscribe/nonsense", 404),
    ("POST", "/unsubscribe/nonsense", 404),
    ("GET", "/unsubscribe/events/nonsense", 404),
    ("POST", "/unsubscribe/events/nonsense", 404),
    ("GET", "/account/password/nonsense", 404),
    ("POST", "/account/password/nonsense", 415),
    ("GET", "/account/verify/nonsense", 404),
    ("GET", "/offers/nonsense", 404),
    ("POST", "/offers/nonsense", 415),
    ("GET", "/photos/nonsense", 404),
    ("GET", "/logos/nonsense", 404),
    ("GET", "/personal-data/nonsense", 404),
    ("GET", "/reports/nonsense", 404),
    ("GET", "/audit-log/nonsense", 404),
    ("GET", "/exports/nonsense", 404),
    ("GET", "/charts/communication/nonsense", 404),
    // The provider can't be reached: nobody listens there.
    ("GET", "/sign-in/university", 502),
    ("GET", "/sign-in/university/callback?code=a&state=b", 400),
    ("GET", "/sign-in/university/callback", 400),
    ("GET", "/sign-in/arrived?code=a", 200),
    ("GET", "/graphql?query=%7Bviewer%7Bname%7D%7D", 200),
    ("GET", "/graphql", 400),
    ("GET", "/graphql/ws", 400),
    ("GET", "/graphql/stream?query=%7Bviewer%7Bname%7D%7D", 200),
    ("POST", "/graphql", 415),
    ("DELETE", "/graphql", 405),
    ("POST", "/health/live", 405),
    ("GET", "/nowhere/at/all", 404),
];

/// What is wrong with the headers of an answer.
fn complaints(headers: &HeaderMap) -> Vec<String> {
    let said = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().unwrap().to_owned(),
            (None, _) => String::new(),
            (Some(_), Some(_)) => format!("{name} twice"),
        }
    };
    let mut complaints: Vec<String> = ALWAYS
        .iter()
        .filter(|(name, value)| !said(name).starts_with(value))
        .map(|(name, _)| format!("{name}: {:?}", said(name)))
        .collect();
    let policy = said("content-security-policy");
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    for wanted in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        if !directives.contains(&wanted) {
            complaints.push(format!("no {wanted} in {policy:?}"));
        }
    }
    for directive in directives
        .iter()
        .filter(|directive| directive.starts_with("script-src"))
    {
        if directive.contains("unsafe") || directive.contains('*') {
            complaints.push((*directive).to_owned());
        }
    }
    let cache = said("cache-control");
    let kind = said("content-type");
    let is_a_file = kind.starts_with("text/css") || kind.starts_with("text/javascript");
    if (cache != "no-store") != is_a_file {
        complaints.push(format!("cache-control: {cache:?}"));
    }
    complaints
}

/// Sends it, looks at the headers of the answer, and gives its status.
async fn status(system: &System, method: &str, path: &str, more: &[(&str, &str)]) -> u16 {
    let client = http_client().redirect(Policy::none()).build().unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let address = format!("{}{path}", system.client().address());
    let mut request = client.request(method.clone(), address);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(
        complaints(answer.headers()),
        [""; 0],
        "{method} {path} {more:?}"
    );
    answer.status().as_u16()
}

on_both_columns! {
    async fn every_answer_tells_browsers_to_keep_it_to_themselves(bed: TestBed) {
        let system = bed
            .system_with(&[("MYCAREER_OIDC_ISSUER", "http://127.0.0.1:1"), ("MYCAREER_OIDC_CLIENT_ID", "mycareer")])
            .await;
        assert!(api::demo::load(system.store()).await.unwrap());
        for (method, path, expected) in REQUESTS {
            assert_eq!(status(&system, method, path, &[]).await, expected, "{method} {path}");
        }
        for (header, value, expected) in [
            ("authorization", "Bearer nonsense", 401),
            ("accept", "image/png", 406),
            ("origin", "https://elsewhere.test", 200),
        ] {
            let path = "/graphql?query=%7Bviewer%7Bname%7D%7D";
            assert_eq!(status(&system, "GET", path, &[(header, value)]).await, expected, "{header}");
        }
        let student = system.demo_client("student1").await;
        let forbidden = student
            .request(Method::POST, "/graphql")
            .json(&json!({ "query": r#"mutation { closeRegister(input: {eventId: "x"}) { userErrors { code } } }"# }))
            .send()
            .await
            .unwrap();
        assert_eq!(forbidden.status(), 403);
        assert_eq!(complaints(forbidden.headers()), [""; 0]);
        system.stop().await;
    }

    /// The answers of a server that can't do its work are no exception.
    async fn an_answer_of_a_broken_server_tells_the_same(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let token = system.demo_client("student1").await.token().unwrap().to_owned();
        system.store().reader().execute_unprepared("ALTER TABLE user_account RENAME TO gone").await.unwrap();
        let bearer = format!("Bearer {token}");
        let broken = status(&system, "GET", "/graphql?query=%7Bviewer%7Bname%7D%7D", &[("authorization", &bearer)]).await;
        assert_eq!(broken, 500);
        system.store().reader().execute_unprepared("ALTER TABLE gone RENAME TO user_account").await.unwrap();
        system.stop().await;
    }

    async fn https_is_insisted_on_where_it_is_spoken_and_only_there(bed: TestBed) {
        for (public_url, expected) in [
            ("https://mycareer.test", Some("max-age=63072000")),
            ("http://mycareer.test", None),
        ] {
            let system = bed.system_with(&[("MYCAREER_PUBLIC_URL", public_url)]).await;
            let answer = system.client().get("/health/live").await;
            let insisted = answer.headers().get("strict-transport-security");
            assert_eq!(insisted.map(|value| value.to_str().unwrap()), expected);
            system.stop().await;
        }
    }
}

/// Mail is shown in the embedded default alone, its HTML in a frame of our own page and nowhere else.
#[tokio::test]
async fn caught_mail_is_shown_in_no_frame_but_ours() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = support::Process::start(
        "mycareer",
        [
            ("MYCAREER_LISTEN", "127.0.0.1:0"),
            ("MYCAREER_DATA_DIR", folder.path().to_str().unwrap()),
        ],
        &[],
    );
    let address = program.ready().await;
    for path in [
        "/dev/mailbox",
        "/dev/mailbox/nothing",
        "/dev/mailbox/nothing/html",
    ] {
        let answer = plain_get(&format!("{address}{path}")).await;
        assert_eq!(complaints(answer.headers()), [""; 0], "{path}");
    }
    assert!(program.terminate().await.success());
}

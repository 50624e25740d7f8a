//! The browser's and the frontend's side of a sign-in: answers and codes that are good once, for those who began.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::clock::{Clock, SystemClock};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Browser, Provider, on_both_columns};

use super::{EXCHANGE, Scene, VIEWER, ada};

on_both_columns! {
    async fn an_answer_to_another_browser_or_for_another_state_is_refused(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let (location, cookie) = scene.begin().await;
        let (other_location, other_cookie) = scene.begin().await;
        let (code, state) = scene.forger.consent(&location);
        let (other_code, other_state) = scene.forger.consent(&other_location);
        for (code, state, cookie) in [
            (&code, "made up", &cookie),
            (&code, state.as_str(), &other_cookie),
            (&code, state.as_str(), &String::new()),
            (&code, other_state.as_str(), &cookie),
        ] {
            scene.end(code, state, cookie).await.assert_refused();
        }
        // A code that was given to another browser: PKCE tells.
        scene.end(&other_code, &state, &cookie).await.assert_refused();
        scene.end(&other_code, &other_state, &other_cookie).await.code();
        scene.system.stop().await;
    }

    async fn an_answer_is_taken_once_and_within_ten_minutes(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let (location, cookie) = scene.begin().await;
        let (code, state) = scene.forger.consent(&location);
        scene.end(&code, &state, &cookie).await.code();
        scene.end(&code, &state, &cookie).await.assert_refused();
        // The state is another one, and the provider's code the same.
        let (location, cookie) = scene.begin().await;
        let (_, state) = scene.forger.consent(&location);
        scene.end(&code, &state, &cookie).await.assert_refused();

        let (location, cookie) = scene.begin().await;
        let (code, state) = scene.forger.consent(&location);
        bed.clock().advance(TimeDelta::minutes(10));
        scene.end(&code, &state, &cookie).await.assert_refused();
        scene.system.stop().await;
    }

    async fn the_code_for_the_frontend_works_once_and_for_a_minute(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let arrived = scene.arrive().await;
        scene.exchange(arrived.code()).await;
        let again = scene.system.client().graphql(EXCHANGE, json!({ "code": arrived.code() })).await;
        assert_eq!(again.refusals(), ["LINK_NOT_VALID"]);

        let arrived = scene.arrive().await;
        bed.clock().advance(TimeDelta::seconds(60));
        let late = scene.system.client().graphql(EXCHANGE, json!({ "code": arrived.code() })).await;
        assert_eq!(late.refusals(), ["LINK_NOT_VALID"]);
        scene.system.stop().await;
    }

    async fn who_declines_at_the_university_is_told_so(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let (location, cookie) = scene.begin().await;
        let (_, state) = scene.forger.consent(&location);
        let outcome = scene.come_back(&[("error", "access_denied"), ("state", &state)], &cookie).await;
        outcome.assert_refused();
        assert!(outcome.page.contains("The university did not sign you in"), "{}", outcome.page);
        scene.system.stop().await;
    }

    async fn a_code_is_exchanged_by_the_frontend_that_began_and_by_nobody_else(bed: TestBed) {
        let scene = Scene::set(&bed, ada(), &[("MYCAREER_SIGN_IN_FRONTEND", "https://careers.university.test/in?lang=en")]).await;
        // Without a challenge anybody could have the frontend take up a sign-in of theirs.
        let bare = scene.http.get(scene.address("/sign-in/university")).send().await.unwrap();
        assert_eq!(bare.status(), StatusCode::BAD_REQUEST);
        let odd = scene.http.get(scene.address("/sign-in/university?challenge=odd")).send().await.unwrap();
        assert_eq!(odd.status(), StatusCode::FORBIDDEN);

        let verifier = "what only the frontend that began it knows";
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let (location, cookie) = scene.begin_at(&format!("/sign-in/university?challenge={challenge}")).await;
        let (code, state) = scene.forger.consent(&location);
        let outcome = scene.end(&code, &state, &cookie).await;
        assert!(outcome.location.starts_with("https://careers.university.test/in?lang=en&code="), "{}", outcome.location);
        for wrong in [Value::Null, json!("something else"), json!(challenge)] {
            let variables = json!({ "code": outcome.code(), "verifier": wrong });
            let answer = scene.system.client().graphql(EXCHANGE, variables).await;
            assert_eq!(answer.refusals(), ["LINK_NOT_VALID"], "{wrong}");
        }
        let variables = json!({ "code": outcome.code(), "verifier": verifier });
        let data = scene.system.client().data(EXCHANGE, variables).await;
        assert!(data["exchangeSignInCode"]["accessToken"].is_string(), "{data}");
        scene.system.stop().await;
    }

    async fn without_a_provider_there_is_no_such_page(bed: TestBed) {
        let system = bed.system().await;
        for path in ["/sign-in/university", "/sign-in/university/callback?code=a&state=b", "/sign-in/arrived?code=a"] {
            assert_eq!(system.client().get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        system.stop().await;
    }

    async fn a_student_signs_in_with_a_real_provider_in_a_real_browser(bed: TestBed) {
        // The provider keeps the machine's time.
        bed.clock().advance(SystemClock.now() - bed.clock().now());
        let address = format!("http://127.0.0.1:{}", free_port());
        let redirect = format!("{address}/sign-in/university/callback");
        let mut claims = ada();
        claims.as_object_mut().unwrap().remove("sub");
        let provider = Provider::start(&redirect, &json!({ "ada": claims })).await;
        let mut settings = provider.settings().to_vec();
        settings.push(("MYCAREER_PUBLIC_URL", &address));
        settings.push(("MYCAREER_LISTEN", address.strip_prefix("http://").unwrap()));
        let system = bed.system_with(&settings).await;
        assert!(api::demo::load(system.store()).await.unwrap());

        let browser = Browser::open().await;
        browser.go(&format!("{address}/sign-in/university")).await;
        browser.fill("input[name=login]", "ada").await;
        browser.fill("input[name=password]", "any").await;
        browser.click("button[type=submit]").await;
        // The provider asks whether MyCareer may know.
        browser.click("button[autofocus]").await;
        let code = browser.text("#code").await;
        // The provider's own cookies are for the same host.
        let cookies = browser.hidden_cookies().await;
        assert!(!cookies.iter().any(|name| name.contains("mycareer")), "the cookie has done its work: {cookies:?}");

        let data = system.client().data(EXCHANGE, json!({ "code": code })).await;
        let token = data["exchangeSignInCode"]["accessToken"].as_str().unwrap_or_else(|| panic!("{data}"));
        let viewer = system.client().clone().with_token(token).data(VIEWER, json!({})).await;
        assert_eq!(viewer["viewer"]["name"], "Ada Okonkwo");
        assert_eq!(viewer["viewer"]["kind"], "STUDENT");
        browser.close().await;
        system.stop().await;
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

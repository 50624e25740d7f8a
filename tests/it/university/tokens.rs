//! What a provider says that must not be believed, and the keys by which it is.

use std::collections::HashMap;

use chrono::TimeDelta;
use domain::clock::Clock;
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::{Forged, Signature, on_both_columns};

use super::{Scene, VIEWER, ada};

on_both_columns! {
    async fn a_token_of_another_issuer_for_another_audience_of_another_sign_in_or_expired_is_refused(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let before = scene.accounts().await;
        let now = bed.clock().now().timestamp();
        for forged in [
            ("iss", json!("https://elsewhere.test")),
            ("aud", json!("somebody-else")),
            ("aud", json!(["mycareer", "somebody-else"])),
            ("nonce", json!("of another sign-in")),
            ("nonce", Value::Null),
            ("exp", json!(now - 1)),
            ("iat", Value::Null),
        ] {
            let outcome = scene.arrive_forged(std::slice::from_ref(&forged)).await;
            outcome.assert_refused();
            assert_eq!(scene.accounts().await, before, "{forged:?}");
        }
        for signature in [Signature::Stranger, Signature::None, Signature::Secret("the secret of MyCareer")] {
            scene.arrive_signed(signature).await.assert_refused();
            assert_eq!(scene.accounts().await, before, "{signature:?}");
        }
        // The control: the same with nothing forged.
        scene.arrive().await.code();
        assert_eq!(scene.accounts().await, before + 1);
        scene.system.stop().await;
    }

    async fn a_new_key_of_the_provider_is_read_but_not_more_than_once_a_minute(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.arrive().await.code();
        assert_eq!(scene.forger.documents(), 1);
        scene.forger.rotate();
        // Anybody can send a token with an unknown key: within the minute the document stands.
        scene.arrive().await.assert_refused();
        assert_eq!(scene.forger.documents(), 1);
        bed.clock().advance(TimeDelta::minutes(1));
        scene.arrive().await.code();
        assert_eq!(scene.forger.documents(), 2);
        scene.system.stop().await;
    }

    async fn a_key_that_the_provider_withdrew_is_good_for_ten_minutes_at_most(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.arrive().await.code();
        scene.forger.rotate();
        // The control: until the document is read again nobody here can know.
        scene.arrive_signed(Signature::Withdrawn).await.code();
        bed.clock().advance(TimeDelta::minutes(10));
        scene.forger.set_time(bed.clock().now().timestamp());
        scene.arrive_signed(Signature::Withdrawn).await.assert_refused();
        scene.arrive().await.code();
        scene.system.stop().await;
    }

    async fn an_answer_that_names_another_issuer_is_refused(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        for (issuer, is_taken) in [("https://elsewhere.test", false), (scene.forger.issuer(), true)] {
            let (location, cookie) = scene.begin().await;
            let (code, state) = scene.forger.consent(&location);
            let outcome = scene.come_back(&[("code", &code), ("state", &state), ("iss", issuer)], &cookie).await;
            assert_eq!(outcome.status == StatusCode::SEE_OTHER, is_taken, "{issuer}");
        }
        scene.system.stop().await;
    }

    async fn a_document_of_another_issuer_is_refused(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.forger.forge(Forged { issuer: Some("https://elsewhere.test"), ..Forged::default() });
        let answer = scene.http.get(scene.address("/sign-in/university")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
        scene.forger.forge(Forged::default());
        // A provider that could not be relied on is not asked again at once.
        let answer = scene.http.get(scene.address("/sign-in/university")).send().await.unwrap();
        assert_eq!((answer.status(), scene.forger.documents()), (StatusCode::BAD_GATEWAY, 1));
        bed.clock().advance(TimeDelta::seconds(5));
        scene.arrive().await.code();
        scene.system.stop().await;
    }

    async fn what_the_token_leaves_out_the_provider_is_asked_for_and_not_about_anybody_else(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let told = |subject: &str| Forged {
            claims: HashMap::from([("name", Value::Null)]),
            user_info: Some(json!({ "sub": subject, "name": "Ada of the user info" })),
            ..Forged::default()
        };
        scene.arrive_by(told("somebody-else")).await.assert_refused();
        let client = scene.exchange(scene.arrive_by(told("ada-7")).await.code()).await;
        assert_eq!(client.data(VIEWER, json!({})).await["viewer"]["name"], "Ada of the user info");
        scene.system.stop().await;
    }

    async fn a_network_that_sends_bad_answers_is_not_listened_to_for_a_while(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let (location, cookie) = scene.begin().await;
        let (code, state) = scene.forger.consent(&location);
        for _ in 0..99 {
            scene.end(&code, "made up", &cookie).await.assert_refused();
        }
        // A good one is not counted.
        for _ in 0..2 {
            scene.arrive().await.code();
        }
        scene.end(&code, "made up", &cookie).await.assert_refused();
        assert_eq!(scene.end(&code, &state, &cookie).await.status, StatusCode::TOO_MANY_REQUESTS);
        bed.clock().advance(TimeDelta::minutes(15));
        scene.forger.set_time(bed.clock().now().timestamp());
        scene.arrive().await.code();
        scene.system.stop().await;
    }
}

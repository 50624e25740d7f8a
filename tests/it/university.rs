//! Signing in with the university: the good flow with a real provider in a real browser, and what a provider says that
//! must not be believed, by one that forges.

mod browser;
mod people;
mod tokens;

use std::collections::HashMap;

use domain::clock::Clock;
use entity::user;
use reqwest::{StatusCode, header};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use support::{Client, Forged, Forger, Signature, System, TestBed, http_client};

const EXCHANGE: &str = "mutation($code: String!, $verifier: String) {
    exchangeSignInCode(input: { code: $code, verifier: $verifier }) { accessToken refreshToken userErrors { code field } } }";
const VIEWER: &str = "{ viewer { id name email kind isOperator isSuperUser isAdministrator facultyId programmeId } }";

/// A student as the university knows her.
fn ada() -> Value {
    json!({
        "sub": "ada-7",
        "email": "Ada.Okonkwo@university.test",
        "email_verified": true,
        "name": "Ada Okonkwo",
        "eduperson_affiliation": ["member", "student"],
        "programme": "BSc Computer Science",
        "year_of_study": 2,
    })
}

/// A system that is signed in to by a forger, and a browser's side of it.
struct Scene {
    system: System,
    forger: Forger,
    http: reqwest::Client,
}

/// What the callback answered.
struct Outcome {
    status: StatusCode,
    location: String,
    page: String,
}

impl Outcome {
    fn code(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.page);
        self.location.split_once("code=").unwrap().1
    }

    fn assert_refused(&self) {
        assert!(
            self.status.is_client_error(),
            "{} {}",
            self.status,
            self.location
        );
        assert!(self.page.contains("You are not signed in"), "{}", self.page);
    }
}

impl Scene {
    async fn new(bed: &TestBed, claims: Value) -> Self {
        Self::set(bed, claims, &[]).await
    }

    /// With these settings too.
    async fn set(bed: &TestBed, claims: Value, more: &[(&str, &str)]) -> Self {
        let forger = Forger::start(bed.clock().now().timestamp(), claims).await;
        let settings = [
            ("MYCAREER_OIDC_ISSUER", forger.issuer()),
            ("MYCAREER_OIDC_CLIENT_ID", "mycareer"),
        ];
        let settings: Vec<_> = settings.iter().chain(more).copied().collect();
        let system = bed.system_with(&settings).await;
        assert!(api::demo::load(system.store()).await.unwrap());
        let http = http_client()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            system,
            forger,
            http,
        }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.system.client().address())
    }

    /// Begins: where the browser is sent, and its cookie.
    async fn begin(&self) -> (String, String) {
        self.begin_at("/sign-in/university").await
    }

    async fn begin_at(&self, path: &str) -> (String, String) {
        let answer = self.http.get(self.address(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        let location = answer.headers()[header::LOCATION]
            .to_str()
            .unwrap()
            .to_owned();
        (location, cookie.split(';').next().unwrap().to_owned())
    }

    /// Comes back from the provider with this.
    async fn end(&self, code: &str, state: &str, cookie: &str) -> Outcome {
        self.come_back(&[("code", code), ("state", state)], cookie)
            .await
    }

    async fn come_back(&self, answer: &[(&str, &str)], cookie: &str) -> Outcome {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(answer)
            .finish();
        let answer = self
            .http
            .get(self.address(&format!("/sign-in/university/callback?{query}")))
            .header(header::COOKIE, cookie)
            .send()
            .await
            .unwrap();
        Outcome {
            status: answer.status(),
            location: answer
                .headers()
                .get(header::LOCATION)
                .map(|location| location.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            page: answer.text().await.unwrap(),
        }
    }

    /// All the way.
    async fn arrive(&self) -> Outcome {
        let (location, cookie) = self.begin().await;
        let (code, state) = self.forger.consent(&location);
        self.end(&code, &state, &cookie).await
    }

    /// All the way, with a token that is forged so.
    async fn arrive_forged(&self, claims: &[(&'static str, Value)]) -> Outcome {
        let claims: HashMap<_, _> = claims.iter().cloned().collect();
        let forged = Forged {
            claims,
            ..Forged::default()
        };
        self.arrive_by(forged).await
    }

    /// All the way, with a provider that does so.
    async fn arrive_by(&self, forged: Forged) -> Outcome {
        self.forger.forge(forged);
        let outcome = self.arrive().await;
        self.forger.forge(Forged::default());
        outcome
    }

    /// All the way, with a token that is signed so.
    async fn arrive_signed(&self, signature: Signature) -> Outcome {
        let forged = Forged {
            signature,
            ..Forged::default()
        };
        self.arrive_by(forged).await
    }

    async fn exchange(&self, code: &str) -> Client {
        let data = self
            .system
            .client()
            .data(EXCHANGE, json!({ "code": code }))
            .await;
        let token = data["exchangeSignInCode"]["accessToken"]
            .as_str()
            .unwrap_or_else(|| panic!("{data}"));
        self.system.client().clone().with_token(token)
    }

    async fn accounts(&self) -> u64 {
        user::Entity::find()
            .count(self.system.store().reader())
            .await
            .unwrap()
    }

    async fn account(&self, email: &str) -> user::Model {
        user::Entity::find()
            .filter(user::Column::Email.eq(email))
            .one(self.system.store().reader())
            .await
            .unwrap()
            .unwrap()
    }
}

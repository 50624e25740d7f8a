//! Signing in with the university: the good flow with a real provider in a real browser, and what a provider says that
//! must not be believed, by one that forges.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::clock::{Clock, SystemClock};
use entity::{
    credential, faculty, identity,
    ids::{ProgrammeId, SchoolId},
    programme, school, user,
};
use reqwest::{StatusCode, header};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{
    Browser, Client, Forged, Forger, Provider, Signature, System, TestBed, http_client,
    on_both_columns,
};

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

on_both_columns! {
    async fn a_student_whom_the_university_signs_in_gets_an_account_without_rights(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let before = scene.accounts().await;
        let client = scene.exchange(scene.arrive().await.code()).await;
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["name"], "Ada Okonkwo");
        assert_eq!(viewer["email"], "ada.okonkwo@university.test");
        assert_eq!(viewer["kind"], "STUDENT");
        assert_eq!(viewer["isOperator"], false);

        let account = scene.account("ada.okonkwo@university.test").await;
        let reader = scene.system.store().reader();
        let programme = programme::Entity::find_by_id(account.programme_id.unwrap()).one(reader).await.unwrap().unwrap();
        let faculty = faculty::Entity::find_by_id(account.faculty_id.unwrap()).one(reader).await.unwrap().unwrap();
        assert_eq!(programme.name, "BSc Computer Science");
        assert_eq!(faculty.name, "Engineering and Physical Sciences");
        assert_eq!(account.year_of_study, Some(2));
        assert_eq!(
            credential::Entity::find().filter(credential::Column::UserId.eq(account.id)).count(reader).await.unwrap(),
            0
        );

        // The second time it is the same account, which has the address that she has there by now.
        let again = scene.arrive_forged(&[("email", json!("other@university.test")), ("year_of_study", json!("3"))]).await;
        let again = scene.exchange(again.code()).await;
        assert_eq!(again.data(VIEWER, json!({})).await["viewer"]["id"], viewer["id"]);
        assert_eq!(scene.account("other@university.test").await.year_of_study, Some(3));
        assert_eq!(scene.accounts().await, before + 1);
        // One that somebody else has here, or that is not proved, is not taken over.
        for (email, proved) in [("student3@demo.mycareer.test", true), ("third@university.test", false)] {
            scene.arrive_forged(&[("email", json!(email)), ("email_verified", json!(proved))]).await.code();
            assert_eq!(scene.account("other@university.test").await.id.to_string(), viewer["id"]);
        }
        scene.system.stop().await;
    }

    async fn staff_come_without_rights_and_others_do_not_come(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let staff = scene.arrive_forged(&[("eduperson_affiliation", json!("staff@university.test"))]).await;
        let viewer = scene.exchange(staff.code()).await.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["kind"], "STAFF");
        for right in ["isOperator", "isSuperUser", "isAdministrator"] {
            assert_eq!(viewer[right], false, "{right}");
        }
        for affiliation in [json!(["member"]), json!([]), Value::Null] {
            let others = scene
                .arrive_forged(&[("sub", json!("somebody")), ("eduperson_affiliation", affiliation)])
                .await;
            assert_eq!(others.status, StatusCode::FORBIDDEN);
            others.assert_refused();
        }
        scene.system.stop().await;
    }

    async fn an_account_with_the_same_proved_address_is_linked_unless_it_is_an_employers_or_anothers(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let email = json!("student2@demo.mycareer.test");
        // An address that the university has not proved leads to nobody's account.
        for unproved in [email.clone(), json!("nobody.yet@university.test")] {
            let unproved = scene.arrive_forged(&[("email", unproved), ("email_verified", json!(false))]).await;
            unproved.assert_refused();
        }
        let linked = scene.arrive_forged(&[("email", email.clone())]).await;
        let viewer = scene.exchange(linked.code()).await.data(VIEWER, json!({})).await;
        let student = scene.account("student2@demo.mycareer.test").await;
        assert_eq!(viewer["viewer"]["id"], student.id.to_string());

        let somebody_else = scene.arrive_forged(&[("email", email), ("sub", json!("bob-8"))]).await;
        somebody_else.assert_refused();
        let employer = json!("employer@demo.mycareer.test");
        scene.arrive_forged(&[("email", employer), ("sub", json!("cy-9"))]).await.assert_refused();
        assert_eq!(identity::Entity::find().count(scene.system.store().reader()).await.unwrap(), 1);
        scene.system.stop().await;
    }

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

    async fn a_graduate_is_signed_in_as_one(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.arrive().await.code();
        let graduate = scene.arrive_forged(&[("eduperson_affiliation", json!(["member", "alum"]))]).await;
        let viewer = scene.exchange(graduate.code()).await.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!(viewer["kind"], "GRADUATE");
        scene.system.stop().await;
    }

    async fn who_leaves_the_staff_loses_what_the_staff_may_and_who_joins_gains_nothing(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let operator = json!("operator@demo.mycareer.test");
        let of_staff = [("email", operator.clone()), ("eduperson_affiliation", json!("staff"))];
        let client = scene.exchange(scene.arrive_forged(&of_staff).await.code()).await;
        assert_eq!(client.data(VIEWER, json!({})).await["viewer"]["isOperator"], true);
        let left = [("email", operator), ("eduperson_affiliation", json!("student"))];
        scene.arrive_forged(&left).await.code();
        // The session goes on, as that of a student.
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isOperator"]), (&json!("STUDENT"), &json!(false)));
        scene.arrive_forged(&of_staff).await.code();
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isOperator"]), (&json!("STAFF"), &json!(false)));
        scene.system.stop().await;
    }

    async fn the_last_administrator_stays_on_the_staff_whatever_the_university_says(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let left = [("email", json!("admin@demo.mycareer.test")), ("eduperson_affiliation", json!("student"))];
        let client = scene.exchange(scene.arrive_forged(&left).await.code()).await;
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isAdministrator"]), (&json!("STAFF"), &json!(true)));
        // The control: with another administrator they go.
        let mut other = scene.account("superuser@demo.mycareer.test").await.into_active_model();
        other.is_administrator = Set(true);
        other.update(scene.system.store().reader()).await.unwrap();
        scene.arrive_forged(&left).await.code();
        let viewer = client.data(VIEWER, json!({})).await["viewer"].take();
        assert_eq!((&viewer["kind"], &viewer["isAdministrator"]), (&json!("STUDENT"), &json!(false)));
        scene.system.stop().await;
    }

    async fn staff_get_the_faculty_that_the_university_names_and_keep_the_one_they_choose(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let of = |faculty: &str| [("eduperson_affiliation", json!("staff")), ("faculty", json!(faculty))];
        let faculty = async || {
            let account = scene.account("ada.okonkwo@university.test").await;
            match account.faculty_id {
                Some(id) => Some(faculty::Entity::find_by_id(id).one(scene.system.store().reader()).await.unwrap().unwrap().name),
                None => None,
            }
        };
        scene.arrive_forged(&of("A faculty that is not known here")).await.code();
        assert_eq!(faculty().await, None);
        scene.arrive_forged(&of("  environment ")).await.code();
        assert_eq!(faculty().await.as_deref(), Some("Environment"));
        scene.arrive_forged(&of("Biological Sciences")).await.code();
        assert_eq!(faculty().await.as_deref(), Some("Environment"));
        scene.system.stop().await;
    }

    async fn a_programme_whose_name_two_schools_have_is_that_of_the_faculty_that_is_told(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        let reader = scene.system.store().reader();
        let environment = faculty::Entity::find().filter(faculty::Column::Name.eq("Environment")).one(reader).await.unwrap().unwrap();
        let school = school::Model {
            id: SchoolId::new_at(bed.clock().now()),
            faculty_id: environment.id,
            name: "School of Twins".to_owned(),
            created_at: bed.clock().now(),
        };
        school::Entity::insert(school.clone().into_active_model().reset_all()).exec_without_returning(reader).await.unwrap();
        let first = programme::Entity::find().filter(programme::Column::Name.eq("BSc Computer Science")).one(reader).await.unwrap().unwrap();
        let mut twin = first.clone();
        (twin.id, twin.school_id) = (ProgrammeId::new_at(bed.clock().now()), school.id);
        programme::Entity::insert(twin.clone().into_active_model().reset_all()).exec_without_returning(reader).await.unwrap();

        scene.arrive().await.code();
        assert_eq!(scene.account("ada.okonkwo@university.test").await.programme_id, None, "either may be meant");
        scene.arrive_forged(&[("faculty", json!("Environment"))]).await.code();
        assert_eq!(scene.account("ada.okonkwo@university.test").await.programme_id, Some(twin.id));
        scene.system.stop().await;
    }

    async fn a_suspended_account_is_closed_to_the_university_too(bed: TestBed) {
        let scene = Scene::new(&bed, ada()).await;
        scene.arrive().await.code();
        let mut account = scene.account("ada.okonkwo@university.test").await.into_active_model();
        account.state = Set(user::UserState::Suspended);
        account.update(scene.system.store().reader()).await.unwrap();
        scene.arrive().await.assert_refused();
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

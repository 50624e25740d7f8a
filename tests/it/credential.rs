//! Passwords and addresses: chosen anew, forgotten, proved, invited to; as a person does it, over HTTP and through the
//! letters that come.

use std::time::Duration;

use chrono::TimeDelta;
use entity::{
    access_grant::{self, GrantState, Permission},
    contact, credential,
    ids::{ContactId, GrantId},
    one_time_token, organisation, session as sessions, user,
};
use mail_parser::MessageParser;
use reqwest::{Method, StatusCode};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter,
};
use serde_json::{Value, json};
use support::{Client, System, TestBed, on_both_columns, until};

const DEMO: &str = api::demo::PASSWORD;
const NEW: &str = "seven quiet otters borrow a lantern";
const STUDENT: &str = "student1@demo.mycareer.test";

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }";
const CHANGE: &str = "mutation($input: ChangePasswordInput!) {
    changePassword(input: $input) { changed userErrors { code field message } } }";
const FORGOTTEN: &str = "mutation($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) { requested userErrors { code field message } } }";
const RESET: &str = "mutation($input: ResetPasswordInput!) {
    resetPassword(input: $input) { reset userErrors { code field message } } }";
const CHANGE_EMAIL: &str = "mutation($input: ChangeEmailInput!) {
    changeEmail(input: $input) { requested userErrors { code field } } }";
const VERIFY: &str = "mutation($input: VerifyEmailInput!) {
    verifyEmail(input: $input) { verified userErrors { code field } } }";
const INVITE: &str = "mutation($id: ID!) {
    inviteEmployer(input: { contactId: $id }) { invited userErrors { code field message } } }";
const SESSIONS: &str = "{ sessions { id device network isCurrent createdAt lastUsedAt } }";
const END: &str =
    "mutation($id: ID!) { endSession(input: { id: $id }) { ended userErrors { code } } }";
const END_OTHERS: &str = "mutation { endOtherSessions { ended userErrors { code } } }";

async fn may_sign_in(system: &System, email: &str, password: &str) -> bool {
    let input = json!({ "input": { "email": email, "password": password } });
    let answer = system.client().graphql(SIGN_IN, input).await;
    answer.data["signIn"]["accessToken"].is_string()
}

async fn is_signed_in(client: &Client) -> bool {
    client.graphql("{ viewer { id } }", json!({})).await.data["viewer"].is_object()
}

/// The path in the newest letter to this address that begins so.
pub async fn link(bed: &TestBed, to: &str, path: &str) -> String {
    until(
        Duration::from_secs(20),
        "the letter with the link has come",
        async || {
            letters(bed, to).iter().rev().find_map(|text| {
                let at = text.find(path)?;
                text[at..].split_whitespace().next().map(str::to_owned)
            })
        },
    )
    .await
}

/// The texts of the letters to this address, the oldest first.
fn letters(bed: &TestBed, to: &str) -> Vec<String> {
    bed.mail()
        .received()
        .iter()
        .filter(|mail| mail.to.iter().any(|recipient| recipient == to))
        .filter_map(|mail| {
            let message = MessageParser::default().parse(&mail.raw)?;
            let subject = message.subject().unwrap_or_default().to_owned();
            Some(format!("{subject}\n{}", message.body_text(0)?))
        })
        .collect()
}

async fn until_letter(bed: &TestBed, to: &str, subject: &str) {
    until(Duration::from_secs(20), subject, async || {
        letters(bed, to)
            .iter()
            .any(|text| text.starts_with(subject))
            .then_some(())
    })
    .await;
}

fn token_of(link: &str) -> String {
    link.rsplit('/').next().unwrap().to_owned()
}

async fn forget(system: &System, email: &str) -> Value {
    system
        .client()
        .data(FORGOTTEN, json!({ "input": { "email": email } }))
        .await
}

on_both_columns! {
    async fn a_new_password_takes_the_old_one_and_ends_the_other_sessions(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let here = system.demo_client("student1").await;
        let elsewhere = system.demo_client("student1").await;
        let change = |current: &str, new: &str| json!({ "input": { "currentPassword": current, "newPassword": new } });

        let wrong = here.graphql(CHANGE, change("not the password", NEW)).await;
        assert_eq!(wrong.refusals(), ["WRONG_CREDENTIALS"]);
        assert!(is_signed_in(&elsewhere).await);
        here.data(CHANGE, change(DEMO, NEW)).await;

        assert!(is_signed_in(&here).await);
        assert!(!is_signed_in(&elsewhere).await);
        assert!(!may_sign_in(&system, STUDENT, DEMO).await);
        assert!(may_sign_in(&system, STUDENT, NEW).await);
        until_letter(&bed, STUDENT, "Your password was changed").await;
        system.stop().await;
    }

    async fn a_password_that_is_easy_to_guess_is_refused_and_the_refusal_says_why(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        for (new, code) in [
            ("short", "INVALID"),
            ("password1234", "WEAK_PASSWORD"),
            ("student1@demo.mycareer.test", "WEAK_PASSWORD"),
        ] {
            let input = json!({ "input": { "currentPassword": DEMO, "newPassword": new } });
            let answer = student.graphql(CHANGE, input).await;
            assert_eq!(answer.refusals(), [code], "{new}");
            let error = &answer.data["changePassword"]["userErrors"][0];
            assert_eq!(error["field"], "newPassword");
            assert!(error["message"].as_str().unwrap().len() > 30, "{error}");
        }
        assert!(may_sign_in(&system, STUDENT, DEMO).await);
        system.stop().await;
    }

    async fn a_forgotten_password_is_chosen_anew_through_a_link_that_works_once(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let before = system.demo_client("student1").await;
        forget(&system, STUDENT).await;
        let link = link(&bed, STUDENT, "/account/password/").await;
        let token = token_of(&link);

        // To look at the page changes nothing: programs that look at mail follow links.
        for _ in 0..2 {
            let page = system.client().get(&link).await;
            assert_eq!(page.status(), StatusCode::OK);
            assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        }
        let weak = json!({ "input": { "token": token, "newPassword": "password1234" } });
        assert_eq!(system.client().graphql(RESET, weak).await.refusals(), ["WEAK_PASSWORD"]);
        assert!(is_signed_in(&before).await);

        let input = json!({ "input": { "token": token, "newPassword": NEW } });
        let reset = system.client().data(RESET, input.clone()).await;
        assert_eq!(reset["resetPassword"]["reset"], true, "{reset}");
        assert!(!is_signed_in(&before).await);
        assert!(may_sign_in(&system, STUDENT, NEW).await);
        assert_eq!(system.client().graphql(RESET, input).await.refusals(), ["LINK_NOT_VALID"]);
        assert_eq!(system.client().get(&link).await.status(), StatusCode::NOT_FOUND);
        system.stop().await;
    }

    async fn a_link_is_kept_as_a_hash_and_works_for_an_hour(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        forget(&system, STUDENT).await;
        let first = token_of(&link(&bed, STUDENT, "/account/password/").await);
        let kept = one_time_token::Entity::find().all(system.store().reader()).await.unwrap();
        assert_eq!(kept.len(), 1);
        assert_ne!(kept[0].token_hash, first);

        bed.clock().advance(TimeDelta::hours(1));
        let input = json!({ "input": { "token": first, "newPassword": NEW } });
        assert_eq!(system.client().graphql(RESET, input).await.refusals(), ["LINK_NOT_VALID"]);
        assert!(may_sign_in(&system, STUDENT, DEMO).await);
        system.stop().await;
    }

    async fn whether_an_address_has_an_account_is_not_told(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let known = forget(&system, STUDENT).await;
        assert_eq!(known, forget(&system, "nobody@demo.mycareer.test").await);
        // Three an hour, for an account that isn't there as well.
        for email in [STUDENT, "nobody@demo.mycareer.test"] {
            forget(&system, email).await;
            forget(&system, email).await;
            let fourth = system.client().graphql(FORGOTTEN, json!({ "input": { "email": email } })).await;
            assert_eq!(fourth.codes(), ["TOO_MANY_ATTEMPTS"], "{email}");
        }
        bed.clock().advance(TimeDelta::hours(1));
        forget(&system, STUDENT).await;
        system.stop().await;
    }

    async fn whom_the_university_signs_in_gets_no_second_way_in(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        credential::Entity::delete_many().exec(system.store().reader()).await.unwrap();
        forget(&system, STUDENT).await;
        assert_eq!(one_time_token::Entity::find().count(system.store().reader()).await.unwrap(), 0);
        // An employer without a password gets the link: they were invited and never chose one.
        forget(&system, "employer@demo.mycareer.test").await;
        assert_eq!(one_time_token::Entity::find().count(system.store().reader()).await.unwrap(), 1);
        system.stop().await;
    }

    async fn an_operator_invites_a_contact_whose_link_chooses_the_password(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let operator = system.demo_client("admin").await;
        let (id, email) = invitable(&system).await;
        let untrained = system.demo_client("untrained").await;
        assert_eq!(untrained.graphql(INVITE, json!({ "id": id })).await.codes(), ["FORBIDDEN"]);
        assert!(letters(&bed, &email).is_empty());

        grant_editing(&system, "admin@demo.mycareer.test").await;
        let invited = operator.data(INVITE, json!({ "id": id })).await;
        assert_eq!(invited["inviteEmployer"]["invited"], true, "{invited}");
        let link = link(&bed, &email, "/account/password/").await;
        let form = [("password", NEW), ("again", "not the same")];
        assert_eq!(post(&system, &link, &form).await, StatusCode::BAD_REQUEST);
        assert!(!may_sign_in(&system, &email, NEW).await);
        assert_eq!(post(&system, &link, &[("password", NEW), ("again", NEW)]).await, StatusCode::OK);

        let employer = system.client().sign_in(&email, NEW).await;
        let viewer = employer.data("{ viewer { kind contactId } }", json!({})).await;
        assert_eq!(viewer["viewer"], json!({ "kind": "EMPLOYER", "contactId": id }));
        assert_eq!(operator.graphql(INVITE, json!({ "id": id })).await.refusals(), ["WRONG_STATE"]);
        system.stop().await;
    }

    async fn an_address_must_be_proved_before_it_signs_in(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let mut account = account(&system, STUDENT).await.into_active_model();
        account.email_verified_at = Set(None);
        account.update(system.store().reader()).await.unwrap();

        let input = json!({ "input": { "email": STUDENT, "password": DEMO } });
        assert_eq!(system.client().graphql(SIGN_IN, input).await.refusals(), ["EMAIL_NOT_VERIFIED"]);
        let link = link(&bed, STUDENT, "/account/verify/").await;
        assert_eq!(system.client().get(&link).await.status(), StatusCode::OK);
        assert!(!may_sign_in(&system, STUDENT, DEMO).await);
        // The second try sent another letter, whose link works instead of the first.
        assert_eq!(post(&system, &link, &[]).await, StatusCode::NOT_FOUND);
        let newest = until(Duration::from_secs(20), "another letter has come", async || {
            let newest = self::link(&bed, STUDENT, "/account/verify/").await;
            (newest != link).then_some(newest)
        })
        .await;
        assert_eq!(post(&system, &newest, &[]).await, StatusCode::OK);
        assert!(may_sign_in(&system, STUDENT, DEMO).await);
        system.stop().await;
    }

    async fn a_new_address_counts_once_its_link_is_followed_and_the_old_one_is_told(bed: TestBed) {
        const ELSEWHERE: &str = "somewhere.else@example.test";
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let change = |email: &str, password: &str| json!({ "input": { "newEmail": email, "password": password } });
        let wrong = student.graphql(CHANGE_EMAIL, change(ELSEWHERE, "not the password")).await;
        assert_eq!(wrong.refusals(), ["WRONG_CREDENTIALS"]);

        student.data(CHANGE_EMAIL, change(ELSEWHERE, DEMO)).await;
        let token = token_of(&link(&bed, ELSEWHERE, "/account/verify/").await);
        assert!(!may_sign_in(&system, ELSEWHERE, DEMO).await);
        let verified = system.client().data(VERIFY, json!({ "input": { "token": token } })).await;
        assert_eq!(verified["verifyEmail"]["verified"], true, "{verified}");
        assert!(may_sign_in(&system, ELSEWHERE, DEMO).await);
        assert!(!may_sign_in(&system, STUDENT, DEMO).await);
        until_letter(&bed, STUDENT, "Your account has another e-mail address").await;
        system.stop().await;
    }

    async fn an_address_that_another_account_has_is_refused_to_its_reader_alone(bed: TestBed) {
        const TAKEN: &str = "student2@demo.mycareer.test";
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let input = json!({ "input": { "newEmail": TAKEN, "password": DEMO } });
        let asked = student.data(CHANGE_EMAIL, input).await;
        assert_eq!(asked["changeEmail"]["userErrors"], json!([]));
        let token = token_of(&link(&bed, TAKEN, "/account/verify/").await);
        let taken = system.client().graphql(VERIFY, json!({ "input": { "token": token } })).await;
        assert_eq!(taken.refusals(), ["TAKEN"]);
        system.stop().await;
    }

    async fn people_see_their_own_sessions_and_end_them(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let here = system.demo_client("student1").await;
        bed.clock().advance(TimeDelta::minutes(1));
        let elsewhere = system.demo_client("student1").await;
        bed.clock().advance(TimeDelta::minutes(1));
        let third = system.demo_client("student1").await;
        let stranger = system.demo_client("student2").await;

        let sessions = here.data(SESSIONS, json!({})).await["sessions"].take();
        let current: Vec<bool> = sessions.as_array().unwrap().iter()
            .map(|session| session["isCurrent"].as_bool().unwrap())
            .collect();
        assert_eq!(current, [false, false, true]);
        assert_eq!(sessions[2]["network"], "127.0.0.0/24");
        assert_eq!(sessions[2]["device"], "Another program");

        // Somebody else's session doesn't exist.
        let id = sessions[1]["id"].clone();
        assert_eq!(stranger.graphql(END, json!({ "id": id })).await.refusals(), ["NOT_FOUND"]);
        assert!(is_signed_in(&elsewhere).await);
        here.data(END, json!({ "id": id })).await;
        assert!(!is_signed_in(&elsewhere).await);
        assert!(is_signed_in(&third).await);

        let others = here.data(END_OTHERS, json!({})).await;
        assert_eq!(others["endOtherSessions"]["ended"], 1);
        assert!(!is_signed_in(&third).await);
        assert!(is_signed_in(&here).await);
        assert!(is_signed_in(&stranger).await);
        system.stop().await;
    }

    async fn behind_a_proxy_the_limit_is_the_clients_and_nobody_forges_an_address(bed: TestBed) {
        let trusting = bed.system_with(&[("MYCAREER_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
        exhaust(&trusting, "198.51.100.1, 203.0.113.7").await;
        // What stands left of the client's address, it has made up.
        assert_eq!(try_from(&trusting, "192.0.2.77, 203.0.113.7").await, "TOO_MANY_ATTEMPTS");
        assert_eq!(try_from(&trusting, "203.0.113.8").await, "WRONG_CREDENTIALS");
        trusting.stop().await;

        // The control: without the setting the header is a stranger's word, and all come from the one address.
        let control = bed.system().await;
        exhaust(&control, "203.0.113.50").await;
        assert_eq!(try_from(&control, "203.0.113.51").await, "TOO_MANY_ATTEMPTS");
        control.stop().await;
    }

    async fn an_invited_employer_may_not_choose_the_organisations_name(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        grant_editing(&system, "admin@demo.mycareer.test").await;
        let (id, email) = invitable(&system).await;
        system.demo_client("admin").await.data(INVITE, json!({ "id": id })).await;
        let token = token_of(&link(&bed, &email, "/account/password/").await);
        let contact = contact::Entity::find_by_id(id.parse::<ContactId>().unwrap()).one(system.store().reader()).await.unwrap();
        let organisation = organisation::Entity::find_by_id(contact.unwrap().organisation_id).one(system.store().reader()).await.unwrap();
        let name = format!("{} 2026", organisation.unwrap().name);
        let input = |chosen: &str| json!({ "input": { "token": token, "newPassword": chosen } });
        assert_eq!(system.client().graphql(RESET, input(&name)).await.refusals(), ["WEAK_PASSWORD"], "{name}");
        assert_eq!(system.client().data(RESET, input(NEW)).await["resetPassword"]["reset"], true);
        system.stop().await;
    }

    async fn a_new_password_makes_a_change_of_address_that_waits_worthless(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let ask = json!({ "input": { "newEmail": "intruder@elsewhere.test", "password": DEMO } });
        assert_eq!(student.data(CHANGE_EMAIL, ask).await["changeEmail"]["requested"], true);
        let link = link(&bed, "intruder@elsewhere.test", "/account/verify/").await;
        until_letter(&bed, STUDENT, "Another e-mail address is asked for").await;
        student.data(CHANGE, json!({ "input": { "currentPassword": DEMO, "newPassword": NEW } })).await;
        let followed = system.client().graphql(VERIFY, json!({ "input": { "token": token_of(&link) } })).await;
        assert_eq!(followed.refusals(), ["LINK_NOT_VALID"]);
        assert!(may_sign_in(&system, STUDENT, NEW).await);
        system.stop().await;
    }

    async fn a_letter_to_an_address_that_the_account_had_once_leads_nowhere(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        grant_editing(&system, "admin@demo.mycareer.test").await;
        let (id, email) = invitable(&system).await;
        system.demo_client("admin").await.data(INVITE, json!({ "id": id })).await;
        let invitation = token_of(&link(&bed, &email, "/account/password/").await);
        forget(&system, STUDENT).await;
        let reset = token_of(&link(&bed, STUDENT, "/account/password/").await);
        for (email, token) in [(email.as_str(), invitation), (STUDENT, reset)] {
            let mut account = account(&system, email).await.into_active_model();
            account.email = Set(format!("moved-{email}"));
            account.update(system.store().reader()).await.unwrap();
            let input = json!({ "input": { "token": token, "newPassword": NEW } });
            assert_eq!(system.client().graphql(RESET, input.clone()).await.refusals(), ["LINK_NOT_VALID"]);
            // The control: the same link, when the address is still theirs.
            let mut account = self::account(&system, &format!("moved-{email}")).await.into_active_model();
            account.email = Set(email.to_owned());
            account.update(system.store().reader()).await.unwrap();
            assert_eq!(system.client().data(RESET, input).await["resetPassword"]["reset"], true);
        }
        system.stop().await;
    }

    async fn nobody_has_letters_sent_to_strangers_without_end(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        let student = system.demo_client("student1").await;
        let ask = |number: u8| json!({ "input": { "newEmail": format!("stranger{number}@elsewhere.test"), "password": DEMO } });
        for number in 0..3 {
            student.data(CHANGE_EMAIL, ask(number)).await;
        }
        assert_eq!(student.graphql(CHANGE_EMAIL, ask(3)).await.codes(), ["TOO_MANY_ATTEMPTS"]);
        system.stop().await;
    }

    async fn what_signing_in_leaves_behind_is_cleared_away(bed: TestBed) {
        let system = bed.system_with_demo_data().await;
        system.demo_client("student1").await;
        forget(&system, STUDENT).await;
        assert!(!may_sign_in(&system, STUDENT, "wrong").await);
        let count = async |at_once| {
            let mut tx = system.store().begin().await.unwrap();
            let (rows, more) = domain::session::purge(&mut tx, at_once).await.unwrap();
            tx.commit().await.unwrap();
            (rows, more)
        };
        assert_eq!(count(100).await, (0, false));
        bed.clock().advance(TimeDelta::hours(2));
        // Two tries for each, by account and by network, and a link.
        assert_eq!(count(1).await, (2, true));
        assert_eq!(count(100).await, (3, false));
        // A session is kept longer, for who asks where they were signed in.
        assert_eq!(sessions::Entity::find().count(system.store().reader()).await.unwrap(), 1);
        system.stop().await;
    }
}

async fn account(system: &System, email: &str) -> user::Model {
    user::Entity::find()
        .filter(user::Column::Email.eq(email))
        .one(system.store().reader())
        .await
        .unwrap()
        .unwrap()
}

/// A contact with an address and no account, at an approved organisation.
async fn invitable(system: &System) -> (String, String) {
    let with_accounts: Vec<_> = user::Entity::find()
        .all(system.store().reader())
        .await
        .unwrap()
        .into_iter()
        .filter_map(|account| account.contact_id)
        .collect();
    let (found, _) = contact::Entity::find()
        .find_also_related(organisation::Entity)
        .filter(contact::Column::Email.is_not_null())
        .filter(contact::Column::DoNotEmail.eq(false))
        .filter(contact::Column::State.eq(contact::ContactState::Active))
        .filter(organisation::Column::State.eq(organisation::OrganisationState::Approved))
        .all(system.store().reader())
        .await
        .unwrap()
        .into_iter()
        .find(|(contact, _)| !with_accounts.contains(&contact.id))
        .unwrap();
    (found.id.to_string(), found.email.unwrap())
}

async fn grant_editing(system: &System, email: &str) {
    let row = access_grant::Model {
        id: GrantId::new_at(system.store().now()),
        user_id: account(system, email).await.id,
        permission: Permission::EditOrganisation,
        faculty_id: None,
        training_course_id: None,
        state: GrantState::Active,
        granted_by: None,
        granted_at: system.store().now(),
    };
    access_grant::Entity::insert(row.into_active_model())
        .exec_without_returning(system.store().reader())
        .await
        .unwrap();
}

async fn post(system: &System, path: &str, form: &[(&str, &str)]) -> StatusCode {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    system
        .client()
        .request(Method::POST, path)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap()
        .status()
}

/// Tries to sign in with an account that isn't there, and tells how that went.
async fn try_as(system: &System, forwarded: &str, email: &str) -> String {
    let input = json!({ "input": { "email": email, "password": "wrong" } });
    let answer: Value = system
        .client()
        .request(Method::POST, "/graphql")
        .header("X-Forwarded-For", forwarded)
        .json(&json!({ "query": SIGN_IN, "variables": input }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let refusal = answer["data"]["signIn"]["userErrors"][0]["code"].as_str();
    refusal
        .or(answer["errors"][0]["extensions"]["code"].as_str())
        .unwrap()
        .to_owned()
}

async fn try_from(system: &System, forwarded: &str) -> String {
    try_as(system, forwarded, "last@example.test").await
}

/// A hundred failed tries, each with another account.
async fn exhaust(system: &System, forwarded: &str) {
    for number in 0..100 {
        let email = format!("{number}@example.test");
        assert_eq!(try_as(system, forwarded, &email).await, "WRONG_CREDENTIALS");
    }
}
